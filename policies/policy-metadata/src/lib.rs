//! What a Kubewarden policy says of itself: `metadata.yml`, the schema of its settings, both as custom sections of a
//! module, and what is made from them for others: the form of Rancher's UI and the package of Artifact Hub.
//!
//! The bundle's build script writes it, host-runner reads and writes it; so it is a crate of its own.

mod package;
mod questions;
mod section;
mod settings_schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

pub use package::{PackageError, package};
pub use questions::questions;
pub use section::{SectionError, annotated, of_module, schema_of_module, with_settings_schema, without_sections};
pub use settings_schema::{Additional, Kind, OrderedValue, Property, SchemaError, SettingsSchema};

/// Annotations that have a meaning of their own.
pub mod annotation {
    /// The policy's name.
    pub const TITLE: &str = "io.kubewarden.policy.title";
    /// The policy's version, semantic.
    pub const VERSION: &str = "io.kubewarden.policy.version";
    /// What it is for, in a sentence.
    pub const DESCRIPTION: &str = "io.kubewarden.policy.description";
    /// Who wrote it: `Name <mail>`, several with commas between.
    pub const AUTHOR: &str = "io.kubewarden.policy.author";
    /// Its licence, as SPDX names it.
    pub const LICENSE: &str = "io.kubewarden.policy.license";
    /// Its home page.
    pub const URL: &str = "io.kubewarden.policy.url";
    /// Where its modules are published, without a tag.
    pub const OCI_URL: &str = "io.kubewarden.policy.ociUrl";
    /// The repository of its source.
    pub const SOURCE: &str = "io.kubewarden.policy.source";
    /// The name that people see.
    pub const DISPLAY_NAME: &str = "io.artifacthub.displayName";
    /// Words to find it by, with commas between.
    pub const KEYWORDS: &str = "io.artifacthub.keywords";
    /// The kinds that it looks at, with commas between.
    pub const RESOURCES: &str = "io.artifacthub.resources";
    /// Whether Rancher's UI hides it.
    pub const HIDDEN_UI: &str = "io.kubewarden.hidden-ui";
    /// The tag of the release on GitHub, where it is not `v` and the version.
    pub const RELEASE_TAG: &str = "com.github.release.tag";
    /// Its README, as `annotate` embeds it.
    pub const USAGE: &str = "io.kubewarden.policy.usage";
}

/// Kubewarden's metadata, in the order in which `kwctl annotate` writes them. Unknown keys are ignored, as Kubewarden
/// does it; [`Metadata::from_yaml`] tells which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Which waPC protocol the module speaks. Whoever annotates asks the module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<ProtocolVersion>,
    /// The requests that the policy is made for.
    pub rules: Vec<Rule>,
    /// Title, version and more, by their long names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "texts")]
    pub annotations: BTreeMap<String, String>,
    /// Whether the policy changes objects.
    pub mutating: bool,
    /// Whether the audit scanner asks it about objects that exist.
    #[serde(default = "yes")]
    pub background_audit: bool,
    /// How the module is called.
    #[serde(default)]
    pub execution_mode: ExecutionMode,
    /// What it is asked about.
    #[serde(default)]
    pub policy_type: PolicyType,
    /// The cluster objects that it reads.
    #[serde(default)]
    pub context_aware_resources: BTreeSet<ContextAwareResource>,
    /// The host capabilities that it says it uses. Kubewarden does not hold it to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_capabilities: Option<Vec<String>>,
    /// The oldest Kubewarden that can run it: `1.35.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_kubewarden_version: Option<String>,
}

/// The protocol between host and waPC guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// The only one there is.
    #[serde(rename = "v1")]
    V1,
    /// What policies in other modes have.
    Unknown,
}

/// How a module is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ExecutionMode {
    /// By waPC.
    #[default]
    #[serde(rename = "kubewarden-wapc")]
    Wapc,
    /// Rego in the manner of the Open Policy Agent.
    #[serde(rename = "opa")]
    Opa,
    /// Rego in the manner of Gatekeeper.
    #[serde(rename = "gatekeeper")]
    Gatekeeper,
    /// As a WASI program that reads stdin.
    #[serde(rename = "wasi")]
    Wasi,
}

