//! Platforms, and which of an index's images a node could run.
//!
//! Names are normalised as containerd does it (`github.com/containerd/platforms`, `database.go`). Variants decide
//! nothing here: a node of a newer variant also runs the older ones.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

/// An operating system and an architecture, in the names that Go has for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Platform {
    os: String,
    architecture: String,
}

/// The systems that containerd knows and that could be in an index.
const SYSTEMS: &[&str] = &["linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris", "illumos"];

const ARCHITECTURES: &[&str] = &[
    "amd64", "arm64", "arm", "386", "ppc64le", "ppc64", "s390x", "riscv64", "loong64", "mips", "mipsle", "mips64",
    "mips64le", "wasm",
];

impl Platform {
    /// Reads `os/architecture[/variant]`, as an index or a configuration has it. None when either is missing or unknown:
    /// then nobody can tell which nodes would run it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (os, architecture) = (parts.next()?, parts.next()?);
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let architecture = match architecture.to_ascii_lowercase().as_str() {
            "x86_64" | "x86-64" => "amd64".to_owned(),
            "aarch64" => "arm64".to_owned(),
            "i386" => "386".to_owned(),
            "armhf" | "armel" => "arm".to_owned(),
            other => other.to_owned(),
        };
        let is_known = SYSTEMS.contains(&os.as_str()) && ARCHITECTURES.contains(&architecture.as_str());
        is_known.then_some(Platform { os, architecture })
    }

    /// Whether a node of this platform would run an image of the other: its own, or what containerd falls back to
    /// (`platforms.Only`): 386 on amd64, arm on arm64.
    fn runs(&self, other: &Platform) -> bool {
        let fallback = match self.architecture.as_str() {
            "amd64" => "386",
            "arm64" => "arm",
            _ => "",
        };
        self.os == other.os && (self.architecture == other.architecture || fallback == other.architecture)
    }
}

/// Whether nodes of these platforms could run an image that says it is for `platform`. With none listed, any could; and
/// so could those of any list if the image does not say, or says something odd.
pub(crate) fn could_run(nodes: &[Platform], platform: &str) -> bool {
    nodes.is_empty() || Platform::read(platform).is_none_or(|image| nodes.iter().any(|node| node.runs(&image)))
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_short = text.split('/').count() <= 3;
        Platform::read(&text).filter(|_| is_short).ok_or_else(|| {
            D::Error::custom(format!("{text:?} is no platform: write os/architecture, such as linux/amd64"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn could(nodes: &[&str], image: &str) -> bool {
        let nodes: Vec<Platform> = nodes.iter().map(|node| Platform::read(node).expect("a platform")).collect();
        could_run(&nodes, image)
    }

    #[test]
    fn an_image_is_left_out_only_if_it_is_surely_for_others() {
        for (image, expected) in [
            ("linux/amd64", true),
            ("linux/x86_64", true),
            ("Linux/AMD64", true),
            ("linux/amd64/v3", true),
            // containerd falls back to it where there is nothing better.
            ("linux/386", true),
            ("linux/i386", true),
            ("linux/arm64", false),
            ("linux/aarch64", false),
            ("linux/s390x", false),
            ("windows/amd64", false),
            // Nobody knows who would run these.
            ("", true),
            ("linux", true),
            ("linux/", true),
            ("/amd64", true),
            ("linux/amd46", true),
            ("lin\u{fc}x/arm64", true),
            ("sha256:0123", true),
        ] {
            assert_eq!(could(&["linux/amd64"], image), expected, "{image}");
        }
        assert!(could(&["linux/arm64"], "linux/arm/v7"));
        assert!(could(&["linux/arm64/v8"], "linux/arm64"));
        assert!(could(&["linux/arm/v6"], "linux/armhf"));
        assert!(!could(&["linux/arm/v7"], "linux/arm64"));
        assert!(could(&["windows/amd64", "linux/arm64"], "windows/amd64"));
        assert!(could(&[], "windows/amd64"));
    }
}
