//! Who signed an image, as a world file states it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::verification::{Constraint, GITHUB_ISSUER, Verification};

/// A signature that a registry holds beside an image and that verifies: by one of four kinds of identity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Signature {
    /// A workflow of GitHub Actions.
    #[serde(default)]
    pub github_actions: Option<GithubActions>,
    /// An identity that some other issuer vouches for.
    #[serde(default)]
    pub keyless: Option<Keyless>,
    /// The public half of a key, PEM.
    #[serde(default)]
    pub public_key: Option<String>,
    /// The certificate of a key, PEM. Its chain is taken to be in order, and the transparency log to know it.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The annotations of the signature.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// A workflow of GitHub Actions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GithubActions {
    /// The owner of the repository that runs it.
    pub owner: String,
    /// The repository that runs it.
    pub repo: String,
    /// `.github/workflows/release.yml`; with `owner/repo/` in front for a reusable workflow of another repository.
    pub workflow: String,
    /// `refs/heads/main`.
    #[serde(rename = "ref")]
    pub git_ref: String,
}

/// An identity, and who vouches for it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyless {
    /// The issuer's URL.
    pub issuer: String,
    /// A URI or an e-mail address.
    pub subject: String,
}

impl Signature {
    /// Whether it says exactly one thing.
    pub(super) fn check(&self) -> Result<(), String> {
        let stated = [
            self.github_actions.is_some(),
            self.keyless.is_some(),
            self.public_key.is_some(),
            self.certificate.is_some(),
        ];
        if stated.iter().filter(|is_stated| **is_stated).count() != 1 {
            return Err("needs one of githubActions, keyless, publicKey and certificate".to_owned());
        }
        for (key, pem) in [("publicKey", &self.public_key), ("certificate", &self.certificate)] {
            if pem.as_ref().is_some_and(|pem| !pem.contains("-----BEGIN ")) {
                return Err(format!("{key}: write PEM, from -----BEGIN to -----END"));
            }
        }
        Ok(())
    }

    /// Whether it satisfies a constraint, as Kubewarden's verifiers decide it.
    fn satisfies(&self, constraint: &Constraint<'_>) -> bool {
        match constraint {
            Constraint::PublicKey(key) => self.public_key.as_deref().is_some_and(|own| is_same_pem(own, key)),
            Constraint::Subject { issuer, subject } => {
                self.identity().is_some_and(|(by, own)| by == *issuer && own == *subject)
            }
            Constraint::SubjectPrefix { issuer, prefix } => {
                self.identity().is_some_and(|(by, own)| by == *issuer && own.starts_with(prefix.as_str()))
            }
            Constraint::GithubActions { owner, repo } => self
                .github_actions
                .as_ref()
                .is_some_and(|own| own.owner == *owner && repo.is_none_or(|repo| own.repo == repo)),
            Constraint::Certificate { pem, .. } => self
                .certificate
                .as_deref()
                .is_some_and(|own| std::str::from_utf8(pem).is_ok_and(|other| is_same_pem(own, other))),
        }
    }

    /// Issuer and subject of the certificate that Fulcio gave.
    fn identity(&self) -> Option<(&str, String)> {
        match (&self.github_actions, &self.keyless) {
            (Some(GithubActions { owner, repo, workflow, git_ref }), _) => {
                let path = if workflow.starts_with(".github/") {
                    format!("{owner}/{repo}/{workflow}")
                } else {
                    workflow.clone()
                };
                Some((GITHUB_ISSUER, format!("https://github.com/{path}@{git_ref}")))
            }
            (None, Some(Keyless { issuer, subject })) => Some((issuer, subject.clone())),
            (None, None) => None,
        }
    }
}

