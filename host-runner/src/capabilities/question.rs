//! The calls of Kubewarden's host capabilities as values.
//!
//! The names of the variants and their fields are those of kwctl's session files, so that a recorded question and an
//! asked one are compared as values. What stands on the wire is read in [`Question::read`].

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a policy asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Question {
    /// Which digest a reference has.
    OciManifestDigest(ImageQuestion),
    /// The manifest or index behind a reference.
    OciManifest(ImageQuestion),
    /// The manifest, its digest and the image configuration.
    OciManifestAndConfig(ImageQuestion),
    /// Whether these keys have signed.
    SigstorePubKeyVerify(PublicKeyVerification),
    /// Whether these identities have signed.
    SigstoreKeylessVerify(KeylessVerification),
    /// Whether identities that begin so have signed.
    SigstoreKeylessPrefixVerify(KeylessPrefixVerification),
    /// Whether a workflow of this owner has signed.
    SigstoreGithubActionsVerify(GithubActionsVerification),
    /// Whether the key of this certificate has signed.
    SigstoreCertificateVerify(CertificateVerification),
    /// The addresses of a host.
    #[serde(rename = "DNSLookupHost")]
    DnsLookupHost {
        /// The host's name.
        host: String,
    },
    /// Objects of one namespace.
    KubernetesListResourceNamespace(ObjectsQuestion),
    /// Objects of all namespaces.
    KubernetesListResourceAll(ObjectsQuestion),
    /// One object.
    KubernetesGetResource(ObjectQuestion),
    /// Whether somebody may do something.
    KubernetesCanI {
        /// Who and what.
        request: AccessReview,
        /// Whether an older answer will not do.
        disable_cache: bool,
    },
    /// Whether a certificate is trusted.
    CryptoIsCertificateTrusted {
        /// Which, by whom, when.
        request: CertificateTrust,
    },
}

/// A question about an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageQuestion {
    /// The reference as the policy wrote it.
    pub image: String,
}

/// Keys, all of which must have signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicKeyVerification {
    /// The reference as the policy wrote it.
    pub image: String,
    /// PEM.
    pub pub_keys: Vec<String>,
    /// What each signature must be annotated with.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// Identities, all of which must have signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeylessVerification {
    /// The reference as the policy wrote it.
    pub image: String,
    /// Who.
    pub keyless: Vec<KeylessIdentity>,
    /// What each signature must be annotated with.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// Who signed, by the certificate of Fulcio.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeylessIdentity {
    /// Who vouches for the subject.
    pub issuer: String,
    /// The URI or e-mail address in the certificate.
    pub subject: String,
}

/// Beginnings of identities, for all of which somebody must have signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeylessPrefixVerification {
    /// The reference as the policy wrote it.
    pub image: String,
    /// Who.
    pub keyless_prefix: Vec<KeylessPrefix>,
    /// What each signature must be annotated with.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// The beginning of an identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeylessPrefix {
    /// Who vouches for the subject.
    pub issuer: String,
    /// A URL; a slash is added to it if it does not end with one.
    pub url_prefix: String,
}

/// A GitHub owner or repository, one of whose workflows must have signed: any workflow, on any branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GithubActionsVerification {
    /// The reference as the policy wrote it.
    pub image: String,
    /// The user or organisation.
    pub owner: String,
    /// The repository; without one, any of the owner.
    #[serde(default)]
    pub repo: Option<String>,
    /// What the signature must be annotated with.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A certificate whose key must have signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CertificateVerification {
    /// The reference as the policy wrote it.
    pub image: String,
    /// PEM.
    pub certificate: Vec<u8>,
    /// PEM, the last one the root.
    #[serde(default)]
    pub certificate_chain: Option<Vec<Vec<u8>>>,
    /// Whether the transparency log must know the signature.
    pub require_rekor_bundle: bool,
    /// What the signature must be annotated with.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A question about one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectQuestion {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `Namespace`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The object's namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Whether an older answer will not do.
    pub disable_cache: bool,
    /// The fields that are asked for; none means all.
    #[serde(default)]
    pub field_masks: Option<BTreeSet<String>>,
}

