//! Signatures as cosign makes them, with a certificate authority and a transparency log of the test's own.
//!
//! <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType, SigningKey,
};
use serde_json::{Value, json};

use crate::images::sha256;

/// What stands in for the public instance of Sigstore.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: Vec<u8>,
    root_pem: String,
    log: KeyPair,
}

/// What a certificate of Fulcio says.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Who vouches for the subject.
    pub issuer: String,
    /// A URI.
    pub subject: String,
    /// `owner/repo`, for GitHub's workflows.
    pub repository: Option<String>,
}

/// A signature: the bytes that are signed, and the annotations beside them.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The layer of the signature's image.
    pub payload: Vec<u8>,
    /// The annotations of the layer.
    pub annotations: Value,
}

impl Default for Authority {
    fn default() -> Self {
        Authority::new()
    }
}

impl Authority {
    /// A fresh one, that nobody else trusts.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = parameters.self_signed(&key).expect("a certificate");
        Authority {
            root: root.der().to_vec(),
            root_pem: root.pem(),
            issuer: Issuer::new(parameters, key),
            log: KeyPair::generate().expect("a key"),
        }
    }

    /// The root certificate, PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// A client trust configuration of Sigstore that trusts this authority and its log.
    pub fn trust_config(&self) -> String {
        let always = json!({ "start": "1970-01-01T00:00:00Z" });
        let log_key = self.log.subject_public_key_info();
        json!({
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [{
                    "baseUrl": "https://rekor.invalid",
                    "hashAlgorithm": "SHA2_256",
                    "publicKey": {
                        "rawBytes": STANDARD.encode(&log_key),
                        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                        "validFor": always,
                    },
                    "logId": { "keyId": STANDARD.encode(self.log_id()) },
                }],
                "certificateAuthorities": [{
                    "subject": { "organization": "test", "commonName": "test" },
                    "uri": "https://fulcio.invalid",
                    "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(&self.root) }] },
                    "validFor": always,
                }],
                "ctlogs": [],
                "timestampAuthorities": [],
            },
            "signingConfig": {},
        })
        .to_string()
    }

    fn log_id(&self) -> Vec<u8> {
        let hex = sha256(&self.log.subject_public_key_info());
        let hex = hex.trim_start_matches("sha256:").as_bytes().to_vec();
        hex.chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex"))
            .collect()
    }

    /// A certificate for code signing, and its key.
    pub fn certify(&self, identity: &Identity) -> (String, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = vec![SanType::URI(identity.subject.clone().try_into().expect("a URI"))];
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        // Fulcio's extensions: issuer and GitHub's repository.
        let mut extension = |last: u64, text: &str| {
            let oid = [1, 3, 6, 1, 4, 1, 57264, 1, last];
            parameters.custom_extensions.push(CustomExtension::from_oid_content(&oid, text.as_bytes().to_vec()));
        };
        extension(1, &identity.issuer);
        if let Some(repository) = &identity.repository {
            extension(5, repository);
        }
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key)
    }

    /// A keyless signature of a digest.
    pub fn sign(&self, digest: &str, identity: &Identity, annotations: &Value) -> Signed {
        let (certificate, key) = self.certify(identity);
        let Signed { payload, annotations } = sign(&key, digest, annotations);
        self.log(Signed { payload, annotations }, &certificate)
    }

    /// Notes a signature in the transparency log, and puts certificate and log entry beside it.
    pub fn log(&self, signed: Signed, certificate: &str) -> Signed {
        let Signed { payload, mut annotations } = signed;
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": { "hash": { "algorithm": "sha256", "value": sha256(&payload).trim_start_matches("sha256:") } },
                "signature": {
                    "content": annotations[SIGNATURE],
                    "publicKey": { "content": STANDARD.encode(certificate) },
                },
            },
        });
        let log_id: String = self.log_id().iter().map(|byte| format!("{byte:02x}")).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        // serde_json sorts the keys: the canonical form that the log signs.
        let entry = json!({
            "body": STANDARD.encode(body.to_string()),
            "integratedTime": now,
            "logIndex": 1,
            "logID": log_id,
        });
        let promise = self.log.sign(entry.to_string().as_bytes()).expect("a signature");
        let bundle = json!({ "SignedEntryTimestamp": STANDARD.encode(promise), "Payload": entry });
        annotations["dev.sigstore.cosign/certificate"] = certificate.into();
        annotations["dev.sigstore.cosign/bundle"] = bundle.to_string().into();
        Signed { payload, annotations }
    }
}

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// Signs a digest with a key, as `cosign sign --key`.
pub fn sign(key: &KeyPair, digest: &str, annotations: &Value) -> Signed {
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": "registry/app" },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature",
        },
        "optional": annotations,
    })
    .to_string()
    .into_bytes();
    let signature = key.sign(&payload).expect("a signature");
    Signed { annotations: json!({ SIGNATURE: STANDARD.encode(signature) }), payload }
}

/// Where cosign puts the signatures of a digest.
pub fn tag_of(digest: &str) -> String {
    format!("{}.sig", digest.replace(':', "-"))
}

/// The manifest of an image with these signatures, and its blobs.
pub fn manifest(signatures: &[Signed]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let config = b"{}".to_vec();
    let layers: Vec<Value> = signatures
        .iter()
        .map(|signed| {
            json!({
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "digest": sha256(&signed.payload),
                "size": signed.payload.len(),
                "annotations": signed.annotations,
            })
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": sha256(&config),
            "size": config.len(),
        },
        "layers": layers,
    });
    let blobs = signatures.iter().map(|signed| signed.payload.clone()).chain([config]).collect();
    (manifest.to_string().into_bytes(), blobs)
}
