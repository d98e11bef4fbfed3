//! RoleBindings and ClusterRoleBindings: who gets a way into containers.

use std::fmt;

use policy_kit::cluster;
use policy_kit::{Json, Operation, Verdict, Violation};

use crate::aggregation::by_level;
use crate::allow::{Entry, Excuse, Who};
use crate::context::{Context, note, tolerated};
use crate::lookup::{self, Granted, RoleRef};
use crate::protection::{Place, protected};
use crate::rbac::{RBAC, labels};
use crate::settings::Level;

/// Judges a binding by its role and by those of its subjects that are new.
pub(crate) fn judge(context: &Context<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let request = context.request;
    if request.object.as_object().is_none() {
        verdict.reject(Violation::general("the request holds no object to judge"));
        return verdict;
    }
    let namespace = if request.kind() == "RoleBinding" { request.namespace() } else { "" };
    let place = if namespace.is_empty() { Place::Everywhere } else { Place::Namespace(namespace) };
    let settings = context.settings;
    let subjects = request.object.get("subjects");
    if settings.grants.max(settings.escalation) == Level::Accept || is_empty(subjects) {
        return verdict;
    }
    let Some(protected) = protected(place, settings, context.host) else {
        return verdict;
    };
    if !matches!(subjects, Json::Array(_)) {
        let found = subjects.kind();
        verdict.reject(Violation::at(&"subjects", format!("cannot be read: expected a list, found {found}")));
        return verdict;
    }
    let role_ref = request.object.get("roleRef");
    let role = RoleRef { kind: role_ref.get("kind").text(), name: role_ref.get("name").text(), namespace };
    let granted = match read_role(context, role_ref, role) {
        Ok(granted) => granted,
        Err(must_hold) => {
            let level = settings.grants.max(settings.escalation);
            note(level, Violation::at(&"roleRef", must_hold), &mut verdict);
            let is_old = subjects.items().iter().all(|subject| is_unchanged(context, subject));
            return if is_old { tolerated(verdict) } else { verdict };
        }
    };
    let (old, new): (Vec<_>, Vec<_>) = subjects.items().iter().partition(|subject| is_unchanged(context, subject));
    verdict.add(judge_subjects(context, place, &protected, role, &granted, &new));
    verdict.add(tolerated(judge_subjects(context, place, &protected, role, &granted, &old)));
    verdict
}

