//! Kubewarden's own resources: what a policy or a group of policies says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use policy_metadata::{ContextAwareResource, Rule};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Condition, Expression, FailurePolicy, LabelSelector, Mode, Selection};

/// A policy resource, read but not yet loaded.
#[derive(Debug, Clone)]
pub struct PolicyResource {
    /// `metadata.name`; empty where there is none.
    pub name: String,
    /// `spec.mode`.
    pub mode: Mode,
    /// `spec.message`.
    pub message: Option<String>,
    /// Which requests it is asked about.
    pub selection: Selection,
    /// Who decides.
    pub body: ResourceBody,
}

/// Who decides.
#[derive(Debug, Clone)]
pub enum ResourceBody {
    /// One policy.
    Policy {
        /// Which.
        member: Member,
        /// `spec.mutating`.
        mutating: bool,
    },
    /// Several.
    Group {
        /// `spec.expression`.
        expression: Expression,
        /// `spec.policies`.
        members: BTreeMap<String, Member>,
    },
}

/// A policy as a resource, or a group in one, names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Where the module is.
    pub module: String,
    /// Its settings.
    #[serde(default, deserialize_with = "settings")]
    pub settings: Map<String, Value>,
    /// The cluster objects that it may read.
    #[serde(default)]
    pub context_aware_resources: Vec<ContextAwareResource>,
    /// The seconds that it has for one evaluation.
    #[serde(default)]
    timeout_eval_seconds: Option<u64>,
}

impl Member {
    /// The time that it has for one evaluation.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout_eval_seconds.map(Duration::from_secs)
    }
}

/// `null` is no settings.
fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Why a resource is not a policy that can be enforced here.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// Another API version.
    #[error("its apiVersion is {0:?}, and only policies.kubewarden.io/v1 is known")]
    ApiVersion(String),
    /// Another kind.
    #[error("{kind:?} is no kind of policy: there are {}", KINDS.join(", "))]
    Kind {
        /// What it says.
        kind: String,
    },
    /// The resource does not have the shape of its kind.
    #[error("{0}")]
    Shape(String),
}

/// Kubewarden's kinds of policies.
const KINDS: [&str; 4] =
    ["ClusterAdmissionPolicy", "AdmissionPolicy", "ClusterAdmissionPolicyGroup", "AdmissionPolicyGroup"];

/// Keys of a spec that not all kinds have, and the kinds that have them.
const KEYS_OF_SOME: &[(&str, &[&str])] = &[
    ("module", &KINDS_OF_ONE),
    ("settings", &KINDS_OF_ONE),
    ("mutating", &KINDS_OF_ONE),
    ("timeoutEvalSeconds", &KINDS_OF_ONE),
    ("expression", &KINDS_OF_GROUPS),
    ("policies", &KINDS_OF_GROUPS),
    ("contextAwareResources", &["ClusterAdmissionPolicy"]),
    ("namespaceSelector", &["ClusterAdmissionPolicy", "ClusterAdmissionPolicyGroup"]),
    ("allowInsideAdmissionControllerNamespace", &["ClusterAdmissionPolicy", "ClusterAdmissionPolicyGroup"]),
];

const KINDS_OF_ONE: [&str; 2] = ["ClusterAdmissionPolicy", "AdmissionPolicy"];
const KINDS_OF_GROUPS: [&str; 2] = ["ClusterAdmissionPolicyGroup", "AdmissionPolicyGroup"];

/// Whether an object is one of Kubewarden's policy resources, of any kind.
pub fn is_policy_resource(object: &Value) -> bool {
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
    #[serde(default)]
    module: Option<String>,
    #[serde(default)]
    settings: Option<Map<String, Value>>,
    #[serde(default)]
    expression: Option<String>,
    #[serde(default)]
    policies: BTreeMap<String, Member>,
    #[serde(default)]
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
    match_conditions: Vec<MatchCondition>,
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
    failure_policy: FailurePolicy,
    #[serde(default)]
    side_effects: Option<String>,
    #[serde(default)]
    background_audit: Option<bool>,
    #[serde(default)]
    allow_inside_admission_controller_namespace: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchCondition {
    name: String,
    expression: String,
}

/// Reads one of Kubewarden's policy resources.
///
/// # Errors
///
/// When it is something else, or has a key that its kind does not have.
pub fn read_resource(object: &Value) -> Result<PolicyResource, ResourceError> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    if api_version != "policies.kubewarden.io/v1" {
        return Err(ResourceError::ApiVersion(api_version));
    }
    if !KINDS.contains(&kind.as_str()) {
        return Err(ResourceError::Kind { kind });
    }
    read_spec(&object["spec"], &kind)
        .map(|(spec, body)| {
            let namespace = match text("/metadata/namespace") {
                namespace if namespace.is_empty() => "default".to_owned(),
                namespace => namespace,
            };
            let is_namespaced = !kind.starts_with("Cluster");
            Ok(PolicyResource {
                name: text("/metadata/name"),
                mode: spec.mode,
                message: spec.message,
                selection: Selection {
                    rules: spec.rules,
                    namespace: is_namespaced.then_some(namespace),
                    namespace_selector: spec.namespace_selector,
                    object_selector: spec.object_selector,
                    is_exact: spec.match_policy.as_deref() == Some("Exact"),
                    conditions: conditions(spec.match_conditions)?,
                    failure_policy: spec.failure_policy,
                },
                body,
            })
        })
        .and_then(|resource| resource)
        .map_err(|mistake| ResourceError::Shape(format!("spec{mistake}")))
}

