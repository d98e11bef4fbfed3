//! Kubewarden's metadata inside a module: the custom section `io.kubewarden.metadata`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The metadata in the order in which `kwctl annotate` writes it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Metadata {
    #[serde(skip_deserializing)]
    protocol_version: &'static str,
    rules: Vec<Rule>,
    annotations: BTreeMap<String, String>,
    mutating: bool,
    #[serde(default = "yes")]
    background_audit: bool,
    execution_mode: String,
    policy_type: String,
    #[serde(default)]
    context_aware_resources: Vec<ContextAwareResource>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    host_capabilities: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    api_groups: Vec<String>,
    api_versions: Vec<String>,
    resources: Vec<String>,
    operations: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContextAwareResource {
    api_version: String,
    kind: String,
}

fn yes() -> bool {
    true
}

/// The module with the folder's `metadata.yml` and `README.md` in it.
pub(crate) fn annotate(module: &[u8], folder: &Path) -> Result<Vec<u8>, String> {
    let path = folder.join("metadata.yml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut metadata: Metadata =
        serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    metadata.protocol_version = "v1";
    if let Ok(usage) = fs::read_to_string(folder.join("README.md")) {
        metadata.annotations.insert("io.kubewarden.policy.usage".to_owned(), usage);
    }
    let json = serde_json::to_vec(&metadata).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(with_custom_section(module, "io.kubewarden.metadata", &json))
}

/// Appends a custom section: id 0, then the size of the rest, then the name with its length, then the content.
fn with_custom_section(module: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut section = leb128(name.len());
    section.extend(name.as_bytes());
    section.extend(content);
    let mut annotated = module.to_vec();
    annotated.push(0);
    annotated.extend(leb128(section.len()));
    annotated.extend(section);
    annotated
}

/// WebAssembly's variable-length integers.
fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
