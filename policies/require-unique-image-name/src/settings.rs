//! What the cluster operator may configure.

use serde::Deserialize;

/// Settings.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {}
