//! Aggregated ClusterRoles, whose rules a controller gathers from other ClusterRoles by their labels.
//!
//! The API server sees no rule being granted in either of them, so both are judged: the one that starts to gather,
//! and the one that gets a label to be gathered by.

use policy_kit::cluster::{self, Answer};
use policy_kit::{Host, Json, Level, Operation, Verdict, Violation};

use crate::context::{Context, note};
use crate::lookup::{Granted, merge, of_rules};
use crate::rbac::labels;
use crate::selector::selects;

/// All ClusterRoles.
pub(crate) fn cluster_roles(host: &dyn Host) -> Result<Answer, String> {
    cluster::list_all(host, "rbac.authorization.k8s.io/v1", "ClusterRole", None)
}

/// Of `all` ClusterRoles those whose rules `role` gathers, and those whose rules these gather in turn: the controller
/// may not have got round to any of them yet.
pub(crate) fn gathered<'o, 'a>(role: &Json<'_>, all: &'o Json<'a>) -> Vec<&'o Json<'a>> {
    let mut found: Vec<&'o Json<'a>> = Vec::new();
    let mut rest: Vec<&'o Json<'a>> =
        all.get("items").items().iter().filter(|other| name_of(other) != name_of(role)).collect();
    let mut gathering = vec![role];
    while let Some(role) = gathering.pop() {
        let (sources, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|other| gathers(role, other.get("metadata").get("labels")));
        rest = others;
        gathering.extend(sources.iter().filter(|source| !source.get("aggregationRule").is_null()));
        found.extend(sources);
    }
    found
}

/// The name of a ClusterRole that gathers what has the `new` labels, but did not gather what has the `old` ones.
pub(crate) fn newly_feeds(old: &Json<'_>, new: &Json<'_>, host: &dyn Host) -> Result<Option<String>, String> {
    if let Some(name) = newly_feeds_built_in(old, new) {
        return Ok(Some(name));
    }
    let answer = cluster_roles(host)?;
    let all = answer.read()?;
    let found = all.get("items").items().iter().find(|role| gathers(role, new) && !gathers(role, old));
    Ok(found.map(|role| name_of(role).to_owned()))
}

/// The labels that feed the roles which every cluster has are known without asking.
fn newly_feeds_built_in(old: &Json<'_>, new: &Json<'_>) -> Option<String> {
    const FEEDS: &str = "rbac.authorization.k8s.io/aggregate-to-";
    let is_new =
        |key: &str, value: &Json<'_>| key.starts_with(FEEDS) && value.text() == "true" && old.get(key) != value;
    let (key, _) = new.members().iter().find(|(key, value)| is_new(key, value))?;
    key.strip_prefix(FEEDS).map(str::to_owned)
}

fn gathers(role: &Json<'_>, labels: &Json<'_>) -> bool {
    let selectors = role.get("aggregationRule").get("clusterRoleSelectors").items();
    selectors.iter().any(|selector| selects(selector, labels))
}

fn name_of<'o>(role: &'o Json<'_>) -> &'o str {
    role.get("metadata").get("name").text()
}

/// Whether the request makes a ClusterRole gather what it did not gather before.
pub(crate) fn is_new(context: &Context<'_>) -> bool {
    let rule = context.request.object.get("aggregationRule");
    let is_old =
        context.request.operation() == Operation::Update && rule == context.request.old_object.get("aggregationRule");
    !rule.is_null() && !is_old
}

/// Judges what a ClusterRole that is new in this is about to gather. An entry excuses nobody here: the sources
/// change under the role, and nobody is asked then.
pub(crate) fn judge(context: &Context<'_>, protected: &str, verdict: &mut Verdict) {
    let all = cluster_roles(context.host);
    let all = match all.as_ref().map_err(Clone::clone).and_then(Answer::read) {
        Ok(all) => all,
        Err(error) => {
            let must_hold = format!("gathers roles that cannot be read: {error}");
            verdict.reject(Violation::at(&"aggregationRule", must_hold));
            return;
        }
    };
    for source in gathered(&context.request.object, &all) {
        let name = name_of(source);
        match of_rules(source.get("rules"), false) {
            Ok(granted) => {
                for (level, accesses) in by_level(context, &granted) {
                    let labels = labels(&accesses);
                    let must_hold = format!("must not gather ClusterRole {name}, which grants {labels} in {protected}");
                    note(level, Violation::at(&"aggregationRule", must_hold), verdict);
                }
            }
            Err(error) => {
                let must_hold = format!("gathers ClusterRole {name}, which cannot be read: {error}");
                verdict.reject(Violation::at(&"aggregationRule", must_hold));
            }
        }
    }
}

/// What a ClusterRole that gathers holds beside its own rules, which may have been emptied for the moment.
///
/// # Errors
///
/// When the cluster cannot be asked, or a role cannot be understood.
pub(crate) fn gathered_grants(context: &Context<'_>) -> Result<Granted, String> {
    let role = &context.request.object;
    if role.get("aggregationRule").is_null() {
        return Ok(Granted::new());
    }
    let answer = cluster_roles(context.host)?;
    let all = answer.read()?;
    let mut granted = Granted::new();
    for source in gathered(role, &all) {
        merge(&mut granted, of_rules(source.get("rules"), false)?);
    }
    Ok(granted)
}

/// Whether the labels of a ClusterRole change, by which others may gather it.
pub(crate) fn changes_labels(context: &Context<'_>) -> bool {
    let (old, new) = (&context.request.old_object, &context.request.object);
    context.request.operation() == Operation::Update
        && old.get("metadata").get("labels") != new.get("metadata").get("labels")
}

/// Judges labels that a ClusterRole with grants of old gets: an aggregated role would hold them, too, and with it
/// everybody to whom that one is bound.
pub(crate) fn judge_labels(context: &Context<'_>, granted: &Granted, verdict: &mut Verdict) {
    let old = context.request.old_object.get("metadata").get("labels");
    let new = context.request.object.get("metadata").get("labels");
    if granted.is_empty() || old == new {
        return;
    }
    match newly_feeds(old, new, context.host) {
        Ok(None) => {}
        Ok(Some(role)) => {
            for (level, accesses) in by_level(context, granted) {
                let labels = labels(&accesses);
                let must_hold = format!("must not make this a part of ClusterRole {role}, as it grants {labels}");
                note(level, Violation::at(&"metadata.labels", must_hold), verdict);
            }
        }
        Err(error) => {
            let must_hold =
                format!("must not change, as the ClusterRoles that may gather this one cannot be read: {error}");
            verdict.reject(Violation::at(&"metadata.labels", must_hold));
        }
    }
}

/// Accesses, by how a grant of them is answered.
pub(crate) fn by_level(context: &Context<'_>, granted: &Granted) -> Vec<(Level, Granted)> {
    let at = |level| {
        let accesses = granted.iter().filter(|access| access.level(context.settings) == level);
        (level, accesses.copied().collect::<Granted>())
    };
    [at(Level::Reject), at(Level::Warn)].into_iter().filter(|(_, accesses)| !accesses.is_empty()).collect()
}
