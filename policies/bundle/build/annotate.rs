//! The policy's own metadata, and the schema of its settings, inside its module.

use std::error::Error;
use std::fs;
use std::path::Path;

use policy_metadata::{Metadata, ProtocolVersion, SettingsSchema, annotated, annotation, with_settings_schema};

/// The module with the folder's `metadata.yml`, `README.md` and `settings.schema.json` in it.
pub(crate) fn annotate(module: &[u8], folder: &Path) -> Result<Vec<u8>, String> {
    let path = folder.join("metadata.yml");
    let refused = |error: &dyn Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(|error| refused(&error))?;
    let (mut metadata, ignored) = Metadata::from_yaml(&text).map_err(|error| refused(&error))?;
    if let Some(key) = ignored.first() {
        return Err(format!("{}: {key} means nothing to Kubewarden", path.display()));
    }
    metadata.protocol_version = Some(ProtocolVersion::V1);
    if let Ok(usage) = fs::read_to_string(folder.join("README.md")) {
        metadata.annotations.insert(annotation::USAGE.to_owned(), usage);
    }
    let annotated = annotated(module, &metadata).map_err(|error| refused(&error))?;
    let path = folder.join("settings.schema.json");
    let refused = |error: &dyn Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(|error| refused(&error))?;
    let schema = SettingsSchema::parse(&text).map_err(|error| refused(&error))?;
    Ok(with_settings_schema(&annotated, &schema))
}
