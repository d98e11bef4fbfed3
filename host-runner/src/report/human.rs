//! Reports for people: what to fix first, the numbers last.

use std::collections::BTreeMap;
use std::io::{self, Write};

use similar::TextDiff;

use super::Detail;
use super::paint::{Paint, Shade};
use crate::commands::check::{CheckReport, CheckResult, Identity, MutationDiff, Subject};
use crate::commands::test::TestReport;
use crate::enforcement::{Mode, Verdict};
use crate::suite::CaseStatus;

pub(super) fn write_check(report: &CheckReport, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(detail.color);
    let mut last: Option<&Subject> = None;
    for result in report.results.iter().filter(|result| detail.verbose || is_worth_telling(result)) {
        if last != Some(&result.subject) {
            if last.is_some() {
                writeln!(out)?;
            }
            writeln!(out, "{}", paint.apply(Shade::Heading, &subject_line(&result.subject)))?;
            last = Some(&result.subject);
        }
        write_result(result, paint, out)?;
    }
    if last.is_some() {
        writeln!(out)?;
    }
    for fixed in report.fixed.iter().flatten() {
        writeln!(out, "fixed {}: {}", fixed.file, plural(fixed.objects, "object"))?;
    }
    for problem in &report.problems {
        writeln!(out, "{} {}", paint.apply(Shade::Trouble, "error:"), plain(&problem.to_string()))?;
    }
    for (policy, message) in &report.not_configured {
        writeln!(out, "{} {}: {}", paint.apply(Shade::Trouble, "not configured:"), plain(policy), plain(message))?;
    }
    write_unmatched(report, detail, out)?;
    write_summary(report, out)
}

