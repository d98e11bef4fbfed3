//! Answers from the network: registries, Sigstore, clusters, DNS. Nothing is asked before a policy asks.
//!
//! ```text
//! Online ─┬─► World        what is known without asking
//!         └─► Memo ─► Network ─┬─► registry      manifests, configurations, digests
//!                              ├─► signatures    what Sigstore can verify
//!                              ├─► kubernetes    objects and access reviews
//!                              ├─► certificates  trust, which needs no network and is asked of a world, too
//!                              └─► dns
//! ```

mod artifact;
mod bounded;
pub(crate) mod certificates;
mod credentials;
mod dns;
mod download;
mod kubernetes;
mod memo;
mod registry;
mod registry_sources;
mod signatures;

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::capabilities::{Answer, CapabilityError, Question, Source};
use crate::manifest::{Problem, problem};
use crate::modules::{Fetch, ModuleUri};
use crate::verification::Verification;
use crate::world::World;
use kubernetes::Kubernetes;
use memo::Memo;
use registry::Registries;
use registry_sources::RegistrySources;
use signatures::Sigstore;

/// The longest that one question may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest that a module may take.
const PATIENCE_FOR_MODULES: Duration = Duration::from_secs(120);

/// How the outside is reached.
#[derive(Debug, Clone, Default)]
pub struct LiveOptions {
    /// Kubewarden's `sources.yml`: registries without TLS, certificate authorities, proxies.
    pub sources: Option<PathBuf>,
    /// The folder with Docker's `config.json`, instead of `$DOCKER_CONFIG` or `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// Sigstore's client trust configuration, instead of the public instance's own, which is fetched.
    pub sigstore_trust_config: Option<PathBuf>,
    /// The kubeconfig, instead of `$KUBECONFIG` or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, instead of its current one.
    pub context: Option<String>,
    /// Where what Sigstore's update framework fetches is kept.
    pub cache: Option<PathBuf>,
}

/// A world, and beyond it the network.
pub struct Online {
    world: Arc<World>,
    live: Memo<Arc<Network>>,
}

impl Online {
    /// Asks the world first.
    pub fn new(world: Arc<World>, network: Arc<Network>) -> Self {
        Online { world, live: Memo::new(network) }
    }
}

impl Network {
    /// Prepares to ask. Files are read at once, so that what is wrong with them is told; nothing is connected to.
    ///
    /// # Errors
    ///
    /// Names the file that cannot be read.
    pub fn new(options: &LiveOptions) -> Result<Self, Problem> {
        let sources = options.sources.as_deref().map(RegistrySources::read).transpose()?.unwrap_or_default();
        let registries = Arc::new(Registries::new(sources, options.docker_config.clone())?);
        let sigstore =
            Sigstore::new(registries.clone(), options.sigstore_trust_config.as_deref(), options.cache.clone())?;
        if let Some(path) = options.kubeconfig.as_ref().filter(|path| !path.is_file()) {
            return Err(problem(&path.display().to_string(), None, "cannot be read: there is no such file"));
        }
        let kubernetes = Kubernetes::new(options.kubeconfig.clone(), options.context.clone());
        Ok(Network { runtime: OnceLock::new(), registries, sigstore, kubernetes })
    }
}

impl Source for Online {
    fn answer(&self, question: &Question) -> Answer {
        if let Some(answer) = self.world.answer(question) {
            return answer;
        }
        self.live.answer(question)
    }

    fn now(&self) -> Option<i64> {
        self.world.now()
    }

    fn waits(&self) -> bool {
        true
    }
}

/// The network.
pub struct Network {
    runtime: OnceLock<Result<Runtime, String>>,
    registries: Arc<Registries>,
    sigstore: Sigstore,
    kubernetes: Kubernetes,
}

