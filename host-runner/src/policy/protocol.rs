//! The JSON with which Kubewarden policies answer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Kubewarden's ValidationResponse. Only `accepted` is required, and unknown keys are ignored, as Kubewarden's own
/// host does it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ValidationResponse {
    /// The verdict.
    pub accepted: bool,
    /// Why not.
    #[serde(default)]
    pub message: Option<String>,
    /// The HTTP status that the API server answers with.
    #[serde(default)]
    pub code: Option<u16>,
    /// The object as the policy wants it.
    #[serde(default)]
    pub mutated_object: Option<Value>,
    /// Keys and values for the audit log.
    #[serde(default)]
    pub audit_annotations: Option<BTreeMap<String, String>>,
    /// What the requester is told.
    #[serde(default)]
    pub warnings: Option<Vec<String>>,
}

/// Kubewarden's SettingsValidationResponse.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SettingsVerdict {
    /// Whether the policy can work with the settings.
    pub valid: bool,
    /// Why not.
    #[serde(default)]
    pub message: Option<String>,
    /// Whether the guest did not answer but fail, which is how the SDK says that settings cannot be read.
    #[serde(skip)]
    pub is_guest_error: bool,
}

impl SettingsVerdict {
    /// The reason for a refusal; `None` when the settings are valid.
    pub fn refusal(self) -> Option<String> {
        (!self.valid)
            .then(|| self.message.filter(|text| !text.is_empty()).unwrap_or_else(|| "no reason given".to_owned()))
    }
}
