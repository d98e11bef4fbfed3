//! Platforms, and which of an index's images a node could run.
//!
//! Names are normalised and chosen from as containerd does it (`github.com/containerd/platforms`: `database.go`, `Only`).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

/// An operating system, an architecture in Go's name for it, and a variant, which is empty where there is no default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: String,
    /// Whether it asks for a version or features of the system, too: not every node of the system has them.
    is_picky: bool,
}

/// The systems that containerd knows and that could be in an index.
const SYSTEMS: &[&str] = &["linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris", "illumos"];

const ARCHITECTURES: &[&str] = &[
    "amd64", "arm64", "arm", "386", "ppc64le", "ppc64", "s390x", "riscv64", "loong64", "mips", "mipsle", "mips64",
    "mips64le", "wasm",
];

/// What an image is to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Exactly for such nodes, so that they run nothing else of the index.
    Own,
    /// Another variant, or one that asks for more than the node may have: run by some of these nodes.
    Kin,
    /// Run only where there is nothing better: 386 on amd64, arm on arm64.
    Fallback,
    None,
}

impl Platform {
    /// Reads `os/architecture[/variant]`, as an index or a configuration has it; behind the system there may be its
    /// version and features in parentheses. `None` when either of the first two is missing or unknown: then nobody can
    /// tell which nodes would run it.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_ascii_lowercase);
        let (os, architecture) = (parts.next()?, parts.next()?);
        let (os, is_picky) = match os.strip_suffix(')').and_then(|os| os.split_once('(')) {
            Some((os, _)) => (os, true),
            None => (os.as_str(), false),
        };
        let os = if os == "macos" { "darwin" } else { os };
        let variant = parts.next().unwrap_or_default();
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64", "v1"),
            ("x86_64" | "x86-64", variant) => ("amd64", variant),
            ("aarch64" | "arm64", "" | "8" | "v8") => ("arm64", "v8"),
            ("aarch64", variant) => ("arm64", variant),
            ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "8") => ("arm", "v8"),
            ("i386", variant) => ("386", variant),
            other => other,
        };
        let is_known = SYSTEMS.contains(&os) && ARCHITECTURES.contains(&architecture);
        is_known.then(|| Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
            is_picky,
        })
    }

    /// Whether both are of one system and architecture, whatever the variant.
    pub fn is_kin(&self, other: &Platform) -> bool {
        self.os == other.os && self.architecture == other.architecture
    }

    fn fit(&self, image: &Platform) -> Fit {
        let fallback = match self.architecture.as_str() {
            "amd64" => "386",
            "arm64" => "arm",
            _ => "",
        };
        if self.os != image.os {
            Fit::None
        } else if self.architecture == image.architecture {
            if self.variant == image.variant && !image.is_picky { Fit::Own } else { Fit::Kin }
        } else if fallback == image.architecture {
            Fit::Fallback
        } else {
            Fit::None
        }
    }
}

/// Whether nodes of these platforms could run an image that says it is for `platform`. With none listed, any could; and
/// so could those of any list if the image does not say, or says something odd.
pub fn could_run(nodes: &[Platform], platform: &str) -> bool {
    nodes.is_empty()
        || Platform::read(platform).is_none_or(|image| nodes.iter().any(|node| node.fit(&image) != Fit::None))
}

