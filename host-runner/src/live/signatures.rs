//! Signatures as cosign writes them, verified by Sigstore's own library, decided as Kubewarden decides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oci_client::secrets::RegistryAuth;
use serde_json::{Value, json};
use sigstore::cosign::bundle_content::BundleContent;
use sigstore::cosign::signature_layers::{CertificateSignature, CertificateSubject};
use sigstore::cosign::verification_constraint::{
    AnnotationVerifier, CertificateVerifier, PublicKeyVerifier, VerificationConstraint,
};
use sigstore::cosign::{ClientBuilder, CosignCapabilities, SignatureLayer};
use sigstore::crypto::Signature;
use sigstore::errors::SigstoreError;
use sigstore::registry::oci_reference::OciReference;
use sigstore::registry::{Auth, Certificate, CertificateEncoding};
use sigstore::trust::sigstore::SigstoreTrustRoot;
use tokio::sync::OnceCell;

use super::registry::{Asked, Registries};
use super::{chain, unanswered};
use crate::capabilities::{Answer, CapabilityError, json_answer};
use crate::digest::sha256;
use crate::manifest::{Problem, problem};
use crate::verification::{Constraint, GITHUB_ISSUER, Verification};

/// Verifies what registries hold beside images.
pub(super) struct Sigstore {
    registries: Arc<Registries>,
    /// The roots that the user gave.
    given_root: Option<SigstoreTrustRoot>,
    /// The roots of the public instance, fetched when they are first needed.
    public_root: OnceCell<Result<SigstoreTrustRoot, String>>,
    cache: Option<PathBuf>,
}

impl Sigstore {
    pub(super) fn new(
        registries: Arc<Registries>,
        trust_config: Option<&Path>,
        cache: Option<PathBuf>,
    ) -> Result<Self, Problem> {
        let given_root = trust_config.map(read_root).transpose()?;
        Ok(Sigstore { registries, given_root, public_root: OnceCell::new(), cache })
    }

    /// Answers with the digest for which all constraints hold.
    pub(super) async fn verify(&self, wanted: &Verification<'_>) -> Answer {
        let asked = self.registries.asked(wanted.image).await?;
        let digest = self.registries.resolve(&asked).await?;
        let root = self.root(wanted).await?;
        let builder = ClientBuilder::default().with_oci_client_config(self.registries.config_of(&asked));
        let builder = match root {
            Some(root) => builder
                .with_trust_repository(root)
                .map_err(|error| unanswered(format!("Sigstore's roots of trust cannot be used: {}", chain(&error))))?,
            None => builder,
        };
        let mut client = builder.build().map_err(|error| failure(&asked, &error))?;
        let auth = auth(&asked.auth);
        // The digest from here on: a registry that answers the tag anew could answer something else.
        let pinned = OciReference::with_digest(
            asked.reference.registry().to_owned(),
            asked.reference.repository().to_owned(),
            digest.clone(),
        );
        let signatures = format!("{}:{}.sig", repository(&asked), digest.replace(':', "-"));
        let layers = client.trusted_signature_layers(&auth, &pinned).await.map_err(|error| failure(&asked, &error))?;
        let layers: Vec<SignatureLayer> = layers.into_iter().filter(is_made_by_its_certificate).collect();
        if layers.is_empty() {
            self.check_absence(&asked, &signatures, &digest).await?;
            return Err(CapabilityError::Failed(wanted.unsigned()));
        }
        let mut unsatisfied = Vec::new();
        for constraint in &wanted.constraints {
            if !is_satisfied(constraint, &layers, wanted.annotations)? {
                unsatisfied.push(constraint);
            }
        }
        if !unsatisfied.is_empty() {
            self.check_absence(&asked, &signatures, &digest).await?;
            return Err(CapabilityError::Failed(Verification::refusal(&unsatisfied)));
        }
        json_answer(&json!({ "is_trusted": true, "digest": digest }))
    }

    /// Whether the registry has said all that it knows of signatures. The library takes one that fails for one that
    /// has none, and what is refused on that ground is no verdict.
    async fn check_absence(&self, asked: &Asked, signatures: &str, digest: &str) -> Result<(), CapabilityError> {
        self.registries.check_referrers(asked, digest).await?;
        self.registries.check_whole(signatures).await
    }

    /// The roots of trust, if the constraints need some. Keys need none, so they are verified without the public
    /// instance; given ones are used whatever the constraints.
    async fn root(&self, wanted: &Verification<'_>) -> Result<Option<&SigstoreTrustRoot>, CapabilityError> {
        if self.given_root.is_some() {
            return Ok(self.given_root.as_ref());
        }
        let needs_root = wanted.constraints.iter().any(|constraint| match constraint {
            Constraint::PublicKey(_) => false,
            Constraint::Certificate { require_rekor_bundle, .. } => *require_rekor_bundle,
            Constraint::Subject { .. } | Constraint::SubjectPrefix { .. } | Constraint::GithubActions { .. } => true,
        });
        if !needs_root {
            return Ok(None);
        }
        let root = self.public_root.get_or_init(|| async {
            let folder = self.cache.as_ref().map(|cache| cache.join("sigstore"));
            if let Some(folder) = &folder {
                std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            }
            SigstoreTrustRoot::new(folder.as_deref()).await.map_err(|error| chain(&error))
        });
        root.await.as_ref().map(Some).map_err(|error| {
            unanswered(format!(
                "Sigstore's roots of trust cannot be fetched: {error}; give them with --sigstore-trust-config"
            ))
        })
    }
}

/// Where an image and, beside it, its signatures are.
fn repository(asked: &Asked) -> String {
    format!("{}/{}", asked.reference.registry(), asked.reference.repository())
}

