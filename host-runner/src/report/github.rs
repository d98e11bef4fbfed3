//! Annotations of GitHub's workflows: one line each, which GitHub shows beside the line of the file.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>

use std::io::{self, Write};

use super::finding::{self, Finding, Severity};
use super::human;
use crate::commands::check::CheckReport;
use crate::commands::test::TestReport;

pub(super) fn write_check(report: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    for finding in finding::of_results(report).iter().chain(&finding::of_problems(report)) {
        write_annotation(finding, out)?;
    }
    if let Some(line) = human::unmatched(report) {
        writeln!(out, "{line}")?;
    }
    human::write_summary(report, out)
}

pub(super) fn write_test(report: &TestReport, out: &mut dyn Write) -> io::Result<()> {
    for finding in finding::of_cases(report).iter().chain(&finding::of_input(&report.problems)) {
        write_annotation(finding, out)?;
    }
    human::write_test_summary(report, out)
}

fn write_annotation(finding: &Finding<'_>, out: &mut dyn Write) -> io::Result<()> {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    write!(out, "::{command} ")?;
    if let Some(file) = finding.file {
        write!(out, "file={},", property(file.strip_prefix("./").unwrap_or(file)))?;
        if let Some(line) = finding.line {
            write!(out, "line={line},")?;
        }
    }
    let title = match &finding.object {
        Some(object) => format!("{}: {object}", finding.title),
        None => finding.title.to_owned(),
    };
    writeln!(out, "title={}::{}", property(&title), data(&finding.message))
}

/// What stands behind the `::`. A line break would end the command, and let a policy write one of its own.
fn data(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|letter| if letter.is_control() && !matches!(letter, '\n' | '\r') { ' ' } else { letter })
        .collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace("##[", "# #[")
}

/// The value of a property, which a colon or a comma would end, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_but_its_end() {
        assert_eq!(data("a\r\n::error::b %0A\u{1b}[1m"), "a%0D%0A::error::b %250A [1m");
        assert_eq!(property("a,b:c\n%"), "a%2Cb%3Ac%0A%25");
    }
}
