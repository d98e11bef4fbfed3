//! Where policies come from: the bundle inside the binary, `.wasm` files, Kubewarden's policy resources.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Map, Value};

use crate::capabilities::NoCapabilities;
use crate::enforcement::{Enforcement, Mode, PolicyResource, Selection, is_policy_resource, read_resource};
use crate::manifest::{self, Manifest, Problem, problem};
use crate::policy::{Engine, Limits, Policy, error_chain};

/// The settings that the user gave, by policy name.
pub type Settings = BTreeMap<String, Option<Map<String, Value>>>;

/// The policies of a run.
#[derive(Debug, Default)]
pub struct Policies {
    /// Those that can be asked, in the order in which a cluster asks them.
    pub enforcements: Vec<Enforcement>,
    /// Those that need settings and have none: name and what the policy says of it.
    pub not_configured: Vec<(String, String)>,
    /// What could not be used.
    pub problems: Vec<Problem>,
}

/// A policy that is still to be loaded.
struct Candidate {
    name: String,
    origin: Origin,
    bytes: Vec<u8>,
    /// What a resource says; module files and the bundle speak through their metadata.
    resource: Option<PolicyResource>,
    settings: Option<Map<String, Value>>,
}

/// Where to point when something is wrong.
#[derive(Clone)]
struct Origin {
    file: String,
    line: Option<usize>,
}

/// Which policies to take.
#[derive(Debug, Default)]
pub struct Choice<'c> {
    /// Names from the bundle; none means all, unless there are `paths`.
    pub names: &'c [String],
    /// `.wasm` files, files and folders of policy resources.
    pub paths: &'c [PathBuf],
    /// Settings for policies that are not resources.
    pub settings: Settings,
    /// The file that the settings come from.
    pub settings_file: Option<&'c Path>,
}

/// Loads the chosen policies and has each check its settings.
pub fn load(choice: Choice<'_>, engine: &Engine, limits: Limits) -> Policies {
    let mut policies = Policies::default();
    let mut candidates = Vec::new();
    let settings = &choice.settings;
    if choice.paths.is_empty() || !choice.names.is_empty() {
        bundled(choice.names, settings, &mut candidates, &mut policies.problems);
    }
    for path in choice.paths {
        if path.extension().is_some_and(|extension| extension == "wasm") {
            module_file(path, settings, &mut candidates, &mut policies.problems);
        } else {
            resources(path, &mut candidates, &mut policies.problems);
        }
    }
    if let Some(file) = choice.settings_file {
        for name in settings.keys() {
            if !candidates.iter().any(|candidate| candidate.resource.is_none() && candidate.name == *name) {
                let known: Vec<&str> = candidates.iter().map(|candidate| candidate.name.as_str()).collect();
                let message =
                    format!("{name}: no policy of this name takes settings here; there are {}", known.join(", "));
                policies.problems.push(problem(&file.display().to_string(), None, message));
            }
        }
    }
    let loaded: Vec<_> = candidates.into_par_iter().map(|candidate| enforce(candidate, engine, limits)).collect();
    for one in loaded {
        match one {
            Ok(enforcement) => policies.enforcements.push(enforcement),
            Err(Refusal::NotConfigured(name, message)) => policies.not_configured.push((name, message)),
            Err(Refusal::Problem(problem)) => policies.problems.push(problem),
        }
    }
    // The API server calls mutating webhooks first, one after the other, sorted by name; then the others.
    policies.enforcements.sort_by(|a, b| (!a.mutating, &a.name).cmp(&(!b.mutating, &b.name)));
    policies
}