impl fmt::Display for ExecutionMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ExecutionMode::Wapc => "kubewarden-wapc",
            ExecutionMode::Opa => "opa",
            ExecutionMode::Gatekeeper => "gatekeeper",
            ExecutionMode::Wasi => "wasi",
        })
    }
}

/// What a policy is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyType {
    /// Admission requests.
    #[default]
    Kubernetes,
    /// Any JSON.
    Raw,
}

/// `RuleWithOperations` of Kubernetes' `admissionregistration.k8s.io/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// `""` is the core group, `*` any.
    pub api_groups: Vec<String>,
    /// `*` is any.
    pub api_versions: Vec<String>,
    /// `pods`, `pods/exec`, `pods/*`, `*/scale`, `*` (any resource, no subresource), `*/*`.
    pub resources: Vec<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`.
    pub operations: Vec<String>,
    /// Whether only namespaced or only cluster-wide resources are meant. Policy resources have it, metadata do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// The scope of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Cluster-wide resources, Namespaces among them.
    Cluster,
    /// Namespaced resources.
    Namespaced,
    /// Both.
    #[serde(rename = "*")]
    Any,
}

/// A kind of cluster object that a policy may read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextAwareResource {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `Namespace`.
    pub kind: String,
}

/// Why a text is no metadata.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// It is no YAML.
    #[error("not YAML")]
    Yaml(#[source] Box<serde_saphyr::Error>),
    /// It is YAML of another shape.
    #[error("{0}")]
    Shape(String),
}

impl Metadata {
    /// Reads `metadata.yml`: the metadata, and the keys in it that mean nothing to Kubewarden.
    ///
    /// # Errors
    ///
    /// When it has another shape, or a rule that Kubernetes does not take.
    pub fn from_yaml(text: &str) -> Result<(Self, Vec<String>), MetadataError> {
        let value: serde_json::Value =
            serde_saphyr::from_str(text).map_err(|error| MetadataError::Yaml(Box::new(error)))?;
        let mut ignored = Vec::new();
        let metadata: Metadata = serde_ignored::deserialize(value, |path| ignored.push(path.to_string()))
            .map_err(|error: serde_json::Error| MetadataError::Shape(error.to_string()))?;
        if let Some(required) = metadata.minimum_kubewarden_version.as_ref().filter(|text| version(text).is_none()) {
            let mistake = format!("minimumKubewardenVersion: {required:?} is no version: write one such as 1.35.0");
            return Err(MetadataError::Shape(mistake));
        }
        for (index, rule) in metadata.rules.iter().enumerate() {
            rule.check().map_err(|mistake| MetadataError::Shape(format!("rules[{index}]{mistake}")))?;
        }
        Ok((metadata, ignored))
    }

    /// The policy's name.
    pub fn title(&self) -> Option<&str> {
        self.annotations.get(annotation::TITLE).map(String::as_str)
    }

    /// The policy's version.
    pub fn version(&self) -> Option<&str> {
        self.annotations.get(annotation::VERSION).map(String::as_str)
    }
}

impl Rule {
    /// Whether Kubernetes would take the rule.
    ///
    /// # Errors
    ///
    /// What is wrong, to be written behind the place of the rule.
    pub fn check(&self) -> Result<(), String> {
        for (name, list) in [
            ("apiGroups", &self.api_groups),
            ("apiVersions", &self.api_versions),
            ("resources", &self.resources),
            ("operations", &self.operations),
        ] {
            if list.is_empty() {
                return Err(format!(": none of its lists may be empty, and {name} is"));
            }
            if name != "resources" && list.len() > 1 && list.iter().any(|item| item == "*") {
                return Err(format!(".{name}: * stands for all, so nothing may stand beside it"));
            }
        }
        let known = ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"];
        match self.operations.iter().find(|operation| !known.contains(&operation.as_str())) {
            Some(other) => Err(format!(".operations: {other:?} is none of {}", known.join(", "))),
            None => Ok(()),
        }
    }
}

/// Major, minor and patch of a semantic version: `1.35.0`, `1.36.0-beta.1`.
pub fn version(text: &str) -> Option<(u64, u64, u64)> {
    let core = text.split(['-', '+']).next()?;
    let mut numbers = core.split('.').map(|number| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { number.parse().ok() } else { None }
    });
    match (numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()) {
        (Some(major), Some(minor), Some(patch), None) => Some((major, minor, patch)),
        _ => None,
    }
}

fn yes() -> bool {
    true
}

/// Annotations are texts; YAML takes `1.0` and `true` for something else, and Kubewarden turns them back.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Text(String);
    impl<'de> Deserialize<'de> for Text {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(TextVisitor)
        }
    }
    struct TextVisitor;
    impl Visitor<'_> for TextVisitor {
        type Value = Text;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a text")
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<Text, E> {
            Ok(Text(value.to_owned()))
        }

        fn visit_bool<E: de::Error>(self, value: bool) -> Result<Text, E> {
            Ok(Text(value.to_string()))
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Text, E> {
            Ok(Text(value.to_string()))
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Text, E> {
            Ok(Text(value.to_string()))
        }

        fn visit_f64<E: de::Error>(self, value: f64) -> Result<Text, E> {
            Ok(Text(format!("{value:?}")))
        }
    }
    let texts: Option<BTreeMap<String, Text>> = Option::deserialize(deserializer)?;
    Ok(texts.unwrap_or_default().into_iter().map(|(key, text)| (key, text.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\n";

    #[test]
    fn annotations_become_texts() {
        let yaml = format!("{RULES}mutating: false\nannotations: {{a: 1.0, b: true, c: 7, d: x}}\n");
        let (metadata, ignored) = Metadata::from_yaml(&yaml).expect("metadata");
        let values: Vec<&str> = metadata.annotations.values().map(String::as_str).collect();
        assert_eq!(values, ["1.0", "true", "7", "x"]);
        assert!(ignored.is_empty());
        assert!(Metadata::from_yaml(&format!("{RULES}mutating: false\nannotations: {{a: [1]}}\n")).is_err());
    }

    #[test]
    fn what_kubewarden_ignores_is_told() {
        let yaml = format!("{RULES}mutating: false\ncontextAware: false\n");
        let (_, ignored) = Metadata::from_yaml(&yaml).expect("metadata");
        assert_eq!(ignored, ["contextAware"]);
    }

    #[test]
    fn a_version_is_semantic() {
        for (text, expected) in [
            ("1.35.0", Some((1, 35, 0))),
            ("1.36.0-beta.1", Some((1, 36, 0))),
            ("v1.35.0", None),
            ("1.35", None),
            ("1.35.0.1", None),
            ("+1.2.3", None),
            ("", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
        assert!(Metadata::from_yaml("rules: []\nmutating: false\nminimumKubewardenVersion: v9.0.0\n").is_err());
    }

    #[test]
    fn rules_are_those_of_kubernetes() {
        for (rule, expected) in [
            (
                "{apiGroups: [], apiVersions: [v1], resources: [pods], operations: [CREATE]}",
                "rules[0]: none of its lists may be empty, and apiGroups is",
            ),
            (
                "{apiGroups: ['*', a], apiVersions: [v1], resources: [pods], operations: [CREATE]}",
                "rules[0].apiGroups: * stands for all, so nothing may stand beside it",
            ),
            (
                "{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [create]}",
                "rules[0].operations: \"create\" is none of CREATE, UPDATE, DELETE, CONNECT, *",
            ),
        ] {
            let error = Metadata::from_yaml(&format!("rules: [{rule}]\nmutating: false\n")).expect_err(rule);
            assert_eq!(error.to_string(), expected);
        }
        assert!(Metadata::from_yaml("rules: []\nmutating: false\n").is_ok());
        assert!(Metadata::from_yaml("rules: []\n").is_err());
    }

    #[test]
    fn metadata_are_written_in_kubewardens_order() {
        let yaml = format!(
            "{RULES}mutating: false\nexecutionMode: wasi\ncontextAwareResources: [{{kind: Pod, apiVersion: v1}}]\n"
        );
        let (metadata, _) = Metadata::from_yaml(&yaml).expect("metadata");
        assert_eq!(
            serde_json::to_string(&metadata).expect("JSON"),
            concat!(
                r#"{"rules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"],"operations":["CREATE"]}],"mutating":false,"#,
                r#""backgroundAudit":true,"executionMode":"wasi","policyType":"kubernetes","contextAwareResources":[{"apiVersion":"v1","kind":"Pod"}]}"#,
            )
        );
    }
}
