//! What must be scanned of an image: a tag names a digest, and an index names one more for each platform.

use policy_kit::oci::{self, PlatformImage};
use policy_kit::{Host, Reference};

use crate::settings::Settings;

/// An image as the registry has it now.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The digest of the index where there is one, and of the manifest otherwise.
    pub(crate) digest: String,
    /// The platforms that must be scanned; one without a name where there is no index.
    pub(crate) platforms: Vec<PlatformImage>,
}

impl Subject {
    /// Asks the registry.
    ///
    /// # Errors
    ///
    /// When it cannot be asked, or has nothing that could run.
    pub(crate) fn look_up(host: &dyn Host, image: &Reference<'_>, settings: &Settings) -> Result<Self, String> {
        let failed = |error: String| format!("cannot be looked up in its registry: {error}");
        let digest = oci::digest(host, image).map_err(failed)?;
        // By digest from here on: the tag may move between two questions.
        let pinned = format!("{}/{}@{digest}", image.host(), image.path());
        let pinned = Reference::parse(&pinned).map_err(|error| failed(error.to_string()))?;
        let all = oci::platforms(host, &pinned).map_err(failed)?;
        let names: Vec<String> = all.iter().map(|platform| platform.platform().to_owned()).collect();
        // Without a platform, which is what runs and may be chosen: an only manifest, or a child that names none.
        let is_needed = |platform: &PlatformImage| {
            let name = platform.platform();
            name.is_empty() || !name.contains('/') || settings.needs_platform(name)
        };
        let platforms: Vec<PlatformImage> = all.into_iter().filter(is_needed).collect();
        if platforms.is_empty() {
            return Err(format!(
                "must be for one of the platforms that the policy's platforms setting lists ({}), but is for {}",
                settings.platforms.join(", "),
                names.join(", ")
            ));
        }
        Ok(Subject { digest, platforms })
    }

    /// Whether the image has several platforms, or one in an index of its own.
    pub(crate) fn is_index(&self) -> bool {
        self.platforms.iter().any(|platform| !platform.platform().is_empty())
    }
}
