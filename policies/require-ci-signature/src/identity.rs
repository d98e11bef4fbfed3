//! Who may sign: the identities of CI that a signature can prove, and no others.

use std::borrow::Cow;

use serde::Deserialize;

use crate::github::{GITHUB_ISSUER, GithubActions};
use crate::keyless::Keyless;
use crate::pem;
use crate::question::Question;

/// One identity, or several that must all have signed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Identity {
    /// A workflow of GitHub Actions, on one branch or on tags.
    GithubActions(GithubActions),
    /// Any other CI that gets its certificates from Sigstore.
    Keyless(Keyless),
    /// The holders of all of these keys, each as PEM.
    PublicKeys(Vec<String>),
    /// The holder of a certificate's key.
    Certificate(Certificate),
}

/// A certificate, not from Sigstore but from an authority of one's own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Certificate {
    pub(crate) pem: String,
    /// The authorities above it. Without them the certificate is trusted as it stands.
    pub(crate) chain: Vec<String>,
    /// Whether the transparency log must say that it was signed while the certificate was valid.
    pub(crate) require_rekor_bundle: Option<bool>,
}

/// A key of the settings and what is wrong with it.
pub(crate) type Mistake = (String, String);

impl Identity {
    /// Refuses what a signature cannot prove, or what others than CI can sign as.
    pub(crate) fn check(&self) -> Result<(), Mistake> {
        match self {
            Identity::GithubActions(workflow) => below("githubActions", workflow.check()),
            Identity::Keyless(keyless) => below("keyless", keyless.check()),
            Identity::PublicKeys(keys) => check_keys(keys),
            Identity::Certificate(certificate) => below("certificate", certificate.check()),
        }
    }

    /// What the host is asked; all of it must hold.
    pub(crate) fn questions(&self) -> Vec<Question<'_>> {
        match self {
            Identity::GithubActions(workflow) => vec![
                // The subject names the workflow and its ref, whoever called it; the other question asks who did.
                Question::subject(GITHUB_ISSUER, workflow.subject().into()),
                Question::Repository { owner: &workflow.owner, repo: &workflow.repo },
            ],
            Identity::Keyless(keyless) => vec![Question::subject(&keyless.issuer, Cow::Borrowed(&keyless.subject))],
            Identity::PublicKeys(keys) => vec![Question::PublicKeys(keys)],
            Identity::Certificate(certificate) => vec![Question::Certificate(certificate)],
        }
    }

    /// The identity for messages; `key` is where it stands in the settings, since keys have no names.
    pub(crate) fn described(&self, key: &str) -> String {
        match self {
            Identity::GithubActions(workflow) => {
                let subject = workflow.subject();
                let workflow_name = subject.strip_prefix("https://github.com/").unwrap_or(&subject);
                match workflow.callee() {
                    None => format!("GitHub Actions {workflow_name}"),
                    Some(_) => {
                        format!("GitHub Actions {workflow_name}, called by {}/{}", workflow.owner, workflow.repo)
                    }
                }
            }
            Identity::Keyless(keyless) => format!("{} of {}", keyless.subject, keyless.issuer),
            Identity::PublicKeys(keys) if keys.len() > 1 => format!("all {} keys of {key}", keys.len()),
            Identity::PublicKeys(_) => format!("the key of {key}"),
            Identity::Certificate(_) => format!("the certificate of {key}"),
        }
    }
}

impl Certificate {
    fn check(&self) -> Result<(), Mistake> {
        pem::read(&self.pem, "CERTIFICATE").map_err(|what| ("pem".to_owned(), what))?;
        for (index, authority) in self.chain.iter().enumerate() {
            pem::read(authority, "CERTIFICATE").map_err(|what| (format!("chain[{index}]"), what))?;
        }
        Ok(())
    }

    /// Whether the log must know the signature; it must unless the settings say otherwise.
    pub(crate) fn requires_rekor_bundle(&self) -> bool {
        self.require_rekor_bundle.unwrap_or(true)
    }
}

fn check_keys(keys: &[String]) -> Result<(), Mistake> {
    if keys.is_empty() {
        return mistake("publicKeys", "write at least one public key; all of an entry must have signed");
    }
    let mut known: Vec<Vec<u8>> = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let place = format!("publicKeys[{index}]");
        let bytes = pem::read(key, "PUBLIC KEY").map_err(|what| (place.clone(), what))?;
        if known.contains(&bytes) {
            return mistake(&place, "stands twice, and one signature would do for both");
        }
        known.push(bytes);
    }
    Ok(())
}

/// A mistake under a key.
pub(crate) fn mistake(key: &str, what: &str) -> Result<(), Mistake> {
    Err((key.to_owned(), what.to_owned()))
}

fn below(step: &str, outcome: Result<(), Mistake>) -> Result<(), Mistake> {
    outcome.map_err(|(key, what)| (format!("{step}.{key}"), what))
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