fn is_empty(subjects: &Json<'_>) -> bool {
    match subjects {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn is_unchanged(context: &Context<'_>, subject: &Json<'_>) -> bool {
    let (old, new) = (&context.request.old_object, &context.request.object);
    context.request.operation() == Operation::Update
        && old.get("roleRef") == new.get("roleRef")
        && old.get("subjects").items().contains(subject)
}

/// What the role grants, or what is wrong with it.
fn read_role(context: &Context<'_>, role_ref: &Json<'_>, role: RoleRef<'_>) -> Result<Granted, String> {
    let RoleRef { kind, name, namespace } = role;
    let is_known = kind == "ClusterRole" || (kind == "Role" && !namespace.is_empty());
    // The group may be left out, and is filled in before admission then.
    let group = role_ref.get("apiGroup");
    if !is_known || name.is_empty() || !(group.is_null() || matches!(group.text(), "" | RBAC)) {
        return Err(format!("{kind} {name:?} is no role that can be bound here"));
    }
    match lookup::granted(context, role) {
        Ok(Some(granted)) => Ok(granted),
        Ok(None) => {
            Err(format!("{kind} {name} does not exist: create a role before its bindings, so that it can be judged"))
        }
        Err(error) => Err(format!("{kind} {name} cannot be read, so it must not be bound: {error}")),
    }
}

fn judge_subjects(
    context: &Context<'_>,
    place: Place<'_>,
    protected: &str,
    role: RoleRef<'_>,
    granted: &Granted,
    subjects: &[&Json<'_>],
) -> Verdict {
    let mut verdict = Verdict::default();
    let mut uses: Vec<&Entry> = Vec::new();
    let mut excused = Granted::new();
    // One finding per level names all subjects that lack an excuse for any of it.
    let mut findings: [(Vec<String>, Granted); 2] = Default::default();
    let mut remark = String::new();
    for subject in subjects {
        for access in granted {
            let level = access.level(context.settings);
            let (names, accesses) = match level {
                Level::Accept => continue,
                Level::Reject => &mut findings[0],
                Level::Warn => &mut findings[1],
            };
            match context.excuse(Who::Subject(subject), place, access.needs) {
                Excuse::Excused(entry) => {
                    if !uses.iter().any(|known| std::ptr::eq(*known, entry)) {
                        uses.push(entry);
                    }
                    if !excused.contains(access) {
                        excused.push(access);
                    }
                }
                excuse => {
                    let name = Subject(subject).to_string();
                    if !names.contains(&name) {
                        names.push(name);
                        remark.push_str(&excuse.remark());
                    }
                    if !accesses.contains(access) {
                        accesses.push(access);
                    }
                }
            }
        }
    }
    for entry in uses {
        let (kind, name) = (role.kind, role.name);
        entry.record(&format_args!("roleRef: {} by {kind} {name} in {protected}", labels(&excused)), &mut verdict);
    }
    for (names, accesses) in &findings {
        for (level, labels) in by_level(context, accesses) {
            let must_hold = format!(
                "{} {} must not be bound to {} in {protected}, as it grants {labels}: \
                 bind a role without it, such as view{remark}",
                role.kind,
                role.name,
                names.join(", "),
            );
            note(level, Violation::at(&"roleRef", must_hold), &mut verdict);
        }
    }
    verdict
}

/// Somebody who has a role by a binding that exists, and who is not excused from all that the role is about to
/// grant: `User bob (RoleBinding shop/bob)`.
pub(crate) fn reached(context: &Context<'_>, role: RoleRef<'_>, granted: &Granted) -> Result<Option<String>, String> {
    const VERSION: &str = "rbac.authorization.k8s.io/v1";
    let answers = if role.kind == "Role" {
        vec![("RoleBinding", cluster::list_in_namespace(context.host, VERSION, "RoleBinding", role.namespace)?)]
    } else {
        ["RoleBinding", "ClusterRoleBinding"]
            .into_iter()
            .map(|kind| Ok((kind, cluster::list_all(context.host, VERSION, kind, None)?)))
            .collect::<Result<Vec<_>, String>>()?
    };
    for (kind, answer) in &answers {
        let list = answer.read()?;
        for binding in list.get("items").items() {
            let role_ref = binding.get("roleRef");
            if role_ref.get("kind").text() != role.kind || role_ref.get("name").text() != role.name {
                continue;
            }
            if let Some(subject) = unexcused(context, kind, binding, granted) {
                return Ok(Some(subject));
            }
        }
    }
    Ok(None)
}

fn unexcused(context: &Context<'_>, kind: &str, binding: &Json<'_>, granted: &Granted) -> Option<String> {
    let metadata = binding.get("metadata");
    let namespace = metadata.get("namespace").text();
    let is_namespaced = kind == "RoleBinding";
    let place = if is_namespaced { Place::Namespace(namespace) } else { Place::Everywhere };
    protected(place, context.settings, context.host)?;
    let subject = binding.get("subjects").items().iter().find(|subject| {
        granted
            .iter()
            .filter(|access| access.is_namespaced || !is_namespaced)
            .any(|access| !matches!(context.excuse(Who::Subject(subject), place, access.needs), Excuse::Excused(_)))
    })?;
    let separator = if is_namespaced { "/" } else { "" };
    Some(format!("{} ({kind} {namespace}{separator}{})", Subject(subject), metadata.get("name").text()))
}

/// A subject, as people name it.
struct Subject<'s>(&'s Json<'s>);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = (self.0.get("kind").text(), self.0.get("name").text());
        match kind {
            "ServiceAccount" => write!(formatter, "{kind} {}/{name}", self.0.get("namespace").text()),
            _ => write!(formatter, "{kind} {name}"),
        }
    }
}
