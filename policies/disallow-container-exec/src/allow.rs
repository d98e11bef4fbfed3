//! Break-glass: who is excused, from what, where, until when and why.

use std::fmt;

use policy_kit::{Json, UserInfo, Verdict, clock, settings_error};
use serde::Deserialize;

use crate::protection::Place;
use crate::settings::{Settings, check_namespaces};

/// One excuse. Users and groups are compared exactly: a prefix or a glob would excuse whoever may choose a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// The user, as the API server authenticates it: `system:serviceaccount:velero:velero`.
    pub user: Option<String>,
    /// The group; either this or the user is set.
    pub group: Option<String>,
    /// Where, as names or globs.
    pub namespaces: Vec<String>,
    /// From what.
    pub subresources: Vec<Subresource>,
    /// When the excuse ends; unset, it does not.
    pub until: Option<Until>,
    /// Why, for those who read the audit log.
    pub reason: String,
}

/// What somebody can be excused from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subresource {
    /// Running a command in a container.
    Exec,
    /// Attaching to a container, and pods that wait for it with `stdin` or `tty`.
    Attach,
    /// Forwarding a port of a pod.
    PortForward,
    /// The HTTP proxies of pods and services.
    Proxy,
    /// Debug containers, pods that share their processes, and node debuggers.
    EphemeralContainers,
}

/// A moment, as the settings write it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Until {
    text: String,
    seconds: i64,
}

impl TryFrom<String> for Until {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // A date alone would end the excuse when that day begins, which few expect.
        match clock::seconds_since_epoch(&text).filter(|_| text.len() > "2026-12-31".len()) {
            Some(seconds) => Ok(Until { text, seconds }),
            None => Err(format!("{text:?} is no time: write it as RFC 3339 has it, such as 2026-12-31T00:00:00Z")),
        }
    }
}

/// Groups that are everybody, or nearly so.
const CROWDS: [&str; 5] = [
    "system:authenticated",
    "system:unauthenticated",
    "system:serviceaccounts",
    "system:nodes",
    // All administrators, whom no role and no binding could ever take out again.
    "system:masters",
];

impl Entry {
    pub(crate) fn check(&self, key: &str) -> Result<(), String> {
        let mistake = |member: &str, mistake: String| Err(settings_error(&format!("{key}.{member}"), mistake));
        match (&self.user, &self.group) {
            (Some(user), None) => check_user(user).or_else(|text| mistake("user", text))?,
            (None, Some(group)) => check_group(group).or_else(|text| mistake("group", text))?,
            _ => return Err(settings_error(key, "name either a user or a group")),
        }
        if self.namespaces.is_empty() {
            return mistake("namespaces", "say where, such as [shop], or [\"*\"] for everywhere".to_owned());
        }
        check_namespaces(&format!("{key}.namespaces"), &self.namespaces)?;
        if self.subresources.is_empty() {
            return mistake("subresources", "say what, such as [exec]".to_owned());
        }
        if self.reason.trim().is_empty() {
            return mistake("reason", "say why, for those who read the audit log".to_owned());
        }
        Ok(())
    }

    /// Whether the entry excuses a service account of this namespace.
    pub(crate) fn is_of_service_account_in(&self, namespace: &str) -> bool {
        let account = self.user.as_deref().and_then(|user| user.strip_prefix("system:serviceaccount:"));
        account.and_then(|account| account.split_once(':')).is_some_and(|(own, _)| own == namespace)
    }

    fn covers(&self, needed: &[Subresource]) -> bool {
        needed.iter().all(|subresource| self.subresources.contains(subresource))
    }

    fn reaches(&self, place: Place<'_>, settings: &Settings) -> bool {
        match place {
            Place::Namespace(namespace) => {
                self.namespaces.iter().any(|pattern| policy_kit::glob_matches(pattern, namespace))
            }
            Place::Somewhere => true,
            Place::Everywhere => settings.reaches_everything(&self.namespaces),
        }
    }

    fn has_ended(&self, now: i64) -> bool {
        self.until.as_ref().is_some_and(|until| until.seconds <= now)
    }

