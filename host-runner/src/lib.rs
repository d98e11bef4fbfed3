//! Runs Kubewarden policies on plain manifests, without a cluster.
//!
//! ```text
//! main ─► commands ─┬─► manifest      files to objects that know their line, and back
//!                   ├─► admission     objects to the requests that a cluster would send
//!                   ├─► sources       what policies a run has
//!                   │     └─► modules where their bytes are: bundle, files, kwctl's store, registries
//!                   ├─► enforcement   which requests, which settings, what follows from the answer
//!                   │     └─► policy  the WebAssembly host; the only code that knows wasmtime
//!                   ├─► capabilities  what policies may ask, as values
//!                   │     ├─► world   the outside as data
//!                   │     └─► live    the outside as it is, over the network
//!                   ├─► deployment    policies as the resources of a cluster
//!                   ├─► suite         cases and expectations
//!                   ├─► bench         times to numbers
//!                   └─► report        results to text; the only code that writes to stdout
//! ```

pub mod admission;
pub mod bench;
pub mod capabilities;
pub mod commands;
pub mod deployment;
mod digest;
pub mod enforcement;
pub mod exit_status;
pub mod files;
#[cfg(feature = "live")]
pub mod live;
pub mod manifest;
pub mod modules;
pub mod policy;
pub mod report;
pub mod sources;
pub mod suite;
mod verification;
pub mod world;
