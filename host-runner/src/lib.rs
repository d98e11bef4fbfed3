//! Runs Kubewarden policies on plain manifests, without a cluster.
//!
//! ```text
//! main ─► commands ─┬─► manifest      files to objects that know their line, and back
//!                   ├─► admission     objects to the requests that a cluster would send
//!                   ├─► sources       the bundle, modules, policy resources to policies in force
//!                   ├─► enforcement   which requests, which settings, what follows from the answer
//!                   │     └─► policy  the WebAssembly host; the only code that knows wasmtime
//!                   ├─► capabilities  what policies may ask, as values
//!                   │     ├─► world   the outside as data
//!                   │     └─► live    the outside as it is, over the network
//!                   ├─► suite         cases and expectations
//!                   └─► report        results to text; the only code that writes to stdout
//! ```

pub mod admission;
pub mod capabilities;
pub mod commands;
pub mod enforcement;
pub mod exit_status;
pub mod files;
#[cfg(feature = "live")]
pub mod live;
pub mod manifest;
pub mod policy;
pub mod report;
pub mod sources;
pub mod suite;
mod verification;
pub mod world;
