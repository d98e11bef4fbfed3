//! The flags of `check`.

use std::path::PathBuf;

use clap::Args;
use host_runner::admission::{Operation, RequestOptions};
use host_runner::commands::check::{CheckOptions, FailOn};
use host_runner::report::Detail;

use super::outside::OutsideArgs;
use super::{LimitArgs, OutputArgs};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Manifests: files, folders, or - for stdin.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A policy of the bundle; all of them unless this or --policies is given. Repeatable.
    #[arg(long = "policy", value_name = "NAME")]
    policy_names: Vec<String>,
    /// A module (a .wasm file, registry://, https://), or a file or folder of Kubewarden's policy resources. Repeatable.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// A YAML map from policy name to settings.
    #[arg(short, long, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    outside: OutsideArgs,
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
            outside: self.outside.into_options(self.limits.cache()),
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
        let detail = self.output.detail();
        Ok((options, self.fail_on, detail, self.output))
    }
}
