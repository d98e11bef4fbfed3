//! What the cluster operator may configure.

use policy_kit::{Expression, ImagePattern, settings_error};
use serde::{Deserialize, Deserializer, de::Error};

/// What counts as a reference that never moves, and what to do about `Always`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// What a unique tag looks like, as a regular expression for the whole tag; without one, 15 lower-case
    /// hexadecimal digits.
    #[serde(deserialize_with = "own_expression")]
    pub unique_tag: Option<Expression>,
    /// Whether only a digest is good enough.
    pub require_digest: bool,
    /// Whether `Always` is replaced rather than rejected.
    pub mutate: Option<bool>,
    /// Images that are preloaded on the nodes, so that `Never` works.
    pub allow_never: Vec<ImagePattern>,
    /// Images that may be pulled in any way.
    pub exempt_images: Vec<ImagePattern>,
}

/// What the default says as an expression. Forms write defaults down: that must not cost a compiled expression.
const DEFAULT_TAG: &str = "[0-9a-f]{15}";

fn own_expression<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Expression>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some(DEFAULT_TAG) => Ok(None),
        Some(text) => Expression::parse(text).map(Some).map_err(D::Error::custom),
    }
}

/// Tags that people move. An expression that takes one of them for unique says nothing.
const MOVING_TAGS: &[&str] = &[
    "latest",
    "stable",
    "main",
    "master",
    "edge",
    "dev",
    "prod",
    "release",
    "nightly",
    "lts",
    "1",
    "1.2",
    "1.2.3",
    "v1",
    "v1.2.3",
    "1-alpine",
    "3.19-slim",
    "v1.2",
    "v1.2.3-rc.1",
    "20",
    "22.04",
    "1.27-alpine",
    "1.27.0-alpine",
    "stable-alpine",
    "latest-alpine",
    "alpine",
    "bookworm",
    "jammy",
    "production",
    "staging",
    "canary",
    "develop",
    "trunk",
    "head",
    "snapshot",
    "beta",
    "rc",
    "test",
    "testing",
    "rolling",
    "current",
    "release-1",
    "main-1",
];

impl Settings {
    /// Whether a tag that looks like this is made once and never again.
    pub(crate) fn is_unique(&self, tag: &str) -> bool {
        match &self.unique_tag {
            Some(expression) => expression.matches(tag),
            None => tag.len() == 15 && tag.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
        }
    }

    /// Whether `Always` is replaced; it is unless the settings say otherwise.
    pub(crate) fn mutates(&self) -> bool {
        self.mutate.unwrap_or(true)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let Some(expression) = &self.unique_tag else { return Ok(()) };
        let written = expression.as_str();
        let instead = "write what only a build makes, such as \"[0-9a-f]{15}\"";
        if written.is_empty() {
            return Err(settings_error("uniqueTag", format!("the empty expression matches no tag: {instead}")));
        }
        match MOVING_TAGS.iter().find(|tag| expression.matches(tag)) {
            Some(tag) => Err(settings_error(
                "uniqueTag",
                format!("{written:?} takes the tag {tag:?} for unique, which people move: {instead}"),
            )),
            None => Ok(()),
        }
    }
}
