//! Who may sign: the identities of CI that a signature can prove, and no others.

use std::borrow::Cow;

use serde::Deserialize;

use crate::git_ref;
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

/// A workflow of GitHub Actions. Each key is required: Kubewarden's own check stops at the repository, so that any
/// workflow on any branch, and any pull request from a branch, would do.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct GithubActions {
    pub(crate) owner: String,
    pub(crate) repo: String,
    /// `.github/workflows/release.yml`, or `owner/repo/.github/workflows/build.yml` for a reusable workflow of
    /// another repository.
    pub(crate) workflow: String,
    /// The ref that the workflow itself is taken from.
    #[serde(rename = "ref")]
    pub(crate) git_ref: String,
}

/// An identity as its certificate spells it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Keyless {
    pub(crate) issuer: String,
    /// Compared as a whole, or up to the `*` at its end.
    pub(crate) subject: String,
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

const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Where people log in. A signature that comes of it was made by hand.
const ISSUERS_OF_PEOPLE: [&str; 6] = [
    "https://accounts.google.com",
    "https://github.com/login/oauth",
    "https://login.microsoftonline.com",
    "https://sts.windows.net",
    "https://oauth2.sigstore.dev",
    "https://oauth2.sigstage.dev",
];

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

impl GithubActions {
    /// The repository that a reusable workflow is taken from, and its path there; none for one's own workflows.
    fn callee(&self) -> Option<(&str, &str)> {
        let at = self.workflow.find("/.github/workflows/")?;
        Some((self.workflow.get(..at)?, self.workflow.get(at + 1..)?))
    }

    /// The subject alternative name that Fulcio writes: `https://github.com/` and the token's `job_workflow_ref`.
    fn subject(&self) -> String {
        match self.callee() {
            Some(_) => format!("https://github.com/{}@{}", self.workflow, self.git_ref),
            None => {
                format!("https://github.com/{}/{}/{}@{}", self.owner, self.repo, self.workflow, self.git_ref)
            }
        }
    }

    fn check(&self) -> Result<(), Mistake> {
        if !is_owner(&self.owner) {
            return mistake("owner", "write the user or organisation on GitHub alone, such as acme");
        }
        if !is_repository(&self.repo) {
            return mistake("repo", "write the name of the repository alone, such as payments");
        }
        let (callee, path) = match self.callee() {
            Some((callee, path)) => (Some(callee), path),
            None => (None, self.workflow.as_str()),
        };
        let is_callee = callee.is_none_or(|callee| {
            callee.split_once('/').is_some_and(|(owner, repo)| is_owner(owner) && is_repository(repo))
        });
        if !is_callee || !is_workflow(path) {
            return mistake(
                "workflow",
                "write the file that signs, such as .github/workflows/release.yml, or \
                 acme/ci/.github/workflows/build.yml for a reusable workflow of another repository",
            );
        }
        // A reusable workflow may be called by commit, which says more than any branch.
        if callee.is_some() && self.git_ref.len() == 40 && self.git_ref.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(());
        }
        git_ref::check(&self.git_ref).map_err(|what| ("ref".to_owned(), what))
    }
}

