//! Who must have signed a module before it is run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::capabilities::{
    CapabilityError, GithubActionsVerification, KeylessIdentity, KeylessPrefix, KeylessPrefixVerification,
    KeylessVerification, PublicKeyVerification, Question, Source,
};
use crate::live::Network;
use crate::manifest;
use crate::modules::ModuleUri;

/// What kwctl's flags say of it.
#[derive(Debug, Clone, Default)]
pub struct TrustOptions {
    /// Kubewarden's verification configuration.
    pub config: Option<PathBuf>,
    /// The one that holds for registries if nothing else is asked for: kwctl's own, where it exists.
    pub default_config: Option<PathBuf>,
    /// Files with public keys, all of which must have signed.
    pub keys: Vec<PathBuf>,
    /// `key=value`: what the signatures must be annotated with.
    pub annotations: Vec<String>,
    /// The e-mail address or URI in a certificate of Fulcio.
    pub cert_email: Option<String>,
    /// Who vouches for it.
    pub cert_oidc_issuer: Option<String>,
    /// The owner of a GitHub workflow.
    pub github_owner: Option<String>,
    /// Its repository.
    pub github_repo: Option<String>,
}

/// Kubewarden's verification configuration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Configuration {
    api_version: String,
    #[serde(default)]
    all_of: Option<Vec<Wanted>>,
    #[serde(default)]
    any_of: Option<AnyOf>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnyOf {
    #[serde(default = "one")]
    minimum_matches: usize,
    signatures: Vec<Wanted>,
}

