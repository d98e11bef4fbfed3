//! Kubewarden's metadata: the custom section of an annotated module.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::capabilities::ContextAwareResource;
use crate::enforcement::Rule;

/// What a policy says of itself. Unknown keys are ignored, as Kubewarden does it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The requests that the policy is made for.
    pub rules: Vec<Rule>,
    /// Title, version and more, by their long names.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Whether the policy changes objects.
    pub mutating: bool,
    /// `kubewarden-wapc` and its siblings.
    #[serde(default = "Metadata::wapc")]
    pub execution_mode: String,
    /// The cluster objects that it reads.
    #[serde(default)]
    pub context_aware_resources: Vec<ContextAwareResource>,
    /// The host capabilities that it says it uses. Nobody enforces them but suites.
    #[serde(default)]
    pub host_capabilities: Option<Vec<String>>,
}

impl Metadata {
    /// The execution mode of waPC guests.
    pub const WAPC: &str = "kubewarden-wapc";

    fn wapc() -> String {
        Metadata::WAPC.to_owned()
    }

    /// The policy's name.
    pub fn title(&self) -> Option<&str> {
        self.annotations.get("io.kubewarden.policy.title").map(String::as_str)
    }

    /// The policy's version.
    pub fn version(&self) -> Option<&str> {
        self.annotations.get("io.kubewarden.policy.version").map(String::as_str)
    }

    /// The metadata of a module that compiles; `None` when it is not annotated.
    pub(super) fn of(wasm: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        // Of several sections the first counts, as it does for Kubewarden.
        let section = custom_sections(wasm).find(|(name, _)| *name == "io.kubewarden.metadata");
        section.map(|(_, content)| serde_json::from_slice(content)).transpose()
    }
}

/// The custom sections of a module: name and content.
fn custom_sections(wasm: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    wasmparser::Parser::new(0).parse_all(wasm).map_while(Result::ok).filter_map(|payload| match payload {
        wasmparser::Payload::CustomSection(section) => Some((section.name(), section.data())),
        _ => None,
    })
}
