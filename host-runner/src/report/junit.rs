//! JUnit's XML, as Jenkins and GitLab read it: a suite for each file, a case for each object and policy.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::finding::{self, Finding, Severity};
use super::human::{plain, subject_line, violations};
use crate::commands::check::{CheckReport, CheckResult};
use crate::commands::test::TestReport;
use crate::enforcement::Verdict;
use crate::suite::CaseStatus;

pub(super) fn write_check(report: &CheckReport, out: &mut dyn Write) -> io::Result<()> {
    let mut suites = Suites::default();
    for result in &report.results {
        suites.of(&result.subject.file).add_test_case(case_of(result));
    }
    for subject in &report.unmatched {
        let mut case = TestCase::new("no policy is asked", skipped("no policy is asked about this object"));
        case.set_classname(xml(&subject_line(subject)));
        suites.of(&subject.file).add_test_case(case);
    }
    add_problems(&finding::of_problems(report), &mut suites);
    suites.write("host-runner check", out)
}

pub(super) fn write_test(report: &TestReport, out: &mut dyn Write) -> io::Result<()> {
    let mut suites = Suites::default();
    for suite in &report.suites {
        let cases = suites.of(&suite.file.display().to_string());
        for case in &suite.cases {
            let status = match &case.status {
                CaseStatus::Passed => TestCaseStatus::success(),
                CaseStatus::Failed { expected, found } => {
                    failed(NonSuccessKind::Failure, "failed", &format!("expected {expected}\nfound {found}"))
                }
                CaseStatus::NotRun { reason } => failed(NonSuccessKind::Error, "notRun", reason),
            };
            let mut case = TestCase::new(xml(&case.name), status);
            case.set_classname(xml(&suite.policy));
            cases.add_test_case(case);
        }
    }
    add_problems(&finding::of_input(&report.problems), &mut suites);
    suites.write("host-runner test", out)
}

/// What could not be judged, below the file that it is about.
fn add_problems(problems: &[Finding<'_>], suites: &mut Suites) {
    for problem in problems {
        let status = if problem.severity == Severity::Error {
            failed(NonSuccessKind::Error, "problem", &problem.message)
        } else {
            skipped(&problem.message)
        };
        let name = problem.file.map_or_else(|| xml(problem.title), |_| problem.place());
        let mut case = TestCase::new(name, status);
        case.set_classname(xml(problem.title));
        suites.of(problem.file.unwrap_or("host-runner")).add_test_case(case);
    }
}

fn case_of(result: &CheckResult) -> TestCase {
    let message = result.outcome.message.as_deref().unwrap_or_default();
    let status = match result.outcome.verdict {
        Verdict::Accepted | Verdict::Mutated => TestCaseStatus::success(),
        Verdict::Rejected => failed(NonSuccessKind::Failure, "rejected", &violations(message).join("\n")),
        Verdict::NotRun | Verdict::NotConfigured => failed(NonSuccessKind::Error, "notRun", message),
    };
    let mut case = TestCase::new(xml(&result.policy), status);
    case.set_classname(xml(&subject_line(&result.subject)));
    let warnings: Vec<String> = result.outcome.warnings.iter().map(|warning| xml(warning)).collect();
    if !warnings.is_empty() {
        case.set_system_out(warnings.join("\n"));
    }
    case
}

/// A text that XML can carry: its two noncharacters are none even as references.
fn xml(text: &str) -> String {
    plain(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// Readers show the message in lists, and the text behind it.
fn failed(kind: NonSuccessKind, what: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let lines: Vec<String> = text.lines().map(xml).collect();
    status.set_type(what).set_message(lines.first().cloned().unwrap_or_default()).set_description(lines.join("\n"));
    status
}

fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(xml(reason));
    status
}

/// Suites by name, in the order in which they were named first.
#[derive(Default)]
struct Suites(Vec<TestSuite>);

impl Suites {
    fn of(&mut self, file: &str) -> &mut TestSuite {
        let name = xml(if file == "-" { "stdin" } else { file });
        // Results come file by file.
        let index = match self.0.iter().rposition(|suite| suite.name.as_str() == name) {
            Some(index) => index,
            None => {
                self.0.push(TestSuite::new(name));
                self.0.len() - 1
            }
        };
        &mut self.0[index]
    }

    fn write(self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let mut report = Report::new(name);
        report.add_test_suites(self.0);
        let text = report.to_string().map_err(io::Error::other)?;
        // The root has a number more than Jenkins' schema allows.
        let skipped = format!(" skipped=\"{}\"", report.skipped);
        out.write_all(text.replacen(&skipped, "", 1).as_bytes())
    }
}
