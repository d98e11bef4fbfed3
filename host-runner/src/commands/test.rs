//! `test`: do policies what their suites say?

use std::path::PathBuf;

use rayon::prelude::*;

use super::{Progress, Silent};
use crate::exit_status::ExitStatus;
use crate::manifest::{Problem, problem};
use crate::policy::{Engine, Limits, error_chain};
use crate::suite::{self, CaseStatus, LoadedSuite, SuiteResult};

/// Which suites to run.
#[derive(Debug, Default)]
pub struct TestOptions {
    /// Suite files, or folders that hold some.
    pub paths: Vec<PathBuf>,
    /// What an evaluation may take.
    pub limits: Limits,
    /// Where compiled code is kept.
    pub cache: Option<PathBuf>,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct TestReport {
    /// What came of each suite, sorted by file.
    pub suites: Vec<SuiteResult>,
    /// What could not be used.
    pub problems: Vec<Problem>,
}

/// Runs the suites.
pub fn test(options: &TestOptions) -> TestReport {
    test_showing(options, &Silent)
}

/// The same, and tells how many suites are done.
pub fn test_showing(options: &TestOptions, progress: &dyn Progress) -> TestReport {
    let (files, problems) = suite::discover(&options.paths);
    let mut report = TestReport { problems, ..TestReport::default() };
    let engine = match Engine::new(options.cache.clone()) {
        Ok(engine) => engine,
        Err(error) => {
            report.problems.push(problem("host-runner", None, error_chain(&error)));
            return report;
        }
    };
    progress.started(files.len());
    let results = files.par_iter().map(|file| {
        let result = LoadedSuite::load(file, &engine, options.limits).map(|suite| suite.run());
        progress.advanced();
        result
    });
    let results: Vec<Result<SuiteResult, Problem>> = results.collect();
    for result in results {
        match result {
            Ok(result) => report.suites.push(result),
            Err(problem) => report.problems.push(problem),
        }
    }
    report
}

impl TestReport {
    /// Cases that passed, failed, and were not run.
    pub fn counts(&self) -> (usize, usize, usize) {
        let mut counts = (0, 0, 0);
        for case in self.suites.iter().flat_map(|suite| &suite.cases) {
            match case.status {
                CaseStatus::Passed => counts.0 += 1,
                CaseStatus::Failed { .. } => counts.1 += 1,
                CaseStatus::NotRun { .. } => counts.2 += 1,
            }
        }
        counts
    }

    /// How the run ends. A run without cases is not clean.
    pub fn exit_status(&self) -> ExitStatus {
        match self.counts() {
            _ if !self.problems.is_empty() => ExitStatus::Unusable,
            (0, 0, 0) => ExitStatus::Unusable,
            (_, _, not_run) if not_run > 0 => ExitStatus::Unusable,
            (_, failed, _) if failed > 0 => ExitStatus::Findings,
            _ => ExitStatus::Clean,
        }
    }
}
