//! What a run found, one by one: for formats that point at places.

use std::path::Path;

use super::human::{subject_name, violations};
use crate::commands::check::{CheckReport, CheckResult, Subject};
use crate::commands::test::TestReport;
use crate::enforcement::{Mode, Verdict};
use crate::manifest::Problem;
use crate::suite::CaseStatus;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Note,
    Warning,
    Error,
}

/// One thing to point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding<'r> {
    pub(super) severity: Severity,
    /// The policy, or what else the finding is about.
    pub(super) title: &'r str,
    pub(super) file: Option<&'r str>,
    pub(super) line: Option<usize>,
    /// The object, as people name it.
    pub(super) object: Option<String>,
    pub(super) message: String,
    /// Whether there is no verdict, rather than one that says no.
    pub(super) is_unevaluated: bool,
}

impl<'r> Finding<'r> {
    fn of(result: &'r CheckResult, severity: Severity, message: impl Into<String>) -> Self {
        Finding {
            severity,
            title: &result.policy,
            is_unevaluated: result.outcome.verdict == Verdict::NotRun,
            ..Finding::at(&result.subject, message)
        }
    }

    fn at(subject: &'r Subject, message: impl Into<String>) -> Self {
        Finding {
            severity: Severity::Note,
            title: "host-runner",
            file: file_of(&subject.file),
            line: Some(subject.line),
            object: Some(subject_name(&subject.identity)),
            message: message.into(),
            is_unevaluated: false,
        }
    }

    /// Where it is, for people: `deploy/web.yaml:3`.
    pub(super) fn place(&self) -> String {
        match (self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.to_owned(),
            (None, _) => "stdin".to_owned(),
        }
    }
}

/// The name of a file; stdin has none that anybody could look up.
pub(super) fn file_of(file: &str) -> Option<&str> {
    (file != "-").then_some(file)
}

/// What policies say of objects: each violation, each warning, and whatever has no verdict.
pub(super) fn of_results(report: &CheckReport) -> Vec<Finding<'_>> {
    report.results.iter().flat_map(of_result).collect()
}

fn of_result(result: &CheckResult) -> Vec<Finding<'_>> {
    let outcome = &result.outcome;
    let message = outcome.message.as_deref().unwrap_or_default();
    let mut findings = Vec::new();
    match outcome.verdict {
        Verdict::Rejected => {
            let violations = violations(message);
            // A rejection without a word is one all the same.
            let violations = if violations.is_empty() { vec!["rejected without a reason"] } else { violations };
            findings.extend(violations.into_iter().map(|one| Finding::of(result, Severity::Error, one)));
        }
        Verdict::NotRun => findings.push(Finding::of(result, Severity::Error, format!("not evaluated: {message}"))),
        Verdict::Mutated => findings.push(Finding::of(result, Severity::Note, "the policy changes the object")),
        Verdict::Accepted | Verdict::NotConfigured => {}
    }
    // In monitor mode the violation stands in a warning.
    let is_told = outcome.verdict == Verdict::Mutated && result.mode == Mode::Protect;
    let severity = if is_told { Severity::Note } else { Severity::Warning };
    findings.extend(outcome.warnings.iter().map(|warning| Finding::of(result, severity, warning)));
    findings
}

/// What kept the run from judging everything: input that could not be used, policies without settings.
pub(super) fn of_problems(report: &CheckReport) -> Vec<Finding<'_>> {
    let mut findings = of_input(&report.problems);
    let severity = if report.misses_policies { Severity::Error } else { Severity::Note };
    findings.extend(report.not_configured.iter().map(|(policy, message)| Finding {
        severity,
        title: policy,
        file: None,
        line: None,
        object: None,
        message: format!("not configured: {message}"),
        is_unevaluated: true,
    }));
    findings
}

/// Something to know about the whole run.
pub(super) fn note(message: String) -> Finding<'static> {
    Finding {
        severity: Severity::Note,
        title: "host-runner",
        file: None,
        line: None,
        object: None,
        message,
        is_unevaluated: true,
    }
}

/// Input that could not be used.
pub(super) fn of_input(problems: &[Problem]) -> Vec<Finding<'_>> {
    problems.iter().map(of_problem).collect()
}

fn of_problem(problem: &Problem) -> Finding<'_> {
    // Some are about a flag.
    let is_file = file_of(&problem.file).is_some_and(|file| problem.line.is_some() || Path::new(file).exists());
    Finding {
        severity: Severity::Error,
        title: "host-runner",
        file: is_file.then_some(problem.file.as_str()),
        line: problem.line,
        object: None,
        message: if is_file { problem.message.clone() } else { problem.to_string() },
        is_unevaluated: true,
    }
}

/// Cases that did not pass.
pub(super) fn of_cases(report: &TestReport) -> Vec<Finding<'_>> {
    let mut findings = Vec::new();
    for suite in &report.suites {
        for case in &suite.cases {
            let (message, is_unevaluated) = match &case.status {
                CaseStatus::Passed => continue,
                CaseStatus::Failed { expected, found } => {
                    (format!("{}: expected {expected}; found {found}", case.name), false)
                }
                CaseStatus::NotRun { reason } => (format!("{}: not run: {reason}", case.name), true),
            };
            findings.push(Finding {
                severity: Severity::Error,
                title: &suite.policy,
                file: suite.file.to_str(),
                line: Some(case.line),
                object: None,
                message,
                is_unevaluated,
            });
        }
    }
    findings
}