/// The spec, and who decides by it. What is wrong is said behind the place of the spec.
fn read_spec(value: &Value, kind: &str) -> Result<(Spec, ResourceBody), String> {
    let mut unknown = Vec::new();
    let mut spec: Spec = serde_ignored::deserialize(value, |path| unknown.push(path.to_string()))
        .map_err(|error| format!(": {error}"))?;
    if let Some(key) = unknown.first() {
        return Err(format!(".{key}: there is no such key"));
    }
    for (key, kinds) in KEYS_OF_SOME {
        if value.get(key).is_some() && !kinds.contains(&kind) {
            return Err(format!(".{key}: {kind} has no such key"));
        }
    }
    if spec.match_policy.as_deref().is_some_and(|policy| !["Exact", "Equivalent"].contains(&policy)) {
        return Err(".matchPolicy is neither Exact nor Equivalent".to_owned());
    }
    if spec.rules.is_empty() {
        return Err(".rules is empty: the policy would never be asked".to_owned());
    }
    for (index, rule) in spec.rules.iter().enumerate() {
        rule.check().map_err(|mistake| format!(".rules[{index}]{mistake}"))?;
    }
    let body = if KINDS_OF_GROUPS.contains(&kind) {
        group(&mut spec, kind)?
    } else {
        let module = spec.module.take().ok_or(": missing field `module`")?;
        let member = Member {
            module,
            settings: spec.settings.take().unwrap_or_default(),
            context_aware_resources: std::mem::take(&mut spec.context_aware_resources),
            timeout_eval_seconds: spec.timeout_eval_seconds,
        };
        check_timeout(&member).map_err(|mistake| format!(".{mistake}"))?;
        ResourceBody::Policy { member, mutating: spec.mutating }
    };
    Ok((spec, body))
}

fn group(spec: &mut Spec, kind: &str) -> Result<ResourceBody, String> {
    let expression = spec.expression.take().ok_or(": missing field `expression`")?;
    if spec.message.is_none() {
        return Err(": missing field `message`".to_owned());
    }
    if spec.policies.is_empty() {
        return Err(".policies is empty: a group needs at least one policy".to_owned());
    }
    let members = std::mem::take(&mut spec.policies);
    for (name, member) in &members {
        if !is_identifier(name) {
            return Err(format!(
                ".policies.{name}: a name in an expression consists of letters, digits and _, begins with none of the \
                 digits, and is no word of CEL's own"
            ));
        }
        check_timeout(member).map_err(|mistake| format!(".policies.{name}.{mistake}"))?;
        if !kind.starts_with("Cluster") && !member.context_aware_resources.is_empty() {
            return Err(format!(".policies.{name}.contextAwareResources: {kind} has no such key"));
        }
    }
    let names: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    let expression = Expression::parse(&expression, &names).map_err(|error| format!(".expression: {error}"))?;
    Ok(ResourceBody::Group { expression, members })
}

fn check_timeout(member: &Member) -> Result<(), &'static str> {
    match member.timeout_eval_seconds {
        Some(seconds) if !(2..=30).contains(&seconds) => Err("timeoutEvalSeconds is not between 2 and 30"),
        _ => Ok(()),
    }
}

/// Whether CEL takes this for the name of a function. See <https://github.com/google/cel-spec/blob/master/doc/langdef.md>.
fn is_identifier(name: &str) -> bool {
    const RESERVED: [&str; 21] = [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    ];
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && !name.is_empty()
        && !RESERVED.contains(&name)
}

fn conditions(given: Vec<MatchCondition>) -> Result<Vec<Condition>, String> {
    if given.len() > 64 {
        return Err(".matchConditions: Kubernetes takes no more than 64".to_owned());
    }
    let mut names = BTreeSet::new();
    let compile = |(index, MatchCondition { name, expression }): (usize, MatchCondition)| {
        if !names.insert(name.clone()) {
            return Err(format!(".matchConditions[{index}]: two of them are named {name:?}"));
        }
        Condition::compile(name, &expression)
            .map_err(|mistake| format!(".matchConditions[{index}].expression: {mistake}"))
    };
    given.into_iter().enumerate().map(compile).collect()
}
