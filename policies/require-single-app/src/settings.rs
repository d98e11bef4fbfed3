//! What the cluster operator may configure.

use policy_kit::{ImagePattern, Level, settings_error};
use serde::Deserialize;

use crate::arg::Arg;
use crate::programs;

/// What is read, and what happens to what cannot be.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// Whether the image's own ENTRYPOINT and CMD are read where the Pod does not override both.
    pub inspect_images: bool,
    /// Programs, beside the built-in ones, that only start what is in their arguments: a name, or an absolute path.
    pub allowed_launchers: Vec<String>,
    /// What happens to what cannot be read, such as a script inside the image.
    pub opaque_scripts: Level,
    /// What happens to a container that does nothing, as CI agents have them to run their steps in.
    pub idle: Level,
    /// Images that may run anything.
    pub exempt_images: Vec<ImagePattern>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            inspect_images: true,
            allowed_launchers: Vec::new(),
            opaque_scripts: Level::Warn,
            idle: Level::Reject,
            exempt_images: Vec::new(),
        }
    }
}

impl Settings {
    /// Whether an operator vouches for this program.
    pub(crate) fn is_allowed_launcher(&self, program: &Arg) -> bool {
        self.allowed_launchers.iter().any(|allowed| {
            if allowed.contains('/') { program.text() == Some(allowed) } else { program.program() == Some(allowed) }
        })
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        for (index, launcher) in self.allowed_launchers.iter().enumerate() {
            if let Some(mistake) = mistake_in(launcher) {
                return Err(settings_error(&format!("allowedLaunchers[{index}]"), format!("{launcher:?} {mistake}")));
            }
        }
        Ok(())
    }
}

fn mistake_in(launcher: &str) -> Option<&'static str> {
    let name = launcher.rsplit('/').next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'+' | b'@');
    if name.is_empty() || !launcher.bytes().all(is_plain) {
        Some(
            "is no program: write its name or its absolute path, without arguments and wildcards, such as run-with-secrets",
        )
    } else if launcher.contains('/') && !launcher.starts_with('/') {
        Some("is a path that begins nowhere: write the name alone, or an absolute path")
    } else if programs::is_shell(name) || programs::is_other_shell(name) {
        Some("is a shell, whose text is read: it needs no permission")
    } else if programs::is_known_to_start_several(name) || programs::is_known_to_start_several(launcher) {
        Some(
            "starts several processes, which is what this policy is about: use exemptImages for the images that need it",
        )
    } else {
        None
    }
}
