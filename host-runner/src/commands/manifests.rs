//! `init` and `manifests`: policies as the resources of a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use policy_metadata::{annotation, of_module, schema_of_module};
use serde_json::{Map, Value};

use super::OutsideOptions;
use super::outside::Outside;
use super::run::find_module;
use crate::deployment::{DeployedFile, DeployedModule, Deployment, GroupExample};
use crate::enforcement::Mode;
use crate::files;
use crate::manifest;
use crate::modules::ModuleUri;
use crate::policy::error_chain;
use crate::sources::Settings;

/// Which policies, and how they are deployed.
#[derive(Debug, Clone, Default)]
pub struct ManifestsOptions {
    /// Policies of the bundle by name, or modules as `run` takes them; all policies of the bundle when empty.
    pub policies: Vec<String>,
    /// A YAML map from policy name to settings.
    pub settings: Option<PathBuf>,
    /// Whether they refuse, or only report.
    pub mode: Mode,
    /// The PolicyServer that runs them.
    pub policy_server: String,
    /// The namespace of Kubewarden.
    pub namespace: String,
    /// Whether files that exist are written over.
    pub force: bool,
    /// Where modules come from.
    pub outside: OutsideOptions,
}

/// How a folder of manifests is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// A base, an overlay for each mode, and groups.
    #[default]
    Kustomize,
    /// A chart.
    Helm,
}

/// What stands at the top of a file to begin with.
const INTRODUCTION: &str = "\
# Policies for container images: what a cluster with Kubewarden would refuse.
#
# Fill in the settings that are marked as required, then ask what would happen to your manifests, and to the cluster:
#
#   host-runner check -p policies.yaml deploy/
#   kubectl apply -f policies.yaml
#
# Policies with contextAwareResources read the cluster with the rights of their policy server. `host-runner manifests`
# writes a policy server that has them.
";

/// The policies of a file to begin with.
///
/// # Errors
///
/// When a policy cannot be had, or its settings cannot be read.
pub fn init(options: &ManifestsOptions) -> Result<String, String> {
    Ok(format!("{INTRODUCTION}---\n{}", deployment(options)?.policies()?))
}

/// The policy server and the policies, as one stream.
///
/// # Errors
///
/// As [`init`].
pub fn manifests(options: &ManifestsOptions) -> Result<String, String> {
    deployment(options)?.stream()
}

/// The policy server and the policies as a folder for kustomize or Helm. Gives the files that were written.
///
/// # Errors
///
/// As [`init`], and when a file exists or cannot be written; then nothing is.
pub fn write_manifests(options: &ManifestsOptions, layout: Layout, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let deployment = deployment(options)?;
    let files = match layout {
        Layout::Kustomize => deployment.folder()?,
        Layout::Helm => deployment.chart()?,
    };
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
    if let Some(path) = paths.iter().find(|path| path.exists() && !options.force) {
        return Err(exists(path));
    }
    for (DeployedFile { text, .. }, path) in files.iter().zip(&paths) {
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(told)?;
        files::write_whole(path, text.as_bytes()).map_err(told)?;
    }
    Ok(paths)
}

/// Writes a file to begin with.
///
/// # Errors
///
/// As [`init`], and when the file exists or cannot be written.
pub fn write_init(options: &ManifestsOptions, path: &Path) -> Result<(), String> {
    if path.exists() && !options.force {
        return Err(exists(path));
    }
    let text = init(options)?;
    files::write_whole(path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
}

fn exists(path: &Path) -> String {
    format!("{} exists: name another place, or --force it", path.display())
}

fn deployment(options: &ManifestsOptions) -> Result<Deployment, String> {
    for (what, name) in [("--policy-server", &options.policy_server), ("--namespace", &options.namespace)] {
        check_name(name).map_err(|mistake| format!("{what} {mistake}"))?;
    }
    let file = options.settings.as_deref();
    let settings: Settings =
        file.map(manifest::read_typed).transpose().map_err(|problem| problem.to_string())?.unwrap_or_default();
    let mut given: BTreeMap<&str, Map<String, Value>> =
        settings.iter().map(|(name, given)| (name.as_str(), given.value.clone().unwrap_or_default())).collect();

    let named: Vec<String> = match options.policies.as_slice() {
        [] => bundle::POLICIES.iter().map(|policy| policy.name.to_owned()).collect(),
        named => named.to_vec(),
    };
    let outside = Outside::prepare(&options.outside).map_err(|problem| problem.to_string())?;
    let mut modules = Vec::new();
    for text in &named {
        let mut module = module(&find_module(text, options.outside.store())?, &outside)?;
        module.settings = given.remove(module.name.as_str());
        modules.push(module);
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = modules.iter().find(|module| !names.insert(&module.name)) {
        return Err(format!("{}: two policies of this name cannot be told apart", twice.name));
    }
    let unused = given.keys().find(|name| bundle::policy(name).is_none());
    if let (Some(name), Some(file)) = (unused, file) {
        return Err(format!("{}: {name}: no policy of this name is written here", file.display()));
    }
    Ok(Deployment {
        modules,
        groups: groups()?,
        mode: options.mode,
        policy_server: options.policy_server.clone(),
        namespace: options.namespace.clone(),
    })
}

fn module(uri: &ModuleUri, outside: &Outside<'_>) -> Result<DeployedModule, String> {
    let told = |error: &dyn std::error::Error| format!("{uri}: {}", error_chain(error));
    let bytes = outside.modules().bytes(uri)?;
    let metadata = of_module(&bytes).map_err(|error| told(&error))?;
    let metadata = metadata
        .ok_or_else(|| format!("{uri} is not annotated: its rules would have to be guessed; `annotate` it first"))?;
    let schema = schema_of_module(&bytes).map_err(|error| told(&error))?;
    let name = metadata.title().map_or_else(|| uri.policy_name(), str::to_owned);
    check_name(&name).map_err(|mistake| format!("{uri}: its title {mistake}"))?;
    Ok(DeployedModule { name, uri: published(uri, &metadata)?, metadata, schema, settings: None })
}

/// Where a cluster finds the module.
fn published(uri: &ModuleUri, metadata: &policy_metadata::Metadata) -> Result<String, String> {
    match uri {
        ModuleUri::Registry(_) | ModuleUri::Http(_) => return Ok(uri.to_string()),
        ModuleUri::Bundled(_) | ModuleUri::File(_) => {}
    }
    let place = metadata.annotations.get(annotation::OCI_URL).filter(|place| !place.trim().is_empty());
    match (place, metadata.version()) {
        (Some(place), Some(version)) => {
            ModuleUri::parse(&format!("registry://{}:v{version}", place.trim())).map(|uri| uri.to_string())
        }
        _ => {
            Err(format!("{uri}: a cluster could not fetch it: push it, and name it as registry://HOST/REPOSITORY:TAG"))
        }
    }
}

/// A name that Kubernetes takes for an object: a DNS label (RFC 1123), which every kind takes.
fn check_name(name: &str) -> Result<(), String> {
    let is_end = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    let is_name = bytes.len() <= 63
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|byte| *byte == b'-' || is_end(Some(byte)));
    if is_name {
        return Ok(());
    }
    Err(format!("{name:?} is no name of a Kubernetes object: write lower-case letters, digits and dashes, at most 63"))
}

fn groups() -> Result<Vec<GroupExample>, String> {
    manifest::parse_typed("groups.yaml", bundle::GROUPS).map_err(|problem| problem.to_string())
}
