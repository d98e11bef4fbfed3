//! Results to text. One file per format; nothing else in the crate writes to stdout.

mod bench;
mod finding;
mod github;
mod human;
mod json;
mod junit;
mod metadata;
mod paint;
mod response;
mod sarif;

use std::io::{self, Write};

use crate::commands::check::CheckReport;
use crate::commands::test::TestReport;

pub use bench::{BenchFormat, write_bench};
pub use human::plain_lines;
pub use metadata::{MetadataFormat, NameFormat, write_metadata, write_name};
pub use response::write_answer;

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for CI systems.
    Junit,
    /// Annotations of GitHub's workflows.
    Github,
}

/// How much a report tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Detail {
    /// Also what went through.
    pub verbose: bool,
    /// In colour, if it is for people.
    pub color: bool,
}

/// Writes the report of a check.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn write_check(report: &CheckReport, format: Format, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::write_check(report, detail, out),
        Format::Json => json::write_check(report, out),
        Format::Sarif => sarif::write_check(report, out),
        Format::Junit => junit::write_check(report, out),
        Format::Github => github::write_check(report, out),
    }
}

/// Writes the report of a test run.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn write_test(report: &TestReport, format: Format, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::write_test(report, detail, out),
        Format::Json => json::write_test(report, out),
        Format::Sarif => sarif::write_test(report, out),
        Format::Junit => junit::write_test(report, out),
        Format::Github => github::write_test(report, out),
    }
}
