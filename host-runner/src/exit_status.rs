//! How a run ends.

use std::process::ExitCode;

/// The exit status; of several, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    /// Everything was looked at, and nothing was found.
    Clean = 0,
    /// Something was rejected, or a case failed.
    Findings = 1,
    /// Something could not be looked at.
    Unusable = 2,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(status as u8)
    }
}
