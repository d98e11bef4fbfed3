//! How long policies take: what is measured, and what the samples come to.

mod measure;
mod statistics;

pub use measure::{Timing, measure};
pub use statistics::Statistics;
