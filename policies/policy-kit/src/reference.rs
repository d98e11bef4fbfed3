//! Image references, read as the kubelet reads them.
//!
//! The grammar and the normalisation are those of distribution/reference (`ParseNormalizedNamed`), which the
//! kubelet and containerd use. It is a byte parser: a regular expression would have to be compiled in every
//! instance, and policy-server makes one per request.

use std::borrow::Cow;
use std::fmt;

use crate::registry_host::{self, DOCKER_HUB};

/// An image reference, normalised: Docker Hub short names are spelled out, the host has its one spelling
/// (lower-case, without the default port where it is recognised as a host without).
///
/// What it displays is a reference again, and the same one.
///
/// ```
/// use policy_kit::Reference;
///
/// let short = Reference::parse("nginx:1.27")?;
/// assert_eq!(short.to_string(), "docker.io/library/nginx:1.27");
/// # Ok::<(), policy_kit::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    host: Cow<'a, str>,
    path: Cow<'a, str>,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

/// Why a string names no image that a kubelet could pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceError {
    /// Nothing at all.
    Empty,
    /// 64 hexadecimal digits: an image ID, which no registry resolves.
    ImageId,
    /// Something outside ASCII, a blank or a control character.
    Character(char),
    /// `https://…`: a URL.
    Scheme,
    /// Upper-case letters in the repository; holds the lower-case spelling.
    UpperCase(String),
    /// A host that is none.
    Host(String),
    /// A repository path outside the grammar.
    Path(String),
    /// A tag outside the grammar.
    Tag(String),
    /// A digest that is not `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits.
    Digest(String),
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReferenceError::Empty => write!(formatter, "it is empty"),
            ReferenceError::ImageId => {
                write!(formatter, "it is an image ID, which no registry resolves; write host/repository:tag")
            }
            ReferenceError::Character(found) => write!(formatter, "{found:?} is not allowed in it"),
            ReferenceError::Scheme => write!(formatter, "write it without a scheme such as https://"),
            ReferenceError::UpperCase(lower) => {
                write!(formatter, "repository names are lower-case, registries accept no other; write {lower}")
            }
            ReferenceError::Host(host) => write!(formatter, "{host:?} is not a registry host"),
            ReferenceError::Path(path) => write!(formatter, "{path:?} is not a repository path"),
            ReferenceError::Tag(tag) => write!(formatter, "{tag:?} is not a tag"),
            ReferenceError::Digest(digest) => {
                write!(formatter, "{digest:?} is not a digest; write sha256: and 64 lower-case hexadecimal digits")
            }
        }
    }
}

impl std::error::Error for ReferenceError {}

/// `RepositoryNameTotalLengthMax` of distribution/reference: the bytes of the path, `library/` included, the host
/// not.
const LONGEST_PATH: usize = 255;

impl<'a> Reference<'a> {
    /// Reads and normalises a reference as written in a manifest.
    pub fn parse(text: &'a str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if let Some(found) = text.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(ReferenceError::Character(found));
        }
        if text.contains("://") {
            return Err(ReferenceError::Scheme);
        }
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(ReferenceError::ImageId);
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(read_digest(digest)?)),
            None => (text, None),
        };
        let (host, remainder) = registry_host::split(name);
        let (path, tag) = match remainder.split_once(':') {
            Some((path, tag)) => (path, Some(read_tag(tag)?)),
            None => (remainder, None),
        };
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            let lower_path = path.to_ascii_lowercase();
            check_path(&lower_path).map_err(|_| ReferenceError::Path(path.to_owned()))?;
            let start = name.len() - remainder.len();
            let lower = format!("{}{lower_path}{}", &text[..start], &text[start + path.len()..]);
            return Err(ReferenceError::UpperCase(lower));
        }
        check_path(path)?;
        let host = match host {
            Some(host) => registry_host::normalise(host)?,
            None => Cow::Borrowed(DOCKER_HUB),
        };
        let path = if host == DOCKER_HUB && !path.contains('/') {
            Cow::Owned(format!("library/{path}"))
        } else {
            Cow::Borrowed(path)
        };
        if path.len() > LONGEST_PATH {
            return Err(ReferenceError::Path(path.into_owned()));
        }
        Ok(Reference { host, path, tag, digest })
    }

    /// The registry: lower-case, with the port unless it is 443.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The repository below the host, `library/` included.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last component of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The tag as written. Where there is a digest too, runtimes ignore the tag.
    pub fn tag(&self) -> Option<&'a str> {
        self.tag
    }

    /// The digest, algorithm included.
    pub fn digest(&self) -> Option<&'a str> {
        self.digest
    }

    /// The same image in another repository, written for a manifest.
    pub fn moved_to(&self, prefix: &str) -> String {
        let mut moved = format!("{prefix}/{}", self.path);
        self.append_version(&mut moved);
        moved
    }

    /// The image by digest alone, or by tag where it has none; what a registry is asked for.
    pub fn pinned(&self) -> String {
        match (self.digest, self.tag) {
            (Some(digest), _) => format!("{}/{}@{digest}", self.host, self.path),
            (None, tag) => format!("{}/{}:{}", self.host, self.path, tag.unwrap_or("latest")),
        }
    }

    fn append_version(&self, text: &mut String) {
        if let Some(tag) = self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = self.digest {
            text.push('@');
            text.push_str(digest);
        }
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}/{}", self.host, self.path);
        self.append_version(&mut text);
        formatter.write_str(&text)
    }
}

/// `path-component ['/' path-component]*`, where a component is lower-case alphanumerics joined by one of
/// `.`, `_`, `__` or any number of `-`.
pub(crate) fn check_path(path: &str) -> Result<(), ReferenceError> {
    if path.split('/').all(is_path_component) { Ok(()) } else { Err(ReferenceError::Path(path.to_owned())) }
}

/// Whether this is one component of a repository path: `my-app`, not `My_App` or `my..app`.
pub fn is_path_component(component: &str) -> bool {
    let bytes = component.as_bytes();
    let is_alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let starts_and_ends = bytes.first().is_some_and(is_alphanumeric) && bytes.last().is_some_and(is_alphanumeric);
    starts_and_ends
        && bytes
            .split(is_alphanumeric)
            .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-'))
}

fn read_tag(tag: &str) -> Result<&str, ReferenceError> {
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let bytes = tag.as_bytes();
    let valid = bytes.len() <= 128
        && bytes.first().is_some_and(is_word)
        && bytes.iter().all(|b| is_word(b) || matches!(b, b'.' | b'-'));
    if valid { Ok(tag) } else { Err(ReferenceError::Tag(tag.to_owned())) }
}

/// Whether this is a digest that registries and runtimes take: `sha256:` and 64, or `sha512:` and 128, lower-case
/// hexadecimal digits.
pub fn is_digest(text: &str) -> bool {
    read_digest(text).is_ok()
}

/// The algorithms that the OCI image specification registers and go-digest verifies.
pub(crate) fn read_digest(digest: &str) -> Result<&str, ReferenceError> {
    let valid = match digest.split_once(':') {
        Some(("sha256", hex)) => hex.len() == 64 && hex.bytes().all(is_lower_hex),
        Some(("sha512", hex)) => hex.len() == 128 && hex.bytes().all(is_lower_hex),
        _ => false,
    };
    if valid { Ok(digest) } else { Err(ReferenceError::Digest(digest.to_owned())) }
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
