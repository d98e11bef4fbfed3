//! `run`: one request, one policy or the policies of a file, answered as policy-server would.
//!
//! Words, order and exit status are kwctl's. Where they differ, README.md says so.

mod policies;
mod request;
#[cfg(feature = "live")]
mod trust;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy_metadata::ExecutionMode;
use serde_json::{Map, Value};

use super::OutsideOptions;
use super::outside::Outside;
use crate::admission::Catalog;
use crate::enforcement::{AdmissionResponse, Aside, respond};
use crate::policy::{Engine, Limits, error_chain};
use crate::world::{Contents, World};
pub(in crate::commands) use policies::{Named, Prepared, find_module};
pub(in crate::commands) use request::Given;
#[cfg(feature = "live")]
pub use trust::TrustOptions;

/// What to run, and on what.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// The policy: a module's address or file, a policy of the bundle, the beginning of a digest in kwctl's store, or a
    /// file with policy resources.
    pub policy: String,
    /// The request, `-` for stdin.
    pub request: PathBuf,
    /// A file with settings, which wins over `settings_json`.
    pub settings_path: Option<PathBuf>,
    /// The settings themselves.
    pub settings_json: Option<String>,
    /// The mode of the module, whatever it says itself.
    pub mode: Option<ExecutionMode>,
    /// Whether the request is no AdmissionRequest.
    pub raw: bool,
    /// Whether the policy may read what its metadata say it reads.
    pub allow_context_aware: bool,
    /// The host capabilities that it may use; all without a list.
    pub allowed_capabilities: Option<Vec<String>>,
    /// Who answers what it asks, and where modules come from.
    pub outside: OutsideOptions,
    /// Who must have signed the module.
    #[cfg(feature = "live")]
    pub trust: TrustOptions,
    /// What an evaluation may take.
    pub limits: Limits,
    /// Where compiled code is kept.
    pub cache: Option<PathBuf>,
}

/// What came of a run: the answers until something went wrong, if it did.
#[derive(Debug, Default)]
pub struct RunReport {
    /// One per policy, in their order.
    pub answers: Vec<Answered>,
    /// Why there are no more.
    pub error: Option<String>,
}

/// What one policy said.
#[derive(Debug)]
pub struct Answered {
    /// What Kubewarden would tell the API server.
    pub response: AdmissionResponse,
    /// What it said on the way.
    pub aside: Aside,
}

/// Runs the policies.
pub fn run(options: &RunOptions) -> RunReport {
    let mut report = RunReport::default();
    report.error = answers(options, &mut report.answers).err();
    report
}

fn answers(options: &RunOptions, answers: &mut Vec<Answered>) -> Result<(), String> {
    let named = Named::find(&options.policy, options.raw)?;
    let settings = settings(options)?;
    let given = Given::read(&options.request)?;
    let outside = Outside::prepare(&options.outside).map_err(|problem| problem.to_string())?;
    let engine = Engine::new(options.cache.clone()).map_err(|error| error_chain(&error))?;
    let world = Arc::new(world(options)?);
    let listened = outside.source(&world).map_err(|problem| problem.to_string())?;
    let policies = named.load(options, settings, &outside)?;
    for policy in policies {
        let Prepared { enforcement, is_raw } = policy.prepare(options, &engine)?;
        let request = if is_raw { given.as_raw() } else { given.as_admission()? };
        let (response, aside) = respond(&enforcement, &request, &listened.source, options.limits);
        answers.push(Answered { response, aside });
    }
    listened.finish().map_err(|problem| problem.to_string())
}

fn world(options: &RunOptions) -> Result<World, String> {
    let world = World::default();
    if options.outside.worlds.is_empty() {
        return Ok(world);
    }
    let contents = Contents::read(&options.outside.worlds).map_err(|problem| problem.to_string())?;
    let catalog = Catalog::learn(contents.objects());
    world.with(contents, &catalog)
}

/// The settings from wherever they are given.
fn settings(options: &RunOptions) -> Result<Map<String, Value>, String> {
    let value = match (&options.settings_path, &options.settings_json) {
        (Some(path), _) => read_settings(path)?,
        (None, Some(text)) => {
            serde_json::from_str(text).map_err(|error| format!("Cannot parse settings JSON: {error}"))?
        }
        (None, None) => Value::Null,
    };
    match value {
        Value::Object(settings) => Ok(settings),
        Value::Null => Ok(Map::new()),
        _ => Err("Invalid settings in CRD, not an object".to_owned()),
    }
}

fn read_settings(path: &Path) -> Result<Value, String> {
    let text = crate::manifest::read_to_string(path).map_err(|problem| problem.to_string())?;
    // An empty file is no settings.
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    crate::manifest::parse_typed(&path.display().to_string(), &text).map_err(|problem| problem.to_string())
}