fn read_root(path: &Path) -> Result<SigstoreTrustRoot, Problem> {
    let refused = |message: String| problem(&path.display().to_string(), None, message);
    if !path.is_file() {
        return Err(refused("cannot be read: there is no such file".to_owned()));
    }
    SigstoreTrustRoot::from_client_trust_config(&path.to_owned())
        .map_err(|error| refused(format!("is no client trust configuration of Sigstore: {}", chain(&error))))
}

fn auth(auth: &RegistryAuth) -> Auth {
    Auth::from(auth)
}

fn failure(asked: &Asked, error: &SigstoreError) -> CapabilityError {
    unanswered(format!("{}: {}", asked.reference, chain(error)))
}

/// Whether a signature with a certificate was made with the key of that certificate, and is the one that the
/// transparency log knows, if there is an entry of the log beside it.
///
/// The library checks that Fulcio issued the certificate and that the log knows some entry. Both can be copied from
/// the signature of any other image; what cannot be copied is the signature itself.
fn is_made_by_its_certificate(layer: &SignatureLayer) -> bool {
    let Some(signature) = &layer.signature else { return false };
    let is_logged = match &layer.bundle {
        // Verified together with the log's entry by the library.
        Some(BundleContent::SigstoreBundle(_)) => Some(true),
        Some(BundleContent::RekorBundle(bundle)) => Some(is_entry_of(&bundle.payload.body, signature, &layer.raw_data)),
        None => None,
    };
    match &layer.certificate_signature {
        // A key of one's own needs no log; but an entry about something else dates nothing.
        None => is_logged.unwrap_or(true),
        Some(certificate) => {
            let signature = Signature::Base64Encoded(signature.as_bytes());
            is_logged.unwrap_or(false)
                && certificate.verification_key.verify_signature(signature, &layer.raw_data).is_ok()
        }
    }
}

/// Whether an entry of the transparency log is about this signature of these bytes.
///
/// <https://github.com/sigstore/rekor/blob/main/pkg/types/hashedrekord/v0.0.1/hashedrekord_v0_0_1_schema.json>
fn is_entry_of(body: &str, signature: &str, signed: &[u8]) -> bool {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let Ok(entry) = STANDARD.decode(body) else { return false };
    let Ok(entry) = serde_json::from_slice::<Value>(&entry) else { return false };
    let hash = &entry["spec"]["data"]["hash"];
    entry["kind"] == "hashedrekord"
        && hash["algorithm"] == "sha256"
        && hash["value"].as_str() == sha256(signed).strip_prefix("sha256:")
        && entry["spec"]["signature"]["content"] == signature
}

/// Whether some signature satisfies a constraint, with the annotations.
fn is_satisfied(
    constraint: &Constraint<'_>,
    layers: &[SignatureLayer],
    annotations: Option<&BTreeMap<String, String>>,
) -> Result<bool, CapabilityError> {
    let annotations = annotations.map(|annotations| AnnotationVerifier { annotations: annotations.clone() });
    let is_annotated =
        |layer: &SignatureLayer| annotations.as_ref().is_none_or(|verifier| verifier.verify(layer).unwrap_or(false));
    let verifier: Box<dyn Fn(&SignatureLayer) -> bool> = match constraint {
        Constraint::PublicKey(key) => {
            let verifier = PublicKeyVerifier::try_from(key.as_bytes())
                .map_err(|error| refused("Cannot create public key verifier", &error))?;
            Box::new(move |layer| verifier.verify(layer).unwrap_or(false))
        }
        Constraint::Certificate { pem, chain, require_rekor_bundle } => {
            let chain: Option<Vec<Certificate>> = chain.map(|chain| {
                let certificates = chain.iter();
                certificates
                    .map(|data| Certificate { encoding: CertificateEncoding::Pem, data: data.clone() })
                    .collect()
            });
            let verifier = CertificateVerifier::from_pem(pem, *require_rekor_bundle, chain.as_deref())
                .map_err(|error| refused("Cannot create certificate verifier", &error))?;
            Box::new(move |layer| verifier.verify(layer).unwrap_or(false))
        }
        Constraint::Subject { issuer, subject } => {
            Box::new(move |layer| identity(layer).is_some_and(|(by, own, _)| by == *issuer && own == *subject))
        }
        Constraint::SubjectPrefix { issuer, prefix } => Box::new(move |layer| {
            identity(layer).is_some_and(|(by, own, _)| by == *issuer && own.starts_with(prefix.as_str()))
        }),
        Constraint::GithubActions { owner, repo } => Box::new(move |layer| {
            identity(layer).is_some_and(|(by, own, certificate)| {
                by == GITHUB_ISSUER
                    && matches!(certificate.subject, CertificateSubject::Uri(_))
                    && own.starts_with("https://github.com/")
                    && certificate.github_workflow_repository.as_deref().is_some_and(|repository| {
                        let (its_owner, its_repo) = repository.split_once('/').unwrap_or((repository, ""));
                        its_owner == *owner && repo.is_none_or(|repo| repo == its_repo)
                    })
            })
        }),
    };
    Ok(layers.iter().any(|layer| verifier(layer) && is_annotated(layer)))
}

/// Issuer, subject and the certificate with both.
fn identity(layer: &SignatureLayer) -> Option<(&str, &str, &CertificateSignature)> {
    let certificate = layer.certificate_signature.as_ref()?;
    let subject = match &certificate.subject {
        CertificateSubject::Email(subject) | CertificateSubject::Uri(subject) => subject,
    };
    Some((certificate.issuer.as_deref()?, subject, certificate))
}

/// The policy asks about a key or certificate that is none: the answer is the same everywhere.
fn refused(what: &str, error: &SigstoreError) -> CapabilityError {
    CapabilityError::Failed(format!("{what}: {}", chain(error)))
}
