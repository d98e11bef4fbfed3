//! What the cluster operator may configure.

use std::collections::BTreeMap;

use policy_kit::{ImagePattern, Reference, RegistryPrefix, settings_error};
use serde::Deserialize;

/// Which registries are ours, and where copies of the others' images are.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The registries that images may come from: `host[:port]`, or with the beginning of a path.
    pub private_registries: Vec<RegistryPrefix>,
    /// For a third-party registry, the private one that mirrors it. Its images are rewritten, not rejected.
    pub mirrors: BTreeMap<String, RegistryPrefix>,
    /// Images that may come from anywhere.
    pub exempt_images: Vec<ImagePattern>,
}

impl Settings {
    /// Whether the image comes from one of our registries.
    pub(crate) fn is_private(&self, image: &Reference<'_>) -> bool {
        self.private_registries.iter().any(|registry| registry.contains(image))
    }

    /// Our registries, for messages.
    pub(crate) fn registries(&self) -> String {
        let registries: Vec<String> = self.private_registries.iter().map(ToString::to_string).collect();
        registries.join(", ")
    }

    /// The mirror of a registry host.
    pub(crate) fn mirror_of(&self, host: &str) -> Option<&RegistryPrefix> {
        self.mirrors
            .iter()
            .find(|(source, _)| normalised(source).is_ok_and(|source| source == host))
            .map(|(_, mirror)| mirror)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.private_registries.is_empty() {
            return Err(settings_error(
                "privateRegistries",
                "name at least one registry that images may come from, such as [registry.corp.example]",
            ));
        }
        for (index, registry) in self.private_registries.iter().enumerate() {
            registry
                .check_not_shared()
                .map_err(|mistake| settings_error(&format!("privateRegistries[{index}]"), mistake))?;
        }
        let mut sources = Vec::new();
        for (source, mirror) in &self.mirrors {
            let key = format!("mirrors.{source}");
            let host = normalised(source).map_err(|mistake| settings_error(&key, mistake))?;
            if sources.contains(&host) {
                return Err(settings_error(&key, format!("{host} is mirrored twice")));
            }
            sources.push(host);
            if !self.private_registries.iter().any(|private| private.covers(mirror)) {
                return Err(settings_error(
                    &key,
                    format!(
                        "its mirror {mirror} is not private: add it to privateRegistries, or rewritten images would be rejected"
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn normalised(source: &str) -> Result<String, String> {
    let source = RegistryPrefix::parse(source)?;
    if source.path().is_empty() {
        Ok(source.host().to_owned())
    } else {
        Err(format!("a mirror stands for a whole registry: write {}", source.host()))
    }
}
