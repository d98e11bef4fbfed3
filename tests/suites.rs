//! Every case of every suite as one test, through the module that ships.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use bundle_tests::root;
use host_runner::policy::{Engine, Limits};
use host_runner::suite::{CaseStatus, LoadedSuite, discover};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // nextest makes one process per case: they share compiled code.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let engine = Engine::new(Some(cache)).expect("an engine");
    let (files, problems) = discover(&[root().join("policies")]);
    assert_eq!(problems, []);
    let mut trials = Vec::new();
    for file in files {
        let suite =
            Arc::new(LoadedSuite::load(&file, &engine, Limits::default()).unwrap_or_else(|error| panic!("{error}")));
        for case in suite.suite.cases.clone() {
            let suite = suite.clone();
            let name = format!("{}::{}", suite.suite.policy, case.name);
            trials.push(Trial::test(name, move || match suite.run_case(&case) {
                CaseStatus::Passed => Ok(()),
                CaseStatus::Failed { expected, found } => {
                    Err(Failed::from(format!("expected {expected}\nfound    {found}")))
                }
                CaseStatus::NotRun { reason } => Err(Failed::from(format!("not run: {reason}"))),
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
