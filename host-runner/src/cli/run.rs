//! The flags of `run`. Their names and meanings are kwctl's.

use std::path::PathBuf;

use clap::Args;
use host_runner::commands::run::RunOptions;
#[cfg(feature = "live")]
use host_runner::commands::run::TrustOptions;
use policy_metadata::ExecutionMode;

use super::LimitArgs;
use super::outside::OutsideArgs;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A module (a .wasm file, registry://, https://, file://), a policy of the bundle by name, the beginning of a sha256
    /// in kwctl's store, or a .yaml file with Kubewarden's policy resources.
    #[arg(value_name = "POLICY")]
    policy: String,
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

/// What a policy is asked, and how.
#[derive(Debug, Args)]
pub(super) struct SubjectArgs {
    /// The request: an AdmissionRequest or AdmissionReview as JSON, - for stdin. A .yaml file is a manifest whose object
    /// is created.
    #[arg(short, long, value_name = "FILE")]
    request_path: PathBuf,
    /// A file with the settings, as YAML or JSON. Wins over --settings-json.
    #[arg(short, long, value_name = "FILE")]
    settings_path: Option<PathBuf>,
    /// The settings as JSON.
    #[arg(long, value_name = "JSON")]
    settings_json: Option<String>,
    /// The mode of the module, whatever its metadata say.
    #[arg(short, long, value_enum, value_name = "MODE")]
    execution_mode: Option<Mode>,
    /// The request is any JSON, not an AdmissionRequest.
    #[arg(long)]
    raw: bool,
    /// Let the policy read the cluster objects that its metadata name.
    #[arg(long)]
    allow_context_aware: bool,
    /// The host capabilities that the policy may use, such as oci/* or net/v1/dns_lookup_host; all unless this is given,
    /// none when it has no value.
    #[arg(long, num_args = 0.., value_name = "PATTERN")]
    allowed_host_capabilities: Option<Vec<String>>,
    #[command(flatten)]
    outside: OutsideArgs,
    #[cfg(feature = "live")]
    #[command(flatten)]
    trust: TrustArgs,
}

/// The modes, by the names that kwctl takes.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Mode {
    Opa,
    Gatekeeper,
    #[value(alias = "kubewarden-wapc")]
    Kubewarden,
    Wasi,
}

impl From<Mode> for ExecutionMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Opa => ExecutionMode::Opa,
            Mode::Gatekeeper => ExecutionMode::Gatekeeper,
            Mode::Kubewarden => ExecutionMode::Wapc,
            Mode::Wasi => ExecutionMode::Wasi,
        }
    }
}

/// Who must have signed the module.
#[cfg(feature = "live")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Signatures of the module")]
pub(super) struct TrustArgs {
    /// Kubewarden's verification configuration.
    #[arg(long, value_name = "FILE")]
    verification_config_path: Option<PathBuf>,
    /// A file with a public key that must have signed. Repeatable.
    #[arg(short = 'k', long, value_name = "FILE")]
    verification_key: Vec<PathBuf>,
    /// key=value that the signatures must be annotated with. Repeatable.
    #[arg(short = 'a', long, value_name = "KEY=VALUE")]
    verification_annotation: Vec<String>,
    /// The identity that must have signed.
    #[arg(long, value_name = "VALUE")]
    cert_email: Option<String>,
    /// Who vouches for the identity.
    #[arg(long, value_name = "VALUE")]
    cert_oidc_issuer: Option<String>,
    /// The GitHub owner one of whose workflows must have signed.
    #[arg(long, value_name = "VALUE")]
    github_owner: Option<String>,
    /// The repository of the workflow.
    #[arg(long, value_name = "VALUE")]
    github_repo: Option<String>,
}

impl RunArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> Result<RunOptions, String> {
        self.subject.into_options(self.policy, &self.limits)
    }
}

impl SubjectArgs {
    pub(super) fn into_options(self, policy: String, limits: &LimitArgs) -> Result<RunOptions, String> {
        Ok(RunOptions {
            policy,
            request: self.request_path,
            settings_path: self.settings_path,
            settings_json: self.settings_json,
            mode: self.execution_mode.map(ExecutionMode::from),
            raw: self.raw,
            allow_context_aware: self.allow_context_aware,
            allowed_capabilities: self.allowed_host_capabilities,
            outside: self.outside.into_options(limits.cache()),
            #[cfg(feature = "live")]
            trust: self.trust.into_options(),
            limits: limits.limits()?,
            cache: limits.cache(),
        })
    }
}

#[cfg(feature = "live")]
impl TrustArgs {
    pub(super) fn into_options(self) -> TrustOptions {
        TrustOptions {
            config: self.verification_config_path,
            default_config: super::config_of_kwctl(&["verification-config.yml"]),
            keys: self.verification_key,
            annotations: self.verification_annotation,
            cert_email: self.cert_email,
            cert_oidc_issuer: self.cert_oidc_issuer,
            github_owner: self.github_owner,
            github_repo: self.github_repo,
        }
    }
}
