//! A policy that is still to be loaded: from bytes and what is said of them to one in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy_metadata::PolicyType;
use serde_json::{Map, Value};

use super::Origin;
use crate::capabilities::{AllowList, NoCapabilities};
use crate::enforcement::{Configured, Enforced, Enforcement, Member, Mode, PolicyResource, Selection};
use crate::manifest::{Problem, problem};
use crate::policy::{Engine, Limits, Policy, error_chain};

/// A policy that is still to be loaded.
pub(super) enum Candidate {
    /// A module that speaks through its metadata.
    Module {
        name: String,
        origin: Origin,
        bytes: Vec<u8>,
        settings: Option<Map<String, Value>>,
        /// Where the settings stand.
        settings_origin: Option<Origin>,
    },
    /// What a resource says, and the bytes of the modules that it names.
    Resource { resource: Box<PolicyResource>, origin: Origin, modules: BTreeMap<String, Vec<u8>> },
}

/// Why a candidate is not in force.
pub(super) enum Refusal {
    /// It needs settings and has none; what it says of it.
    NotConfigured(String, String),
    /// It cannot be used.
    Problem(Problem),
}

impl Candidate {
    /// The name, if it takes settings from a file.
    pub(super) fn configurable_name(&self) -> Option<&str> {
        match self {
            Candidate::Module { name, .. } => Some(name),
            Candidate::Resource { .. } => None,
        }
    }

    /// Loads it and has it check its settings.
    pub(super) fn enforce(self, engine: &Engine, limits: Limits) -> Result<Enforcement, Refusal> {
        match self {
            Candidate::Module { name, origin, bytes, settings, settings_origin } => {
                enforce_module(name, &origin, &bytes, settings, settings_origin, engine, limits)
            }
            Candidate::Resource { resource, origin, modules } => enforce_resource(*resource, &modules, engine, limits)
                .map_err(|message| Refusal::Problem(problem(&origin.file, origin.line, message))),
        }
    }
}

fn enforce_module(
    name: String,
    origin: &Origin,
    bytes: &[u8],
    settings: Option<Map<String, Value>>,
    settings_origin: Option<Origin>,
    engine: &Engine,
    limits: Limits,
) -> Result<Enforcement, Refusal> {
    let refuse = |message: String| Refusal::Problem(problem(&origin.file, origin.line, message));
    let policy = Policy::load(engine, bytes).map_err(|error| refuse(error_chain(&error)))?;
    let has_settings = settings.is_some();
    let settings = json(settings.unwrap_or_default());
    if let Some(refusal) = settings_refusal(&policy, &settings, limits).map_err(refuse)? {
        return Err(if has_settings {
            let origin = settings_origin.as_ref().unwrap_or(origin);
            Refusal::Problem(problem(&origin.file, origin.line, format!("{name}: {refusal}")))
        } else {
            Refusal::NotConfigured(name, refusal)
        });
    }
    let Some(metadata) = policy.metadata() else {
        return Err(refuse(
            "the module is not annotated, so nothing says which requests it is for; \
             write a ClusterAdmissionPolicy with rules that names it"
                .to_owned(),
        ));
    };
    if metadata.rules.is_empty() {
        return Err(refuse(
            "its metadata have no rules, so it would never be asked; write a ClusterAdmissionPolicy".to_owned(),
        ));
    }
    judges_requests(&policy).map_err(refuse)?;
    Ok(Enforcement {
        name,
        mode: Mode::Protect,
        mutating: metadata.mutating,
        selection: Selection { rules: metadata.rules.clone(), ..Selection::default() },
        message: None,
        enforced: Enforced::Policy(Configured {
            settings,
            grants: Arc::new(metadata.context_aware_resources.iter().cloned().collect()),
            allowed: Arc::new(AllowList::all()),
            timeout: None,
            policy: policy.clone(),
        }),
    })
}

fn enforce_resource(
    resource: PolicyResource,
    modules: &BTreeMap<String, Vec<u8>>,
    engine: &Engine,
    limits: Limits,
) -> Result<Enforcement, String> {
    let allowed = Arc::new(AllowList::all());
    resource.enforce(|place, member: Member| {
        let bytes = modules.get(&member.module).map(Vec::as_slice).unwrap_or_default();
        let configured = member.load(engine, bytes, &allowed);
        let configured = configured.map_err(|error| format!("{place}.module: {}", error_chain(&error)))?;
        judges_requests(&configured.policy).map_err(|mistake| format!("{place}.module: {mistake}"))?;
        match settings_refusal(&configured.policy, &configured.settings, limits)? {
            Some(refusal) => Err(format!("{place}.settings: {refusal}")),
            None => Ok(configured),
        }
    })
}

/// Whether the policy is one for admission requests, which is what a cluster asks about.
fn judges_requests(policy: &Policy) -> Result<(), String> {
    match policy.metadata().map(|metadata| metadata.policy_type) {
        Some(PolicyType::Raw) => Err("the policy judges raw requests, and no cluster asks it about objects".to_owned()),
        _ => Ok(()),
    }
}

/// What the policy has against its settings.
fn settings_refusal(policy: &Policy, settings: &[u8], limits: Limits) -> Result<Option<String>, String> {
    policy
        .validate_settings(settings, Arc::new(NoCapabilities), limits)
        .map(crate::policy::SettingsVerdict::refusal)
        .map_err(|error| format!("its settings cannot be validated: {}", error_chain(&error)))
}

fn json(settings: Map<String, Value>) -> Vec<u8> {
    Value::Object(settings).to_string().into_bytes()
}
