//! The flags of `init` and `manifests`.

use std::path::PathBuf;

use clap::Args;
use host_runner::commands::manifests::{Layout, ManifestsOptions};
use host_runner::enforcement::Mode;

use super::outside::ReachArgs;

/// Which policies are written, and with which settings.
#[derive(Debug, Args)]
struct ChoiceArgs {
    /// YAML map from policy name to settings, instead of examples.
    #[arg(short, long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Whether the policies only report, or refuse.
    #[arg(short, long, value_enum, default_value_t = Manner::Monitor, value_name = "MODE")]
    mode: Manner,
    /// Write over what exists.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    reach: ReachArgs,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Manner {
    /// Let everything through, and report.
    Monitor,
    /// Refuse.
    Protect,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Builder {
    /// A base, an overlay for each mode, and examples of groups.
    Kustomize,
    /// A chart whose values are the settings.
    Helm,
}

impl From<Builder> for Layout {
    fn from(builder: Builder) -> Self {
        match builder {
            Builder::Kustomize => Layout::Kustomize,
            Builder::Helm => Layout::Helm,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file; - for stdout.
    #[arg(value_name = "FILE", default_value = "policies.yaml")]
    pub(crate) file: PathBuf,
    /// A policy of the bundle by name, or a module as inspect takes it. Repeatable; all of the bundle without one.
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    #[command(flatten)]
    choice: ChoiceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ManifestsArgs {
    /// Policies of the bundle by name, or modules as inspect takes them; all of the bundle without one.
    #[arg(value_name = "POLICY")]
    policies: Vec<String>,
    /// A folder, instead of one stream on stdout.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output_dir: Option<PathBuf>,
    /// What the folder is for.
    #[arg(long, value_enum, default_value_t = Builder::Kustomize, value_name = "FORMAT", requires = "output_dir")]
    pub(crate) format: Builder,
    /// The PolicyServer that runs them.
    #[arg(long, value_name = "NAME", default_value = "image-policies")]
    policy_server: String,
    /// The namespace of Kubewarden.
    #[arg(long, value_name = "NAME", default_value = "kubewarden")]
    namespace: String,
    #[command(flatten)]
    choice: ChoiceArgs,
}

impl ChoiceArgs {
    fn into_options(self, policies: Vec<String>, policy_server: String, namespace: String) -> ManifestsOptions {
        ManifestsOptions {
            policies,
            settings: self.settings,
            mode: match self.mode {
                Manner::Monitor => Mode::Monitor,
                Manner::Protect => Mode::Protect,
            },
            policy_server,
            namespace,
            force: self.force,
            outside: self.reach.into_options(),
        }
    }
}

impl InitArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> ManifestsOptions {
        self.choice.into_options(self.policies, "default".to_owned(), "kubewarden".to_owned())
    }
}

impl ManifestsArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> ManifestsOptions {
        self.choice.into_options(self.policies, self.policy_server, self.namespace)
    }
}
