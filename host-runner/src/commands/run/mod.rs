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
use super::outside::{Listened, Outside};
use crate::admission::Catalog;
use crate::capabilities::Source;
use crate::enforcement::{AdmissionResponse, Aside, respond};
use crate::modules::ModuleUri;
use crate::policy::{Engine, Limits, error_chain};
use crate::world::{Contents, World};
pub(in crate::commands) use policies::{Named, Prepared, Unprepared, find_module};
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
    report.error = run_telling(options, &mut |answered| report.answers.push(answered)).err();
    report
}

/// The same, and tells each answer as soon as there is one.
///
/// # Errors
///
/// Why there are no more answers.
pub fn run_telling(options: &RunOptions, tell: &mut dyn FnMut(Answered)) -> Result<(), String> {
    let named = Named::find(&options.policy, options.raw, options.outside.store())?;
    let settings = settings(options)?;
    let given = Given::read(&options.request)?;
    let outside = Outside::prepare(&options.outside).map_err(|problem| problem.to_string())?;
    let engine = Engine::new(options.cache.clone()).map_err(|error| error_chain(&error))?;
    let answering = Answering::prepare(options, &outside)?;
    let policies = named.load(options, settings, &outside)?;
    let source = answering.source.clone();
    let outcome = policies.into_iter().try_for_each(|policy| {
        let Prepared { enforcement, is_raw } = policy.prepare(options, &engine)?;
        let request = if is_raw { given.as_raw() } else { given.as_admission()? };
        let (response, aside) = respond(&enforcement, &request, &source, options.limits);
        tell(Answered { response, aside });
        Ok(())
    });
    // What was asked until then is worth keeping, whatever came then.
    outcome.and(answering.listened.finish().map_err(|problem| problem.to_string()))
}

/// Who answers what policies ask.
pub(in crate::commands) struct Answering {
    pub(in crate::commands) source: Arc<dyn Source>,
    listened: Listened,
}

impl Answering {
    pub(in crate::commands) fn prepare(options: &RunOptions, outside: &Outside<'_>) -> Result<Self, String> {
        let mut world = World::default();
        if !options.outside.worlds.is_empty() {
            let contents = Contents::read(&options.outside.worlds).map_err(|problem| problem.to_string())?;
            let catalog = Catalog::learn(contents.objects());
            world = world.with(contents, &catalog)?;
        }
        let listened = outside.source(&Arc::new(world)).map_err(|problem| problem.to_string())?;
        Ok(Answering { source: listened.source.clone(), listened })
    }
}

/// The policies that the options name, each with a name of its own: those of the argument, or without one all of the
/// bundle, with a map of settings by name.
pub(in crate::commands) fn choose(
    options: &RunOptions,
    outside: &Outside<'_>,
) -> Result<Vec<(String, Unprepared)>, String> {
    let settings = settings(options)?;
    if !options.policy.is_empty() {
        let policies =
            Named::find(&options.policy, options.raw, options.outside.store())?.load(options, settings, outside)?;
        return Ok(policies.into_iter().map(|policy| (policy.name(&options.policy), policy)).collect());
    }
    let of = |name: &str| match settings.get(name) {
        Some(Value::Object(own)) => Ok(own.clone()),
        None | Some(Value::Null) => Ok(Map::new()),
        Some(_) => Err(format!("{name}: settings are a mapping")),
    };
    bundle::POLICIES
        .iter()
        .map(|policy| {
            let settings = of(policy.name)?;
            let named = Named::Module(ModuleUri::Bundled(policy.name.to_owned()));
            let policies = named.load(options, settings, outside)?;
            Ok(policies.into_iter().map(|one| (policy.name.to_owned(), one)).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, String>>()
        .map(|policies| policies.into_iter().flatten().collect())
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
