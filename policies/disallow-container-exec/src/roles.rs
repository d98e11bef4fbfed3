//! Roles and ClusterRoles that grant a way into containers.

use policy_kit::{Json, Level, Operation, Verdict, Violation};

use crate::aggregation::{self, by_level};
use crate::allow::{Entry, Excuse, Who};
use crate::bindings;
use crate::context::{Context, add_unique, note, tolerated};
use crate::known::Known;
use crate::lookup::{Granted, RoleRef, merge};
use crate::protection::{Place, guarded, protected};
use crate::rbac::{Access, Rule, labels};

/// A rule that grants something.
struct Grant<'j> {
    index: usize,
    rule: Rule<'j>,
    /// What the role granted already.
    old: Granted,
    /// What it did not.
    new: Granted,
}

/// What a role granted before an update: without a restriction to names, or with one, as text.
#[derive(Default)]
struct OldGrants {
    unrestricted: Granted,
    restricted: Known,
}

impl OldGrants {
    /// Rules that cannot be read granted nothing.
    fn of(context: &Context<'_>, in_namespace: bool) -> Self {
        let mut old = OldGrants::default();
        if context.request.operation() != Operation::Update {
            return old;
        }
        for rule in context.request.old_object.get("rules").items() {
            let Ok(read) = Rule::read(rule) else { continue };
            match restriction(rule) {
                None => merge(&mut old.unrestricted, read.grants(in_namespace)),
                Some(names) => {
                    for access in read.grants(in_namespace) {
                        old.restricted.add(restricted_to(&names, access));
                    }
                }
            }
        }
        old
    }

    fn has(&self, access: &'static Access, rule: &Json<'_>) -> bool {
        self.unrestricted.contains(&access)
            || restriction(rule).is_some_and(|names| self.restricted.has(&restricted_to(&names, access)))
    }
}

/// The names to which a rule is restricted; from one pod to all of them is a new grant.
fn restriction(rule: &Json<'_>) -> Option<String> {
    let names = rule.get("resourceNames");
    (!names.is_null() && !matches!(names, Json::Array(items) if items.is_empty())).then(|| names.to_string())
}

fn restricted_to(names: &str, access: &Access) -> String {
    format!("{}/{} {names}", access.group, access.resource)
}

/// Judges a Role in its namespace, or a ClusterRole, which may be bound anywhere.
pub(crate) fn judge(context: &Context<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let request = context.request;
    if request.object.as_object().is_none() {
        verdict.reject(Violation::general("the request holds no object to judge"));
        return verdict;
    }
    if is_gathering(context) {
        return verdict;
    }
    let is_cluster_role = request.kind() == "ClusterRole";
    let place = if is_cluster_role { Place::Everywhere } else { Place::Namespace(request.namespace()) };
    let mut grants = grants(context, !is_cluster_role, &mut verdict);
    let gathers = is_cluster_role && aggregation::is_new(context);
    let is_relabelled = is_cluster_role && aggregation::changes_labels(context);
    if grants.is_empty() && !gathers && !is_relabelled && verdict.violations.is_empty() {
        return verdict;
    }
    let protected = match protected(place, context.settings, context.host) {
        Some(protected) => protected,
        None => {
            let guarded = guarded(place, context.settings);
            let counts = |access: &Access| access.is_of_kubewarden() || (access.is_escalation() && guarded.is_some());
            for grant in &mut grants {
                grant.old.retain(|access| counts(access));
                grant.new.retain(|access| counts(access));
            }
            if guarded.is_none() {
                verdict = Verdict::default();
            }
            guarded.unwrap_or_else(|| "a cluster with protected namespaces".to_owned())
        }
    };
    // Whoever had the role had these grants already, unless it becomes a part of another role now.
    for grant in &grants {
        let mut one = Verdict::default();
        for (level, accesses) in by_level(context, &grant.old) {
            note(level, violation(grant, &accesses, &protected, None, ""), &mut one);
        }
        add_unique(&mut verdict, tolerated(one));
    }
    if is_relabelled {
        match aggregation::gathered_grants(context) {
            Ok(mut granted) => {
                merge(&mut granted, grants.iter().flat_map(|grant| grant.old.iter().copied()));
                aggregation::judge_labels(context, &granted, &mut verdict);
            }
            Err(error) => {
                let must_hold =
                    format!("must not change, as the ClusterRoles that this one gathers cannot be read: {error}");
                verdict.reject(Violation::at(&"metadata.labels", must_hold));
            }
        }
    }
    if gathers {
        aggregation::judge(context, &protected, &mut verdict);
    }
    judge_new(context, place, &protected, &grants, &mut verdict);
    verdict
}

/// The controller that fills in the rules of aggregated roles. Their sources have been judged, and it would try
/// for ever. It has a user of its own unless the controller manager uses one for all.
fn is_gathering(context: &Context<'_>) -> bool {
    const CONTROLLER: &str = "system:serviceaccount:kube-system:clusterrole-aggregation-controller";
    let request = context.request;
    let (old, new) = (&request.old_object, &request.object);
    let user = request.user_info.username();
    // A certificate with the name of a service account can be asked for; only the API server gives it the group.
    let is_controller = user == CONTROLLER && request.user_info.is_in_group("system:serviceaccounts");
    request.operation() == Operation::Update
        && (is_controller || user == "system:kube-controller-manager")
        && !new.get("aggregationRule").is_null()
        && new.get("aggregationRule") == old.get("aggregationRule")
        && new.get("metadata").get("labels") == old.get("metadata").get("labels")
}

