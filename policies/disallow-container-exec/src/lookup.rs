//! What a role that a binding names grants, asked from the cluster.

use policy_kit::{Json, cluster};

use crate::aggregation;
use crate::context::Context;
use crate::rbac::{Access, Rule};

/// What a role grants where it is bound.
pub(crate) type Granted = Vec<&'static Access>;

/// A role as a binding names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoleRef<'r> {
    /// `Role` or `ClusterRole`.
    pub(crate) kind: &'r str,
    pub(crate) name: &'r str,
    /// The namespace of the binding; empty when it holds in the whole cluster.
    pub(crate) namespace: &'r str,
}

/// What the role grants; `None` when there is no such role.
///
/// It is read as it is now, never from a cache: a harmless state could have been put there for the purpose.
///
/// # Errors
///
/// When the cluster cannot be asked, or its answer cannot be understood.
pub(crate) fn granted(context: &Context<'_>, role: RoleRef<'_>) -> Result<Option<Granted>, String> {
    let in_namespace = !role.namespace.is_empty();
    let namespace = (role.kind == "Role").then_some(role.namespace);
    let found = cluster::get_latest(context.host, "rbac.authorization.k8s.io/v1", role.kind, namespace, role.name)?;
    let Some(answer) = found else {
        return Ok(match role.kind {
            "ClusterRole" => built_in(role.name, in_namespace),
            _ => built_in_of_namespace(role.namespace, role.name),
        });
    };
    let object = answer.read()?;
    let mut granted = of_rules(object.get("rules"), in_namespace)?;
    // The controller that gathers the rules may not have got round to it yet.
    if !object.get("aggregationRule").is_null() {
        let answer = aggregation::cluster_roles(context.host)?;
        for source in aggregation::gathered(&object, &answer.read()?) {
            merge(&mut granted, of_rules(source.get("rules"), in_namespace)?);
        }
    }
    Ok(Some(granted))
}

/// What a list of rules grants.
///
/// # Errors
///
/// Names the rule that cannot be read.
pub(crate) fn of_rules(rules: &Json<'_>, in_namespace: bool) -> Result<Granted, String> {
    let mut granted = Granted::new();
    if !matches!(rules, Json::Null | Json::Array(_)) {
        return Err(format!("its rules are {}, not a list", rules.kind()));
    }
    for (index, rule) in rules.items().iter().enumerate() {
        let rule = Rule::read(rule).map_err(|error| format!("its rules[{index}] cannot be read: {error}"))?;
        merge(&mut granted, rule.grants(in_namespace));
    }
    Ok(granted)
}

/// Adds accesses, each once.
pub(crate) fn merge(granted: &mut Granted, more: impl IntoIterator<Item = &'static Access>) {
    for access in more {
        if !granted.contains(&access) {
            granted.push(access);
        }
    }
}

/// The Roles that every API server makes on its own (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy`): they let
/// extension servers read how clients log in, and grant nothing that this policy disallows.
fn built_in_of_namespace(namespace: &str, name: &str) -> Option<Granted> {
    (namespace == "kube-system" && name == "extension-apiserver-authentication-reader").then(Granted::new)
}

/// The ClusterRoles that every API server makes on its own, for when the cluster is not there to be asked. Where it is,
/// its answer counts: some take exec out of `edit`.
fn built_in(name: &str, in_namespace: bool) -> Option<Granted> {
    const EDIT: &[&str] = &["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"];
    let edit = || {
        vec![
            Rule::of(&[""], EDIT, &["get", "create"]),
            Rule::of(&[""], &["serviceaccounts"], &["impersonate"]),
            Rule::of(&[""], &["serviceaccounts/token"], &["create"]),
        ]
    };
    let rules = match name {
        "cluster-admin" => vec![Rule::of(&["*"], &["*"], &["*"])],
        "admin" => {
            let mut rules = edit();
            rules.push(Rule::of(&["rbac.authorization.k8s.io"], &["rolebindings"], &["create"]));
            rules
        }
        "edit" => edit(),
        "system:kubelet-api-admin" => vec![Rule::of(&[""], &["nodes/proxy"], &["*"])],
        "view" | "system:auth-delegator" | "system:basic-user" | "system:discovery" => Vec::new(),
        _ => return None,
    };
    let mut granted = Granted::new();
    for rule in rules {
        merge(&mut granted, rule.grants(in_namespace));
    }
    Some(granted)
}
