//! The flags, and what they mean. The only code that knows clap's parser.

use std::path::PathBuf;
use std::time::Duration;
use std::{env, io};

use clap::{Args, Parser, Subcommand};
use host_runner::admission::{Operation, RequestOptions};
use host_runner::commands::check::{CheckOptions, FailOn};
use host_runner::commands::test::TestOptions;
use host_runner::files;
#[cfg(feature = "live")]
use host_runner::live::LiveOptions;
use host_runner::policy::Limits;
use host_runner::report::{Detail, Format};

/// Runs Kubewarden policies on plain manifests, without a cluster.
///
/// Exit status: 0 clean; 1 something was rejected, or a case failed; 2 the work could not be done.
#[derive(Debug, Parser)]
#[command(name = "host-runner", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Would the cluster take these manifests?
    Check(Box<CheckArgs>),
    /// Do policies what their suites say?
    Test(TestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Manifests: files, folders, or - for stdin.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy of the bundle; all of them unless this or --policies is given. Repeatable.
    #[arg(long = "policy", value_name = "NAME")]
    policy_names: Vec<String>,
    /// A .wasm file, or a file or folder of ClusterAdmissionPolicy and AdmissionPolicy resources. Repeatable.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// A YAML map from policy name to settings.
    #[arg(short, long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// What the cluster and the registries hold: a world file, a folder of manifests, or an OCI image layout.
    /// Repeatable.
    #[arg(long = "world", value_name = "PATH")]
    worlds: Vec<PathBuf>,
    /// Ask nothing beyond the world and the manifests under check.
    #[arg(long)]
    offline: bool,
    /// Answer from a session that was recorded, by kwctl or with the flag below. Implies --offline.
    #[arg(long = "replay-host-capabilities-interactions", value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Write what policies ask and are answered to a file.
    #[arg(long = "record-host-capabilities-interactions", value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    #[cfg(feature = "live")]
    #[command(flatten)]
    live: LiveArgs,
    /// What is asked of the API server.
    #[arg(long, value_enum, default_value_t, ignore_case = true)]
    operation: Operation,
    /// The subresource that is asked for, such as exec. CONNECT needs one.
    #[arg(long, value_name = "NAME")]
    subresource: Option<String>,
    /// Who asks; an administrator unless stated.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// A group of the user. Repeatable; system:masters and system:authenticated unless this or --user is given.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// The namespace of objects that name none.
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// From which finding on the exit status is 1.
    #[arg(long, value_enum, default_value_t, value_name = "FINDING")]
    fail_on: FailOn,
    /// Show mutations as a diff.
    #[arg(long)]
    diff: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// The names are kwctl's, and kubectl's.
#[cfg(feature = "live")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
struct LiveArgs {
    /// Kubewarden's sources.yml: registries without TLS, certificate authorities, proxies.
    #[arg(long, value_name = "FILE")]
    sources_path: Option<PathBuf>,
    /// The folder with Docker's config.json.
    #[arg(long, value_name = "FOLDER")]
    docker_config_json_path: Option<PathBuf>,
    /// Sigstore's client trust configuration, instead of the public instance's.
    #[arg(long, value_name = "FILE")]
    sigstore_trust_config: Option<PathBuf>,
    /// The kubeconfig of the cluster that policies ask, instead of $KUBECONFIG or ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Suites: files, or folders that hold files named suite.yaml.
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    limits: LimitArgs,
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
    verbose: bool,
}

#[derive(Debug, Args)]
struct LimitArgs {
    /// The time that a policy has for one evaluation.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    timeout: f64,
    /// The memory that a policy has.
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    memory: usize,
    /// Keep no compiled code on disk.
    #[arg(long)]
    no_cache: bool,
}

impl CheckArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> Result<(CheckOptions, FailOn, Detail, OutputArgs), String> {
        let options = CheckOptions {
            paths: self.paths,
            policy_names: self.policy_names,
            policy_paths: self.policies,
            settings: self.settings,
            worlds: self.worlds,
            offline: self.offline,
            replay: self.replay,
            record: self.record,
            #[cfg(feature = "live")]
            live: LiveOptions {
                sources: self.live.sources_path,
                docker_config: self.live.docker_config_json_path,
                sigstore_trust_config: self.live.sigstore_trust_config,
                kubeconfig: self.live.kubeconfig,
                context: self.live.context,
                cache: self.limits.cache(),
            },
            request: RequestOptions {
                operation: self.operation,
                subresource: self.subresource.unwrap_or_default(),
                namespace: self.namespace,
                ..RequestOptions::default()
            }
            .by(self.user, (!self.groups.is_empty()).then_some(self.groups)),
            limits: self.limits.limits()?,
            cache: self.limits.cache(),
        };
        let detail = Detail { diff: self.diff, verbose: self.output.verbose };
        Ok((options, self.fail_on, detail, self.output))
    }
}

impl TestArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> Result<(TestOptions, Detail, OutputArgs), String> {
        let options = TestOptions { paths: self.paths, limits: self.limits.limits()?, cache: self.limits.cache() };
        let detail = Detail { diff: false, verbose: self.output.verbose };
        Ok((options, detail, self.output))
    }
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

    /// `$XDG_CACHE_HOME/host-runner`, or `~/.cache/host-runner`.
    fn cache(&self) -> Option<PathBuf> {
        if self.no_cache {
            return None;
        }
        let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
        Some(folder.join("host-runner"))
    }
}

impl OutputArgs {
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