/// The rules that grant something; those that cannot be read are violations.
fn grants<'c>(context: &Context<'c>, in_namespace: bool, verdict: &mut Verdict) -> Vec<Grant<'c>> {
    let rules = context.request.object.get("rules");
    if !matches!(rules, Json::Null | Json::Array(_)) {
        verdict.reject(Violation::at(&"rules", format!("cannot be read: expected a list, found {}", rules.kind())));
    }
    let old = OldGrants::of(context, in_namespace);
    let mut grants = Vec::new();
    for (index, rule) in rules.items().iter().enumerate() {
        match Rule::read(rule) {
            Ok(read) => {
                let is_watched = |access: &&Access| access.level(context.settings) > Level::Accept;
                let (old, new): (Granted, Granted) =
                    read.grants(in_namespace).filter(is_watched).partition(|access| old.has(access, rule));
                if !old.is_empty() || !new.is_empty() {
                    grants.push(Grant { index, rule: read, old, new });
                }
            }
            Err(error) => {
                verdict.reject(Violation::at(&format_args!("rules[{index}]"), format!("cannot be read: {error}")));
            }
        }
    }
    grants
}

/// Judges rules that the role did not have before. A role gives nothing to anybody until it is bound, and the
/// binding is judged by its subjects; so an entry for anybody is enough here, unless the role is bound already.
fn judge_new(context: &Context<'_>, place: Place<'_>, protected: &str, grants: &[Grant<'_>], verdict: &mut Verdict) {
    let excuse = |access: &'static Access| match context.excuse(Who::Anybody, place_of(place, access), access.needs) {
        Excuse::Excused(entry) => Some(entry),
        _ => None,
    };
    let excused: Granted =
        grants.iter().flat_map(|grant| grant.new.iter().copied()).filter(|access| excuse(access).is_some()).collect();
    let refusal = if excused.is_empty() { None } else { refusal(context, &excused) };
    for grant in grants {
        let mut uses: Vec<(&Entry, Granted)> = Vec::new();
        let mut rest = Granted::new();
        for access in &grant.new {
            match excuse(access).filter(|_| refusal.is_none()) {
                None => rest.push(access),
                Some(entry) => match uses.iter_mut().find(|(known, _)| std::ptr::eq(*known, entry)) {
                    Some((_, accesses)) => accesses.push(access),
                    None => uses.push((entry, vec![access])),
                },
            }
        }
        for (entry, accesses) in uses {
            entry.record(&format_args!("rules[{}]: a grant of {}", grant.index, labels(&accesses)), verdict);
        }
        for (level, accesses) in by_level(context, &rest) {
            let remark = ended(context, place, &accesses);
            note(level, violation(grant, &accesses, protected, refusal.as_deref(), &remark), verdict);
        }
    }
}

/// Which entry would excuse a grant if it had not ended.
fn ended(context: &Context<'_>, place: Place<'_>, accesses: &Granted) -> String {
    let remarks =
        accesses.iter().map(|access| context.excuse(Who::Anybody, place_of(place, access), access.needs).remark());
    remarks.into_iter().find(|remark| !remark.is_empty()).unwrap_or_default()
}

/// In a ClusterRole an excuse for any namespace counts, as the binding says where. What lies outside of namespaces
/// takes an excuse that holds everywhere.
fn place_of<'p>(place: Place<'p>, access: &Access) -> Place<'p> {
    match place {
        Place::Everywhere if access.is_namespaced => Place::Somewhere,
        place => place,
    }
}

fn violation(grant: &Grant<'_>, accesses: &Granted, protected: &str, refusal: Option<&str>, remark: &str) -> Violation {
    let way_out = match refusal {
        _ if accesses.iter().all(|access| access.is_escalation()) => "it is a way around this policy",
        Some(refusal) => refusal,
        None if grant.rule.has_wildcard() => "name what is needed instead of *",
        None => "leave it out, or let an entry in the policy's allow setting say who needs it",
    };
    let must_hold = format!("must not grant {} in {protected}: {way_out}{remark}", labels(accesses));
    Violation::at(&format_args!("rules[{}]", grant.index), must_hold)
}

/// Why an entry does not excuse the role, although it would excuse what it grants: somebody of whom no entry
/// speaks may have it already, by a binding that is older or by a role of which it is a part.
fn refusal(context: &Context<'_>, excused: &Granted) -> Option<String> {
    let request = context.request;
    let role = RoleRef { kind: request.kind(), name: request.name(), namespace: request.namespace() };
    match bindings::reached(context, role, excused) {
        Ok(Some(subject)) => {
            return Some(format!("{subject} has this role, and no entry in the policy's allow setting"));
        }
        Err(error) => return Some(format!("who has this role cannot be read: {error}")),
        Ok(None) => {}
    }
    if request.kind() != "ClusterRole" {
        return None;
    }
    match aggregation::newly_feeds(&Json::Null, request.object.get("metadata").get("labels"), context.host) {
        Ok(Some(role)) => Some(format!("its labels make it a part of ClusterRole {role}, whoever has that")),
        Err(error) => Some(format!("of which roles it is a part cannot be read: {error}")),
        Ok(None) => None,
    }
}