/// A question about objects of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectsQuestion {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `Namespace`.
    pub kind: String,
    /// The namespace, where only one is asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// As `kubectl -l` takes it.
    #[serde(default)]
    pub label_selector: Option<String>,
    /// As `kubectl --field-selector` takes it.
    #[serde(default)]
    pub field_selector: Option<String>,
    /// The fields that are asked for; none means all.
    #[serde(default)]
    pub field_masks: Option<BTreeSet<String>>,
}

/// A SubjectAccessReview.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccessReview {
    /// The groups of the user.
    #[serde(default)]
    pub groups: Option<BTreeSet<String>>,
    /// What is to be done.
    pub resource_attributes: ResourceAttributes,
    /// By whom.
    pub user: String,
}

/// What is to be done, and to what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceAttributes {
    /// The API group.
    #[serde(default)]
    pub group: Option<String>,
    /// The object's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The object's namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// `pods`.
    pub resource: String,
    /// `exec`.
    #[serde(default)]
    pub subresource: Option<String>,
    /// `create`.
    pub verb: String,
    /// The API version.
    #[serde(default)]
    pub version: Option<String>,
}

/// A certificate, and by whom it should be trusted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CertificateTrust {
    /// The certificate.
    pub cert: EncodedCertificate,
    /// The chain, the last one the root; without one, the roots of Mozilla.
    #[serde(default)]
    pub cert_chain: Option<Vec<EncodedCertificate>>,
    /// The time to judge at, RFC 3339; now if there is none. Kubewarden requires the key.
    pub not_after: Option<String>,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EncodedCertificate {
    /// How it is written.
    pub encoding: Encoding,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// How a certificate is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the formats' names")]
pub enum Encoding {
    Der,
    Pem,
}

/// Why a call is no question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Kubewarden has no such capability.
    Unknown(String),
    /// The payload is not what the capability takes.
    Payload(String),
}

impl Question {
    /// Reads a call as it stands on the wire.
    pub(super) fn read(namespace: &str, operation: &str, payload: &[u8]) -> Result<Self, Unreadable> {
        let image = || parse::<String>(payload).map(|image| ImageQuestion { image });
        match (namespace, operation) {
            ("oci", "v1/manifest_digest") => image().map(Question::OciManifestDigest),
            ("oci", "v1/oci_manifest") => image().map(Question::OciManifest),
            ("oci", "v1/oci_manifest_config") => image().map(Question::OciManifestAndConfig),
            ("oci", "v1/verify") => first_verification(payload),
            ("oci", "v2/verify") => verification(payload),
            ("net", "v1/dns_lookup_host") => parse(payload).map(|host| Question::DnsLookupHost { host }),
            ("crypto", "v1/is_certificate_trusted") => {
                parse(payload).map(|request| Question::CryptoIsCertificateTrusted { request })
            }
            ("kubernetes", "list_resources_by_namespace") => {
                let question: ObjectsQuestion = parse(payload)?;
                if question.namespace.is_none() {
                    return Err(Unreadable::Payload("missing field `namespace`".to_owned()));
                }
                Ok(Question::KubernetesListResourceNamespace(question))
            }
            ("kubernetes", "list_resources_all") => {
                let question: ObjectsQuestion = parse(payload)?;
                Ok(Question::KubernetesListResourceAll(ObjectsQuestion { namespace: None, ..question }))
            }
            ("kubernetes", "get_resource") => parse(payload).map(Question::KubernetesGetResource),
            ("kubernetes", "can_i") => {
                #[derive(Deserialize)]
                struct CanI {
                    subject_access_review: AccessReview,
                    disable_cache: bool,
                }
                let CanI { subject_access_review, disable_cache } = parse(payload)?;
                Ok(Question::KubernetesCanI { request: subject_access_review, disable_cache })
            }
            ("oci" | "net" | "crypto" | "kubernetes", _) => {
                Err(Unreadable::Unknown(format!("unknown operation: {operation}")))
            }
            _ => Err(Unreadable::Unknown(format!("unknown namespace: {namespace}"))),
        }
    }

