//! SARIF 2.1.0: what code scanning shows beside the lines of a pull request.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString, Notification,
    PhysicalLocation, Region, ReportingDescriptor, Result as SarifResult, ResultLevel, Run, Sarif, Tool, ToolComponent,
};

use super::finding::{self, Finding, Severity};
use super::human::{self, plain};
use crate::commands::check::{CheckReport, FailOn};
use crate::commands::test::TestReport;
use crate::digest::sha256;
use crate::exit_status::ExitStatus;

/// The one fingerprint that GitHub's code scanning looks at. Without it, it takes the text of the line, and several
/// findings on one line for one.
const FINGERPRINT: &str = "primaryLocationLineHash";

pub(super) fn write_check(report: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    let is_whole = report.exit_status(FailOn::Never) != ExitStatus::Unusable;
    let mut problems = finding::of_problems(report);
    problems.extend(human::unmatched(report).map(finding::note));
    write(&finding::of_results(report), &problems, &report.descriptions, is_whole, out)
}

pub(super) fn write_test(report: &TestReport, out: &mut dyn Write) -> io::Result<()> {
    let is_whole = report.exit_status() != ExitStatus::Unusable;
    write(&finding::of_cases(report), &finding::of_input(&report.problems), &BTreeMap::new(), is_whole, out)
}

fn write(
    results: &[Finding<'_>],
    problems: &[Finding<'_>],
    descriptions: &BTreeMap<String, String>,
    is_whole: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rules: BTreeSet<&str> = results.iter().map(|finding| finding.title).collect();
    let rules: Vec<&str> = rules.into_iter().collect();
    let driver = ToolComponent::builder()
        .name("host-runner")
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .rules(rules.iter().map(|id| rule(id, descriptions)).collect::<Vec<_>>())
        .build();
    // What has no verdict is a result, so that it is seen where results are, and a notification, as SARIF has it.
    let unevaluated = results.iter().filter(|finding| finding.is_unevaluated);
    let notifications: Vec<Notification> = problems.iter().chain(unevaluated).map(notification).collect();
    let invocation =
        Invocation::builder().execution_successful(is_whole).tool_execution_notifications(notifications).build();
    let results: Vec<SarifResult> = results.iter().map(|finding| result(finding, &rules)).collect();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .invocations(vec![invocation])
        .results(results)
        .build();
    let sarif = Sarif::builder()
        .schema("https://json.schemastore.org/sarif-2.1.0.json")
        .version(json!("2.1.0"))
        .runs(vec![run])
        .build();
    serde_json::to_writer(&mut *out, &sarif)?;
    writeln!(out)
}

fn rule(id: &str, descriptions: &BTreeMap<String, String>) -> ReportingDescriptor {
    let text = descriptions.get(id).map_or(id, String::as_str);
    let description = MultiformatMessageString::builder().text(plain(text)).build();
    ReportingDescriptor::builder().id(id).short_description(description).build()
}

fn result(finding: &Finding<'_>, rules: &[&str]) -> SarifResult {
    let level = match finding.severity {
        Severity::Error => ResultLevel::Error,
        Severity::Warning => ResultLevel::Warning,
        Severity::Note => ResultLevel::Note,
    };
    let index = rules.iter().position(|rule| *rule == finding.title).and_then(|index| i64::try_from(index).ok());
    SarifResult::builder()
        .rule_id(finding.title)
        .rule_index(index.unwrap_or(-1))
        .level(level)
        .message(message(finding))
        .locations(vec![location(finding)])
        .partial_fingerprints(BTreeMap::from([(FINGERPRINT.to_owned(), fingerprint(finding))]))
        .build()
}

fn notification(finding: &Finding<'_>) -> Notification {
    let level = if finding.severity == Severity::Note { "note" } else { "error" };
    let text = format!("{}: {}", finding.title, plain(&finding.message));
    Notification::builder()
        .level(json!(level))
        .message(Message::builder().text(text).build())
        .locations(if finding.file.is_some() { vec![location(finding)] } else { Vec::new() })
        .build()
}

fn message(finding: &Finding<'_>) -> Message {
    let text = match &finding.object {
        Some(object) => format!("{object}: {}", finding.message),
        None => finding.message.clone(),
    };
    Message::builder().text(plain(&text)).build()
}

fn location(finding: &Finding<'_>) -> Location {
    let logical = finding
        .object
        .iter()
        .map(|object| LogicalLocation::builder().fully_qualified_name(plain(object)).kind("resource").build());
    let logical: Vec<LogicalLocation> = logical.collect();
    match finding.file {
        // Nobody could look up a place in stdin.
        None => Location::builder().logical_locations(logical).build(),
        Some(file) => {
            let line = finding.line.and_then(|line| i64::try_from(line).ok()).unwrap_or(1);
            let physical = PhysicalLocation::builder()
                .artifact_location(ArtifactLocation::builder().uri(uri(file)).build())
                .region(Region::builder().start_line(line).build())
                .build();
            Location::builder().physical_location(physical).logical_locations(logical).build()
        }
    }
}

/// The same for the same finding, also when it has moved to another line.
fn fingerprint(finding: &Finding<'_>) -> String {
    let parts = [finding.title, finding.file.unwrap_or("-"), finding.object.as_deref().unwrap_or(""), &finding.message];
    sha256(parts.join("\0").as_bytes())
}

/// A relative path as a relative URI, which is relative to the repository if the command was run in its root.
fn uri(file: &str) -> String {
    let path = Path::new(file);
    let mut uri = if path.is_absolute() { "file://".to_owned() } else { String::new() };
    let file = file.strip_prefix("./").unwrap_or(file);
    for byte in file.bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("deploy/web.yaml", "deploy/web.yaml"),
            ("./deploy/web.yaml", "deploy/web.yaml"),
            ("/srv/a b.yaml", "file:///srv/a%20b.yaml"),
            ("a:b%/ü.yaml", "a%3Ab%25/%C3%BC.yaml"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
