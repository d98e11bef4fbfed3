//! RoleBindings and ClusterRoleBindings: who gets a way into containers.

use std::fmt;

use policy_kit::cluster;
use policy_kit::{Json, Level, Operation, Verdict, Violation};

use crate::aggregation::by_level;
use crate::allow::{Entry, Excuse, Who};
use crate::context::{Context, note, tolerated};
use crate::known::Known;
use crate::lookup::{self, Granted, RoleRef};
use crate::protection::{Place, guarded, protected};
use crate::rbac::{RBAC, labels};

/// Judges a binding by its role and by those of its subjects that are new.
pub(crate) fn judge(context: &Context<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let request = context.request;
    if request.object.as_object().is_none() {
        verdict.reject(Violation::general("the request holds no object to judge"));
        return verdict;
    }
    let namespace = if request.kind() == "RoleBinding" { request.namespace() } else { "" };
    let place = place_of_binding(request.kind(), namespace);
    let settings = context.settings;
    let subjects = request.object.get("subjects");
    if settings.grants.max(settings.escalation) == Level::Accept || is_empty(subjects) {
        return verdict;
    }
    let is_protected = protected(place, settings, context.host);
    let is_guarded_only = is_protected.is_none();
    let Some(protected) = is_protected.or_else(|| guarded(place, settings)) else {
        return verdict;
    };
    if !matches!(subjects, Json::Array(_)) {
        let found = subjects.kind();
        verdict.reject(Violation::at(&"subjects", format!("cannot be read: expected a list, found {found}")));
        return verdict;
    }
    let role_ref = request.object.get("roleRef");
    let role = RoleRef { kind: role_ref.get("kind").text(), name: role_ref.get("name").text(), namespace };
    let old = old_subjects(context);
    let mut granted = match read_role(context, role_ref, role) {
        Ok(granted) => granted,
        Err(unreadable) => {
            // In a dry run the role may be part of what is tried, and nothing of it is kept.
            let level = match is_guarded_only {
                _ if unreadable.is_missing && request.is_dry_run() => Level::Warn,
                true => settings.escalation,
                false => settings.grants.max(settings.escalation),
            };
            note(level, Violation::at(&"roleRef", unreadable.must_hold), &mut verdict);
            let is_old = subjects.items().iter().all(|subject| old.has_value(subject));
            return if is_old { tolerated(verdict) } else { verdict };
        }
    };
    granted.retain(|access| access.level(settings) > Level::Accept && (access.is_escalation() || !is_guarded_only));
    if granted.is_empty() {
        return verdict;
    }
    let (old, new): (Vec<_>, Vec<_>) = subjects.items().iter().partition(|subject| old.has_value(subject));
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

/// The subjects that had this very role before.
fn old_subjects(context: &Context<'_>) -> Known {
    let (old, new) = (&context.request.old_object, &context.request.object);
    let is_same_role = context.request.operation() == Operation::Update && old.get("roleRef") == new.get("roleRef");
    Known::values(if is_same_role { old.get("subjects").items() } else { &[] })
}

/// Why a role cannot be judged.
struct Unreadable {
    must_hold: String,
    /// It does not exist; otherwise something is wrong.
    is_missing: bool,
}

/// What the role grants, or what is wrong with it.
fn read_role(context: &Context<'_>, role_ref: &Json<'_>, role: RoleRef<'_>) -> Result<Granted, Unreadable> {
    let wrong = |must_hold| Unreadable { must_hold, is_missing: false };
    let RoleRef { kind, name, namespace } = role;
    let is_known = kind == "ClusterRole" || (kind == "Role" && !namespace.is_empty());
    // The group may be left out, and is filled in before admission then.
    let group = role_ref.get("apiGroup");
    if !is_known || name.is_empty() || !(group.is_null() || matches!(group.text(), "" | RBAC)) {
        return Err(wrong(format!("{kind} {name:?} is no role that can be bound here")));
    }
    match lookup::granted(context, role) {
        Ok(Some(granted)) => Ok(granted),
        Ok(None) => Err(Unreadable {
            must_hold: format!(
                "{kind} {name} does not exist: create a role before its bindings, so that it can be judged"
            ),
            is_missing: true,
        }),
        Err(error) => Err(wrong(format!("{kind} {name} cannot be read, so it must not be bound: {error}"))),
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
    // One finding per level names the subjects that lack an excuse for any of it.
    let mut findings: [Finding; 2] = Default::default();
    for subject in subjects {
        let mut is_named = [false; 2];
        for access in granted {
            let index = usize::from(access.level(context.settings) != Level::Reject);
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
                    if !std::mem::replace(&mut is_named[index], true) {
                        findings[index].name(subject, &excuse);
                    }
                    if !findings[index].accesses.contains(access) {
                        findings[index].accesses.push(access);
                    }
                }
            }
        }
    }
    for entry in uses {
        let (kind, name) = (role.kind, role.name);
        entry.record(&format_args!("roleRef: {} by {kind} {name} in {protected}", labels(&excused)), &mut verdict);
    }
    for finding in &findings {
        for (level, accesses) in by_level(context, &finding.accesses) {
            let must_hold = format!(
                "{} {} must not be bound to {} in {protected}, as it grants {}: \
                 bind a role without it, such as view{}",
                role.kind,
                role.name,
                finding.names(),
                labels(&accesses),
                finding.remark,
            );
            note(level, Violation::at(&"roleRef", must_hold), &mut verdict);
        }
    }
    verdict
}

