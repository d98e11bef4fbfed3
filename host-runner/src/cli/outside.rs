//! Who answers what policies ask, and how the network is reached.

use std::path::PathBuf;

use clap::Args;
use host_runner::commands::OutsideOptions;
#[cfg(feature = "live")]
use host_runner::live::LiveOptions;

/// Who answers what policies ask.
#[derive(Debug, Args)]
pub(super) struct OutsideArgs {
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
    /// Write what policies ask, and what is answered beyond the manifests under check, to a file.
    #[arg(long = "record-host-capabilities-interactions", value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    #[cfg(feature = "live")]
    #[command(flatten)]
    registry: RegistryArgs,
    #[cfg(feature = "live")]
    #[command(flatten)]
    cluster: ClusterArgs,
}

impl OutsideArgs {
    /// What was typed, as what it means. What is fetched is kept in `cache`.
    pub(super) fn into_options(self, cache: Option<PathBuf>) -> OutsideOptions {
        #[cfg(not(feature = "live"))]
        let _ = cache;
        OutsideOptions {
            worlds: self.worlds,
            offline: self.offline,
            store: super::store_folder(),
            replay: self.replay,
            record: self.record,
            #[cfg(feature = "live")]
            live: LiveOptions {
                kubeconfig: self.cluster.kubeconfig,
                context: self.cluster.context,
                ..self.registry.into_options(cache)
            },
        }
    }
}

/// How registries are reached. The names are kwctl's.
#[cfg(feature = "live")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
struct RegistryArgs {
    /// Kubewarden's sources.yml: registries without TLS, certificate authorities, proxies.
    #[arg(long, value_name = "FILE")]
    sources_path: Option<PathBuf>,
    /// The folder with Docker's config.json.
    #[arg(long, value_name = "FOLDER")]
    docker_config_json_path: Option<PathBuf>,
    /// Sigstore's client trust configuration, instead of the public instance's.
    #[arg(long, value_name = "FILE")]
    sigstore_trust_config: Option<PathBuf>,
}

/// How the cluster is reached. The names are kubectl's.
#[cfg(feature = "live")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
struct ClusterArgs {
    /// The kubeconfig of the cluster that policies ask, instead of $KUBECONFIG or ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// Where modules come from, for commands that ask nothing else.
#[derive(Debug, Args)]
pub(super) struct ReachArgs {
    /// Take what has been pulled before, and pull nothing.
    #[arg(long)]
    offline: bool,
    #[cfg(feature = "live")]
    #[command(flatten)]
    registry: RegistryArgs,
}

impl ReachArgs {
    pub(super) fn into_options(self) -> OutsideOptions {
        OutsideOptions {
            offline: self.offline,
            store: super::store_folder(),
            #[cfg(feature = "live")]
            live: self.registry.into_options(super::cache_folder()),
            ..OutsideOptions::default()
        }
    }
}

#[cfg(feature = "live")]
impl RegistryArgs {
    /// What was typed, as what it means. What is fetched is kept in `cache`.
    fn into_options(self, cache: Option<PathBuf>) -> LiveOptions {
        LiveOptions {
            sources: self.sources_path.or_else(|| super::config_of_kwctl(&["sources.yaml", "sources.yml"])),
            docker_config: self.docker_config_json_path,
            sigstore_trust_config: self.sigstore_trust_config,
            cache,
            ..LiveOptions::default()
        }
    }
}
