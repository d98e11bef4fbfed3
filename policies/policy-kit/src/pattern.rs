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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_matches_whole_references() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let by_digest = format!("r.io/app@{digest}");
        let tagged_digest = format!("r.io/app:1.2@{digest}");
        for (pattern, image, expected) in [
            ("r.io/**", "r.io/a/b/c:1", true),
            ("r.io/**", "r.io/a", true),
            ("r.io/*", "r.io/a", true),
            ("r.io/*", "r.io/a/b", false),
            ("r.io/team-*/app", "r.io/team-x/app:v1", true),
            ("r.io/team-*/app", "r.io/team-x/y/app", false),
            ("r.io/**/app", "r.io/app", true),
            ("r.io/**/app", "r.io/a/b/app", true),
            ("r.io/**/app", "r.io/a/b/apps", false),
            ("r.io/app", "evil.io/r.io/app", false),
            ("r.io/app", "r.io.evil.io/app", false),
            ("r.io/app", "r.io:5000/app", false),
            ("r.io:5000/app", "R.IO:5000/app", true),
            ("r.io/app", "R.io:0443/app", true),
            ("CORP/app", "CORP/app", true),
            ("CORP/app", "corp/app", false),
            ("docker.io/corp/app", "CORP/app", false),
            ("docker.io/nginx", "nginx:1.27", true),
            ("docker.io/library/*", "redis", true),
            ("r.io/app:1.*", "r.io/app:1.2", true),
            ("r.io/app:1.*", "r.io/app:2.1", false),
            ("r.io/app:latest", "r.io/app", true),
            // The tag beside a digest is decoration: it must not open an exemption.
            ("r.io/app:1.2", tagged_digest.as_str(), false),
            ("r.io/app", tagged_digest.as_str(), true),
            (by_digest.as_str(), tagged_digest.as_str(), true),
            (by_digest.as_str(), "r.io/app:1.2", false),
        ] {
            let reference = Reference::parse(image).expect("a reference");
            let parsed = ImagePattern::parse(pattern).expect("a pattern");
            assert_eq!(parsed.matches(&reference), expected, "{pattern} on {image}");
        }
    }

    #[test]
    fn a_pattern_is_shown_in_its_one_spelling() {
        for (text, shown, has_tag) in [
            ("docker.io/nginx", "docker.io/library/nginx", false),
            ("R.io:443/team-*/**", "r.io/team-*/**", false),
            ("r.io:5000/app:1.*", "r.io:5000/app:1.*", true),
        ] {
            let pattern = ImagePattern::parse(text).expect("a pattern");
            assert_eq!((pattern.to_string().as_str(), pattern.has_tag()), (shown, has_tag), "{text}");
        }
    }

    #[test]
    fn what_lies_within_another_pattern_is_told_from_what_does_not() {
        let digest = |letter: &str| format!("r.io/a@sha256:{}", letter.repeat(64));
        let (a, b) = (digest("a"), digest("b"));
        for (wide, narrow, expected) in [
            ("r.io/**", "r.io/**", true),
            ("r.io/**", "r.io/a", true),
            ("r.io/**", "r.io/a/*/b", true),
            ("r.io/*/**", "r.io/**", true),
            ("r.io/**/*", "r.io/**", true),
            ("r.io/**", "r.io/*/**", true),
            ("r.io/**/*", "r.io/*/**", true),
            ("r.io/a/**", "r.io/a/b/**", true),
            ("r.io/a/**", "r.io/a", true),
            ("r.io/a/**", "r.io/a/**/b", true),
            ("r.io/a/*", "r.io/a/b", true),
            ("r.io/*/**", "r.io/*", true),
            ("r.io/**/b", "r.io/a/**/b", true),
            ("r.io/team-*/**", "r.io/team-x/*", true),
            ("r.io/*-*", "r.io/a-*", true),
            ("docker.io/library/*", "docker.io/nginx", true),
            ("docker.io/acme/**", "docker.io/acme/**", true),
            ("r.io/**", "r.io/a:1", true),
            ("r.io/**", a.as_str(), true),
            (a.as_str(), a.as_str(), true),
            ("r.io/a:1.*", "r.io/a:1.2", true),
            ("r.io/a:*", "r.io/a", true),
            (a.as_str(), b.as_str(), false),
            (a.as_str(), "r.io/a", false),
            ("r.io/a:1", "r.io/a", false),
            ("r.io/a:1.*", "r.io/a:*", false),
            ("r.io/a:1.*", a.as_str(), false),
            // Letters of a name must not be taken for those that a wildcard could stand for.
            ("r.io/q*/**", "r.io/**", false),
            ("r.io/q*", "r.io/*", false),
            ("r.io/*z/**", "r.io/**", false),
            ("r.io/*0*/**", "r.io/*/**", false),
            ("r.io/*-*", "r.io/*", false),
            ("r.io/**/q*", "r.io/**", false),
            ("r.io/a/**", "r.io/**", false),
            ("r.io/a/*", "r.io/a/**", false),
            ("r.io/*", "r.io/**", false),
            ("r.io/*/*", "r.io/**", false),
            ("r.io/a/**/b", "r.io/a/**", false),
            ("r.io/*/b/**", "r.io/**/b", false),
            ("r.io/team-*", "r.io/*", false),
            ("r.io/ab*", "r.io/a*", false),
            ("r.io/**", "r.io:5000/**", false),
            ("r.io/b/**", "r.io/a/**", false),
            ("docker.io/acme/**", "docker.io/nginx", false),
        ] {
            let pattern = |text: &str| ImagePattern::parse(text).expect("a pattern");
            assert_eq!(pattern(wide).covers(&pattern(narrow)), expected, "{wide} around {narrow}");
        }
    }

    #[test]
    fn over_broad_and_senseless_patterns_are_refused() {
        for text in [
            "",
            "nginx",
            "library/nginx",
            "*/app",
            "*.corp.example/app",
            "**",
            "r.io",
            "r.io/",
            "r.io//a",
            "r.io/A",
            "r.io/a**b",
            "r.io/a:",
            "r.io/a:b c",
            "docker.io/**",
            "docker.io/*",
            "docker.io/n*",
            "ghcr.io/*",
            "ghcr.io/*/app",
            "quay.io/a*/b",
            "quay.io:80/**",
            "r.io/a@sha256:1",
            "r.io/a:1@sha256:1",
            "https://r.io/a",
        ] {
            assert!(ImagePattern::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern_is_answered_without_a_panic(text in "\\PC{0,60}") {
            let _ = ImagePattern::parse(&text);
        }

        #[test]
        fn what_a_covered_pattern_means_the_covering_one_means_too(
            wide in "(a|b|\\*|a\\*|\\*b|\\*\\*)(/(a|\\*|\\*b|\\*\\*)){0,3}",
            narrow in "(a|b|\\*|a\\*|\\*b|\\*\\*)(/(a|\\*|\\*b|\\*\\*)){0,3}",
            path in "[ab]{1,2}(/[ab]{1,2}){0,4}",
        ) {
            let pattern = |path: &str| ImagePattern::parse(&format!("r.io/{path}")).expect("a pattern");
            let (wide, narrow) = (pattern(&wide), pattern(&narrow));
            let text = format!("r.io/{path}");
            let image = Reference::parse(&text).expect("a reference");
            prop_assert!(!(wide.covers(&narrow) && narrow.matches(&image)) || wide.matches(&image));
        }

        #[test]
        fn a_literal_pattern_matches_itself_and_no_other_host(
            path in "[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,3}", tag in "[a-z0-9]{1,8}",
        ) {
            let text = format!("r.io/{path}:{tag}");
            let pattern = ImagePattern::parse(&text).expect("a pattern");
            prop_assert!(pattern.matches(&Reference::parse(&text).expect("a reference")));
            let elsewhere = format!("evil.io/{text}");
            if let Ok(other) = Reference::parse(&elsewhere) {
                prop_assert!(!pattern.matches(&other));
            }
        }
    }
}
