//! Where policies come from: the bundle inside the binary, `.wasm` files, Kubewarden's policy resources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::capabilities::{AllowList, ContextAwareResource, NoCapabilities};
use crate::enforcement::{Enforcement, Mode, PolicyResource, Selection, is_policy_resource, read_resource};
use crate::manifest::{self, Manifest, Problem, problem};
use crate::policy::{Engine, Limits, Policy, error_chain};

/// The settings that the user gave, by policy name; each knows its line.
pub type Settings = BTreeMap<String, Spanned<Option<Map<String, Value>>>>;

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
    /// Where the settings stand, if not in the resource.
    settings_origin: Option<Origin>,
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
    let settings = &GivenSettings { by_name: &choice.settings, file: choice.settings_file };
    let uses_bundle = choice.paths.is_empty() || !choice.names.is_empty();
    if uses_bundle {
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
        for (name, given) in settings.by_name {
            // One file serves runs with all policies of the bundle and with some.
            let is_left_out = uses_bundle && bundle::policy(name).is_some();
            let is_taken = candidates.iter().any(|candidate| candidate.resource.is_none() && candidate.name == *name);
            if !is_left_out && !is_taken {
                let known: Vec<&str> = candidates.iter().map(|candidate| candidate.name.as_str()).collect();
                let known = if known.is_empty() { String::new() } else { format!("; there are {}", known.join(", ")) };
                let message = format!("{name}: no policy of this name takes settings here{known}");
                policies.problems.push(problem(&file.display().to_string(), line_of(given), message));
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

fn bundled(
    names: &[String],
    settings: &GivenSettings<'_>,
    candidates: &mut Vec<Candidate>,
    problems: &mut Vec<Problem>,
) {
    for name in names {
        if bundle::policy(name).is_none() {
            problems.push(problem("--policy", None, unknown_module(name)));
        }
    }
    for policy in
        bundle::POLICIES.iter().filter(|policy| names.is_empty() || names.iter().any(|name| name == policy.name))
    {
        let (own, settings_origin) = settings.of(policy.name);
        candidates.push(Candidate {
            name: policy.name.to_owned(),
            origin: Origin { file: policy.name.to_owned(), line: None },
            bytes: policy.wasm.to_vec(),
            resource: None,
            settings: own,
            settings_origin,
        });
    }
}

/// The settings file, read.
struct GivenSettings<'c> {
    by_name: &'c Settings,
    file: Option<&'c Path>,
}

impl GivenSettings<'_> {
    fn of(&self, name: &str) -> (Option<Map<String, Value>>, Option<Origin>) {
        match self.by_name.get(name) {
            None => (None, None),
            Some(given) => {
                let file = self.file.map(|file| file.display().to_string()).unwrap_or_default();
                (Some(given.value.clone().unwrap_or_default()), Some(Origin { file, line: line_of(given) }))
            }
        }
    }
}

fn line_of<T>(given: &Spanned<T>) -> Option<usize> {
    usize::try_from(given.referenced.line()).ok().filter(|line| *line > 0)
}

fn module_file(
    path: &Path,
    settings: &GivenSettings<'_>,
    candidates: &mut Vec<Candidate>,
    problems: &mut Vec<Problem>,
) {
    let file = path.display().to_string();
    match fs::read(path) {
        Ok(bytes) => {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let (own, settings_origin) = settings.of(&name);
            candidates.push(Candidate {
                settings: own,
                settings_origin,
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
        settings_origin: None,
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
    let Candidate { name, origin, bytes, resource, settings, settings_origin } = candidate;
    let refuse = |message: String| Refusal::Problem(problem(&origin.file, origin.line, message));
    let policy = Policy::load(engine, &bytes).map_err(|error| refuse(error_chain(&error)))?;
    let has_settings = settings.is_some();
    let settings_origin = settings_origin.unwrap_or_else(|| origin.clone());
    let settings = Value::Object(settings.unwrap_or_default()).to_string().into_bytes();
    let verdict = policy
        .validate_settings(&settings, Arc::new(NoCapabilities), limits)
        .map_err(|error| refuse(format!("its settings cannot be validated: {}", error_chain(&error))))?;
    if let Some(refusal) = verdict.refusal() {
        return Err(if has_settings {
            Refusal::Problem(problem(&settings_origin.file, settings_origin.line, format!("{name}: {refusal}")))
        } else {
            Refusal::NotConfigured(name, refusal)
        });
    }
    let granted = |resources: &[ContextAwareResource]| Arc::new(resources.iter().cloned().collect());
    match (resource, policy.metadata()) {
        (Some(resource), _) => Ok(Enforcement {
            name,
            mode: resource.mode,
            mutating: resource.mutating,
            selection: resource.selection,
            message: resource.message,
            settings,
            grants: granted(&resource.context_aware_resources),
            allowed: Arc::new(AllowList::all()),
            timeout: resource.timeout,
            policy,
        }),
        (None, Some(metadata)) => Ok(Enforcement {
            name,
            mode: Mode::Protect,
            mutating: metadata.mutating,
            selection: Selection { rules: metadata.rules.clone(), ..Selection::default() },
            message: None,
            settings,
            grants: granted(&metadata.context_aware_resources),
            allowed: Arc::new(AllowList::all()),
            timeout: None,
            policy: policy.clone(),
        }),
        (None, None) => Err(refuse(
            "the module is not annotated, so nothing says which requests it is for; \
             write a ClusterAdmissionPolicy with rules that names it"
                .to_owned(),
        )),
    }
}
