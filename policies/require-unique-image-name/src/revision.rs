//! Which commit an image says it was built from.

use policy_kit::{Host, Reference, oci};

use crate::naming::is_lower_hex;

const REVISION: &str = "org.opencontainers.image.revision";

/// Compares the tag with the image's own label, on every platform.
///
/// # Errors
///
/// Says what must hold.
pub(crate) fn check(host: &dyn Host, image: &Reference<'_>, commit: &str) -> Result<(), String> {
    let failed = |error: String| format!("cannot be looked up: {error}");
    let mut first = None;
    for platform in oci::platforms(host, image).map_err(failed)? {
        let config = platform.config(host).map_err(failed)?;
        let config = config.read().map_err(failed)?;
        let revision = config.get("config").get("Labels").get(REVISION).text();
        let on = match platform.platform() {
            "" => String::new(),
            name => format!(" on {name}"),
        };
        if !matches!(revision.len(), 40 | 64) || !is_lower_hex(revision) {
            let found = if revision.is_empty() { "has none".to_owned() } else { format!("has {revision:?}") };
            return Err(format!("must have the whole commit SHA as its label {REVISION}, and{on} it {found}"));
        }
        if !revision.ends_with(commit) {
            let end = revision.get(revision.len().saturating_sub(commit.len())..).unwrap_or(revision);
            return Err(format!("must be tagged {end}: its label {REVISION} is {revision}{on}"));
        }
        match &first {
            None => first = Some(revision.to_owned()),
            Some(first) if first == revision => {}
            Some(first) => {
                return Err(format!(
                    "must be built from one commit: its label {REVISION} is {first}, but {revision}{on}"
                ));
            }
        }
    }
    Ok(())
}
