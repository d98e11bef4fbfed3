//! Questions about signatures, independent of where the signatures are: what each wants, and how a refusal is said.

use std::collections::BTreeMap;

use crate::capabilities::Question;

/// The issuer of the tokens that GitHub gives to its workflows.
pub(crate) const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// One thing that some signature of the image must satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Constraint<'q> {
    PublicKey(&'q str),
    Subject { issuer: &'q str, subject: &'q str },
    SubjectPrefix { issuer: &'q str, prefix: String },
    GithubActions { owner: &'q str, repo: Option<&'q str> },
    Certificate { pem: &'q [u8], chain: Option<&'q [Vec<u8>]>, require_rekor_bundle: bool },
}

/// An image and all that must have signed it.
#[derive(Debug, Clone)]
pub(crate) struct Verification<'q> {
    pub(crate) image: &'q str,
    pub(crate) constraints: Vec<Constraint<'q>>,
    pub(crate) annotations: Option<&'q BTreeMap<String, String>>,
}

impl<'q> Verification<'q> {
    /// What a question about signatures wants; `None` for any other question.
    ///
    /// # Errors
    ///
    /// In Kubewarden's words, when nothing is wanted or a prefix is no URL.
    pub(crate) fn of(question: &'q Question) -> Option<Result<Self, String>> {
        let (image, annotations, constraints) = match question {
            Question::SigstorePubKeyVerify(question) => {
                let keys = question.pub_keys.iter().map(|key| Constraint::PublicKey(key)).collect();
                (&question.image, &question.annotations, non_empty(keys, "Must provide at least one pub key"))
            }
            Question::SigstoreKeylessVerify(question) => {
                let identities = question.keyless.iter();
                let identities = identities
                    .map(|identity| Constraint::Subject { issuer: &identity.issuer, subject: &identity.subject })
                    .collect();
                (&question.image, &question.annotations, non_empty(identities, "Must provide keyless info"))
            }
            Question::SigstoreKeylessPrefixVerify(question) => {
                let prefixes = question.keyless_prefix.iter().map(|identity| {
                    let prefix = with_slash(&identity.url_prefix)?;
                    Ok(Constraint::SubjectPrefix { issuer: &identity.issuer, prefix })
                });
                let prefixes: Result<Vec<_>, String> = prefixes.collect();
                let prefixes = prefixes.and_then(|prefixes| non_empty(prefixes, "Must provide keyless info"));
                (&question.image, &question.annotations, prefixes)
            }
            Question::SigstoreGithubActionsVerify(question) => {
                let constraint = Constraint::GithubActions { owner: &question.owner, repo: question.repo.as_deref() };
                let constraints = if question.owner.is_empty() {
                    Err("Must provide owner info".to_owned())
                } else {
                    Ok(vec![constraint])
                };
                (&question.image, &question.annotations, constraints)
            }
            Question::SigstoreCertificateVerify(question) => {
                let constraint = Constraint::Certificate {
                    pem: &question.certificate,
                    chain: question.certificate_chain.as_deref(),
                    require_rekor_bundle: question.require_rekor_bundle,
                };
                (&question.image, &question.annotations, Ok(vec![constraint]))
            }
            _ => return None,
        };
        Some(constraints.map(|constraints| Verification { image, constraints, annotations: annotations.as_ref() }))
    }

    /// The refusal when there is no signature at all.
    pub(crate) fn unsigned(&self) -> String {
        format!("no signatures found for image: {} ", self.image)
    }

    /// The refusal when these constraints are satisfied by none of the signatures.
    pub(crate) fn refusal(unsatisfied: &[&Constraint<'_>]) -> String {
        let mut text =
            "Image verification failed: missing signatures\nThe following constraints were not satisfied:\n".to_owned();
        for constraint in unsatisfied {
            text.push_str(&match constraint {
                Constraint::PublicKey(key) => format!("kind: pubKey\nkey: {}\n", one_line(key)),
                Constraint::Subject { issuer, subject } => {
                    format!("kind: genericIssuer\nissuer: {issuer}\nsubject:\n  equal: {subject}\n")
                }
                Constraint::SubjectPrefix { issuer, prefix } => {
                    format!("kind: genericIssuer\nissuer: {issuer}\nsubject:\n  urlPrefix: {prefix}\n")
                }
                Constraint::GithubActions { owner, repo } => {
                    let repo = repo.map(|repo| format!("repo: {repo}\n")).unwrap_or_default();
                    format!("kind: githubAction\nowner: {owner}\n{repo}")
                }
                Constraint::Certificate { .. } => "kind: certificate\n".to_owned(),
            });
        }
        text
    }
}

fn non_empty<'q>(constraints: Vec<Constraint<'q>>, message: &str) -> Result<Vec<Constraint<'q>>, String> {
    if constraints.is_empty() { Err(message.to_owned()) } else { Ok(constraints) }
}

/// Kubewarden ends a prefix with a slash, so that `…/acme` does not stand for `…/acme-of-somebody-else`.
fn with_slash(prefix: &str) -> Result<String, String> {
    let scheme = prefix.split_once("://").map(|(scheme, rest)| (scheme, rest.trim_matches('/')));
    match scheme {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() => {
            Ok(if prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") })
        }
        // Kubewarden's own host dies of it, and the guest sees no answer.
        _ => Err(format!("Error obtaining response over callback channel: {prefix:?} is not a URL")),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
