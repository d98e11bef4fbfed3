//! What the host says about the signatures of an image.

use std::collections::BTreeMap;

use policy_kit::{Host, Json, Reference, cluster, is_invisible};

use crate::identity::Identity;
use crate::question::Question;
use crate::settings::ImageRule;

/// Objects hold a dozen different images; each costs several requests to its registry, and Kubewarden gives a policy
/// two seconds.
const MOST_IMAGES: usize = 64;

/// The host names its causes at any length.
const LONGEST_REASON: usize = 240;

/// How many different reasons a message holds.
const MOST_REASONS: usize = 3;

/// Verifies each image of a request once.
pub(crate) struct Verifier<'r> {
    host: &'r dyn Host,
    /// By position of the rule and reference as the registry is asked for it.
    known: BTreeMap<(usize, String), Outcome>,
    is_exhausted: bool,
}

enum Outcome {
    /// The digest that was verified.
    Verified(String),
    /// Why it was not, until it is told: an object may name an image a thousand times.
    Refused(Option<String>),
}

impl<'r> Verifier<'r> {
    pub(crate) fn new(host: &'r dyn Host) -> Self {
        Verifier { host, known: BTreeMap::new(), is_exhausted: false }
    }

    /// The digest that one of the identities has signed.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    pub(crate) fn verify(&mut self, index: usize, rule: &ImageRule, image: &Reference<'_>) -> Result<&str, String> {
        let key = (index, image.pinned());
        if !self.known.contains_key(&key) {
            if self.known.len() >= MOST_IMAGES {
                self.is_exhausted = true;
                return Err("it was not looked at".to_owned());
            }
            let outcome = match by_any(self.host, rule, image) {
                Ok(digest) => Outcome::Verified(digest),
                Err(reason) => Outcome::Refused(Some(reason)),
            };
            self.known.insert(key.clone(), outcome);
        }
        match self.known.get_mut(&key) {
            Some(Outcome::Verified(digest)) => Ok(digest),
            Some(Outcome::Refused(reason)) => Err(reason.take().unwrap_or_else(|| "see above".to_owned())),
            None => Err("it was not looked at".to_owned()),
        }
    }

    /// What must hold of the object as a whole.
    pub(crate) fn exhaustion(&self) -> Option<String> {
        self.is_exhausted
            .then(|| format!("names more than {MOST_IMAGES} images to verify, which takes too long: split the object"))
    }
}

/// The digest that any of the rule's identities has signed, tried in their order.
fn by_any(host: &dyn Host, rule: &ImageRule, image: &Reference<'_>) -> Result<String, String> {
    let mut reasons: Vec<String> = Vec::new();
    for identity in &rule.signed_by {
        match by(host, identity, &rule.annotations, image) {
            Ok(digest) => return Ok(digest),
            Err(reason) if reasons.contains(&reason) || reasons.len() >= MOST_REASONS => {}
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() { Err("nobody is asked".to_owned()) } else { Err(reasons.join(", ")) }
}

/// The digest that this identity has signed.
///
/// A second question asks for the digest that the first one answered: between the two a tag may move, and whoever
/// asks the registry anew may get another image (CVE-2022-47633).
fn by(
    host: &dyn Host,
    identity: &Identity,
    annotations: &BTreeMap<String, String>,
    image: &Reference<'_>,
) -> Result<String, String> {
    let mut asked = image.pinned();
    let mut digest = image.digest().map(str::to_owned);
    let mut is_answered = false;
    for question in identity.questions() {
        let answer = host.call("oci", "v2/verify", question.to_json(&asked, annotations).as_bytes());
        let answered = read(&answer.map_err(|error| reason(&error, &question))?)?;
        match &digest {
            Some(digest) if *digest != answered => {
                return Err(format!("{answered} was verified instead of {digest}"));
            }
            _ => {}
        }
        asked = format!("{}/{}@{answered}", image.host(), image.path());
        digest = Some(answered);
        is_answered = true;
    }
    digest.filter(|_| is_answered).ok_or_else(|| "nobody is asked".to_owned())
}

/// The digest in an answer. The host answers with an error where it does not trust, but what it says here counts.
fn read(answer: &[u8]) -> Result<String, String> {
    let answer = Json::parse_bytes(answer).map_err(|error| format!("the host's answer cannot be read: {error}"))?;
    if !answer.get("is_trusted").is_true() {
        return Err("the host does not trust it".to_owned());
    }
    let digest = answer.get("digest").text();
    match Reference::parse(&format!("x/x@{digest}")) {
        Ok(_) => Ok(digest.to_owned()),
        Err(_) => Err("the host's answer names no digest".to_owned()),
    }
}

/// What Kubewarden says when there are signatures and none of them will do; it goes on with the identities that it was
/// asked about, which the message names.
const MISSING: &str = "Image verification failed: missing signatures";

/// The host's words, short enough for a message.
fn reason(error: &str, question: &Question<'_>) -> String {
    let mut text = cluster::one_line(error);
    // Only at the start: a registry may say anything, and is quoted.
    if text.strip_prefix(MISSING).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
        return match question {
            Question::Repository { owner, repo } => {
                format!("it has a signature of that workflow, but none of a run for {owner}/{repo}")
            }
            Question::PublicKeys(keys) if keys.len() > 1 => {
                "it has signatures, but not all of these keys made one that Kubewarden can check".to_owned()
            }
            _ => "it has signatures, but none of theirs that Kubewarden can check".to_owned(),
        };
    }
    text.retain(|letter| !is_invisible(letter));
    if text.chars().count() > LONGEST_REASON {
        text = text.chars().take(LONGEST_REASON).chain(['…']).collect();
    }
    let text = text.trim();
    if text.is_empty() {
        "the host does not say why".to_owned()
    } else if text.to_ascii_lowercase().contains("no signatures found") {
        format!(
            "{text} (Kubewarden up to 1.30 does not see the bundles of cosign 3: sign with \
             --new-bundle-format=false --use-signing-config=false)"
        )
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
#[path = "verification_tests.rs"]
mod tests;
