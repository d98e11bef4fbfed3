//! `push` and `pull`: policies into and out of registries.

use std::path::PathBuf;

use policy_metadata::{Metadata, annotation, of_module};

use super::OutsideOptions;
use super::outside::Outside;
use super::run::{TrustOptions, find_module};
use crate::digest::sha256;
use crate::files;
use crate::modules::ModuleUri;
use crate::policy::error_chain;

/// What goes where.
#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    /// The module, as `run` takes it, but for resources.
    pub policy: String,
    /// Where it goes: `registry://host/repository:tag`.
    pub destination: String,
    /// Whether a module without metadata goes, too.
    pub force: bool,
    /// Where modules come from and go to.
    pub outside: OutsideOptions,
}

/// What comes from where.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// The module's address.
    pub uri: String,
    /// Where it goes: a file, or a folder; kwctl's store without one.
    pub output: Option<PathBuf>,
    /// Who must have signed it.
    pub trust: TrustOptions,
    /// Where modules come from.
    pub outside: OutsideOptions,
}

/// A module that was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// Where it is.
    pub path: PathBuf,
    /// The digest of the module.
    pub digest: String,
}

/// Pushes a module, and gives the name by which it will always be found: `host/repository@sha256:…`.
///
/// # Errors
///
/// When there is no such module, it is not annotated, or the registry does not take it.
pub fn push(options: &PushOptions) -> Result<String, String> {
    let uri = find_module(&options.policy, options.outside.store())?;
    let with_scheme = if options.destination.contains("://") {
        options.destination.clone()
    } else {
        format!("registry://{}", options.destination)
    };
    let ModuleUri::Registry(destination) = ModuleUri::parse(&with_scheme)? else {
        return Err(format!("{}: policies are pushed to a registry://", options.destination));
    };
    if destination.contains('@') {
        return Err(format!("{destination}: a digest follows from what is pushed; name a tag"));
    }
    let outside = Outside::prepare(&options.outside).map_err(|problem| problem.to_string())?;
    let bytes = outside.modules().bytes(&uri)?;
    let metadata = of_module(&bytes).map_err(|error| format!("{uri}: {}", error_chain(&error)))?;
    if metadata.is_none() && !options.force {
        return Err(format!("{uri} is not annotated, so nobody could run it: `annotate` it, or --force"));
    }
    let annotations = metadata.as_ref().map(manifest_annotations).unwrap_or_default();
    let network = outside.network().ok_or("nothing is pushed offline")?;
    network.push(&destination, &bytes, &annotations)
}

/// The annotations of the artifact: those of the policy that are one line long.
fn manifest_annotations(metadata: &Metadata) -> Vec<(String, String)> {
    const SOURCE: &str = "org.opencontainers.image.source";
    let mut annotations: Vec<(String, String)> = metadata
        .annotations
        .iter()
        .map(|(key, value)| (key.clone(), value.trim().to_owned()))
        .filter(|(_, value)| !value.contains(['\n', '\r']))
        .collect();
    let source = metadata.annotations.get(annotation::SOURCE).map(|source| source.trim().to_owned());
    if let (Some(source), false) = (source, metadata.annotations.contains_key(SOURCE)) {
        annotations.push((SOURCE.to_owned(), source));
    }
    annotations
}

/// Pulls a module.
///
/// # Errors
///
/// When there is none, it is not signed as it should be, or it cannot be written.
pub fn pull(options: &PullOptions) -> Result<Pulled, String> {
    let uri = ModuleUri::parse(&options.uri)?;
    if !matches!(uri, ModuleUri::Registry(_) | ModuleUri::Http(_)) {
        return Err(format!("{uri}: only registry:// and https:// can be pulled from"));
    }
    let outside = Outside::prepare(&options.outside).map_err(|problem| problem.to_string())?;
    let pinned = options.trust.verified(&uri, outside.network())?.unwrap_or_else(|| uri.clone());
    let bytes = outside.modules().pull(&pinned)?;
    let digest = sha256(&bytes);
    let path = match &options.output {
        None => {
            let store = options
                .outside
                .store()
                .ok_or("there is no folder for pulled policies: set XDG_CACHE_HOME, or --output-path")?;
            store.write(&uri, &bytes).map_err(|error| format!("{uri} cannot be kept: {error}"))?
        }
        Some(path) => {
            let path = if path.is_dir() { path.join(format!("{}.wasm", uri.policy_name())) } else { path.clone() };
            files::write_whole(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
            path
        }
    };
    Ok(Pulled { path, digest })
}
