//! The flags of `check`.

use std::path::PathBuf;

use clap::Args;
use host_runner::admission::{Operation, RequestOptions};
use host_runner::commands::check::{CheckOptions, FailOn};
use host_runner::report::Detail;

#[cfg(feature = "live")]
use super::network::LiveArgs;
use super::{LimitArgs, OutputArgs};

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
    /// Show mutations as diffs of the files, which git apply -p0 takes.
    #[arg(long)]
    diff: bool,
    /// Write mutations back to the files, also those of objects that another policy rejects.
    ///
    /// Comments, order and style stay as they are. What cannot be changed without losing a comment or changing something
    /// else is left alone and told, and the exit status is 2.
    #[arg(long)]
    fix: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    limits: LimitArgs,
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
            live: self.live.into_options(self.limits.cache()),
            request: RequestOptions {
                operation: self.operation,
                subresource: self.subresource.unwrap_or_default(),
                namespace: self.namespace,
                ..RequestOptions::default()
            }
            .by(self.user, (!self.groups.is_empty()).then_some(self.groups)),
            diff: self.diff,
            fix: self.fix,
            limits: self.limits.limits()?,
            cache: self.limits.cache(),
        };
        let detail = Detail { verbose: self.output.verbose };
        Ok((options, self.fail_on, detail, self.output))
    }
}