impl Keyless {
    fn check(&self) -> Result<(), Mistake> {
        let (issuer, subject) = (self.issuer.as_str(), self.subject.as_str());
        if !issuer.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_url_byte)) {
            return mistake(
                "issuer",
                "write the https address of what gives CI its tokens, such as https://gitlab.com",
            );
        }
        let is_at =
            |place: &str| issuer.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if let Some(place) = ISSUERS_OF_PEOPLE.iter().find(|place| is_at(place)) {
            return mistake("issuer", &format!("at {place} people log in: name what gives CI its tokens"));
        }
        if issuer.trim_end_matches('/') == GITHUB_ISSUER {
            return mistake(
                "issuer",
                "write githubActions: { owner: …, repo: …, workflow: …, ref: … } instead, which also proves the \
                 repository: the subject of a reusable workflow is the same for everybody who calls it",
            );
        }
        self.check_subject(subject).map_err(|what| ("subject".to_owned(), what))
    }

    fn check_subject(&self, subject: &str) -> Result<(), String> {
        let Some((scheme, rest)) = subject.split_once("://") else {
            return Err(if subject.contains('@') {
                "an e-mail address is a person, or whoever holds that account's key: name the CI that builds, \
                 such as https://gitlab.com/acme/payments//.gitlab-ci.yml@refs/heads/main"
                    .to_owned()
            } else {
                "write the address by which certificates name the CI, such as \
                 https://gitlab.com/acme/payments//.gitlab-ci.yml@refs/heads/main"
                    .to_owned()
            });
        };
        let is_clean = |b: u8| is_url_byte(b) || b == b'*';
        if !matches!(scheme, "https" | "spiffe") || rest.is_empty() || !rest.bytes().all(is_clean) {
            return Err(format!("{subject:?} is no address that a certificate of CI has: write https://…"));
        }
        let (path, git_ref) = match rest.rsplit_once("@refs/") {
            Some((path, name)) => (path, Some(format!("refs/{name}"))),
            None => (rest, None),
        };
        if let Some(git_ref) = &git_ref {
            git_ref::check(git_ref)?;
        }
        if path.contains('*') || (git_ref.is_none() && rest.contains('*')) {
            return Err(format!(
                "{subject:?}: * stands only for the end of a ref, such as …@refs/tags/*: anything wider \
                 lets other pipelines and branches sign"
            ));
        }
        let is_github = self.issuer.starts_with(GITHUB_ISSUER) || rest.starts_with("github.com/");
        if is_github && git_ref.is_none() {
            return Err("name the workflow and its ref, such as \
                        https://github.com/acme/payments/.github/workflows/release.yml@refs/heads/main"
                .to_owned());
        }
        if subject.ends_with('*') { check_prefix(scheme, path) } else { Ok(()) }
    }
}

/// The part of a prefix before its ref. The host reads it as a URL and compares what it makes of it, so it must be
/// spelled as a URL parser would; and it must go as far as a pipeline.
fn check_prefix(scheme: &str, path: &str) -> Result<(), String> {
    let (host, path) = path.split_once('/').unwrap_or((path, ""));
    let is_host = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b))
        && !host.ends_with(":443");
    let segments = || path.split('/');
    let is_spelled = segments().all(|segment| segment != "." && segment != "..");
    let reaches_a_pipeline = segments().filter(|segment| !segment.is_empty()).count() >= 2;
    if scheme == "https" && is_host && is_spelled && reaches_a_pipeline {
        Ok(())
    } else {
        Err("with * at its end it must name a pipeline as https://host/group/project…@refs/…, host in lower case, \
             without the port 443"
            .to_owned())
    }
}

impl Certificate {
    fn check(&self) -> Result<(), Mistake> {
        pem::check(&self.pem, "CERTIFICATE").map_err(|what| ("pem".to_owned(), what))?;
        for (index, authority) in self.chain.iter().enumerate() {
            pem::check(authority, "CERTIFICATE").map_err(|what| (format!("chain[{index}]"), what))?;
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
    for (index, key) in keys.iter().enumerate() {
        let place = format!("publicKeys[{index}]");
        pem::check(key, "PUBLIC KEY").map_err(|what| (place.clone(), what))?;
        if keys.iter().take(index).any(|before| before.split_whitespace().eq(key.split_whitespace())) {
            return mistake(&place, "stands twice, and one signature would do for both");
        }
    }
    Ok(())
}

fn mistake(key: &str, what: &str) -> Result<(), Mistake> {
    Err((key.to_owned(), what.to_owned()))
}

fn below(step: &str, outcome: Result<(), Mistake>) -> Result<(), Mistake> {
    outcome.map_err(|(key, what)| (format!("{step}.{key}"), what))
}

/// A login on GitHub: letters, digits and single dashes; `_` in those that an enterprise manages.
fn is_owner(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !text.is_empty() && text.len() <= 39 && text.bytes().all(is_inner) && !text.starts_with('-')
}

fn is_repository(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !matches!(text, "" | "." | "..") && text.len() <= 100 && text.bytes().all(is_inner)
}

/// GitHub runs workflows of this one folder and of none below it.
fn is_workflow(path: &str) -> bool {
    let name = path.strip_prefix(".github/workflows/").unwrap_or_default();
    let stem = name.strip_suffix(".yml").or(name.strip_suffix(".yaml")).unwrap_or_default();
    !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
}

/// What stands in a URL as it is.
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-:@+~".contains(&byte)
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