/// The module that a suite or a resource names: one of the bundle, or a file relative to `folder`.
///
/// # Errors
///
/// Says what to write instead.
pub fn module(reference: &str, folder: &Path) -> Result<Vec<u8>, String> {
    if let Some(bundled) = bundle::policy(reference) {
        return Ok(bundled.wasm.to_vec());
    }
    let path = reference.strip_prefix("file://").unwrap_or(reference);
    if !path.ends_with(".wasm") {
        return Err(unknown_module(reference));
    }
    let path = folder.join(path);
    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn unknown_module(reference: &str) -> String {
    let names: Vec<&str> = bundle::POLICIES.iter().map(|policy| policy.name).collect();
    format!("{reference:?} is neither a .wasm file nor a policy of the bundle ({})", names.join(", "))
}

fn bundled(names: &[String], settings: &Settings, candidates: &mut Vec<Candidate>, problems: &mut Vec<Problem>) {
    for name in names {
        if bundle::policy(name).is_none() {
            problems.push(problem("--policy", None, unknown_module(name)));
        }
    }
    for policy in
        bundle::POLICIES.iter().filter(|policy| names.is_empty() || names.iter().any(|name| name == policy.name))
    {
        candidates.push(Candidate {
            name: policy.name.to_owned(),
            origin: Origin { file: policy.name.to_owned(), line: None },
            bytes: policy.wasm.to_vec(),
            resource: None,
            settings: settings_of(policy.name, settings),
        });
    }
}

fn settings_of(name: &str, settings: &Settings) -> Option<Map<String, Value>> {
    settings.get(name).map(|settings| settings.clone().unwrap_or_default())
}

fn module_file(path: &Path, settings: &Settings, candidates: &mut Vec<Candidate>, problems: &mut Vec<Problem>) {
    let file = path.display().to_string();
    match fs::read(path) {
        Ok(bytes) => {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            candidates.push(Candidate {
                settings: settings_of(&name, settings),
                name,
                origin: Origin { file, line: None },
                bytes,
                resource: None,
            });
        }
        Err(error) => problems.push(problem(&file, None, format!("cannot be read: {error}"))),
    }
}

fn resources(path: &Path, candidates: &mut Vec<Candidate>, problems: &mut Vec<Problem>) {
    let manifests = manifest::read(&[path.to_owned()]);
    problems.extend(manifests.problems);
    let before = candidates.len() + problems.len();
    for manifest in manifests.objects.iter().filter(|manifest| is_policy_resource(&manifest.object)) {
        match resource(manifest) {
            Ok(candidate) => candidates.push(candidate),
            Err(message) => problems.push(problem(&manifest.file, Some(manifest.line), message)),
        }
    }
    if candidates.len() + problems.len() == before {
        problems.push(problem(&path.display().to_string(), None, "holds no ClusterAdmissionPolicy or AdmissionPolicy"));
    }
}

fn resource(manifest: &Manifest) -> Result<Candidate, String> {
    let resource = read_resource(&manifest.object).map_err(|error| error.to_string())?;
    let folder = Path::new(&*manifest.file).parent().unwrap_or(Path::new(""));
    let bytes = resource_module(&resource.module, folder).map_err(|error| format!("spec.module: {error}"))?;
    Ok(Candidate {
        name: resource.name.clone(),
        origin: Origin { file: manifest.file.to_string(), line: Some(manifest.line) },
        bytes,
        settings: Some(resource.settings.clone()),
        resource: Some(resource),
    })
}

/// `spec.module`: a file, or a reference to a registry whose last part is a policy of the bundle in this version.
fn resource_module(reference: &str, folder: &Path) -> Result<Vec<u8>, String> {
    if reference.starts_with("file://") || (!reference.contains("://") && reference.ends_with(".wasm")) {
        return module(reference, folder);
    }
    let name = reference.rsplit('/').next().unwrap_or_default();
    let (name, tag) = name.split_once(':').unwrap_or((name, ""));
    match bundle::policy(name) {
        Some(bundled) if tag.strip_prefix('v') == Some(env!("CARGO_PKG_VERSION")) => Ok(bundled.wasm.to_vec()),
        Some(_) => Err(format!(
            "{reference} is not the version of {name} that host-runner carries, which is v{}; \
             name that, or a file such as file://{name}.wasm",
            env!("CARGO_PKG_VERSION")
        )),
        None => Err(format!(
            "{reference}: host-runner does not pull modules; download it and name the file, such as file://{name}.wasm"
        )),
    }
}

enum Refusal {
    NotConfigured(String, String),
    Problem(Problem),
}

fn enforce(candidate: Candidate, engine: &Engine, limits: Limits) -> Result<Enforcement, Refusal> {
    let Candidate { name, origin, bytes, resource, settings } = candidate;
    let refuse = |message: String| Refusal::Problem(problem(&origin.file, origin.line, message));
    let policy = Policy::load(engine, &bytes).map_err(|error| refuse(error_chain(&error)))?;
    let has_settings = settings.is_some();
    let settings = Value::Object(settings.unwrap_or_default()).to_string().into_bytes();
    let verdict = policy
        .validate_settings(&settings, Arc::new(NoCapabilities), limits)
        .map_err(|error| refuse(format!("its settings cannot be validated: {}", error_chain(&error))))?;
    if let Some(refusal) = verdict.refusal() {
        return Err(if has_settings || resource.is_some() {
            refuse(format!("settings of {name}: {refusal}"))
        } else {
            Refusal::NotConfigured(name, refusal)
        });
    }
    let metadata = policy.metadata();
    let mut enforcement = Enforcement {
        name,
        mode: Mode::Protect,
        mutating: metadata.is_none_or(|metadata| metadata.mutating),
        selection: Selection::default(),
        message: None,
        settings,
        grants: Arc::default(),
        timeout: None,
        policy: policy.clone(),
    };
    let grants: HashSet<_> = match &resource {
        Some(resource) => resource.context_aware_resources.iter().cloned().collect(),
        None => metadata.map(|metadata| metadata.context_aware_resources.iter().cloned().collect()).unwrap_or_default(),
    };
    enforcement.grants = Arc::new(grants);
    match (resource, metadata) {
        (Some(resource), _) => {
            enforcement.mode = resource.mode;
            enforcement.mutating = resource.mutating;
            enforcement.message = resource.message;
            enforcement.timeout = resource.timeout;
            enforcement.selection = resource.selection;
        }
        (None, Some(metadata)) => enforcement.selection.rules.clone_from(&metadata.rules),
        (None, None) => {
            return Err(refuse(
                "the module is not annotated, so nothing says which requests it is for; \
                 write a ClusterAdmissionPolicy with rules that names it"
                    .to_owned(),
            ));
        }
    }
    Ok(enforcement)
}
