//! Registries as settings name them: a host, with or without the beginning of a path.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

use crate::glob::glob_matches;
use crate::reference::{self, Reference};
use crate::registry_host::{self, DOCKER_HUB};

/// Hosts on which anybody can open an account, so that the host alone says nothing about who pushed.
///
/// `*` stands for anything: `*-docker.pkg.dev` covers `europe-docker.pkg.dev`.
pub const SHARED_REGISTRIES: &[&str] = &[
    DOCKER_HUB,
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "hub.docker.com",
    "mirror.gcr.io",
    "ghcr.io",
    "docker.pkg.github.com",
    "quay.io",
    "gcr.io",
    "us.gcr.io",
    "eu.gcr.io",
    "asia.gcr.io",
    "*-docker.pkg.dev",
    "docker.pkg.dev",
    "public.ecr.aws",
    "registry.gitlab.com",
    "registry.digitalocean.com",
    "registry.fly.io",
    "registry.heroku.com",
    "icr.io",
    "*.icr.io",
    "*.ocir.io",
    "cr.yandex",
    "ccr.ccs.tencentyun.com",
    "*.aliyuncs.com",
    "*.myhuaweicloud.com",
    "rg.*.scw.cloud",
    "*.ccs.tencentyun.com",
    "docker.cloudsmith.io",
    "*.vultrcr.com",
    "ocir.*.oci.oraclecloud.com",
    "codeberg.org",
    "bitbucket.org",
    "ttl.sh",
    "nvcr.io",
    "lscr.io",
    "docker.elastic.co",
];

/// Where Docker's official images and copies of them are, which no organisation has made.
const OFFICIAL_IMAGES: &[(&str, &str)] = &[
    (DOCKER_HUB, "library"),
    ("registry-1.docker.io", "library"),
    ("registry.hub.docker.com", "library"),
    ("hub.docker.com", "library"),
    ("mirror.gcr.io", "library"),
    ("public.ecr.aws", "docker"),
];

/// A host, or a host and the first segments of a path: `registry.corp.example`, `ghcr.io/acme`.
///
/// Holds the host in its one spelling, see [`Reference`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryPrefix {
    host: String,
    path: String,
}

impl RegistryPrefix {
    /// Reads `host[:port][/path]`.
    ///
    /// # Errors
    ///
    /// Says what to write instead when there is a scheme, a wildcard, a tag, or no host.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Err(format!("{text:?} must be written without a scheme: host[:port] or host[:port]/path"));
        }
        if text.contains('*') {
            return Err(format!("{text:?} must name one registry, wildcards are not allowed here"));
        }
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        if !registry_host::looks_like_host(host) {
            return Err(format!(
                "{text:?} names no registry host: write host[:port] or host[:port]/path, such as \
                 registry.corp.example or docker.io/{text}"
            ));
        }
        let host = registry_host::normalise(host).map_err(|error| format!("{text:?}: {error}"))?;
        if text.contains('/') && !path.split('/').all(reference::is_path_component) {
            return Err(format!("{text:?}: {path:?} is not the beginning of a repository path"));
        }
        Ok(RegistryPrefix { host: host.into_owned(), path: path.to_owned() })
    }

    /// Refuses a shared host on which no organisation is named.
    ///
    /// # Errors
    ///
    /// Says what to write instead.
    pub fn check_not_shared(&self) -> Result<(), String> {
        if self.path.is_empty() && is_shared(&self.host) {
            return Err(format!(
                "{} is shared by everybody who has an account there: write {}/<your organisation>",
                self.host, self.host
            ));
        }
        let copies =
            OFFICIAL_IMAGES.iter().find(|(host, path)| *host == self.host && path_starts_with(&self.path, path));
        if let Some((host, path)) = copies {
            return Err(format!("{host}/{path} holds Docker's official images and belongs to nobody else"));
        }
        Ok(())
    }

    /// Whether the image lives under this prefix; the path is compared segment by segment.
    pub fn contains(&self, image: &Reference<'_>) -> bool {
        self.host == image.host() && path_starts_with(image.path(), &self.path)
    }

    /// Whether the image lives directly under this prefix, with nothing but its name behind it.
    pub fn holds(&self, image: &Reference<'_>) -> bool {
        let parent = image.path().rsplit_once('/').map_or("", |(parent, _)| parent);
        self.host == image.host() && parent == self.path
    }

    /// Whether all images under `other` are under this prefix too.
    pub fn covers(&self, other: &RegistryPrefix) -> bool {
        self.host == other.host && path_starts_with(&other.path, &self.path)
    }

    /// The host in its one spelling.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path below the host; empty when the prefix is a host alone.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for RegistryPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)?;
        if self.path.is_empty() { Ok(()) } else { write!(formatter, "/{}", self.path) }
    }
}

