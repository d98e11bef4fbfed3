//! Which policies a run has: the bundle inside the binary, modules, Kubewarden's policy resources.

mod candidate;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::enforcement::{Enforcement, PolicyResource, ResourceBody, is_policy_resource, read_resource};
use crate::manifest::{self, Manifest, Problem, problem};
use crate::modules::{self, ModuleUri, Modules};
use crate::policy::{Engine, Limits};
use candidate::{Candidate, Refusal};
use settings::GivenSettings;

pub use settings::Settings;

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

/// Where to point when something is wrong.
#[derive(Debug, Clone)]
struct Origin {
    file: String,
    line: Option<usize>,
}

/// Which policies to take.
#[derive(Debug, Default)]
pub struct Choice<'c> {
    /// Names from the bundle; none means all, unless there are `paths`.
    pub names: &'c [String],
    /// Modules, by file or by address; files and folders of policy resources.
    pub paths: &'c [PathBuf],
    /// Settings for policies that are not resources.
    pub settings: Settings,
    /// The file that the settings come from.
    pub settings_file: Option<&'c Path>,
}

/// Loads the chosen policies and has each check its settings.
pub fn load(choice: Choice<'_>, modules: &Modules, engine: &Engine, limits: Limits) -> Policies {
    let mut policies = Policies::default();
    let mut found = Found { modules, candidates: Vec::new(), problems: Vec::new() };
    let settings = GivenSettings { by_name: &choice.settings, file: choice.settings_file };
    let uses_bundle = choice.paths.is_empty() || !choice.names.is_empty();
    if uses_bundle {
        found.bundled(choice.names, &settings);
    }
    for path in choice.paths {
        match uri_of(path) {
            Some(Ok(uri)) => found.module(uri, &path.display().to_string(), &settings),
            Some(Err(message)) => found.problems.push(problem("--policies", None, message)),
            None => found.resources(path),
        }
    }
    let taken: Vec<&str> = found.candidates.iter().filter_map(Candidate::configurable_name).collect();
    found.problems.extend(settings.unused(&taken, uses_bundle));
    policies.problems = found.problems;
    let loaded: Vec<_> = found.candidates.into_par_iter().map(|candidate| candidate.enforce(engine, limits)).collect();
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

/// The module that a path means, if it is no path to resources.
fn uri_of(path: &Path) -> Option<Result<ModuleUri, String>> {
    match path.to_str() {
        Some(text) if text.contains("://") => Some(ModuleUri::parse(text)),
        _ if path.extension().is_some_and(|extension| extension == "wasm") => {
            Some(Ok(ModuleUri::File(path.to_owned())))
        }
        _ => None,
    }
}

/// What has been found so far.
struct Found<'m> {
    modules: &'m Modules,
    candidates: Vec<Candidate>,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn bundled(&mut self, names: &[String], settings: &GivenSettings<'_>) {
        for name in names {
            if bundle::policy(name).is_none() {
                self.problems.push(problem("--policy", None, modules::unknown(name)));
            }
        }
        for policy in bundle::POLICIES {
            if names.is_empty() || names.iter().any(|name| name == policy.name) {
                self.module(ModuleUri::Bundled(policy.name.to_owned()), policy.name, settings);
            }
        }
    }

    fn module(&mut self, uri: ModuleUri, given: &str, settings: &GivenSettings<'_>) {
        let name = uri.policy_name();
        match self.modules.bytes(&uri) {
            Ok(bytes) => {
                let (own, settings_origin) = settings.of(&name);
                let origin = Origin { file: given.to_owned(), line: None };
                self.candidates.push(Candidate::Module { name, origin, bytes, settings: own, settings_origin });
            }
            Err(error) => self.problems.push(problem("--policies", None, error)),
        }
    }

    fn resources(&mut self, path: &Path) {
        let manifests = manifest::read(&[path.to_owned()]);
        self.problems.extend(manifests.problems);
        let before = self.candidates.len() + self.problems.len();
        for manifest in manifests.objects.iter().filter(|manifest| is_policy_resource(&manifest.object)) {
            match resource(manifest, self.modules) {
                Ok(candidate) => self.candidates.push(candidate),
                Err(message) => self.problems.push(problem(&manifest.file, Some(manifest.line), message)),
            }
        }
        if self.candidates.len() + self.problems.len() == before {
            self.problems.push(problem(&path.display().to_string(), None, "holds no policy of Kubewarden's"));
        }
    }
}

fn resource(manifest: &Manifest, modules: &Modules) -> Result<Candidate, String> {
    let resource = read_resource(&manifest.object).map_err(|error| error.to_string())?;
    if resource.name.is_empty() {
        return Err("metadata.name is missing".to_owned());
    }
    let folder = Path::new(&*manifest.file).parent().unwrap_or(Path::new(""));
    let modules = modules_of(&resource, folder, |uri| modules.bytes(uri))?;
    let origin = Origin { file: manifest.file.to_string(), line: Some(manifest.line) };
    Ok(Candidate::Resource { resource: Box::new(resource), origin, modules })
}

/// The bytes of the modules that a resource names, by how it names them.
///
/// # Errors
///
/// Names the place in the resource whose module there is not.
pub fn modules_of(
    resource: &PolicyResource,
    folder: &Path,
    fetch: impl Fn(&ModuleUri) -> Result<Vec<u8>, String>,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let bytes = |place: &str, module: &str| {
        let found = ModuleUri::of_resource(module, folder).and_then(|uri| fetch(&uri));
        found.map(|bytes| (module.to_owned(), bytes)).map_err(|error| format!("{place}.module: {error}"))
    };
    match &resource.body {
        ResourceBody::Policy { member, .. } => bytes("spec", &member.module).map(|one| BTreeMap::from([one])),
        ResourceBody::Group { members, .. } => {
            members.iter().map(|(name, member)| bytes(&format!("spec.policies.{name}"), &member.module)).collect()
        }
    }
}
