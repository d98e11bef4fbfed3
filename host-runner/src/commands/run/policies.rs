//! From the policy argument of `run` to policies in force, with their settings checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy_metadata::{ExecutionMode, PolicyType};
use serde_json::{Map, Value};

use super::super::outside::Outside;
use super::RunOptions;
use crate::capabilities::{AllowList, NoCapabilities};
use crate::enforcement::{
    Configured, Enforced, Enforcement, MEMBERS, Member, Mode, PolicyResource, ResourceError, Selection, read_resource,
};
use crate::manifest;
use crate::modules::{self, ModuleUri, Store};
use crate::policy::{Engine, EvaluateError, Limits, Policy, error_chain};
use crate::sources::modules_of;

/// The name of a policy that is no resource, in kwctl's words.
const FROM_COMMAND_LINE: &str = "policy-from-cli";

/// What the policy argument names.
#[derive(Debug)]
pub(in crate::commands) enum Named {
    /// A module.
    Module(ModuleUri),
    /// A file with policy resources.
    Resources(PathBuf),
}

impl Named {
    /// Reads the argument as kwctl does: a file of resources by its extension; an address; a file; a digest in the store.
    /// A policy of the bundle stands in front of the digest.
    ///
    /// # Errors
    ///
    /// When it names nothing.
    pub(in crate::commands) fn find(text: &str, raw: bool, store: Option<Store>) -> Result<Self, String> {
        let is_resources = [".yaml", ".yml"].iter().any(|extension| text.ends_with(extension));
        if is_resources && (!text.contains("://") || text.starts_with("file://")) {
            if raw {
                return Err(format!("The --raw option cannot be used with a YAML file: {text}"));
            }
            return Ok(Named::Resources(PathBuf::from(text.strip_prefix("file://").unwrap_or(text))));
        }
        find_module(text, store).map(Named::Module)
    }

    /// Gets the modules.
    ///
    /// # Errors
    ///
    /// When one cannot be had, or is not signed by whom it should.
    pub(in crate::commands) fn load(
        self,
        options: &RunOptions,
        settings: Map<String, Value>,
        outside: &Outside<'_>,
    ) -> Result<Vec<Unprepared>, String> {
        match self {
            Named::Module(uri) => {
                let bytes = bytes_of(&uri, options, outside)?;
                Ok(vec![Unprepared::Module { bytes, settings }])
            }
            Named::Resources(path) => {
                let text = manifest::read_to_string(&path).map_err(|problem| problem.to_string())?;
                let manifests = manifest::read_text(&path.display().to_string(), &text);
                if let Some(problem) = manifests.problems.first() {
                    return Err(problem.to_string());
                }
                let folder = path.parent().unwrap_or(Path::new(""));
                let resources = manifests.objects.iter().map(|manifest| {
                    let place = |message: String| format!("{}:{}: {message}", manifest.file, manifest.line);
                    let mut resource = read_resource(&manifest.object).map_err(|error| match error {
                        ResourceError::Shape(text) => place(text),
                        error => in_kwctls_words(error),
                    })?;
                    if resource.name.is_empty() {
                        "crd-without-name".clone_into(&mut resource.name);
                    }
                    let modules =
                        modules_of(&resource, folder, |uri| bytes_of(uri, options, outside)).map_err(place)?;
                    Ok(Unprepared::Resource(Box::new(resource), modules))
                });
                resources.collect()
            }
        }
    }
}

#[cfg(feature = "live")]
fn bytes_of(uri: &ModuleUri, options: &RunOptions, outside: &Outside<'_>) -> Result<Vec<u8>, String> {
    let uri = match options.trust.verified(uri, outside.network())? {
        Some(pinned) => pinned,
        None => uri.clone(),
    };
    outside.modules().bytes(&uri)
}

#[cfg(not(feature = "live"))]
fn bytes_of(uri: &ModuleUri, _: &RunOptions, outside: &Outside<'_>) -> Result<Vec<u8>, String> {
    outside.modules().bytes(uri)
}

fn in_kwctls_words(error: ResourceError) -> String {
    match error {
        ResourceError::ApiVersion(version) => format!("invalid apiVersion {:?}", Some(version)),
        ResourceError::Kind { kind } => format!("unknown kind {:?}, not a Kubewarden policy", Some(kind)),
        ResourceError::Shape(text) => text,
    }
}

/// The module that an argument names.
///
/// # Errors
///
/// In kwctl's words, when it names nothing.
pub(in crate::commands) fn find_module(text: &str, store: Option<Store>) -> Result<ModuleUri, String> {
    if text.contains("://") {
        return ModuleUri::parse(text);
    }
    if Path::new(text).exists() {
        return Ok(ModuleUri::File(PathBuf::from(text)));
    }
    if bundle::policy(text).is_some() {
        return Ok(ModuleUri::Bundled(text.to_owned()));
    }
    match store.map(|store| store.by_digest(text)).unwrap_or_default().as_slice() {
        [] => Err(format!("Cannot find policy with uri: {text}; {}", modules::unknown(text))),
        [path] => Ok(ModuleUri::File(path.clone())),
        several => {
            let paths: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            Err(format!("{text:?} is the beginning of several digests: {}", paths.join(", ")))
        }
    }
}

