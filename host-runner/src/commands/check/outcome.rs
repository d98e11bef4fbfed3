//! What a check comes to, and how the run ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::admission::Operation;
use crate::enforcement::{Mode, Outcome, Verdict};
use crate::exit_status::ExitStatus;
use crate::manifest::Problem;

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// How many objects were read.
    pub objects: usize,
    /// One per object and policy that is asked about it, in the order of the input.
    pub results: Vec<CheckResult>,
    /// What the policies in force say that they are for, by name.
    pub descriptions: BTreeMap<String, String>,
    /// The policies that need settings and have none, and what they say.
    pub not_configured: Vec<(String, String)>,
    /// The objects that no policy is asked about.
    pub unmatched: Vec<Subject>,
    /// What could not be used.
    pub problems: Vec<Problem>,
    /// The files that were written, if mutations were to be written back.
    pub fixed: Option<Vec<Fixed>>,
    /// Whether a policy was asked for by name and is not configured, or there is none that could be asked.
    pub misses_policies: bool,
}

/// One object, one policy.
#[derive(Debug)]
pub struct CheckResult {
    /// The policy's name.
    pub policy: String,
    /// What its rejections mean.
    pub mode: Mode,
    /// The object.
    pub subject: Subject,
    /// What was asked.
    pub operation: Operation,
    /// What came of it.
    pub outcome: Outcome,
    /// The object in front of the mutation, if there was one.
    pub before: Option<Value>,
    /// The mutation in the text of the file, if there is one and it was asked for.
    pub diff: Option<MutationDiff>,
}

/// A mutation as a difference between texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MutationDiff {
    /// A unified diff, against the file as the diffs above this one leave it.
    InFile {
        /// With headers and line numbers.
        text: String,
    },
    /// The file cannot be changed to say the same.
    OutOfFile {
        /// Why.
        reason: String,
    },
    /// The file was checked before under another name, and the diff stands there.
    Above,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fixed {
    /// The file as the user named it.
    pub file: String,
    /// How many of its objects are other than before.
    pub objects: usize,
}

/// An object, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// Which of the file's objects it is, from 0.
    pub position: usize,
    /// What it is.
    pub identity: Identity,
}

/// What an object is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// The namespace that it is in, or would be in.
    pub namespace: Option<String>,
    /// The name, or what a generated one begins with.
    pub name: String,
}

/// From which finding on a run is not clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FailOn {
    /// A rejection.
    #[default]
    Rejection,
    /// A warning.
    Warning,
    /// Nothing that a policy says. What could not be evaluated still counts.
    Never,
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Objects that were read.
    pub objects: usize,
    /// Evaluations that were to be made: one per object and policy that is asked about it.
    pub evaluations: usize,
    /// Those that went through unchanged.
    pub accepted: usize,
    /// Those that were refused.
    pub rejected: usize,
    /// Those that went through with changes.
    pub mutated: usize,
    /// Those with warnings, whatever their verdict.
    pub warned: usize,
    /// Those without a verdict.
    pub not_run: usize,
    /// Policies without the settings that they need.
    pub not_configured: usize,
    /// Objects that no policy is asked about.
    pub unmatched: usize,
    /// Input that could not be used.
    pub problems: usize,
}

impl CheckReport {
    /// The numbers.
    pub fn summary(&self) -> Summary {
        let count = |verdict| self.results.iter().filter(|result| result.outcome.verdict == verdict).count();
        Summary {
            objects: self.objects,
            evaluations: self.results.len(),
            accepted: count(Verdict::Accepted),
            rejected: count(Verdict::Rejected),
            mutated: count(Verdict::Mutated),
            warned: self.results.iter().filter(|result| !result.outcome.warnings.is_empty()).count(),
            not_run: count(Verdict::NotRun),
            not_configured: self.not_configured.len(),
            unmatched: self.unmatched.len(),
            problems: self.problems.len(),
        }
    }

    /// How the run ends. What could not be done outranks what was found, and a run without a policy is not clean.
    pub fn exit_status(&self, fail_on: FailOn) -> ExitStatus {
        let summary = self.summary();
        let unusable = summary.problems > 0 || summary.not_run > 0 || self.misses_policies;
        let found = match fail_on {
            FailOn::Rejection => summary.rejected > 0,
            FailOn::Warning => summary.rejected > 0 || summary.warned > 0,
            FailOn::Never => false,
        };
        match (unusable, found) {
            (true, _) => ExitStatus::Unusable,
            (false, true) => ExitStatus::Findings,
            (false, false) => ExitStatus::Clean,
        }
    }
}