impl Source for Network {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::OciManifestDigest(about) => self.wait(&about.image, self.registries.digest(&about.image)),
            Question::OciManifest(about) => self.wait(&about.image, self.registries.manifest(&about.image)),
            Question::OciManifestAndConfig(about) => {
                self.wait(&about.image, self.registries.manifest_and_config(&about.image))
            }
            Question::DnsLookupHost { host } => dns::look_up(host),
            Question::KubernetesGetResource(wanted) => self.wait(&wanted.kind, self.kubernetes.get(wanted)),
            Question::KubernetesListResourceAll(wanted) | Question::KubernetesListResourceNamespace(wanted) => {
                self.wait(&wanted.kind, self.kubernetes.list(wanted))
            }
            Question::KubernetesCanI { request, .. } => self.wait(&request.user, self.kubernetes.can_i(request)),
            // Certificates are judged by the world: that takes no network.
            _ => match Verification::of(question) {
                Some(Ok(wanted)) => self.wait(wanted.image, self.sigstore.verify(&wanted)),
                Some(Err(message)) => Err(CapabilityError::Failed(message)),
                None => Err(unanswered(format!("{} is not asked of the network", question.path()))),
            },
        }
    }
}

impl Drop for Network {
    /// A helper that still asks its user something is not waited for.
    fn drop(&mut self) {
        if let Some(Ok(runtime)) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Network {
    /// Waits for an answer on this thread, and not for ever.
    fn wait(&self, about: &str, answer: impl Future<Output = Answer>) -> Answer {
        self.wait_for(PATIENCE, about, answer)
    }

    fn wait_for<T>(
        &self,
        patience: Duration,
        about: &str,
        answer: impl Future<Output = Result<T, CapabilityError>>,
    ) -> Result<T, CapabilityError> {
        let runtime = self.runtime.get_or_init(|| {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(2).enable_all().build().map_err(|error| error.to_string())
        });
        let runtime = runtime.as_ref().map_err(|error| unanswered(format!("the network cannot be used: {error}")))?;
        runtime.block_on(async {
            match tokio::time::timeout(patience, answer).await {
                Ok(answer) => answer,
                Err(_) => Err(unanswered(format!("{about}: no answer within {} seconds", patience.as_secs()))),
            }
        })
    }
}

impl Network {
    /// Pushes a policy, and gives the name by which it will always be found: `host/repository@sha256:…`.
    ///
    /// # Errors
    ///
    /// When the registry does not take it.
    pub fn push(&self, reference: &str, module: &[u8], annotations: &[(String, String)]) -> Result<String, String> {
        let pushed = self.registries.push(reference, module, annotations);
        self.wait_for(PATIENCE_FOR_MODULES, reference, pushed).map_err(CapabilityError::into_text)
    }
}

impl Fetch for Network {
    fn fetch(&self, uri: &ModuleUri) -> Result<Vec<u8>, String> {
        let about = uri.to_string();
        let fetched = match uri {
            ModuleUri::Registry(reference) => {
                self.wait_for(PATIENCE_FOR_MODULES, &about, self.registries.module(reference))
            }
            ModuleUri::Http(address) => {
                self.wait_for(PATIENCE_FOR_MODULES, &about, download::download(address, self.registries.sources()))
            }
            ModuleUri::Bundled(_) | ModuleUri::File(_) => return Err(format!("{about} is not downloaded")),
        };
        fetched.map_err(CapabilityError::into_text)
    }
}

fn unanswered(message: impl Into<String>) -> CapabilityError {
    CapabilityError::Unanswered(message.into())
}

/// A text without what stands between `://` and `@` in the addresses in it: user names and passwords.
fn without_secrets(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        shown.push_str(before);
        let end = after.find(|letter: char| letter == '/' || letter.is_whitespace()).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => &after[at + 1..],
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Many errors repeat their cause.
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        for (text, expected) in [
            ("proxy http://user:pass@proxy.example:3128/ requires", "proxy http://proxy.example:3128/ requires"),
            ("https://a/b@c and https://u@h", "https://a/b@c and https://h"),
            ("nothing://", "nothing://"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_secrets(text), expected);
        }
    }
}