/// The images of an index that nodes of these platforms could run. What a node falls back to does not count
/// where the index has something that is exactly for the node. An image for `amd64/v3` is not: most nodes of amd64 pass
/// it over and run the one for 386. Of other variants all count, though no node runs a newer one than its own.
pub fn chosen_by<T>(nodes: &[Platform], images: Vec<T>, platform: impl Fn(&T) -> &str) -> Vec<T> {
    let platforms: Vec<Option<Platform>> = images.iter().map(|image| Platform::read(platform(image))).collect();
    let has_own = |node: &Platform| platforms.iter().flatten().any(|image| node.fit(image) == Fit::Own);
    let needs_fallback: Vec<bool> = nodes.iter().map(|node| !has_own(node)).collect();
    let is_chosen = |image: &Option<Platform>| {
        let Some(image) = image else { return true };
        nodes.is_empty()
            || nodes.iter().zip(&needs_fallback).any(|(node, needs_fallback)| match node.fit(image) {
                Fit::Own | Fit::Kin => true,
                Fit::Fallback => *needs_fallback,
                Fit::None => false,
            })
    };
    images.into_iter().zip(&platforms).filter(|(_, platform)| is_chosen(platform)).map(|(image, _)| image).collect()
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match (self.architecture.as_str(), self.variant.as_str()) {
            (_, "") | ("amd64", "v1") | ("arm64", "v8") => Ok(()),
            (_, variant) => write!(formatter, "/{variant}"),
        }
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_short = text.split('/').count() <= 3;
        Platform::read(&text).filter(|platform| is_short && !platform.is_picky).ok_or_else(|| {
            D::Error::custom(format!("{text:?} is no platform: write os/architecture, such as linux/amd64"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(texts: &[&str]) -> Vec<Platform> {
        texts.iter().map(|text| Platform::read(text).expect("a platform")).collect()
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
            assert_eq!(could_run(&platforms(&["linux/amd64"]), image), expected, "{image}");
        }
        assert!(could_run(&platforms(&["linux/arm64"]), "linux/arm/v7"));
        assert!(could_run(&platforms(&["linux/arm64/v8"]), "linux/arm64"));
        assert!(could_run(&platforms(&["linux/arm/v6"]), "linux/armhf"));
        assert!(!could_run(&platforms(&["linux/arm/v7"]), "linux/arm64"));
        assert!(could_run(&platforms(&["windows/amd64", "linux/arm64"]), "windows/amd64"));
        assert!(could_run(&[], "windows/amd64"));
    }

    #[test]
    fn a_fallback_counts_where_there_is_nothing_better() {
        let chosen =
            |nodes: &[&str], images: &[&'static str]| chosen_by(&platforms(nodes), images.to_vec(), |image| image);
        assert_eq!(chosen(&["linux/amd64"], &["linux/amd64", "linux/386", "linux/arm64"]), ["linux/amd64"]);
        assert_eq!(chosen(&["linux/amd64"], &["linux/386", "linux/arm64"]), ["linux/386"]);
        assert_eq!(chosen(&["linux/arm64"], &["linux/arm64/v8", "linux/arm/v7"]), ["linux/arm64/v8"]);
        assert_eq!(chosen(&["linux/arm"], &["linux/arm/v7", "linux/arm64"]), ["linux/arm/v7"]);
        assert_eq!(chosen(&["linux/arm/v7"], &["linux/arm/v6"]), ["linux/arm/v6"]);
        // One of two nodes has nothing of its own.
        assert_eq!(
            chosen(&["linux/amd64", "linux/arm64"], &["linux/amd64", "linux/386", "linux/arm/v7"]),
            ["linux/amd64", "linux/arm/v7"]
        );
        // Other names do not hide an image, and odd ones are never left out.
        assert_eq!(chosen(&["linux/amd64"], &["linux/amd64", "linux/x86_64"]), ["linux/amd64", "linux/x86_64"]);
        assert_eq!(chosen(&["linux/amd64"], &["linux/amd64", "", "sha256:0"]), ["linux/amd64", "", "sha256:0"]);
        assert_eq!(chosen(&[], &["linux/amd64", "windows/amd64"]), ["linux/amd64", "windows/amd64"]);
    }

    #[test]
    fn only_what_is_exactly_for_a_node_hides_what_it_falls_back_to() {
        for (node, own, fallback, is_hidden) in [
            ("linux/amd64", "linux/amd64", "linux/386", true),
            ("linux/amd64", "linux/amd64/v1", "linux/386", true),
            ("linux/amd64", "linux/x86_64", "linux/i386", true),
            ("linux/amd64", "linux/amd64/v3", "linux/386", false),
            ("linux/amd64/v3", "linux/amd64/v2", "linux/386", false),
            ("linux/amd64", "linux(+erofs)/amd64", "linux/386", false),
            ("linux/amd64", "linux(5.10)/amd64", "linux/386", false),
            ("linux/arm64", "linux/arm64/v8", "linux/arm/v7", true),
            ("linux/arm64/v8", "linux/aarch64", "linux/arm", true),
            ("linux/arm64", "linux/arm64/v9", "linux/arm/v7", false),
        ] {
            let mut expected = vec![own];
            expected.extend((!is_hidden).then_some(fallback));
            assert_eq!(chosen_by(&platforms(&[node]), vec![own, fallback], |image| image), expected, "{node} {own}");
        }
        // No variant hides another one.
        for (node, first, second) in [
            ("linux/amd64/v3", "linux/amd64", "linux/amd64/v2"),
            ("linux/amd64", "linux/amd64", "linux/amd64/v4"),
            ("linux/arm/v6", "linux/arm", "linux/arm/v5"),
            ("linux/arm/v7", "linux/armhf", "linux/armel"),
            ("windows/amd64", "windows(10.0.17763)/amd64", "windows(10.0.20348)/amd64"),
        ] {
            let chosen = chosen_by(&platforms(&[node]), vec![first, second], |image| image);
            assert_eq!(chosen, [first, second], "{node}");
        }
        // A version is of its system.
        assert!(!could_run(&platforms(&["linux/amd64"]), "windows(10.0.20348)/amd64"));
        assert!(could_run(&platforms(&["linux/amd64"]), "linux(a/b)/amd64"));
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        let read = |text: &str| Platform::deserialize(&crate::Json::String(text.into()));
        for text in [
            "",
            "linux",
            "amd64",
            "linux/",
            "/amd64",
            "linux/*",
            "linux/arm/v7/x",
            "linux amd64",
            "linux/amd46",
            "linux(1)/arm",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let aarch = read("Linux/aarch64").expect("a platform");
        assert_eq!(aarch.to_string(), "linux/arm64");
    }
}
