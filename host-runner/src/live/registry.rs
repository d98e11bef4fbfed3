//! What registries hold, asked through the distribution protocol.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oci_client::client::ClientConfig;
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::OciManifest;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde_json::{Value, json};
use sigstore::registry::{Certificate, CertificateEncoding, ClientProtocol};

use super::bounded::Bounded;
use super::credentials::{Credentials, Logins};
use super::registry_sources::RegistrySources;
use super::{chain, unanswered, without_secrets};
use crate::capabilities::{Answer, CapabilityError, json_answer};
use crate::manifest::Problem;

/// The most bytes of what is signed, a few hundred in truth.
const LARGEST_SIGNATURE: usize = 4 << 20;

/// How a registry is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Transport {
    Tls,
    /// Whoever answers is believed.
    UnverifiedTls,
    Plain,
}

/// The registries of the world.
pub(super) struct Registries {
    sources: RegistrySources,
    logins: Logins,
    /// The registries that nobody answers for; each is waited for once.
    away: Mutex<HashMap<String, String>>,
    clients: Mutex<HashMap<(String, Transport), Client>>,
    /// The transport that a registry has answered on.
    found: Mutex<HashMap<String, Transport>>,
}

/// A reference, and how its registry is asked.
pub(super) struct Asked {
    pub(super) reference: Reference,
    pub(super) auth: RegistryAuth,
    /// Why there are no credentials, if somebody meant there to be some.
    without_credentials: Option<String>,
}

impl Registries {
    pub(super) fn new(sources: RegistrySources, docker_config: Option<PathBuf>) -> Result<Self, Problem> {
        Ok(Registries {
            sources,
            logins: Logins::new(docker_config)?,
            away: Mutex::default(),
            clients: Mutex::default(),
            found: Mutex::default(),
        })
    }

    pub(super) async fn digest(&self, image: &str) -> Answer {
        let digest = self.resolve(&self.asked(image).await?).await?;
        json_answer(&json!({ "digest": digest }))
    }

    /// The digest that a reference has now.
    pub(super) async fn resolve(&self, asked: &Asked) -> Result<String, CapabilityError> {
        self.ask(asked, async |client: Client, asked: &Asked| {
            client.fetch_manifest_digest(&asked.reference, &asked.auth).await
        })
        .await
    }

    pub(super) async fn manifest(&self, image: &str) -> Answer {
        let asked = self.asked(image).await?;
        let (manifest, _) = self
            .ask(&asked, async |client: Client, asked: &Asked| {
                client.pull_manifest(&asked.reference, &asked.auth).await
            })
            .await?;
        json_answer(&manifest)
    }

    pub(super) async fn manifest_and_config(&self, image: &str) -> Answer {
        let asked = self.asked(image).await?;
        let (manifest, digest, config) = self
            .ask(&asked, async |client: Client, asked: &Asked| {
                client.pull_manifest_and_config(&asked.reference, &asked.auth).await
            })
            .await?;
        let config: Value = serde_json::from_str(&config)
            .map_err(|error| CapabilityError::Failed(format!("{image}: its configuration is no JSON: {error}")))?;
        json_answer(&json!({ "manifest": manifest, "digest": digest, "config": config }))
    }

    /// How registries are reached.
    pub(super) fn sources(&self) -> &RegistrySources {
        &self.sources
    }

    /// Reads a reference and looks its registry's credentials up.
    pub(super) async fn asked(&self, image: &str) -> Result<Asked, CapabilityError> {
        let reference: Reference =
            image.parse().map_err(|error| CapabilityError::Failed(format!("invalid reference {image:?}: {error}")))?;
        let Credentials { auth, missing } = self.logins.of(reference.registry()).await;
        Ok(Asked { reference, auth, without_credentials: missing })
    }