/// Whether each constraint is satisfied by some signature.
///
/// # Errors
///
/// In Kubewarden's words.
pub(super) fn verify(signatures: &[Signature], wanted: &Verification<'_>) -> Result<(), String> {
    if signatures.is_empty() {
        return Err(wanted.unsigned());
    }
    let annotations = wanted.annotations;
    let is_annotated = |signature: &Signature| {
        annotations.is_none_or(|wanted| wanted.iter().all(|(key, value)| signature.annotations.get(key) == Some(value)))
    };
    let unsatisfied: Vec<&Constraint<'_>> = wanted
        .constraints
        .iter()
        .filter(|constraint| {
            !signatures.iter().any(|signature| signature.satisfies(constraint) && is_annotated(signature))
        })
        .collect();
    if unsatisfied.is_empty() { Ok(()) } else { Err(Verification::refusal(&unsatisfied)) }
}

/// PEM files differ in their line breaks and the text around, and are the same key.
fn is_same_pem(one: &str, other: &str) -> bool {
    fn body(pem: &str) -> String {
        let inner = pem.split_once("-----BEGIN").map_or(pem, |(_, rest)| rest);
        let inner = inner.split_once("-----END").map_or(inner, |(body, _)| body);
        inner.split_whitespace().collect()
    }
    body(one) == body(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::{KeylessPrefix, KeylessPrefixVerification, Question};

    fn workflow(owner: &str, repo: &str, workflow: &str, git_ref: &str) -> Signature {
        let github_actions = GithubActions {
            owner: owner.to_owned(),
            repo: repo.to_owned(),
            workflow: workflow.to_owned(),
            git_ref: git_ref.to_owned(),
        };
        Signature {
            github_actions: Some(github_actions),
            keyless: None,
            public_key: None,
            certificate: None,
            annotations: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
        }
    }

    #[test]
    fn a_reusable_workflow_is_named_by_its_own_repository() {
        let signature = workflow("evil", "fork", "acme/ci/.github/workflows/build.yml", "refs/heads/main");
        let subject = "https://github.com/acme/ci/.github/workflows/build.yml@refs/heads/main";
        assert!(signature.satisfies(&Constraint::Subject { issuer: GITHUB_ISSUER, subject }));
        assert!(signature.satisfies(&Constraint::GithubActions { owner: "evil", repo: Some("fork") }));
        assert!(!signature.satisfies(&Constraint::GithubActions { owner: "acme", repo: None }));
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        let signatures = [workflow("acme-evil", "x", ".github/workflows/a.yml", "refs/heads/main")];
        let ask = |url_prefix: &str| {
            let question = Question::SigstoreKeylessPrefixVerify(KeylessPrefixVerification {
                image: "a".to_owned(),
                keyless_prefix: vec![KeylessPrefix {
                    issuer: GITHUB_ISSUER.to_owned(),
                    url_prefix: url_prefix.to_owned(),
                }],
                annotations: None,
            });
            let wanted = Verification::of(&question).expect("about signatures")?;
            verify(&signatures, &wanted)
        };
        assert!(ask("https://github.com/acme-evil").is_ok());
        assert!(ask("https://github.com/acme-evil/").is_ok());
        assert!(ask("https://github.com/acme").is_err());
        assert!(ask("acme").expect_err("no URL").contains("is not a URL"));
    }

    #[test]
    fn annotations_must_be_those_of_the_same_signature() {
        let signatures = [workflow("acme", "x", ".github/workflows/a.yml", "refs/heads/main")];
        let constraint = Constraint::GithubActions { owner: "acme", repo: None };
        for (key, value, is_satisfied) in [("env", "prod", true), ("env", "test", false), ("team", "prod", false)] {
            let annotations = BTreeMap::from([(key.to_owned(), value.to_owned())]);
            let wanted =
                Verification { image: "a", constraints: vec![constraint.clone()], annotations: Some(&annotations) };
            assert_eq!(verify(&signatures, &wanted).is_ok(), is_satisfied, "{key}={value}");
        }
    }

    #[test]
    fn a_key_is_the_same_however_it_is_wrapped() {
        let one = "-----BEGIN PUBLIC KEY-----\nAAAA\nBBBB\n-----END PUBLIC KEY-----\n";
        assert!(is_same_pem(one, "comment\n-----BEGIN PUBLIC KEY-----\r\nAAAABBBB\r\n-----END PUBLIC KEY-----"));
        assert!(!is_same_pem(one, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"));
    }
}