/// A policy whose settings nobody has looked at yet.
pub(in crate::commands) enum Unprepared {
    Module { bytes: Vec<u8>, settings: Map<String, Value> },
    Resource(Box<PolicyResource>, BTreeMap<String, Vec<u8>>),
}

/// A policy that can be asked.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Prepared {
    pub(in crate::commands) enforcement: Enforcement,
    /// Whether it judges any JSON, and not admission requests.
    pub(in crate::commands) is_raw: bool,
}

impl Unprepared {
    /// The name of the resource, or that of the module as it was given.
    pub(in crate::commands) fn name(&self, given: &str) -> String {
        match self {
            Unprepared::Module { .. } => given.to_owned(),
            Unprepared::Resource(resource, _) => resource.name.clone(),
        }
    }

    /// Loads the module and has it check its settings.
    ///
    /// # Errors
    ///
    /// In kwctl's words.
    pub(in crate::commands) fn prepare(self, options: &RunOptions, engine: &Engine) -> Result<Prepared, String> {
        let allowed = match &options.allowed_capabilities {
            None => AllowList::all(),
            Some(patterns) => AllowList::parse(patterns).map_err(|error| error.to_string())?,
        };
        let allowed = Arc::new(allowed);
        match self {
            Unprepared::Module { bytes, settings } => {
                let policy = load(engine, &bytes, options.mode)?;
                let metadata = policy.metadata();
                let is_raw = options.raw || is_raw(&policy);
                let grants = metadata
                    .filter(|_| options.allow_context_aware)
                    .map(|metadata| metadata.context_aware_resources.iter().cloned().collect())
                    .unwrap_or_default();
                let configured =
                    Configured { settings: json(settings), grants: Arc::new(grants), allowed, timeout: None, policy };
                if let Some(mistake) = settings_mistake(&configured, options.limits)? {
                    return Err(format!("Provided settings are not valid: {mistake}"));
                }
                let enforcement = Enforcement {
                    name: FROM_COMMAND_LINE.to_owned(),
                    enforced: Enforced::Policy(configured),
                    mode: Mode::Protect,
                    // Whatever its metadata say.
                    mutating: true,
                    selection: Selection::default(),
                    message: None,
                };
                Ok(Prepared { enforcement, is_raw })
            }
            Unprepared::Resource(resource, modules) => prepare_resource(*resource, &modules, &allowed, options, engine),
        }
    }
}

fn prepare_resource(
    resource: PolicyResource,
    modules: &BTreeMap<String, Vec<u8>>,
    allowed: &Arc<AllowList>,
    options: &RunOptions,
    engine: &Engine,
) -> Result<Prepared, String> {
    let group = resource.name.clone();
    // Those of a group are told together.
    let mut mistakes = Vec::new();
    let enforcement = resource.enforce(|place, member: Member| {
        let bytes = modules.get(&member.module).map(Vec::as_slice).unwrap_or_default();
        let configured = member.load(engine, bytes, allowed).map_err(|error| error_chain(&error))?;
        if place != "spec" && is_raw(&configured.policy) {
            return Err(format!("{place}.module: a policy that judges raw requests cannot be in a group"));
        }
        if let Some(mistake) = settings_mistake(&configured, options.limits)? {
            mistakes.push(match place.strip_prefix(MEMBERS) {
                Some(name) => format!("{group}/{name}: settings not valid: Policy settings are invalid: {mistake}"),
                None => mistake,
            });
        }
        Ok::<_, String>(configured)
    })?;
    if !mistakes.is_empty() {
        return Err(format!("Provided settings are not valid: {}", mistakes.join(", ")));
    }
    let is_raw = match &enforcement.enforced {
        Enforced::Policy(configured) => is_raw(&configured.policy),
        Enforced::Group(_) => false,
    };
    Ok(Prepared { enforcement, is_raw })
}

fn is_raw(policy: &Policy) -> bool {
    policy.metadata().is_some_and(|metadata| metadata.policy_type == PolicyType::Raw)
}

fn load(engine: &Engine, bytes: &[u8], mode: Option<ExecutionMode>) -> Result<Policy, String> {
    Policy::load_as(engine, bytes, mode).map_err(|error| error_chain(&error))
}

/// What the policy has against its settings; empty when it does not say.
fn settings_mistake(configured: &Configured, limits: Limits) -> Result<Option<String>, String> {
    let answer = configured.policy.validate_settings(&configured.settings, Arc::new(NoCapabilities), limits);
    let failed = |text: &str| format!("Error invoking settings validation callback: GuestCallFailure({text:?})");
    match answer {
        Ok(verdict) if verdict.valid => Ok(None),
        Ok(verdict) => {
            let message = verdict.message.unwrap_or_default();
            Ok(Some(if verdict.is_guest_error { failed(&message) } else { message }))
        }
        Err(EvaluateError::MalformedAnswer(error)) => Ok(Some(format!("error: InvalidResponseWithError({error:?})"))),
        Err(EvaluateError::Trap { cause, .. }) => Ok(Some(failed(&cause.to_string()))),
        Err(EvaluateError::NoAnswer) => Ok(Some(failed("No error message OR response set for call success"))),
        Err(error) => Err(error_chain(&error)),
    }
}

fn json(settings: Map<String, Value>) -> Vec<u8> {
    Value::Object(settings).to_string().into_bytes()
}
