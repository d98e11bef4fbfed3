//! Parse, run, write the report, exit.

mod cli;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use host_runner::commands::{check, test};
use host_runner::exit_status::ExitStatus;
use host_runner::report;

use cli::{Cli, Command};

/// Deep documents are read on the stack; with enough of it, no thread has to make more for each.
const STACK: usize = 16 << 20;

fn main() -> ExitCode {
    // Fails only if there is a pool already, which is as good.
    let _ = rayon::ThreadPoolBuilder::new().stack_size(STACK).build_global();
    let outcome = match Cli::parse().command {
        Command::Check(arguments) => run_check(*arguments),
        Command::Test(arguments) => run_test(arguments),
    };
    match outcome {
        Ok(status) => status.into(),
        Err(message) => {
            #[expect(clippy::print_stderr, reason = "main alone tells errors")]
            {
                eprintln!("error: {message}");
            }
            ExitStatus::Unusable.into()
        }
    }
}

fn run_check(arguments: cli::CheckArgs) -> Result<ExitStatus, String> {
    let (options, fail_on, detail, output) = arguments.into_options()?;
    let result = check::check(&options);
    let status = result.exit_status(fail_on);
    written(output.write(|out| report::write_check(&result, output.format, detail, out)), status)
}

fn run_test(arguments: cli::TestArgs) -> Result<ExitStatus, String> {
    let (options, detail, output) = arguments.into_options()?;
    let result = test::test(&options);
    let status = result.exit_status();
    written(output.write(|out| report::write_test(&result, output.format, detail, out)), status)
}

fn written(outcome: io::Result<()>, status: ExitStatus) -> Result<ExitStatus, String> {
    match outcome {
        Ok(()) => Ok(status),
        // Whoever reads has seen enough, as with `host-runner check … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(status),
        Err(error) => Err(format!("the report cannot be written: {error}")),
    }
}
