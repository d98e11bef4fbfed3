//! What the cluster operator may configure.

use std::collections::BTreeMap;

use policy_kit::{ImagePattern, Reference, Shown, settings_error};
use serde::Deserialize;

use crate::identity::Identity;

/// Who signs which images.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The first rule that matches an image decides about it; without one the image is rejected.
    pub(crate) images: Vec<ImageRule>,
    /// Whether the digest that was verified is written into the object.
    pub(crate) pin_digest: Option<bool>,
    /// Images that nobody has to sign.
    pub(crate) exempt_images: Vec<ImagePattern>,
}

/// Who signs the images of some repositories.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ImageRule {
    #[serde(rename = "match")]
    pub(crate) pattern: ImagePattern,
    /// Any one of these is enough.
    #[serde(default)]
    pub(crate) signed_by: Vec<Identity>,
    /// What the signature itself must say, beside who made it.
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// Longer lists are cut off in messages.
const MOST_LISTED: usize = 5;

/// In letters; a message need not hold a whole annotation to name it.
const LONGEST_ANNOTATION: usize = 80;

impl Settings {
    /// The rule that decides about an image, and its position.
    pub(crate) fn rule_for(&self, image: &Reference<'_>) -> Option<(usize, &ImageRule)> {
        self.images.iter().enumerate().find(|(_, rule)| rule.pattern.matches(image))
    }

    /// Whether images are pinned; they are unless the settings say otherwise.
    pub(crate) fn pins_digests(&self) -> bool {
        self.pin_digest.unwrap_or(true)
    }

    /// The repositories with rules, for messages.
    pub(crate) fn repositories(&self) -> String {
        listed(self.images.iter().map(|rule| rule.pattern.to_string()), ", ")
    }

    /// The identities of a rule, for messages.
    pub(crate) fn signers(&self, index: usize) -> String {
        let identities = self.images.get(index).map_or([].as_slice(), |rule| &rule.signed_by);
        let signers = identities.iter().enumerate();
        listed(
            signers.map(|(entry, identity)| identity.described(&format!("images[{index}].signedBy[{entry}]"))),
            " or ",
        )
    }

    /// What else a rule wants of a signature, for messages: ` with annotation env=production`, or nothing.
    pub(crate) fn demands(&self, index: usize) -> String {
        let Some(rule) = self.images.get(index).filter(|rule| !rule.annotations.is_empty()) else {
            return String::new();
        };
        let annotations = rule.annotations.iter().map(|(name, value)| {
            let text = format!("{}={}", Shown(name), Shown(value));
            match text.char_indices().nth(LONGEST_ANNOTATION) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        });
        let noun = if rule.annotations.len() == 1 { "annotation" } else { "annotations" };
        format!(" with {noun} {}", listed(annotations, ", "))
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.images.is_empty() {
            return Err(settings_error(
                "images",
                "write at least one rule, such as - { match: registry.corp.example/**, signedBy: [ … ] }: \
                 an image without a rule is rejected",
            ));
        }
        for (index, rule) in self.images.iter().enumerate() {
            let key = format!("images[{index}]");
            let covering = self.images.iter().take(index).position(|before| before.pattern.covers(&rule.pattern));
            if let Some(before) = covering {
                return Err(settings_error(
                    &format!("{key}.match"),
                    format!(
                        "{} is never reached, as images[{before}].match covers it: put the narrower rule first",
                        rule.pattern
                    ),
                ));
            }
            rule.check(&key)?;
        }
        self.check_exemptions()
    }

    /// An exemption is looked at before all rules: it must not make one of them idle.
    fn check_exemptions(&self) -> Result<(), String> {
        for (index, exempt) in self.exempt_images.iter().enumerate() {
            if let Some(rule) = self.images.iter().position(|rule| exempt.covers(&rule.pattern)) {
                return Err(settings_error(
                    &format!("exemptImages[{index}]"),
                    format!("{exempt} covers images[{rule}].match, whose images nobody would have to sign: narrow it"),
                ));
            }
        }
        Ok(())
    }
}

impl ImageRule {
    fn check(&self, key: &str) -> Result<(), String> {
        if self.pattern.has_tag() {
            return Err(settings_error(
                &format!("{key}.match"),
                format!("\"{}\" must not name a tag: once pinned to a digest, an image matches no tag", self.pattern),
            ));
        }
        if self.pattern.has_digest() {
            return Err(settings_error(
                &format!("{key}.match"),
                format!(
                    "\"{}\" must not name a digest: written by its tag, the same image would be judged by another rule",
                    self.pattern
                ),
            ));
        }
        if self.signed_by.is_empty() {
            return Err(settings_error(
                &format!("{key}.signedBy"),
                "write who signs: githubActions, keyless, publicKeys or certificate; any one of several is enough",
            ));
        }
        for (entry, identity) in self.signed_by.iter().enumerate() {
            identity
                .check()
                .map_err(|(below, what)| settings_error(&format!("{key}.signedBy[{entry}].{below}"), what))?;
        }
        let has_certificate = self.signed_by.iter().any(|identity| matches!(identity, Identity::Certificate(_)));
        if has_certificate && !self.annotations.is_empty() {
            // Kubewarden looks for the certificate and for the annotations separately, and for the latter without
            // looking at who signed: `verify_certificate` of its sigstore_verification.rs.
            return Err(settings_error(
                &format!("{key}.annotations"),
                "prove nothing beside a certificate: Kubewarden takes them from any signature of the image, whoever \
                 made it",
            ));
        }
        match self.annotations.keys().find(|name| name.is_empty()) {
            Some(_) => Err(settings_error(&format!("{key}.annotations"), "an annotation needs a name")),
            None => Ok(()),
        }
    }
}

fn listed(items: impl ExactSizeIterator<Item = String>, joint: &str) -> String {
    let more = items.len().saturating_sub(MOST_LISTED);
    let shown: Vec<String> = items.take(MOST_LISTED).collect();
    match more {
        0 => shown.join(joint),
        _ => format!("{}{joint}{more} more", shown.join(joint)),
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
