//! Reports for programs: one document, whose keys stay as they are.

use std::collections::BTreeMap;
use std::io::{self, Write};

use json_patch::Patch;
use serde::Serialize;

use crate::commands::check::{CheckReport, Fixed, Identity, MutationDiff, Subject, Summary};
use crate::commands::test::TestReport;
use crate::enforcement::{Mode, Verdict};
use crate::manifest::Problem;
use crate::suite::SuiteResult;

#[derive(Serialize)]
struct CheckDocument<'r> {
    summary: Summary,
    results: Vec<Result<'r>>,
    /// Objects that no policy is asked about.
    unmatched: Vec<Place<'r>>,
    /// Input that could not be used.
    problems: &'r [Problem],
    /// The files that were written, with `--fix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<&'r [Fixed]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Result<'r> {
    policy: &'r str,
    mode: Mode,
    #[serde(flatten)]
    place: Place<'r>,
    operation: Option<&'static str>,
    verdict: Verdict,
    message: Option<&'r str>,
    warnings: &'r [String],
    audit_annotations: BTreeMap<&'r str, &'r str>,
    patch: Option<&'r Patch>,
    /// The patch as a diff of the file, with `--diff` and where the file can be changed so.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'r str>,
}

/// All unset where a result is about a policy and no object.
#[derive(Serialize, Default)]
struct Place<'r> {
    file: Option<&'r str>,
    line: Option<usize>,
    object: Option<&'r Identity>,
}

impl<'r> From<&'r Subject> for Place<'r> {
    fn from(subject: &'r Subject) -> Self {
        Place { file: Some(&subject.file), line: Some(subject.line), object: Some(&subject.identity) }
    }
}

pub(super) fn write_check(report: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    let evaluated = report.results.iter().map(|result| Result {
        policy: &result.policy,
        mode: result.mode,
        place: Place::from(&result.subject),
        operation: Some(result.operation.name()),
        verdict: result.outcome.verdict,
        message: result.outcome.message.as_deref(),
        warnings: &result.outcome.warnings,
        audit_annotations: result
            .outcome
            .audit_annotations
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect(),
        patch: result.outcome.patch.as_ref(),
        diff: match &result.diff {
            Some(MutationDiff::InFile { text }) => Some(text),
            _ => None,
        },
    });
    let not_configured = report.not_configured.iter().map(|(policy, message)| Result {
        policy,
        mode: Mode::Protect,
        place: Place::default(),
        operation: None,
        verdict: Verdict::NotConfigured,
        message: Some(message),
        warnings: &[],
        audit_annotations: BTreeMap::new(),
        patch: None,
        diff: None,
    });
    let document = CheckDocument {
        summary: report.summary(),
        results: evaluated.chain(not_configured).collect(),
        unmatched: report.unmatched.iter().map(Place::from).collect(),
        problems: &report.problems,
        fixed: report.fixed.as_deref(),
    };
    write(&document, out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestDocument<'r> {
    summary: TestSummary,
    suites: &'r [SuiteResult],
    problems: &'r [Problem],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestSummary {
    passed: usize,
    failed: usize,
    not_run: usize,
    problems: usize,
}

pub(super) fn write_test(report: &TestReport, out: &mut dyn Write) -> io::Result<()> {
    let (passed, failed, not_run) = report.counts();
    let summary = TestSummary { passed, failed, not_run, problems: report.problems.len() };
    write(&TestDocument { summary, suites: &report.suites, problems: &report.problems }, out)
}

fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    writeln!(out)
}
