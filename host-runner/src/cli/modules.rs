//! The flags of the commands about modules: `inspect`, `annotate`, `push`, `pull`. Their names are kwctl's.

use std::path::PathBuf;

use clap::Args;
use host_runner::commands::annotate::AnnotateOptions;
#[cfg(feature = "live")]
use host_runner::commands::distribute::{PullOptions, PushOptions};
use host_runner::commands::inspect::InspectOptions;
use host_runner::report::MetadataFormat;
#[cfg(feature = "live")]
use host_runner::report::NameFormat;

use super::outside::ReachArgs;
#[cfg(feature = "live")]
use super::run::TrustArgs;

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A module (a .wasm file, registry://, https://, file://), a policy of the bundle by name, or the beginning of a
    /// sha256 in kwctl's store.
    #[arg(value_name = "POLICY")]
    policy: String,
    /// How to show the metadata.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: MetadataFormat,
    /// Print the JSON Schema of the settings instead, for editors and validators.
    #[arg(long, conflicts_with = "output")]
    pub(crate) schema: bool,
    #[command(flatten)]
    reach: ReachArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AnnotateArgs {
    /// The module.
    #[arg(value_name = "MODULE")]
    module: PathBuf,
    /// The policy's metadata.yml.
    #[arg(short, long, value_name = "FILE")]
    metadata_path: PathBuf,
    /// Where the annotated module goes.
    #[arg(short, long, value_name = "FILE")]
    output_path: PathBuf,
    /// The README to embed.
    #[arg(short, long, value_name = "FILE")]
    usage_path: Option<PathBuf>,
    /// The JSON Schema of the settings (draft 7) to embed; inspect --schema prints it.
    #[arg(short, long, value_name = "FILE")]
    settings_schema_path: Option<PathBuf>,
    /// Replace metadata that are in the module already.
    #[arg(long)]
    replace: bool,
}

#[cfg(feature = "live")]
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// The module, as inspect takes it.
    #[arg(value_name = "POLICY")]
    policy: String,
    /// Where it goes: registry://HOST/REPOSITORY:TAG.
    #[arg(value_name = "URI")]
    destination: String,
    /// Push a module without metadata, too.
    #[arg(short, long)]
    force: bool,
    /// How to tell the name by which the policy will always be found.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: NameFormat,
    #[command(flatten)]
    reach: ReachArgs,
}

#[cfg(feature = "live")]
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// registry://HOST/REPOSITORY:TAG, or https://.
    #[arg(value_name = "URI")]
    uri: String,
    /// A file or folder for it, instead of kwctl's store.
    #[arg(short, long, value_name = "PATH")]
    output_path: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

impl InspectArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> InspectOptions {
        InspectOptions { policy: self.policy, outside: self.reach.into_options() }
    }
}

impl AnnotateArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> AnnotateOptions {
        AnnotateOptions {
            module: self.module,
            metadata: self.metadata_path,
            usage: self.usage_path,
            settings_schema: self.settings_schema_path,
            output: self.output_path,
            replace: self.replace,
        }
    }
}

#[cfg(feature = "live")]
impl PushArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> PushOptions {
        PushOptions {
            policy: self.policy,
            destination: self.destination,
            force: self.force,
            outside: self.reach.into_options(),
        }
    }
}

#[cfg(feature = "live")]
impl PullArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> PullOptions {
        PullOptions {
            uri: self.uri,
            output: self.output_path,
            trust: self.trust.into_options(),
            outside: self.reach.into_options(),
        }
    }
}