    /// Asks, on the first transport that there is somebody on.
    pub(super) async fn ask<T>(
        &self,
        asked: &Asked,
        question: impl AsyncFn(Client, &Asked) -> Result<T, OciDistributionError>,
    ) -> Result<T, CapabilityError> {
        let registry = asked.reference.resolve_registry().to_ascii_lowercase();
        if let Some(cause) = self.away.lock().unwrap_or_else(PoisonError::into_inner).get(&registry) {
            return Err(unanswered(format!("{}: {cause}", asked.reference)));
        }
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&registry).copied();
        let transports = known.map_or_else(|| self.transports(&registry), |known| vec![known]);
        let mut first = None;
        for transport in transports {
            let client = self.client(&registry, transport)?;
            match question(client, asked).await {
                Ok(answer) => {
                    self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(registry, transport);
                    return Ok(answer);
                }
                Err(OciDistributionError::RequestError(error)) if error.is_timeout() => {
                    let cause = "its registry does not answer in time".to_owned();
                    self.away.lock().unwrap_or_else(PoisonError::into_inner).insert(registry, cause.clone());
                    return Err(unanswered(format!("{}: {cause}", asked.reference)));
                }
                Err(OciDistributionError::RequestError(error)) if error.is_connect() => {
                    first.get_or_insert(OciDistributionError::RequestError(error));
                }
                Err(error) => return Err(classify(asked, &error)),
            }
        }
        match first {
            Some(error) => Err(classify(asked, &error)),
            None => Err(unanswered(format!("{}: nobody to ask", asked.reference))),
        }
    }

    /// Whether all of a small image can be read, or the registry says that there is none.
    pub(super) async fn check_whole(&self, image: &str) -> Result<(), CapabilityError> {
        let asked = self.asked(image).await?;
        let manifest = self
            .ask(&asked, async |client: Client, asked: &Asked| {
                client.pull_manifest(&asked.reference, &asked.auth).await
            })
            .await;
        let manifest = match manifest {
            Ok((OciManifest::Image(manifest), _)) => manifest,
            Ok(_) | Err(CapabilityError::Failed(_)) => return Ok(()),
            Err(unanswered) => return Err(unanswered),
        };
        for layer in &manifest.layers {
            let read = self
                .ask(&asked, async |client: Client, asked: &Asked| {
                    client
                        .pull_blob(&asked.reference, layer, &mut Bounded::of_size(layer.size, LARGEST_SIGNATURE))
                        .await
                })
                .await;
            // What a manifest names is there, or the registry is damaged.
            read.map_err(|error| match error {
                CapabilityError::Failed(cause) | CapabilityError::Unanswered(cause) => unanswered(cause),
            })?;
        }
        Ok(())
    }

    /// Whether the registry can say what refers to a digest, or says that nothing does.
    pub(super) async fn check_referrers(&self, asked: &Asked, digest: &str) -> Result<(), CapabilityError> {
        let reference = Reference::with_digest(
            asked.reference.registry().to_owned(),
            asked.reference.repository().to_owned(),
            digest.to_owned(),
        );
        let pinned = Asked { reference, auth: asked.auth.clone(), without_credentials: None };
        let referrers = self
            .ask(&pinned, async |client: Client, asked: &Asked| {
                client.pull_referrers(&asked.reference, None).await.map(drop)
            })
            .await;
        match referrers {
            // Older registries do not know the question.
            Ok(()) | Err(CapabilityError::Failed(_)) => Ok(()),
            Err(unanswered) => Err(unanswered),
        }
    }

    /// How a registry that has answered is asked by the client of another library.
    pub(super) fn config_of(&self, asked: &Asked) -> sigstore::registry::ClientConfig {
        let registry = asked.reference.resolve_registry().to_ascii_lowercase();
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&registry).copied();
        self.base_config(&registry, found.unwrap_or(Transport::Tls))
    }

    /// Kubewarden tries TLS, TLS with any certificate, and no TLS, in this order, where it is told to. Docker takes a
    /// registry on the machine itself to be such a one.
    fn transports(&self, registry: &str) -> Vec<Transport> {
        if self.sources.insecure.contains(registry) || is_loopback(registry) {
            vec![Transport::Tls, Transport::UnverifiedTls, Transport::Plain]
        } else {
            vec![Transport::Tls]
        }
    }

    fn client(&self, registry: &str, transport: Transport) -> Result<Client, CapabilityError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (registry.to_owned(), transport);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        // `new` would take the defaults where the configuration does not hold, and go past proxies.
        let client = Client::try_from(self.config(registry, transport)).map_err(|error| {
            unanswered(format!("{registry} cannot be asked as sources.yml says: {}", without_secrets(&chain(&error))))
        })?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn config(&self, registry: &str, transport: Transport) -> ClientConfig {
        ClientConfig {
            // Which platform would be the policy's to say, and it cannot.
            platform_resolver: None,
            connect_timeout: Some(Duration::from_secs(5)),
            read_timeout: Some(Duration::from_secs(10)),
            user_agent: concat!("host-runner/", env!("CARGO_PKG_VERSION")),
            ..self.base_config(registry, transport).into()
        }
    }

    /// What both libraries are told: Sigstore's own type, which is made for both.
    fn base_config(&self, registry: &str, transport: Transport) -> sigstore::registry::ClientConfig {
        let proxies = self.sources.proxies.clone();
        let authorities = self.sources.authorities.get(registry).map(Vec::as_slice).unwrap_or_default();
        let certificates = authorities.iter().map(|data| Certificate {
            encoding: if is_pem(data) { CertificateEncoding::Pem } else { CertificateEncoding::Der },
            data: data.clone(),
        });
        sigstore::registry::ClientConfig {
            protocol: if transport == Transport::Plain { ClientProtocol::Http } else { ClientProtocol::Https },
            accept_invalid_certificates: transport == Transport::UnverifiedTls,
            extra_root_certificates: certificates.collect(),
            https_proxy: proxies.https_proxy,
            http_proxy: proxies.http_proxy,
            no_proxy: proxies.no_proxy,
        }
    }
}

