//! Checks the example shop against a real registry on this machine: starts it, fills it, signs, asks, ends it.

#![expect(clippy::print_stderr, reason = "a command says what it lacks")]

use std::io;
use std::process::ExitCode;

use bundle_tests::registry::{self, Setup};
use bundle_tests::shop::{self, Files};
use bundle_tests::signing::Authority;
use host_runner::commands::check::{FailOn, check};
use host_runner::exit_status::ExitStatus;
use host_runner::report::{Detail, Format, write_check};

fn main() -> ExitCode {
    let Some(registry) = registry::start(&Setup::default()) else { return ExitStatus::Unusable.into() };
    let authority = Authority::new();
    shop::fill(&registry, &authority);
    let files = Files::write(&registry, &authority);
    let report = check(&files.check());
    if let Err(error) = write_check(&report, Format::Human, Detail::default(), &mut io::stdout().lock()) {
        eprintln!("error: {error}");
        return ExitStatus::Unusable.into();
    }
    report.exit_status(FailOn::default()).into()
}
