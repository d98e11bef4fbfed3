//! Names of modules.

use std::fmt;
use std::path::{Path, PathBuf};

use oci_spec::distribution::Reference;

/// The name of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModuleUri {
    /// A policy of the bundle.
    Bundled(String),
    /// A file.
    File(PathBuf),
    /// An artifact in a registry, with a tag or a digest: `ghcr.io/acme/policy:v1`.
    Registry(String),
    /// A file on a web server: `https://acme.example/policy.wasm`.
    Http(String),
}

impl ModuleUri {
    /// Reads a text with a scheme.
    ///
    /// # Errors
    ///
    /// When the scheme is not known, or what is behind it is no name in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(format!("{text:?} has no scheme: write registry://, https:// or file://"));
        };
        match scheme {
            "file" if rest.is_empty() => Err(format!("{text:?} names no file")),
            "file" => Ok(ModuleUri::File(PathBuf::from(rest))),
            "registry" => {
                let _: Reference = rest.parse().map_err(|error| format!("{text:?}: {error}"))?;
                // A colon in front of the last slash belongs to a port.
                let is_pinned = rest.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
                Ok(ModuleUri::Registry(if is_pinned { rest.to_owned() } else { format!("{rest}:latest") }))
            }
            "http" | "https" => {
                let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                // The path becomes one in the store.
                let is_tame = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '%', '\0']);
                if !is_tame(host)
                    || host.contains('@')
                    || !path.split(['?', '#']).next().unwrap_or("").split('/').all(is_tame)
                {
                    return Err(format!("{text:?} is no address of a file without a user name"));
                }
                Ok(ModuleUri::Http(text.to_owned()))
            }
            other => {
                Err(format!("{text:?}: nobody knows the scheme {other:?}; there are registry, https, http and file"))
            }
        }
    }

    /// Reads `spec.module` of a policy resource: a file relative to the resource, or a name in a registry unless it has
    /// another scheme. A name of a policy of the bundle in this version is that policy.
    ///
    /// # Errors
    ///
    /// As [`ModuleUri::parse`].
    pub fn of_resource(text: &str, folder: &Path) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file://") {
            return Ok(ModuleUri::File(folder.join(path)));
        }
        if !text.contains("://") && text.ends_with(".wasm") {
            return Ok(ModuleUri::File(folder.join(text)));
        }
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("registry://{text}") };
        let uri = ModuleUri::parse(&with_scheme)?;
        Ok(match uri.bundled() {
            Some(name) => ModuleUri::Bundled(name.to_owned()),
            None => uri,
        })
    }

    /// The policy of the bundle that a name in a registry means: the last part is its name, and the tag its version.
    fn bundled(&self) -> Option<&'static str> {
        let ModuleUri::Registry(reference) = self else { return None };
        let (name, tag) = reference.rsplit('/').next()?.split_once(':')?;
        let is_ours = tag.strip_prefix('v') == Some(env!("CARGO_PKG_VERSION"));
        bundle::policy(name).filter(|_| is_ours).map(|policy| policy.name)
    }

    /// A name for the policy, where nobody gives it one: the last part of this one.
    pub fn policy_name(&self) -> String {
        match self {
            ModuleUri::Bundled(name) => name.clone(),
            ModuleUri::File(path) => {
                path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
            }
            ModuleUri::Registry(reference) => {
                let last = reference.rsplit('/').next().unwrap_or_default();
                last.split([':', '@']).next().unwrap_or_default().to_owned()
            }
            ModuleUri::Http(address) => {
                let path = address.split(['?', '#']).next().unwrap_or_default();
                let last = path.rsplit('/').next().unwrap_or_default();
                last.strip_suffix(".wasm").unwrap_or(last).to_owned()
            }
        }
    }

    /// Whether what was pulled once is taken for what the name means now. Not `latest`; and not a digest, since it is the
    /// registry's manifest that it vouches for, and the store keeps none.
    pub fn is_kept(&self) -> bool {
        match self {
            ModuleUri::Registry(reference) => !reference.ends_with(":latest") && !reference.contains('@'),
            _ => true,
        }
    }
}

impl fmt::Display for ModuleUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ModuleUri::Bundled(name) => formatter.write_str(name),
            ModuleUri::File(path) => write!(formatter, "file://{}", path.display()),
            ModuleUri::Registry(reference) => write!(formatter, "registry://{reference}"),
            ModuleUri::Http(address) => formatter.write_str(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read() {
        for (text, expected) in [
            ("registry://ghcr.io/acme/a:v1", "registry://ghcr.io/acme/a:v1"),
            ("registry://ghcr.io/acme/a", "registry://ghcr.io/acme/a:latest"),
            ("registry://127.0.0.1:5000/a", "registry://127.0.0.1:5000/a:latest"),
            ("https://acme.example/a.wasm?x=1", "https://acme.example/a.wasm?x=1"),
            ("file:///tmp/a.wasm", "file:///tmp/a.wasm"),
        ] {
            assert_eq!(ModuleUri::parse(text).expect(text).to_string(), expected);
        }
        for text in [
            "a",
            "oci://a",
            "registry://",
            "registry://A/B C",
            "file://",
            "https://",
            "https://u:p@h/a",
            "https://h/../a",
            "https://../a/b",
        ] {
            assert!(ModuleUri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_resource_names_files_registries_and_the_bundle() {
        let folder = Path::new("deploy");
        let ours = format!("registry.corp.example/policies/require-single-app:v{}", env!("CARGO_PKG_VERSION"));
        for (text, expected) in [
            ("file://a.wasm", "file://deploy/a.wasm"),
            ("file:///a.wasm", "file:///a.wasm"),
            ("a.wasm", "file://deploy/a.wasm"),
            ("ghcr.io/acme/a:v1", "registry://ghcr.io/acme/a:v1"),
            (ours.as_str(), "require-single-app"),
            ("ghcr.io/acme/require-single-app:v99.0.0", "registry://ghcr.io/acme/require-single-app:v99.0.0"),
        ] {
            assert_eq!(ModuleUri::of_resource(text, folder).expect(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn policies_are_called_after_their_module() {
        for (text, expected) in [
            ("registry://ghcr.io/acme/a:v1", "a"),
            ("registry://127.0.0.1:5000/a", "a"),
            ("https://acme.example/releases/a.wasm?token=b", "a"),
            ("file://x/annotated-policy.wasm", "annotated-policy"),
        ] {
            assert_eq!(ModuleUri::parse(text).expect(text).policy_name(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            if let Ok(uri) = ModuleUri::parse(&text) {
                let _ = uri.policy_name();
            }
            let _ = ModuleUri::of_resource(&format!("registry://{text}"), Path::new(""));
        }
    }
}
