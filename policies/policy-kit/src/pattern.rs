//! Image patterns: which images a setting means.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

use crate::glob::{glob_matches, star_matches};
use crate::reference::{self, Reference};
use crate::registry;
use crate::registry_host::{self, DOCKER_HUB};

/// `host[:port]/path[:tag]`, matched on the normalised reference, whole.
///
/// `*` stands for anything within one path segment or the tag, `**` for any number of segments. The host is
/// always literal, so no pattern reaches across a host boundary. A pattern with a tag does not match a
/// reference with a digest: runtimes ignore the tag there, so it proves nothing. Instead of a tag a digest may
/// be written, `host/path@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePattern {
    host: String,
    segments: Vec<String>,
    version: Version,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Version {
    Any,
    Tag(String),
    Digest(String),
}

impl ImagePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// Says what to write instead when the host is missing or has a wildcard, when the pattern covers a shared
    /// registry as a whole, or when no reference could ever match.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => {
                let digest = reference::read_digest(digest).map_err(|error| format!("{text:?}: {error}"))?;
                (name, Some(digest))
            }
            None => (text, None),
        };
        let (host, rest) = name.split_once('/').ok_or_else(|| no_host(text))?;
        if host.contains('*') {
            return Err(format!("{text:?} must name one registry host, wildcards begin behind it"));
        }
        if !registry_host::looks_like_host(host) {
            return Err(no_host(text));
        }
        let host = registry_host::normalise(host).map_err(|error| format!("{text:?}: {error}"))?.into_owned();
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        if let Some(bad) = segments.iter().find(|segment| !is_segment_pattern(segment)) {
            return Err(format!("{text:?}: {bad:?} can match no path segment"));
        }
        if host == DOCKER_HUB && segments.len() == 1 && !path.contains('*') {
            segments.insert(0, "library".to_owned());
        }
        let organisation_is_open = segments.first().is_some_and(|first| first.contains('*'));
        if registry::is_shared(&host) && organisation_is_open {
            return Err(format!(
                "{text:?} covers {host}, which is shared by everybody who has an account there: \
                 name the organisation, such as {host}/acme/**"
            ));
        }
        let version = match (digest, tag) {
            (Some(digest), None) => Version::Digest(digest.to_owned()),
            (Some(_), Some(_)) => {
                return Err(format!("{text:?} has a tag and a digest; runtimes ignore the tag, so leave it out"));
            }
            (None, Some(tag)) if is_tag_pattern(tag) => Version::Tag(tag.to_owned()),
            (None, Some(tag)) => return Err(format!("{text:?}: {tag:?} can match no tag")),
            (None, None) => Version::Any,
        };
        Ok(ImagePattern { host, segments, version })
    }

    /// Whether the pattern says which tag. It then means an image as long as that is not pinned to a digest.
    pub fn has_tag(&self) -> bool {
        matches!(self.version, Version::Tag(_))
    }

    /// Whether the pattern means one digest.
    pub fn has_digest(&self) -> bool {
        matches!(self.version, Version::Digest(_))
    }

    /// Whether the pattern means every image that the other one means; for what could never be reached behind it.
    ///
    /// Never true when it does not hold. Where a `**` of the other pattern may be empty, inclusion may go unnoticed. A
    /// tag of `*` alone counts as any version, although it means no digest: what is written by tag is all that anybody
    /// writes by hand.
    pub fn covers(&self, other: &ImagePattern) -> bool {
        let has_version = match (&self.version, &other.version) {
            (Version::Any, _) => true,
            (Version::Tag(tag), _) if tag.bytes().all(|b| b == b'*') => true,
            (Version::Tag(pattern), Version::Tag(tag)) => glob_matches(pattern, tag),
            (own, its) => own == its,
        };
        // A `*` of the other pattern is taken for a letter that only a `*` matches, and its `**` for a segment that only a
        // `**` matches. What matches these matches whatever they stand for.
        has_version
            && self.host == other.host
            && star_matches(
                &ordered(&self.segments),
                &ordered(&other.segments),
                |pattern| *pattern == "**",
                |pattern, segment| *segment != "**" && glob_matches(pattern, segment),
            )
    }

    /// Whether the pattern means this image.
    pub fn matches(&self, image: &Reference<'_>) -> bool {
        if self.host != image.host() || !self.version_matches(image) {
            return false;
        }
        let segments: Vec<&str> = image.path().split('/').collect();
        star_matches(
            &self.segments,
            &segments,
            |pattern| pattern == "**",
            |pattern, segment| glob_matches(pattern, segment),
        )
    }

    fn version_matches(&self, image: &Reference<'_>) -> bool {
        match (&self.version, image.digest()) {
            (Version::Any, _) => true,
            (Version::Digest(wanted), digest) => digest == Some(wanted),
            (Version::Tag(_), Some(_)) => false,
            (Version::Tag(pattern), None) => glob_matches(pattern, image.tag().unwrap_or("latest")),
        }
    }
}

/// The pattern in its one spelling, for messages.
impl fmt::Display for ImagePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.host, self.segments.join("/"))?;
        match &self.version {
            Version::Any => Ok(()),
            Version::Tag(tag) => write!(formatter, ":{tag}"),
            Version::Digest(digest) => write!(formatter, "@{digest}"),
        }
    }
}

impl<'de> Deserialize<'de> for ImagePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        ImagePattern::parse(&text).map_err(D::Error::custom)
    }
}

/// The segments with each run of wildcards in its one spelling: `**/*` and `*/**` mean the same, and so do `**/**` and
/// `**`. No path is empty, so `**` alone is `*/**`.
fn ordered(segments: &[String]) -> Vec<&str> {
    let mut ordered: Vec<&str> = Vec::with_capacity(segments.len() + 1);
    for segment in segments {
        match (ordered.last().copied(), segment.as_str()) {
            (Some("**"), "**") => {}
            (Some("**"), "*") => ordered.insert(ordered.len() - 1, "*"),
            (_, segment) => ordered.push(segment),
        }
    }
    if ordered == ["**"] {
        ordered.insert(0, "*");
    }
    ordered
}

fn no_host(text: &str) -> String {
    format!(
        "{text:?} names no registry host: write host[:port]/path[:tag], such as docker.io/library/{}",
        text.rsplit('/').next().unwrap_or_default()
    )
}

fn is_segment_pattern(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    segment == "**"
        || (!bytes.is_empty()
            && !segment.contains("**")
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-*".contains(b)))
}

fn is_tag_pattern(tag: &str) -> bool {
    !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-*".contains(&b))
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
