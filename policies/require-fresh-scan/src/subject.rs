//! What must be scanned of an image: a tag names a digest, and an index names one more for each platform.

use policy_kit::oci::{self, PlatformImage};
use policy_kit::{Host, Reference, chosen_by};

use crate::settings::Settings;
use crate::shown::shown;

/// An image as the registry has it now.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The digest of the index where there is one, and of the manifest otherwise.
    pub(crate) digest: String,
    /// The platforms that must be scanned; one without a name where there is no index.
    pub(crate) platforms: Vec<PlatformImage>,
    /// How many there are, needed or not.
    pub(crate) offered: usize,
}

/// How many platforms a message names.
const MOST_NAMED: usize = 8;

/// The names of some platforms, and how many more there are.
pub(crate) fn names<'p>(platforms: impl ExactSizeIterator<Item = &'p PlatformImage>) -> String {
    let more = platforms.len().saturating_sub(MOST_NAMED);
    let named: Vec<String> = platforms.take(MOST_NAMED).map(|platform| shown(platform.platform())).collect();
    let named = named.join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
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
        let offered = all.len();
        let offers = names(all.iter());
        let platforms = chosen_by(&settings.platforms, all, PlatformImage::platform);
        if platforms.is_empty() {
            let wanted: Vec<String> = settings.platforms.iter().map(ToString::to_string).collect();
            return Err(format!(
                "must be for one of the platforms that the policy's platforms setting lists ({}), but is for {offers}",
                wanted.join(", ")
            ));
        }
        Ok(Subject { digest, platforms, offered })
    }

    /// Whether the image has several platforms, or one in an index of its own.
    pub(crate) fn is_index(&self) -> bool {
        self.platforms.iter().any(|platform| !platform.platform().is_empty())
    }

    /// Whether one platform that is not named is surely the one that is needed: there is no other, or it is the one
    /// that trivy scans unless it is told otherwise.
    pub(crate) fn is_plain(&self) -> bool {
        self.offered == 1 || matches!(self.platforms.as_slice(), [only] if only.platform() == "linux/amd64")
    }
}
