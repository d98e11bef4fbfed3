//! CI that is named by the subject of its certificates.

use serde::Deserialize;

use crate::git_ref;
use crate::github::GITHUB_ISSUER;
use crate::identity::{Mistake, mistake};

/// An identity as its certificate spells it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Keyless {
    pub(crate) issuer: String,
    /// Compared as a whole, or up to the `*` at its end.
    pub(crate) subject: String,
}

/// The issuer for accounts of Google; those of its cloud's services are no people.
const GOOGLE: &str = "https://accounts.google.com";

/// Where people log in. A signature that comes of it was made by hand.
const ISSUERS_OF_PEOPLE: [&str; 6] = [
    GOOGLE,
    "https://github.com/login/oauth",
    "https://login.microsoftonline.com",
    "https://sts.windows.net",
    "https://oauth2.sigstore.dev",
    "https://oauth2.sigstage.dev",
];

impl Keyless {
    pub(crate) fn check(&self) -> Result<(), Mistake> {
        let (issuer, subject) = (self.issuer.as_str(), self.subject.as_str());
        if !issuer.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_url_byte)) {
            return mistake(
                "issuer",
                "write the https address of what gives CI its tokens, such as https://gitlab.com",
            );
        }
        if issuer == GOOGLE && is_service_account(subject) {
            return Ok(());
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
        if is_at(GITHUB_ISSUER) {
            return mistake(
                "issuer",
                "the issuer of an enterprise proves no repository, since Kubewarden knows that of \
                 https://token.actions.githubusercontent.com alone, and the subject of a reusable workflow is the same \
                 for everybody who calls it: sign with that one and write githubActions, or with a key",
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
        // The first one: a ref that holds another would read as two.
        let (path, git_ref) = match rest.find("@refs/").and_then(|at| rest.split_at_checked(at)) {
            Some((path, rest)) => (path, Some(rest.trim_start_matches('@'))),
            None => (rest, None),
        };
        let is_clean = |b: u8| is_url_byte(b) || b == b'*';
        if !matches!(scheme, "https" | "spiffe") || path.is_empty() || !path.bytes().all(is_clean) {
            return Err(format!("{subject:?} is no address that a certificate of CI has: write https://…"));
        }
        if let Some(git_ref) = git_ref {
            git_ref::check(git_ref)?;
        }
        if path.contains('*') {
            return Err(format!(
                "{subject:?}: * stands only for the end of a ref, such as …@refs/tags/*: anything wider \
                 lets other pipelines and branches sign"
            ));
        }
        if git_ref.is_none() && rest.starts_with("github.com/") {
            return Err("name the workflow and its ref, such as \
                        https://github.com/acme/payments/.github/workflows/release.yml@refs/heads/main"
                .to_owned());
        }
        if git_ref.is_none() && self.is_gitlab() {
            return Err("name the pipeline's file and its ref, such as \
                        https://gitlab.com/acme/payments//.gitlab-ci.yml@refs/heads/main: certificates of GitLab say both"
                .to_owned());
        }
        if subject.ends_with('*') { check_prefix(scheme, path) } else { Ok(()) }
    }

    /// Whether this is GitLab, as far as names tell: by a host, or by the two slashes before the pipeline's file.
    fn is_gitlab(&self) -> bool {
        let mut addresses = [&self.issuer, &self.subject].into_iter().filter_map(|address| address.split_once("://"));
        addresses.any(|(_, rest)| {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            host.split('.').any(|label| label.starts_with("gitlab")) || path.contains("//.gitlab-ci")
        })
    }
}

/// A service account of Google Cloud, by its whole address.
fn is_service_account(subject: &str) -> bool {
    let address = subject.strip_suffix(".iam.gserviceaccount.com").and_then(|address| address.split_once('@'));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    address.is_some_and(|(name, project)| is_label(name) && project.split('.').all(is_label))
}

/// The part of a prefix before its ref. The host reads it as a URL and compares what it makes of it, so it must be
/// spelled as a URL parser would; and it must go as far as a pipeline.
fn check_prefix(scheme: &str, path: &str) -> Result<(), String> {
    let (host, path) = path.split_once('/').unwrap_or((path, ""));
    let segments = || path.split('/');
    let is_spelled = segments().all(|segment| segment != "." && segment != "..");
    let reaches_a_pipeline = segments().filter(|segment| !segment.is_empty()).count() >= 2;
    if scheme == "https" && is_host(host) && is_spelled && reaches_a_pipeline {
        Ok(())
    } else {
        Err("with * at its end it must name a pipeline as https://host/group/project…@refs/…, host in lower case, \
             without the port 443"
            .to_owned())
    }
}

/// A host name, with or without a port, that any URL parser takes and leaves as it is: numbers in its place would be
/// read as an address, and `xn--` as another alphabet. Kubewarden's host dies of what it cannot parse.
fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "1"));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_number =
        name.rsplit('.').next().is_some_and(|last| last.starts_with(|letter: char| letter.is_ascii_digit()));
    let is_port = !port.starts_with(['0', '+']) && port != "443" && port.parse::<u16>().is_ok();
    name.split('.').all(is_label) && !is_number && is_port
}

/// What stands in a URL as it is.
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-:@+~".contains(&byte)
}