fn is_pem(certificate: &[u8]) -> bool {
    certificate.trim_ascii_start().starts_with(b"-----BEGIN")
}

fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Tells what the registry says from what keeps it from saying something.
fn classify(asked: &Asked, error: &OciDistributionError) -> CapabilityError {
    let text = format!("{}: {}", asked.reference, without_secrets(&chain(error)));
    let says_so = match error {
        OciDistributionError::ImageManifestNotFoundError(_)
        | OciDistributionError::ImageIndexParsingNoPlatformResolverError
        | OciDistributionError::ConfigConversionError(_)
        | OciDistributionError::DigestError(_)
        | OciDistributionError::IncompatibleLayerMediaTypeError(_)
        | OciDistributionError::JsonError(_)
        | OciDistributionError::ManifestEncodingError(_)
        | OciDistributionError::ManifestParsingError(_)
        | OciDistributionError::UnsupportedMediaTypeError(_)
        | OciDistributionError::UnsupportedSchemaVersionError(_)
        | OciDistributionError::VersionedParsingError(_) => true,
        OciDistributionError::RegistryError { envelope, .. } => envelope.errors.iter().any(|error| {
            matches!(
                error.code,
                OciErrorCode::ManifestUnknown
                    | OciErrorCode::NameUnknown
                    | OciErrorCode::NotFound
                    | OciErrorCode::BlobUnknown
                    | OciErrorCode::NameInvalid
                    | OciErrorCode::ManifestInvalid
            )
        }),
        OciDistributionError::ServerError { code, .. } => *code == 404,
        _ => false,
    };
    match (says_so, &asked.without_credentials) {
        (true, _) => CapabilityError::Failed(text),
        (false, Some(reason)) => unanswered(format!("{text} (asked without credentials: {reason})")),
        (false, None) => unanswered(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_machine_itself_is_loopback() {
        for (registry, expected) in [
            ("localhost:5000", true),
            ("localhost", true),
            ("127.0.0.1:5000", true),
            ("127.1.2.3", true),
            ("[::1]:5000", true),
            ("registry.corp.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example:5000", false),
            ("10.0.0.1:5000", false),
        ] {
            assert_eq!(is_loopback(registry), expected, "{registry}");
        }
    }
}
