//! What came of suites and cases.

use std::path::PathBuf;

use serde::Serialize;

/// What came of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SuiteResult {
    /// The suite's file.
    pub file: PathBuf,
    /// The policy under test.
    pub policy: String,
    /// What came of each case, in the suite's order.
    pub cases: Vec<CaseResult>,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// The line of the suite on which it begins, from 1.
    pub line: usize,
    /// What came of it.
    #[serde(flatten)]
    pub status: CaseStatus,
}

/// Failing and not running are two things: a crash never satisfies `rejected`, and never counts as a wrong verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum CaseStatus {
    /// As expected.
    Passed,
    /// Another verdict, message, object or set of warnings.
    Failed {
        /// What the suite says.
        expected: String,
        /// What the policy did.
        found: String,
    },
    /// No verdict.
    NotRun {
        /// Why.
        reason: String,
    },
}