fn one() -> usize {
    1
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
enum Wanted {
    PubKey {
        #[serde(default, rename = "owner")]
        _owner: Option<String>,
        key: String,
        #[serde(default)]
        annotations: Option<BTreeMap<String, String>>,
    },
    GenericIssuer {
        issuer: String,
        subject: Subject,
        #[serde(default)]
        annotations: Option<BTreeMap<String, String>>,
    },
    GithubAction {
        owner: String,
        #[serde(default)]
        repo: Option<String>,
        #[serde(default)]
        annotations: Option<BTreeMap<String, String>>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Subject {
    Equal(String),
    UrlPrefix(String),
}

impl TrustOptions {
    /// Verifies a module's signatures, and gives the module by the digest that was verified. `None` when nothing was
    /// asked for.
    ///
    /// # Errors
    ///
    /// When it is not signed as it should be, or nobody can tell.
    pub(in crate::commands) fn verified(
        &self,
        uri: &ModuleUri,
        network: Option<&Arc<Network>>,
    ) -> Result<Option<ModuleUri>, String> {
        let is_registry = matches!(uri, ModuleUri::Registry(_));
        let (mut all, mut any) = self.wanted()?;
        if let (true, None, true, Some(path)) = (all.is_empty(), &any, is_registry, &self.default_config) {
            (all, any) = read_configuration(path)?;
        }
        if all.is_empty() && any.is_none() {
            return Ok(None);
        }
        let ModuleUri::Registry(reference) = uri else {
            return Err(format!("{uri}: only what comes from a registry:// has signatures that can be verified"));
        };
        let Some(network) = network else {
            return Err(format!("{uri}: its signatures cannot be verified offline"));
        };
        let ask = |wanted: &Wanted| -> Result<String, String> {
            let answer = network.answer(&wanted.question(reference)).map_err(CapabilityError::into_text)?;
            let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
            answer["digest"].as_str().map(str::to_owned).ok_or_else(|| "no digest was verified".to_owned())
        };
        let mut digests = Vec::new();
        for wanted in &all {
            digests.push(ask(wanted).map_err(|error| format!("{uri} cannot be trusted: {error}"))?);
        }
        if let Some(any) = any {
            let answers: Vec<Result<String, String>> = any.signatures.iter().map(ask).collect();
            let errors: Vec<String> = answers.iter().filter_map(|answer| answer.clone().err()).collect();
            if answers.len() - errors.len() < any.minimum_matches {
                return Err(format!(
                    "{uri} cannot be trusted: {} of the signatures in anyOf are wanted: {}",
                    any.minimum_matches,
                    errors.join("; ")
                ));
            }
            digests.extend(answers.into_iter().flatten());
        }
        // A tag may move between two questions.
        let [digest, others @ ..] = digests.as_slice() else {
            return Err(format!("{uri} cannot be trusted: nothing was verified"));
        };
        if others.iter().any(|other| other != digest) {
            return Err(format!("{uri} cannot be trusted: it changed while its signatures were verified"));
        }
        let end = reference.rfind('/').unwrap_or(0);
        let name_end = reference[end..].find([':', '@']).map_or(reference.len(), |at| end + at);
        Ok(Some(ModuleUri::Registry(format!("{}@{digest}", &reference[..name_end]))))
    }

    fn wanted(&self) -> Result<(Vec<Wanted>, Option<AnyOf>), String> {
        let (mut all, mut any) = (Vec::new(), None);
        if let Some(path) = &self.config {
            (all, any) = read_configuration(path)?;
        }
        let annotations = self.annotations()?;
        for path in &self.keys {
            let key = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            all.push(Wanted::PubKey { _owner: None, key, annotations: annotations.clone() });
        }
        match (&self.cert_oidc_issuer, &self.cert_email) {
            (Some(issuer), Some(subject)) => all.push(Wanted::GenericIssuer {
                issuer: issuer.clone(),
                subject: Subject::Equal(subject.clone()),
                annotations: annotations.clone(),
            }),
            (None, None) => {}
            _ => return Err("--cert-email and --cert-oidc-issuer belong together".to_owned()),
        }
        match (&self.github_owner, &self.github_repo) {
            (Some(owner), repo) => {
                all.push(Wanted::GithubAction {
                    owner: owner.clone(),
                    repo: repo.clone(),
                    annotations: annotations.clone(),
                });
            }
            (None, Some(_)) => return Err("--github-repo needs --github-owner".to_owned()),
            (None, None) => {}
        }
        if annotations.is_some() && all.is_empty() {
            return Err(
                "--verification-annotation says what a signature must be annotated with; say whose, too".to_owned()
            );
        }
        Ok((all, any))
    }

    fn annotations(&self) -> Result<Option<BTreeMap<String, String>>, String> {
        let pairs = self.annotations.iter().map(|text| {
            let (key, value) =
                text.split_once('=').ok_or_else(|| format!("{text:?} is no annotation: write key=value"))?;
            Ok((key.to_owned(), value.to_owned()))
        });
        let pairs: BTreeMap<String, String> = pairs.collect::<Result<_, String>>()?;
        Ok((!pairs.is_empty()).then_some(pairs))
    }
}

/// What a configuration wants: all of these, and some of those.
fn read_configuration(path: &Path) -> Result<(Vec<Wanted>, Option<AnyOf>), String> {
    let configuration: Configuration = manifest::read_typed(path).map_err(|problem| problem.to_string())?;
    let refuse = |mistake: &str| Err(format!("{}: {mistake}", path.display()));
    if configuration.api_version != "v1" {
        return refuse("apiVersion must be v1");
    }
    let (all, any) = (configuration.all_of.unwrap_or_default(), configuration.any_of);
    // What wants nothing would be satisfied by everything.
    match &any {
        None if all.is_empty() => refuse("asks for no signature: list some under allOf or anyOf"),
        Some(any) if any.minimum_matches == 0 => refuse("anyOf.minimumMatches must be at least 1"),
        Some(any) if any.signatures.len() < any.minimum_matches => {
            refuse("anyOf.minimumMatches is more than there are signatures in anyOf")
        }
        _ => Ok((all, any)),
    }
}

impl Wanted {
    fn question(&self, image: &str) -> Question {
        let image = image.to_owned();
        match self {
            Wanted::PubKey { key, annotations, .. } => Question::SigstorePubKeyVerify(PublicKeyVerification {
                image,
                pub_keys: vec![key.clone()],
                annotations: annotations.clone(),
            }),
            Wanted::GenericIssuer { issuer, subject: Subject::Equal(subject), annotations } => {
                Question::SigstoreKeylessVerify(KeylessVerification {
                    image,
                    keyless: vec![KeylessIdentity { issuer: issuer.clone(), subject: subject.clone() }],
                    annotations: annotations.clone(),
                })
            }
            Wanted::GenericIssuer { issuer, subject: Subject::UrlPrefix(prefix), annotations } => {
                Question::SigstoreKeylessPrefixVerify(KeylessPrefixVerification {
                    image,
                    keyless_prefix: vec![KeylessPrefix { issuer: issuer.clone(), url_prefix: prefix.clone() }],
                    annotations: annotations.clone(),
                })
            }
            Wanted::GithubAction { owner, repo, annotations } => {
                Question::SigstoreGithubActionsVerify(GithubActionsVerification {
                    image,
                    owner: owner.clone(),
                    repo: repo.clone(),
                    annotations: annotations.clone(),
                })
            }
        }
    }
}
