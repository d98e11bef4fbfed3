//! Parse, run, write the report, exit.

mod cli;
mod progress_bar;

use std::io::{self, Write};
use std::process::ExitCode;

#[cfg(feature = "live")]
use host_runner::commands::distribute;
use host_runner::commands::{annotate, bench, check, inspect, manifests, run, test};
use host_runner::exit_status::ExitStatus;
use host_runner::report;

use cli::{Cli, Command};
use progress_bar::LateBar;

/// Deep documents are read on the stack; with enough of it, no thread has to make more for each.
const STACK: usize = 16 << 20;

fn main() -> ExitCode {
    // Fails only if there is a pool already, which is as good.
    let _ = rayon::ThreadPoolBuilder::new().stack_size(STACK).build_global();
    let (Cli { verbose, no_color, command }, described) = cli::parse();
    if no_color {
        anstream::ColorChoice::Never.write_global();
    }
    let outcome = match command {
        Command::Check(arguments) => run_check(*arguments),
        Command::Test(arguments) => run_test(arguments),
        Command::Run(arguments) => return as_kwctl(run_run(*arguments, verbose)),
        Command::Bench(arguments) => return as_kwctl(run_bench(*arguments)),
        Command::Inspect(arguments) => return as_kwctl(run_inspect(arguments)),
        Command::Annotate(arguments) => return as_kwctl(run_annotate(arguments)),
        #[cfg(feature = "live")]
        Command::Push(arguments) => return as_kwctl(run_push(arguments)),
        #[cfg(feature = "live")]
        Command::Pull(arguments) => return as_kwctl(run_pull(arguments)),
        Command::Init(arguments) => return as_kwctl(run_init(arguments)),
        Command::Manifests(arguments) => return as_kwctl(run_manifests(arguments)),
        Command::Completions(arguments) => {
            return as_kwctl(printed(|out| arguments.write(described, out)));
        }
        Command::Man(arguments) => return as_kwctl(printed(|out| arguments.write(described, out))),
    };
    match outcome {
        Ok(status) => status.into(),
        Err(message) => {
            #[expect(clippy::print_stderr, reason = "main alone tells errors")]
            {
                eprintln!("error: {}", report::plain_lines(&message));
            }
            ExitStatus::Unusable.into()
        }
    }
}

fn run_check(arguments: cli::CheckArgs) -> Result<ExitStatus, String> {
    let (options, fail_on, detail, output) = arguments.into_options()?;
    let result = check::check_showing(&options, &LateBar::new());
    let status = result.exit_status(fail_on);
    written(output.write(|out| report::write_check(&result, output.format, detail, out)), status)
}

fn run_test(arguments: cli::TestArgs) -> Result<ExitStatus, String> {
    let (options, detail, output) = arguments.into_options()?;
    let result = test::test_showing(&options, &LateBar::new());
    let status = result.exit_status();
    written(output.write(|out| report::write_test(&result, output.format, detail, out)), status)
}

/// The exit status is kwctl's: 0, or 1 when the work could not be done.
fn as_kwctl(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            #[expect(clippy::print_stderr, reason = "main alone tells errors")]
            {
                eprintln!("Error: {}", report::plain_lines(&message));
            }
            ExitCode::FAILURE
        }
    }
}

fn run_run(arguments: cli::RunArgs, verbose: bool) -> Result<(), String> {
    let options = arguments.into_options()?;
    let mut written = Ok(());
    run::run_telling(&options, &mut |answered| {
        let one = printed(|out| report::write_answer(&answered, verbose, out, &mut io::stderr().lock()));
        written = std::mem::replace(&mut written, Ok(())).and(one);
    })?;
    written
}

fn run_bench(arguments: cli::BenchArgs) -> Result<(), String> {
    let format = arguments.output;
    let measured = bench::bench(&arguments.into_options()?)?;
    printed(|out| report::write_bench(&measured, format, out))
}

fn run_inspect(arguments: cli::InspectArgs) -> Result<(), String> {
    let (format, wants_schema) = (arguments.output, arguments.schema);
    if wants_schema {
        let schema = inspect::settings_schema(&arguments.into_options())?;
        return printed(|out| writeln!(out, "{}", schema.text().trim_end()));
    }
    let metadata = inspect::inspect(&arguments.into_options())?;
    printed(|out| report::write_metadata(&metadata, format, out))
}

fn run_init(arguments: cli::InitArgs) -> Result<(), String> {
    let file = arguments.file.clone();
    let options = arguments.into_options();
    if file.as_os_str() == "-" {
        let text = manifests::init(&options)?;
        return printed(|out| out.write_all(text.as_bytes()));
    }
    manifests::write_init(&options, &file)?;
    printed(|out| writeln!(out, "{}: written", file.display()))
}

fn run_manifests(arguments: cli::ManifestsArgs) -> Result<(), String> {
    let (folder, layout) = (arguments.output_dir.clone(), arguments.format.into());
    let options = arguments.into_options();
    match folder {
        None => {
            let text = manifests::manifests(&options)?;
            printed(|out| out.write_all(text.as_bytes()))
        }
        Some(folder) => {
            let files = manifests::write_manifests(&options, layout, &folder)?;
            printed(|out| files.iter().try_for_each(|file| writeln!(out, "{}", file.display())))
        }
    }
}

fn run_annotate(arguments: cli::AnnotateArgs) -> Result<(), String> {
    let annotated = annotate::annotate(&arguments.into_options())?;
    for warning in annotated.warnings {
        #[expect(clippy::print_stderr, reason = "main alone tells errors")]
        {
            eprintln!("warning: {warning}");
        }
    }
    Ok(())
}

#[cfg(feature = "live")]
fn run_push(arguments: cli::PushArgs) -> Result<(), String> {
    let format = arguments.output;
    let name = distribute::push(&arguments.into_options())?;
    printed(|out| report::write_name(&name, format, out))
}

#[cfg(feature = "live")]
fn run_pull(arguments: cli::PullArgs) -> Result<(), String> {
    let pulled = distribute::pull(&arguments.into_options())?;
    printed(|out| writeln!(out, "{} ({})", pulled.path.display(), pulled.digest))
}

/// Writes to stdout. Whoever reads may have seen enough.
fn printed(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), String> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("stdout cannot be written to: {error}")),
        _ => Ok(()),
    }
}

fn written(outcome: io::Result<()>, status: ExitStatus) -> Result<ExitStatus, String> {
    match outcome {
        Ok(()) => Ok(status),
        // Whoever reads has seen enough, as with `host-runner check … | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(status),
        Err(error) => Err(format!("the report cannot be written: {error}")),
    }
}
