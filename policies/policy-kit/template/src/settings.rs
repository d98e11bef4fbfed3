//! What the cluster operator may configure.

use policy_kit::{ImagePattern, settings_error};
use serde::Deserialize;

/// Which images are rejected.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The images that are rejected.
    pub(crate) denied_images: Vec<ImagePattern>,
    /// Images that are accepted in any case.
    pub(crate) exempt_images: Vec<ImagePattern>,
}

impl Settings {
    /// The patterns, for messages.
    pub(crate) fn denied(&self) -> String {
        let patterns: Vec<String> = self.denied_images.iter().map(ToString::to_string).collect();
        patterns.join(", ")
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.denied_images.is_empty() {
            return Err(settings_error("deniedImages", "list at least one pattern, such as docker.io/library/*"));
        }
        Ok(())
    }
}
