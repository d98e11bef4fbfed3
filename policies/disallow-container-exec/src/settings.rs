//! What the cluster operator may configure.

use std::collections::BTreeMap;

use policy_kit::{Level, glob_matches, settings_error};
use serde::Deserialize;

use crate::allow::Entry;

/// Where shells are disallowed, for whom they are not, and how far the policy goes.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The protected namespaces, as names or globs. Unset, these are all of them, unless labels say which.
    pub protected_namespaces: Option<Vec<String>>,
    /// Namespaces that have all of these labels are protected, too.
    pub protected_namespace_labels: BTreeMap<String, String>,
    /// Who is excused from what.
    pub allow: Vec<Entry>,
    /// What happens to port-forwards and to the HTTP proxies of pods and services.
    pub port_forward: Level,
    /// What happens to ephemeral containers, interactive pods and node debuggers.
    pub debug_pods: Level,
    /// What happens to roles and bindings that grant any of it.
    pub grants: Level,
    /// What happens to roles and bindings that grant a way around it.
    pub escalation: Level,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            protected_namespaces: None,
            protected_namespace_labels: BTreeMap::new(),
            allow: Vec::new(),
            port_forward: Level::Reject,
            debug_pods: Level::Reject,
            grants: Level::Reject,
            escalation: Level::Warn,
        }
    }
}

impl Settings {
    /// Whether a namespace is protected by its name.
    pub(crate) fn protects_name(&self, namespace: &str) -> bool {
        match &self.protected_namespaces {
            Some(patterns) => patterns.iter().any(|pattern| glob_matches(pattern, namespace)),
            // Labels would be without any effect if everything else were protected beside them.
            None => self.protected_namespace_labels.is_empty(),
        }
    }

    /// Whether no namespace is left out.
    pub(crate) fn protects_every_name(&self) -> bool {
        match &self.protected_namespaces {
            Some(patterns) => patterns.iter().any(|pattern| is_everything(pattern)),
            None => self.protected_namespace_labels.is_empty(),
        }
    }

    /// Whether these patterns reach into every protected namespace.
    pub(crate) fn reaches_everything(&self, patterns: &[String]) -> bool {
        let all_named = || match &self.protected_namespaces {
            Some(protected) if self.protected_namespace_labels.is_empty() => {
                let is_covered = |name: &String| {
                    patterns.contains(name)
                        || (!name.contains('*') && patterns.iter().any(|pattern| glob_matches(pattern, name)))
                };
                protected.iter().all(is_covered)
            }
            _ => false,
        };
        patterns.iter().any(|pattern| is_everything(pattern)) || all_named()
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let no_names = self.protected_namespaces.as_ref().is_some_and(Vec::is_empty);
        if no_names && self.protected_namespace_labels.is_empty() {
            return Err(settings_error(
                "protectedNamespaces",
                "protects nothing: name at least one namespace, such as prod-*, or set protectedNamespaceLabels",
            ));
        }
        check_namespaces("protectedNamespaces", self.protected_namespaces.as_deref().unwrap_or_default())?;
        if self.protected_namespace_labels.keys().any(String::is_empty) {
            return Err(settings_error("protectedNamespaceLabels", "a label needs a name, such as environment"));
        }
        self.allow.iter().enumerate().try_for_each(|(index, entry)| entry.check(&format!("allow[{index}]")))
    }
}

fn is_everything(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|b| b == b'*')
}

/// Refuses what can match no namespace: a misspelt name would protect nothing, and nobody would notice.
pub(crate) fn check_namespaces(key: &str, patterns: &[String]) -> Result<(), String> {
    let can_match = |pattern: &String| {
        !pattern.is_empty()
            && pattern.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'*'))
    };
    match patterns.iter().enumerate().find(|(_, pattern)| !can_match(pattern)) {
        Some((index, pattern)) => Err(settings_error(
            &format!("{key}[{index}]"),
            format!("{pattern:?} can match no namespace: write a name or a glob in lower case, such as prod-*"),
        )),
        None => Ok(()),
    }
}
