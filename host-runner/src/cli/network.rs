//! How the outside is reached.

use std::path::PathBuf;

use clap::Args;
use host_runner::live::LiveOptions;

/// The names are kwctl's, and kubectl's.
#[cfg(feature = "live")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(super) struct LiveArgs {
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

impl LiveArgs {
    /// What was typed, as what it means. What is fetched is kept in `cache`.
    pub(super) fn into_options(self, cache: Option<PathBuf>) -> LiveOptions {
        LiveOptions {
            sources: self.sources_path,
            docker_config: self.docker_config_json_path,
            sigstore_trust_config: self.sigstore_trust_config,
            kubeconfig: self.kubeconfig,
            context: self.context,
            cache,
        }
    }
}