impl<'de> Deserialize<'de> for RegistryPrefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        RegistryPrefix::parse(&text).map_err(D::Error::custom)
    }
}

/// Whether anybody can push to this host, on whatever port.
pub(crate) fn is_shared(host: &str) -> bool {
    let host = registry_host::without_port(host);
    SHARED_REGISTRIES.iter().any(|shared| glob_matches(shared, host))
}

fn path_starts_with(path: &str, prefix: &str) -> bool {
    prefix.is_empty() || path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> RegistryPrefix {
        RegistryPrefix::parse(text).expect("a registry")
    }

    #[test]
    fn a_prefix_ends_at_a_segment_boundary() {
        for (registry, image, expected) in [
            ("registry.corp.example", "registry.corp.example/a/b:1", true),
            ("registry.corp.example", "REGISTRY.corp.example:443/a", true),
            ("registry.corp.example", "registry.corp.example.evil.io/a", false),
            ("registry.corp.example", "registry.corp.example:5000/a", false),
            ("registry.corp.example", "evil.io/registry.corp.example/a", false),
            ("ghcr.io/acme", "ghcr.io/acme/app", true),
            ("ghcr.io/acme", "ghcr.io/acme-evil/app", false),
            ("ghcr.io/acme/team", "ghcr.io/acme/app", false),
            ("[::1]:5000", "[::1]:5000/app", true),
            ("CORP", "CORP/app", true),
            // Docker Hub's organisation `corp`, not the host of that name.
            ("CORP", "corp/app", false),
        ] {
            let image = Reference::parse(image).expect("a reference");
            assert_eq!(prefix(registry).contains(&image), expected, "{registry} and {image}");
        }
    }

    #[test]
    fn an_image_moved_under_a_prefix_is_under_it() {
        for registry in ["registry.corp.example/dockerhub", "registry.corp.example", "CORP/hub", "reg:443", "localhost"]
        {
            let moved = Reference::parse("nginx:1.27").expect("a reference").moved_to(&prefix(registry).to_string());
            assert!(prefix(registry).contains(&Reference::parse(&moved).expect("a reference")), "{moved}");
        }
    }

    #[test]
    fn what_is_no_registry_is_refused() {
        for text in ["", "acme", "https://r.io", "*.corp.example", "r.io/", "r.io//a", "r.io/Acme", "r.io/a:1", "r io"]
        {
            assert!(RegistryPrefix::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_shared_host_needs_an_organisation() {
        for text in [
            "docker.io",
            "index.docker.io",
            "GHCR.IO",
            "quay.io:443",
            "quay.io:80",
            "europe-docker.pkg.dev",
            "docker.io/library",
        ] {
            assert!(prefix(text).check_not_shared().is_err(), "{text}");
        }
        for text in ["ghcr.io/acme", "registry.corp.example", "acme.azurecr.io", "docker.io/acme"] {
            assert!(prefix(text).check_not_shared().is_ok(), "{text}");
        }
    }
}
