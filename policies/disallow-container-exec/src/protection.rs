//! Which namespaces are protected.

use std::collections::BTreeMap;

use policy_kit::{Host, Json, cluster};

use crate::settings::Settings;

/// Where something takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// In one namespace.
    Namespace(&'a str),
    /// In all of them, or in one that cannot be told.
    Everywhere,
    /// In one that is decided elsewhere: an excuse for any will do.
    Somewhere,
}

/// Says where something takes effect if that is protected: `protected namespace shop`.
///
/// The cluster is asked only if the name alone does not decide, and callers come here only with a finding.
pub(crate) fn protected(place: Place<'_>, settings: &Settings, host: &dyn Host) -> Option<String> {
    let namespace = match place {
        Place::Namespace(namespace) if !namespace.is_empty() => namespace,
        _ => return Some("a cluster with protected namespaces".to_owned()),
    };
    if settings.protects_name(namespace) {
        return Some(format!("protected namespace {namespace}"));
    }
    if settings.protected_namespace_labels.is_empty() {
        return None;
    }
    let unknown = |why: String| Some(format!("namespace {namespace}, which counts as protected because {why}"));
    match cluster::get(host, "v1", "Namespace", None, namespace) {
        Ok(Some(answer)) => match answer.read() {
            Ok(object) => {
                let labels = object.get("metadata").get("labels");
                has_labels(labels, &settings.protected_namespace_labels)
                    .then(|| format!("protected namespace {namespace}"))
            }
            Err(error) => unknown(error),
        },
        Ok(None) => unknown("it does not exist yet, so create the Namespace first".to_owned()),
        Err(error) => unknown(format!("its labels cannot be read ({error})")),
    }
}

/// The same for what is a way around this policy: service accounts that the policy excuses or trusts can be borrowed
/// in their own namespaces, which need not be protected ones.
pub(crate) fn guarded(place: Place<'_>, settings: &Settings) -> Option<String> {
    let Place::Namespace(namespace) = place else { return None };
    let is_excused = settings.allow.iter().any(|entry| entry.is_of_service_account_in(namespace));
    if namespace == "kube-system" {
        Some("namespace kube-system, whose service accounts are trusted".to_owned())
    } else if is_excused {
        Some(format!("namespace {namespace}, whose service accounts are excused"))
    } else {
        None
    }
}

/// Whether all of the `wanted` labels are there.
pub(crate) fn has_labels(labels: &Json<'_>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key).as_str() == Some(value))
}
