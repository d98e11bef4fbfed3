//! Kubewarden's own resources: what a ClusterAdmissionPolicy or an AdmissionPolicy says.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{LabelSelector, Mode, Rule, Selection};
use crate::capabilities::ContextAwareResource;

/// A policy resource, read but not yet loaded.
#[derive(Debug, Clone)]
pub struct PolicyResource {
    /// `metadata.name`.
    pub name: String,
    /// `spec.module`.
    pub module: String,
    /// `spec.settings`.
    pub settings: Map<String, Value>,
    /// `spec.mode`.
    pub mode: Mode,
    /// `spec.mutating`.
    pub mutating: bool,
    /// `spec.message`.
    pub message: Option<String>,
    /// `spec.contextAwareResources`.
    pub context_aware_resources: Vec<ContextAwareResource>,
    /// `spec.timeoutEvalSeconds`.
    pub timeout: Option<Duration>,
    /// Which requests it is asked about.
    pub selection: Selection,
}

/// Why a resource is not a policy that can be enforced here.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// Another API version.
    #[error("its apiVersion is {0:?}, and only policies.kubewarden.io/v1 is known")]
    ApiVersion(String),
    /// A policy group, or no policy at all.
    #[error("{0} is not supported: write a ClusterAdmissionPolicy or an AdmissionPolicy")]
    Kind(String),
    /// The resource does not have the shape of its kind.
    #[error("{0}")]
    Shape(String),
}

/// Whether an object is one of Kubewarden's policy resources, of any kind.
pub fn is_policy_resource(object: &Value) -> bool {
    const KINDS: [&str; 4] =
        ["ClusterAdmissionPolicy", "AdmissionPolicy", "ClusterAdmissionPolicyGroup", "AdmissionPolicyGroup"];
    // By its kind too, so that a misspelt apiVersion is told and not passed over.
    // A PolicyServer often lies beside its policies.
    let is_server = object["kind"] == "PolicyServer";
    (!is_server && object["apiVersion"].as_str().is_some_and(|version| version.starts_with("policies.kubewarden.io/")))
        || object["kind"].as_str().is_some_and(|kind| KINDS.contains(&kind))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "keys that mean nothing to a local run are still known, so that misspelt ones are not")]
struct Spec {
    module: String,
    #[serde(default)]
    settings: Option<Map<String, Value>>,
    rules: Vec<Rule>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    mutating: bool,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    match_policy: Option<String>,
    #[serde(default)]
    match_conditions: Vec<Value>,
    #[serde(default)]
    object_selector: Option<LabelSelector>,
    #[serde(default)]
    namespace_selector: Option<LabelSelector>,
    #[serde(default)]
    context_aware_resources: Vec<ContextAwareResource>,
    #[serde(default)]
    timeout_eval_seconds: Option<u64>,
    #[serde(default)]
    timeout_seconds: Option<u64>,
    #[serde(default)]
    policy_server: Option<String>,
    #[serde(default)]
    failure_policy: Option<String>,
    #[serde(default)]
    side_effects: Option<String>,
    #[serde(default)]
    background_audit: Option<bool>,
    #[serde(default)]
    allow_inside_admission_controller_namespace: Option<bool>,
}

/// Reads a ClusterAdmissionPolicy or an AdmissionPolicy.
///
/// # Errors
///
/// When it is something else, or names a key that its kind does not have.
pub fn read_resource(object: &Value) -> Result<PolicyResource, ResourceError> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    if api_version != "policies.kubewarden.io/v1" {
        return Err(ResourceError::ApiVersion(api_version));
    }
    let is_cluster_wide = match kind.as_str() {
        "ClusterAdmissionPolicy" => true,
        "AdmissionPolicy" => false,
        _ => return Err(ResourceError::Kind(kind)),
    };
    let spec = Spec::deserialize(&object["spec"]).map_err(|error| ResourceError::Shape(format!("spec: {error}")))?;
    let shape = |message: &str| Err(ResourceError::Shape(message.to_owned()));
    if text("/metadata/name").is_empty() {
        return shape("metadata.name is missing");
    }
    if spec.match_policy.as_deref().is_some_and(|policy| !["Exact", "Equivalent"].contains(&policy)) {
        return shape("spec.matchPolicy is neither Exact nor Equivalent");
    }
    if spec.timeout_eval_seconds.is_some_and(|seconds| !(2..=30).contains(&seconds)) {
        return shape("spec.timeoutEvalSeconds is not between 2 and 30");
    }
    if spec.rules.is_empty() {
        return shape("spec.rules is empty: the policy would never be asked");
    }
    for (index, rule) in spec.rules.iter().enumerate() {
        let lists = [&rule.api_groups, &rule.api_versions, &rule.resources, &rule.operations];
        if lists.into_iter().any(Vec::is_empty) {
            return Err(ResourceError::Shape(format!("spec.rules[{index}]: none of its lists may be empty")));
        }
        let known = ["CREATE", "UPDATE", "DELETE", "CONNECT", "*"];
        if let Some(other) = rule.operations.iter().find(|operation| !known.contains(&operation.as_str())) {
            return Err(ResourceError::Shape(format!(
                "spec.rules[{index}].operations: {other:?} is none of {}",
                known.join(", ")
            )));
        }
    }
    if !is_cluster_wide && (spec.namespace_selector.is_some() || !spec.context_aware_resources.is_empty()) {
        return shape("spec: an AdmissionPolicy has neither namespaceSelector nor contextAwareResources");
    }
    let namespace = match text("/metadata/namespace") {
        namespace if namespace.is_empty() => "default".to_owned(),
        namespace => namespace,
    };
    Ok(PolicyResource {
        name: text("/metadata/name"),
        module: spec.module,
        settings: spec.settings.unwrap_or_default(),
        mode: spec.mode,
        mutating: spec.mutating,
        message: spec.message,
        context_aware_resources: spec.context_aware_resources,
        timeout: spec.timeout_eval_seconds.map(Duration::from_secs),
        selection: Selection {
            rules: spec.rules,
            namespace: (!is_cluster_wide).then_some(namespace),
            namespace_selector: spec.namespace_selector,
            object_selector: spec.object_selector,
            is_exact: spec.match_policy.as_deref() == Some("Exact"),
            conditions: spec.match_conditions.len(),
        },
    })
}