/// Who must not have what.
#[derive(Default)]
struct Finding {
    accesses: Granted,
    named: Vec<String>,
    others: usize,
    remark: String,
}

impl Finding {
    /// A message is read by people, and there may be thousands of subjects.
    const MOST_NAMES: usize = 10;

    fn name(&mut self, subject: &Json<'_>, excuse: &Excuse<'_>) {
        if self.named.len() == Finding::MOST_NAMES {
            self.others += 1;
            return;
        }
        self.named.push(Subject(subject).to_string());
        let remark = excuse.remark();
        if !self.remark.contains(&remark) {
            self.remark.push_str(&remark);
        }
    }

    fn names(&self) -> String {
        match self.others {
            0 => self.named.join(", "),
            others => format!("{} and {others} more", self.named.join(", ")),
        }
    }
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
    let mut unprotected = Known::default();
    for (kind, answer) in &answers {
        let list = answer.read()?;
        for binding in list.get("items").items() {
            let role_ref = binding.get("roleRef");
            if role_ref.get("kind").text() != role.kind || role_ref.get("name").text() != role.name {
                continue;
            }
            let Some(subject) = unexcused(context, kind, binding, granted) else { continue };
            let namespace = binding.get("metadata").get("namespace").text();
            let place = place_of_binding(kind, namespace);
            // Of thousands of bindings most are in the same few namespaces, and each costs a question.
            if unprotected.has(namespace) {
                continue;
            }
            if protected(place, context.settings, context.host).is_some() {
                return Ok(Some(subject));
            }
            unprotected.add(namespace.to_owned());
        }
    }
    Ok(None)
}

fn unexcused(context: &Context<'_>, kind: &str, binding: &Json<'_>, granted: &Granted) -> Option<String> {
    let metadata = binding.get("metadata");
    let namespace = metadata.get("namespace").text();
    let is_namespaced = kind == "RoleBinding";
    let place = place_of_binding(kind, namespace);
    let subject = binding.get("subjects").items().iter().find(|subject| {
        granted
            .iter()
            .filter(|access| access.is_namespaced || !is_namespaced)
            .any(|access| !matches!(context.excuse(Who::Subject(subject), place, access.needs), Excuse::Excused(_)))
    })?;
    let separator = if is_namespaced { "/" } else { "" };
    Some(format!("{} ({kind} {namespace}{separator}{})", Subject(subject), metadata.get("name").text()))
}

fn place_of_binding<'p>(kind: &str, namespace: &'p str) -> Place<'p> {
    if kind == "RoleBinding" { Place::Namespace(namespace) } else { Place::Everywhere }
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