    /// Namespace and operation, as an allow-list names it.
    pub fn path(&self) -> &'static str {
        match self {
            Question::OciManifestDigest(_) => "oci/v1/manifest_digest",
            Question::OciManifest(_) => "oci/v1/oci_manifest",
            Question::OciManifestAndConfig(_) => "oci/v1/oci_manifest_config",
            Question::SigstorePubKeyVerify(_)
            | Question::SigstoreKeylessVerify(_)
            | Question::SigstoreKeylessPrefixVerify(_)
            | Question::SigstoreGithubActionsVerify(_)
            | Question::SigstoreCertificateVerify(_) => "oci/v2/verify",
            Question::DnsLookupHost { .. } => "net/v1/dns_lookup_host",
            Question::KubernetesListResourceNamespace(_) => "kubernetes/list_resources_by_namespace",
            Question::KubernetesListResourceAll(_) => "kubernetes/list_resources_all",
            Question::KubernetesGetResource(_) => "kubernetes/get_resource",
            Question::KubernetesCanI { .. } => "kubernetes/can_i",
            Question::CryptoIsCertificateTrusted { .. } => "crypto/v1/is_certificate_trusted",
        }
    }

    /// The kind of object that must be granted, if the question is about one.
    pub(super) fn kind(&self) -> Option<(&str, &str)> {
        match self {
            Question::KubernetesListResourceNamespace(question) | Question::KubernetesListResourceAll(question) => {
                Some((&question.api_version, &question.kind))
            }
            Question::KubernetesGetResource(question) => Some((&question.api_version, &question.kind)),
            _ => None,
        }
    }
}

fn parse<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(payload).map_err(|error| Unreadable::Payload(error.to_string()))
}

/// Version 1 knows two kinds, each as `{"<kind>": {…}}`.
fn first_verification(payload: &[u8]) -> Result<Question, Unreadable> {
    #[derive(Deserialize)]
    enum First {
        SigstorePubKeyVerify(PublicKeyVerification),
        SigstoreKeylessVerify(KeylessVerification),
    }
    Ok(match parse(payload)? {
        First::SigstorePubKeyVerify(question) => Question::SigstorePubKeyVerify(question),
        First::SigstoreKeylessVerify(question) => Question::SigstoreKeylessVerify(question),
    })
}

/// Version 2 knows five kinds, each as `{"type": "<kind>", …}`.
fn verification(payload: &[u8]) -> Result<Question, Unreadable> {
    #[derive(Deserialize)]
    #[serde(tag = "type")]
    #[expect(clippy::enum_variant_names, reason = "the names on the wire")]
    enum Second {
        SigstorePubKeyVerify(PublicKeyVerification),
        SigstoreKeylessVerify(KeylessVerification),
        SigstoreKeylessPrefixVerify(KeylessPrefixVerification),
        SigstoreGithubActionsVerify(GithubActionsVerification),
        SigstoreCertificateVerify(CertificateVerification),
    }
    Ok(match parse(payload)? {
        Second::SigstorePubKeyVerify(question) => Question::SigstorePubKeyVerify(question),
        Second::SigstoreKeylessVerify(question) => Question::SigstoreKeylessVerify(question),
        Second::SigstoreKeylessPrefixVerify(question) => Question::SigstoreKeylessPrefixVerify(question),
        Second::SigstoreGithubActionsVerify(question) => Question::SigstoreGithubActionsVerify(question),
        Second::SigstoreCertificateVerify(question) => Question::SigstoreCertificateVerify(question),
    })
}

#[cfg(test)]
#[path = "question_tests.rs"]
mod tests;
