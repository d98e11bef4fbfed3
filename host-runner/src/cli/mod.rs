//! The flags, and what they mean. The only code that knows clap's parser.

mod about;
mod bench;
mod check;
mod manifests;
mod modules;
mod outside;
mod run;
mod test;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, io};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use host_runner::files;
use host_runner::policy::Limits;
use host_runner::report::{Detail, Format};

pub(crate) use about::{CompletionsArgs, ManArgs};
pub(crate) use bench::BenchArgs;
pub(crate) use check::CheckArgs;
pub(crate) use manifests::{InitArgs, ManifestsArgs};
pub(crate) use modules::{AnnotateArgs, InspectArgs};
#[cfg(feature = "live")]
pub(crate) use modules::{PullArgs, PushArgs};
pub(crate) use run::RunArgs;
pub(crate) use test::TestArgs;

/// Kubewarden's own command line, whose place the program can take.
const KWCTL: &str = "kwctl";

/// Runs Kubewarden policies on plain manifests, without a cluster.
///
/// Exit status of check and test: 0 clean; 1 something was rejected, or a case failed; 2 the work could not be done. That
/// of the other commands is as in kwctl: 0, or 1 when the work could not be done.
#[derive(Debug, Parser)]
#[command(name = "host-runner", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Tell also what policies log for debugging.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// No colours; there are none where no terminal is.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Would the cluster take these manifests?
    Check(Box<CheckArgs>),
    /// Do policies what their suites say?
    Test(TestArgs),
    /// What does a policy answer to a request? In the words of kwctl run.
    ///
    /// Exit status: 0 the policy was asked, whatever it answered; 1 it could not be asked.
    Run(Box<RunArgs>),
    /// How long does a policy take?
    ///
    /// Each policy is asked once before anything is measured, and one without a verdict is an error. Exit status as for
    /// run.
    Bench(Box<BenchArgs>),
    /// What does a policy say of itself?
    Inspect(InspectArgs),
    /// Puts metadata into a module.
    Annotate(AnnotateArgs),
    /// Pushes a policy to a registry.
    #[cfg(feature = "live")]
    Push(PushArgs),
    /// Pulls a policy from a registry or a web server.
    #[cfg(feature = "live")]
    Pull(PullArgs),
    /// Writes a commented policy file to start from.
    Init(InitArgs),
    /// Writes the policies, and a policy server for them, as a cluster takes them.
    Manifests(ManifestsArgs),
    /// Prints completions for a shell.
    Completions(CompletionsArgs),
    /// Prints the manual page.
    Man(ManArgs),
}

/// The command line. Under the name kwctl, the program calls itself so.
pub(crate) fn parse() -> (Cli, clap::Command) {
    let name = env::args_os().next().map(PathBuf::from);
    let is_kwctl = name.as_deref().and_then(Path::file_stem).is_some_and(|stem| stem == KWCTL);
    let command = if is_kwctl { Cli::command().name(KWCTL).bin_name(KWCTL) } else { Cli::command() };
    let parsed = Cli::from_arg_matches(&command.clone().get_matches()).unwrap_or_else(|error| error.exit());
    (parsed, command)
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// The format of the report.
    #[arg(short = 'o', long = "output", value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Where the report goes, instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    /// Tell also what went well.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// The time that a policy has for one evaluation.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    timeout: f64,
    /// The memory that a policy has.
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    memory: usize,
    /// Keep no compiled code on disk.
    #[arg(long, alias = "disable-wasmtime-cache")]
    no_cache: bool,
}

impl LimitArgs {
    fn limits(&self) -> Result<Limits, String> {
        let deadline = Duration::try_from_secs_f64(self.timeout)
            .ok()
            .filter(|deadline| !deadline.is_zero())
            .ok_or_else(|| format!("--timeout {}: give a number of seconds above 0", self.timeout))?;
        let memory = self
            .memory
            .checked_mul(1 << 20)
            .filter(|memory| *memory > 0)
            .ok_or_else(|| format!("--memory {}: give a number of MiB above 0", self.memory))?;
        Ok(Limits { deadline, memory })
    }

    fn cache(&self) -> Option<PathBuf> {
        if self.no_cache { None } else { cache_folder() }
    }
}

/// `$XDG_CACHE_HOME/host-runner`, or `~/.cache/host-runner`.
fn cache_folder() -> Option<PathBuf> {
    Some(user_cache()?.join("host-runner"))
}

/// kwctl's: `$XDG_CACHE_HOME/kubewarden/store`, or below `~/.cache`. What either pulls, the other finds.
fn store_folder() -> Option<PathBuf> {
    Some(user_cache()?.join("kubewarden").join("store"))
}

/// A file of kwctl's configuration, if there is one: in `$XDG_CONFIG_HOME/kubewarden`, or below `~/.config`.
#[cfg(feature = "live")]
fn config_of_kwctl(names: &[&str]) -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    names.iter().map(|name| folder.join("kubewarden").join(name)).find(|path| path.is_file())
}

fn user_cache() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
}

impl OutputArgs {
    /// How much the report tells, and whether in colour: on a terminal, unless the environment says otherwise.
    fn detail(&self) -> Detail {
        let is_shown = self.output_file.is_none();
        let color = is_shown && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        Detail { verbose: self.verbose, color }
    }

    /// Hands the report to whoever writes it: a file that appears only when it is whole, or stdout.
    pub(crate) fn write(&self, report: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
        match &self.output_file {
            None => {
                let mut out = io::BufWriter::new(io::stdout().lock());
                report(&mut out)?;
                io::Write::flush(&mut out)
            }
            Some(path) => {
                let mut whole = Vec::new();
                report(&mut whole)?;
                let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
                files::write_whole(path, &whole).map_err(named)
            }
        }
    }
}
