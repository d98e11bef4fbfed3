//! Platforms: what an index names, and what the settings mean.

use std::fmt;

use serde::Deserialize;

/// `os/architecture[/variant]`, lower-case and with the architecture's usual name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Platform {
    text: String,
}

impl TryFrom<String> for Platform {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
        };
        if matches!(text.split('/').count(), 2 | 3) && text.split('/').all(is_part) {
            Ok(Platform { text })
        } else {
            Err(format!("{text:?} is no platform: write os/architecture, such as linux/amd64"))
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Platform {
    /// Whether a node of this platform may choose what an index has under `name`.
    ///
    /// An index is its author's word, and runtimes read it kindly: without regard to case, with other names for an
    /// architecture (`x86_64`), and with parts left out, which are then those of the node. Whatever they might take
    /// is taken here, or an image could hide from the scan under another name.
    pub(crate) fn may_choose(&self, name: &str) -> bool {
        let (os, architecture, variant) = parts(name);
        let (own_os, own_architecture, own_variant) = parts(&self.text);
        let is_os = os.is_empty() || os.eq_ignore_ascii_case(own_os);
        let is_architecture = architecture.is_empty() || usual(architecture) == usual(own_architecture);
        let is_variant = variant.is_empty() || own_variant.is_empty() || variant.eq_ignore_ascii_case(own_variant);
        is_os && is_architecture && is_variant
    }
}

fn parts(name: &str) -> (&str, &str, &str) {
    let mut parts = name.splitn(3, '/');
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

/// The name that Go has for an architecture, as containerd's platforms package normalises it.
fn usual(architecture: &str) -> String {
    let lower = architecture.to_ascii_lowercase();
    match lower.as_str() {
        "x86_64" | "x86-64" => "amd64".to_owned(),
        "i386" => "386".to_owned(),
        "aarch64" => "arm64".to_owned(),
        "armhf" | "armel" => "arm".to_owned(),
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        Platform::try_from(text.to_owned()).expect("a platform")
    }

    #[test]
    fn a_node_may_choose_what_runtimes_take_for_its_platform() {
        for (own, name, expected) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm64/v8", "linux/arm64", true),
            ("linux/arm/v7", "linux/arm/v7", true),
            ("linux/arm/v7", "linux/arm/v6", false),
            ("linux/arm", "linux/arm64", false),
            ("linux/amd64", "linux/amd64x", false),
            ("linux/amd64", "windows/amd64", false),
            // Other spellings of the same.
            ("linux/amd64", "linux/x86_64", true),
            ("linux/amd64", "Linux/AMD64", true),
            ("linux/arm64", "linux/aarch64", true),
            ("linux/arm/v7", "linux/armhf", true),
            ("linux/x86_64", "linux/amd64", true),
            // Parts that are left out.
            ("linux/amd64", "linux/", true),
            ("linux/amd64", "/amd64", true),
            ("linux/amd64", "/", true),
            ("linux/amd64", "", true),
            ("linux/amd64", "windows/", false),
        ] {
            assert_eq!(platform(own).may_choose(name), expected, "{own} and {name}");
        }
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for text in
            ["", "linux", "amd64", "linux/", "/amd64", "linux/*", "Linux/amd64", "linux/arm/v7/x", "linux amd64"]
        {
            assert!(Platform::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
