//! One story per subcommand. Each takes plain options and gives a report; none prints.

pub mod annotate;
pub mod bench;
pub mod check;
#[cfg(feature = "live")]
pub mod distribute;
pub mod inspect;
pub mod manifests;
mod outside;
mod progress;
pub mod run;
pub mod test;

pub use outside::OutsideOptions;
pub use progress::{Progress, Silent};
