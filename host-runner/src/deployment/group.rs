//! A ClusterAdmissionPolicyGroup.

use std::collections::BTreeMap;

use policy_metadata::{ContextAwareResource, Rule};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::policy::{TIMEOUT, common, head, selects_away_from_platform};
use super::yaml::Lines;
use super::{DeployedModule, Deployment, settings};

/// A group of policies of a deployment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupExample {
    /// What the resource is called.
    pub name: String,
    /// What it is for, in a sentence or two.
    pub about: String,
    /// When the group accepts, in CEL, over the names of the members.
    pub expression: String,
    /// What is said when it does not.
    pub message: String,
    /// The members, by the name that the expression has for them.
    pub policies: BTreeMap<String, GroupMember>,
}

/// A member of a group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMember {
    /// The policy of the deployment.
    pub policy: String,
    /// Settings beside those that it must have.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member<'d> {
    module: &'d str,
    settings: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    context_aware_resources: Vec<&'d ContextAwareResource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_eval_seconds: Option<u32>,
}

/// The resource of one group; `None` when one of its members is not part of the deployment.
pub(super) fn resource(deployment: &Deployment, group: &GroupExample) -> Result<Option<String>, String> {
    let module_of = |member: &GroupMember| deployment.modules.iter().find(|module| module.name == member.policy);
    let members: Option<Vec<(&String, &GroupMember, &DeployedModule)>> =
        group.policies.iter().map(|(name, member)| Some((name, member, module_of(member)?))).collect();
    let Some(members) = members.filter(|members| !members.is_empty()) else { return Ok(None) };
    let named = |message| format!("{}: {message}", group.name);

    let mut lines = Lines::default();
    lines.comment(0, &group.about);
    head(&mut lines, "ClusterAdmissionPolicyGroup", &group.name);
    lines.line(0, "spec:");
    common(&mut lines, deployment, members.iter().all(|(_, _, module)| selects_away_from_platform(&module.metadata)))
        .map_err(named)?;
    lines.entry(2, "expression", &group.expression).map_err(named)?;
    lines.entry(2, "message", &group.message).map_err(named)?;
    lines.comment(2, "A group changes no objects. Its answer names the message of each member that said no.");
    lines.line(2, "policies:");
    // Together they may not take longer than the group.
    let slow = members.iter().filter(|(_, _, module)| module.asks_outside()).count();
    let share = u32::try_from(slow).ok().filter(|slow| *slow > 0).map(|slow| (TIMEOUT / slow).max(2));
    for (name, member, module) in &members {
        let member = Member {
            module: &module.uri,
            settings: settings::bare(module, &member.settings).map_err(named)?,
            context_aware_resources: module.metadata.context_aware_resources.iter().collect(),
            timeout_eval_seconds: share.filter(|_| module.asks_outside()),
        };
        lines.entry(4, name, &member).map_err(named)?;
    }
    lines.rules(2, shared_rules(&members)).map_err(named)?;
    Ok(Some(lines.into_text()))
}

/// The rules that all members are made for.
fn shared_rules<'d>(members: &[(&String, &GroupMember, &'d DeployedModule)]) -> impl Iterator<Item = &'d Rule> {
    let rules = members.first().map(|(_, _, module)| module.metadata.rules.as_slice()).unwrap_or_default();
    rules.iter().filter(|rule| members.iter().all(|(_, _, module)| module.metadata.rules.contains(rule)))
}