/// The numbers, in a line.
pub(super) fn write_summary(report: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    let summary = report.summary();
    let mut parts = vec![
        format!("{} accepted", summary.accepted),
        format!("{} rejected", summary.rejected),
        format!("{} mutated", summary.mutated),
    ];
    for (count, what) in [
        (summary.warned, "with warnings"),
        (summary.not_run, "not run"),
        (summary.not_configured, "not configured"),
        (summary.problems, if summary.problems == 1 { "error" } else { "errors" }),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    writeln!(
        out,
        "{}, {}: {}",
        plural(summary.objects, "object"),
        plural(summary.evaluations, "evaluation"),
        parts.join(", ")
    )
}

fn is_worth_telling(result: &CheckResult) -> bool {
    result.outcome.verdict != Verdict::Accepted || !result.outcome.warnings.is_empty()
}

/// Where an object is, and what it is: `deploy/web.yaml:3 Deployment shop/web`.
pub(super) fn subject_line(subject: &Subject) -> String {
    let file = if &*subject.file == "-" { "stdin" } else { &subject.file };
    format!("{}:{} {}", plain(file), subject.line, subject_name(&subject.identity))
}

/// What an object is: `Deployment shop/web`.
pub(super) fn subject_name(identity: &Identity) -> String {
    let kind = plain(&identity.kind);
    match (&identity.namespace, identity.name.as_str()) {
        (_, "") => kind,
        (Some(namespace), name) => format!("{kind} {}/{}", plain(namespace), plain(name)),
        (None, name) => format!("{kind} {}", plain(name)),
    }
}

/// Policies of this project join violations with `; `, each beginning with its place; one line each is easier to read.
/// A fix may follow in the same way, and stays with its violation.
pub(super) fn violations(message: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (end, _) in message.match_indices("; ") {
        if begins_with_a_place(&message[end + 2..]) {
            lines.push(&message[start..end]);
            start = end + 2;
        }
    }
    lines.push(&message[start..]);
    lines.retain(|line| !line.is_empty());
    lines
}

/// `spec.containers[0] "web": …`, `rules[1]: …`.
fn begins_with_a_place(text: &str) -> bool {
    let word_end = text.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(text.len());
    word_end > 0
        && matches!(text.as_bytes().get(word_end), Some(b'.' | b'['))
        && text[word_end + 1..].starts_with(|letter: char| letter.is_ascii_alphanumeric())
}

fn write_result(result: &CheckResult, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let outcome = &result.outcome;
    let (verdict, shade) = match outcome.verdict {
        Verdict::Accepted if !outcome.warnings.is_empty() => ("warned", Shade::Attention),
        Verdict::Accepted => ("accepted", Shade::Good),
        Verdict::Rejected => ("rejected", Shade::Bad),
        Verdict::Mutated => ("mutated", Shade::Attention),
        Verdict::NotRun => ("not run", Shade::Trouble),
        Verdict::NotConfigured => ("not configured", Shade::Trouble),
    };
    let message = match (outcome.verdict, result.mode, &outcome.message) {
        // In monitor mode the message stands in the warning.
        (Verdict::Accepted, Mode::Monitor, _) | (_, _, None) => "",
        (_, _, Some(message)) => message.as_str(),
    };
    let verdict = paint.apply(shade, &format!("{verdict:<8}"));
    writeln!(out, "  {verdict} {}{}", plain(&result.policy), if message.is_empty() { "" } else { ":" })?;
    for line in violations(message) {
        writeln!(out, "    {}", plain(line))?;
    }
    for warning in &outcome.warnings {
        writeln!(out, "    warning: {}", plain(warning))?;
    }
    write_diff(result, out)
}

/// A text without what would move the cursor: neither a policy nor a manifest may write a report of its own. Nor may it
/// command a workflow of GitHub's, which reads `::error::` at the beginning of each line that a step prints, and
/// `##[error]` anywhere in it.
pub(super) fn plain(text: &str) -> String {
    let is_break = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    let line: String = text.chars().map(|character| if is_break(character) { ' ' } else { character }).collect();
    let line = line.replace("##[", "# #[");
    if line.trim_start().starts_with("::") { format!("\\{line}") } else { line }
}

/// What stands in the file is written as it is, at the beginning of lines, so that the report is a patch, too.
fn write_diff(result: &CheckResult, out: &mut dyn Write) -> io::Result<()> {
    match &result.diff {
        None => Ok(()),
        Some(MutationDiff::InFile { text }) => write!(out, "{text}"),
        Some(MutationDiff::OutOfFile { reason }) => write_diff_out_of_file(result, reason, out),
        Some(MutationDiff::Above) => writeln!(out, "    the file is the same as above, and so is the diff"),
    }
}

/// The difference between the objects, which nothing may take for a patch.
fn write_diff_out_of_file(result: &CheckResult, reason: &str, out: &mut dyn Write) -> io::Result<()> {
    let (Some(before), Some(after)) = (&result.before, &result.outcome.mutated) else { return Ok(()) };
    writeln!(out, "    not as in the file ({reason}):")?;
    let yaml = |value| serde_saphyr::to_string(value).map_err(io::Error::other);
    let (before, after) = (yaml(before)?, yaml(after)?);
    let diff = TextDiff::from_lines(&before, &after);
    for line in diff.unified_diff().context_radius(3).to_string().lines() {
        // The numbers of lines would be of no file.
        writeln!(out, "    {}", if line.starts_with("@@") { "..." } else { line })?;
    }
    Ok(())
}

fn write_unmatched(report: &CheckReport, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    if detail.verbose {
        for subject in &report.unmatched {
            writeln!(out, "no policy is asked: {}", subject_line(subject))?;
        }
        return Ok(());
    }
    unmatched(report).map_or(Ok(()), |line| writeln!(out, "{line}"))
}

/// The objects that no policy is asked about, in a line.
pub(super) fn unmatched(report: &CheckReport) -> Option<String> {
    if report.unmatched.is_empty() {
        return None;
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for subject in &report.unmatched {
        *kinds.entry(&subject.identity.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.into_iter().map(|(kind, count)| format!("{count} {}", plain(kind))).collect();
    Some(format!("no policy is asked about {}: {}", plural(report.unmatched.len(), "object"), kinds.join(", ")))
}

pub(super) fn write_test(report: &TestReport, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(detail.color);
    for suite in &report.suites {
        let passed = suite.cases.iter().filter(|case| case.status == CaseStatus::Passed).count();
        writeln!(out, "{}: {passed} of {} passed", suite.file.display(), plural(suite.cases.len(), "case"))?;
        for case in &suite.cases {
            match &case.status {
                CaseStatus::Passed if detail.verbose => {
                    writeln!(out, "  {}   {}", paint.apply(Shade::Good, "passed"), plain(&case.name))?
                }
                CaseStatus::Passed => {}
                CaseStatus::Failed { expected, found } => {
                    writeln!(out, "  {}   {}", paint.apply(Shade::Bad, "failed"), plain(&case.name))?;
                    writeln!(out, "    expected {}", indented(expected))?;
                    writeln!(out, "    found    {}", indented(found))?;
                }
                CaseStatus::NotRun { reason } => {
                    writeln!(out, "  {}  {}", paint.apply(Shade::Trouble, "not run"), plain(&case.name))?;
                    writeln!(out, "    {}", indented(reason))?;
                }
            }
        }
    }
    for problem in &report.problems {
        writeln!(out, "{} {}", paint.apply(Shade::Trouble, "error:"), plain(&problem.to_string()))?;
    }
    write_test_summary(report, out)
}

/// The numbers, in a line.
pub(super) fn write_test_summary(report: &TestReport, out: &mut dyn Write) -> io::Result<()> {
    let (passed, failed, not_run) = report.counts();
    writeln!(out, "{}: {passed} passed, {failed} failed, {not_run} not run", plural(report.suites.len(), "suite"))
}

/// A text for a terminal: its lines, without what would move the cursor.
pub fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Lines of a text below each other, and nothing in them that is none.
fn indented(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n    ")
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
