//! The spec of Kubewarden's policy resources: read strictly, since a key that is misspelt is a policy that is not enforced.

use std::collections::{BTreeMap, BTreeSet};

use policy_metadata::{ContextAwareResource, Rule};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::resource::{Member, ResourceBody};
use super::{Condition, Expression, FailurePolicy, LabelSelector, Mode, Selection};

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

/// What a spec says.
pub(super) struct Read {
    pub(super) mode: Mode,
    pub(super) message: Option<String>,
    pub(super) selection: Selection,
    pub(super) body: ResourceBody,
}

/// Reads the spec of a resource that holds in this namespace, or everywhere. What is wrong is said so that it can stand
/// behind the place of the spec.
pub(super) fn read(value: &Value, kind: &str, namespace: Option<String>) -> Result<Read, String> {
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
    let timeout = spec.timeout_seconds.unwrap_or(10);
    if !(2..=30).contains(&timeout) {
        return Err(".timeoutSeconds is not between 2 and 30".to_owned());
    }
    if spec.side_effects.as_deref().is_some_and(|effects| !["None", "NoneOnDryRun"].contains(&effects)) {
        return Err(".sideEffects is neither None nor NoneOnDryRun".to_owned());
    }
    let members = spec.policies.values().filter_map(|member| member.timeout_eval_seconds);
    let evaluation: u64 = spec.timeout_eval_seconds.into_iter().chain(members).fold(0, u64::saturating_add);
    if evaluation > timeout {
        return Err(format!(
            ".timeoutSeconds: {timeout} seconds for the webhook are less than {evaluation} for its policies"
        ));
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
    let selection = Selection {
        rules: spec.rules,
        namespace,
        namespace_selector: spec.namespace_selector,
        object_selector: spec.object_selector,
        is_exact: spec.match_policy.as_deref() == Some("Exact"),
        conditions: conditions(spec.match_conditions)?,
        failure_policy: spec.failure_policy,
    };
    Ok(Read { mode: spec.mode, message: spec.message, selection, body })
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