    /// Notes that the entry was used: as a warning to the requester, and in the audit log.
    pub(crate) fn record(&self, what: &impl fmt::Display, verdict: &mut Verdict) {
        let end = self.until.as_ref().map(|until| format!(" until {}", until.text)).unwrap_or_default();
        let use_of_entry = format!("{what}, excused by the allow entry for {self}{end}: {}", self.reason);
        verdict.audit_annotations.push(("break-glass", use_of_entry.clone()));
        verdict.warn(use_of_entry);
    }
}

fn check_user(user: &str) -> Result<(), String> {
    if let Some(account) = user.strip_prefix("system:serviceaccount:") {
        let is_whole = account.split(':').count() == 2 && account.split(':').all(|part| !part.is_empty());
        if !is_whole || account.contains('*') {
            return Err(format!(
                "{user:?} names no service account: write system:serviceaccount:<namespace>:<name>, whole"
            ));
        }
    }
    match user {
        _ if user.trim().is_empty() || user.contains('*') => Err(format!("{user:?} must be one user's whole name")),
        _ if CROWDS.contains(&user) => Err(format!("{user:?} is a group, not a user")),
        "system:anonymous" => Err(format!("{user:?} is whoever has no name: it cannot be excused")),
        _ => Ok(()),
    }
}

fn check_group(group: &str) -> Result<(), String> {
    if group.trim().is_empty() || group.contains('*') {
        return Err(format!("{group:?} must be one group's whole name"));
    }
    if CROWDS.contains(&group) || group.starts_with("system:serviceaccounts:") {
        return Err(format!("{group:?} is too many: name the users, or a group that was made for the purpose"));
    }
    Ok(())
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.user, &self.group) {
            (Some(user), _) => write!(formatter, "user {user}"),
            (None, group) => write!(formatter, "group {}", group.as_deref().unwrap_or_default()),
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Somebody who may be excused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who<'a> {
    /// The requester, as the API server authenticated it; an impersonated one is the one it impersonates.
    Requester(&'a UserInfo<'a>),
    /// A subject of a binding.
    Subject(&'a Json<'a>),
    /// Anybody at all: for a role, of which its bindings say who gets it.
    Anybody,
}

impl Who<'_> {
    fn is(self, entry: &Entry) -> bool {
        match self {
            Who::Anybody => true,
            Who::Requester(requester) => {
                entry.user.as_deref().is_some_and(|user| user == requester.username())
                    || entry.group.as_deref().is_some_and(|group| requester.is_in_group(group))
            }
            Who::Subject(subject) => {
                let name = subject.get("name").text();
                match subject.get("kind").text() {
                    "User" => entry.user.as_deref() == Some(name),
                    "Group" => entry.group.as_deref() == Some(name),
                    "ServiceAccount" => entry.user.as_deref().is_some_and(|user| {
                        user.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':'))
                            == Some((subject.get("namespace").text(), name))
                    }),
                    _ => false,
                }
            }
        }
    }
}

/// Whether somebody is excused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Excuse<'s> {
    /// By this entry.
    Excused(&'s Entry),
    /// Not any more.
    Ended(&'s Entry),
    /// By nothing.
    None,
}

impl Excuse<'_> {
    /// What is added to a violation, so that nobody looks for a mistake in an entry that has merely ended.
    pub(crate) fn remark(&self) -> String {
        match self {
            Excuse::Ended(entry @ Entry { until: Some(until), .. }) => {
                format!(" (the allow entry for {entry} expired at {until})")
            }
            _ => String::new(),
        }
    }
}

impl Settings {
    /// Looks for an entry that excuses somebody from all of `needed` in a place.
    pub(crate) fn excuse(&self, who: Who<'_>, place: Place<'_>, needed: &[Subresource], now: i64) -> Excuse<'_> {
        let mut excuse = Excuse::None;
        // An escalation needs no subresource, so an entry that covers all of none would excuse it.
        if needed.is_empty() {
            return excuse;
        }
        for entry in self.allow.iter().filter(|entry| entry.covers(needed) && who.is(entry)) {
            if entry.reaches(place, self) {
                if !entry.has_ended(now) {
                    return Excuse::Excused(entry);
                }
                excuse = Excuse::Ended(entry);
            }
        }
        excuse
    }
}
