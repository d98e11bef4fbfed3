//! `check`: would the cluster take these manifests?

mod mutations;
mod outcome;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use crate::admission::{AdmissionRequest, Catalog, Operation, RequestOptions, text};
use crate::capabilities::{Gate, Recorder, Replayed, Session, Source};
use crate::enforcement::{Enforcement, Outcome, Selected, judge};
#[cfg(feature = "live")]
use crate::live::{LiveOptions, Online};
use crate::manifest::{self, Manifest, Manifests, Problem, problem};
use crate::policy::{Engine, Limits, error_chain};
use crate::sources::{self, Choice, Settings};
use crate::world::{Applied, Contents, Offline, World};

pub use outcome::{CheckReport, CheckResult, FailOn, Fixed, Identity, MutationDiff, Subject, Summary};

/// What to check, and against what.
#[derive(Debug, Default)]
pub struct CheckOptions {
    /// Files, folders, `-`.
    pub paths: Vec<PathBuf>,
    /// Policies from the bundle, by name.
    pub policy_names: Vec<String>,
    /// Modules and policy resources.
    pub policy_paths: Vec<PathBuf>,
    /// A YAML map from policy name to settings.
    pub settings: Option<PathBuf>,
    /// World files, folders of manifests, OCI image layouts.
    pub worlds: Vec<PathBuf>,
    /// Whether nothing beyond the world is asked.
    pub offline: bool,
    /// A session of kwctl's to answer from.
    pub replay: Option<PathBuf>,
    /// Where to write down what is asked and answered.
    pub record: Option<PathBuf>,
    /// How the outside is reached.
    #[cfg(feature = "live")]
    pub live: LiveOptions,
    /// Who asks for what.
    pub request: RequestOptions,
    /// Whether mutations are wanted as diffs.
    pub diff: bool,
    /// Whether mutations are written back to the files.
    pub fix: bool,
    /// What an evaluation may take.
    pub limits: Limits,
    /// Where compiled code is kept.
    pub cache: Option<PathBuf>,
}

/// Runs the check.
pub fn check(options: &CheckOptions) -> CheckReport {
    let mut report = CheckReport::default();
    if let Some(problem) = unfixable(options) {
        report.problems.push(problem);
        return report;
    }
    let engine = match Engine::new(options.cache.clone()) {
        Ok(engine) => engine,
        Err(error) => {
            report.problems.push(problem("host-runner", None, error_chain(&error)));
            return report;
        }
    };
    let settings: Settings = match options.settings.as_deref().map(manifest::read_typed).transpose() {
        Ok(settings) => settings.unwrap_or_default(),
        Err(problem) => {
            report.problems.push(problem);
            return report;
        }
    };
    let choice = Choice {
        names: &options.policy_names,
        paths: &options.policy_paths,
        settings,
        settings_file: options.settings.as_deref(),
    };
    // Compiling and parsing do not wait for each other.
    let (policies, manifests) = rayon::join(|| sources::load(choice, &engine, options.limits), || read(options));
    report.problems = manifests.problems;
    report.problems.extend(policies.problems);
    report.objects = manifests.objects.len();
    report.misses_policies = policies.enforcements.is_empty()
        || policies
            .not_configured
            .iter()
            .any(|(name, _)| options.policy_names.contains(name) || !options.policy_paths.is_empty());
    report.not_configured = policies.not_configured;

    let contents = match Contents::read(&options.worlds) {
        Ok(contents) => contents,
        Err(problem) => {
            report.problems.push(problem);
            return report;
        }
    };
    let catalog = Catalog::learn(manifests.objects.iter().map(|manifest| &manifest.object).chain(contents.objects()));
    let namespace = options.request.namespace.as_deref().unwrap_or("default");
    let mut world = World::of_checked(&manifests.objects, &catalog, namespace);
    if !options.worlds.is_empty() {
        world = match world.with(contents, &catalog) {
            Ok(world) => world,
            Err(message) => {
                report.problems.push(problem("--world", None, message));
                return report;
            }
        };
    }
    let world = Arc::new(world);
    let source = match source(options, &world) {
        Ok(source) => source,
        Err(problem) => {
            report.problems.push(problem);
            return report;
        }
    };
    let recorder = options.record.as_ref().map(|_| Recorder::new(source.clone()));
    let source = recorder.clone().map_or(source, |recorder| Arc::new(recorder));
    let source: Arc<dyn Source> = Arc::new(Applied { world: world.clone(), outside: source });
    let run = Run { options, enforcements: &policies.enforcements, catalog: &catalog, world: &world, source };
    let checked: Vec<Checked> = manifests.objects.into_par_iter().map(|manifest| run.check_object(manifest)).collect();
    for one in checked {
        match one {
            Checked::Evaluated(results) => report.results.extend(results),
            Checked::Unmatched(subject) => report.unmatched.push(subject),
            Checked::Problem(problem) => report.problems.push(problem),
        }
    }
    if options.diff {
        mutations::show(&mut report, &manifests.texts);
    }
    if options.fix {
        mutations::fix(&mut report, &manifests.texts);
    }
    if let (Some(recorder), Some(path)) = (recorder, &options.record)
        && let Err(problem) = recorder.write(path)
    {
        report.problems.push(problem);
    }
    report
}

fn read(options: &CheckOptions) -> Manifests {
    let is_text_wanted = options.diff || options.fix;
    if is_text_wanted { manifest::read_keeping_texts(&options.paths) } else { manifest::read(&options.paths) }
}

/// Why nothing can be written back.
fn unfixable(options: &CheckOptions) -> Option<Problem> {
    if !options.fix {
        return None;
    }
    if options.paths.iter().any(|path| path == Path::new("-")) {
        return Some(problem("--fix", None, "stdin cannot be written back: name the files"));
    }
    let is_written = matches!(options.request.operation, Operation::Create | Operation::Update);
    let name = options.request.operation.name();
    (!is_written).then(|| problem("--fix", None, format!("{name} leaves no object that could be written back")))
}

/// Who answers what policies ask: a recorded session, or the world and what is beyond it.
fn source(options: &CheckOptions, world: &Arc<World>) -> Result<Arc<dyn Source>, Problem> {
    if let Some(path) = &options.replay {
        // A recording says what the outside was; asking it anew would mix two times.
        return Ok(Arc::new(Replayed { session: Session::read(path)?, otherwise: Offline(world.clone()) }));
    }
    #[cfg(feature = "live")]
    if !options.offline {
        return Ok(Arc::new(Online::new(world.clone(), &options.live)?));
    }
    Ok(Arc::new(Offline(world.clone())))
}

struct Run<'r> {
    options: &'r CheckOptions,
    enforcements: &'r [Enforcement],
    catalog: &'r Catalog,
    world: &'r World,
    source: Arc<dyn Source>,
}

enum Checked {
    Evaluated(Vec<CheckResult>),
    Unmatched(Subject),
    Problem(Problem),
}

impl Run<'_> {
    /// Asks the policies in the order of a cluster: those that mutate first, each seeing what the one before it has
    /// made of the object.
    fn check_object(&self, manifest: Manifest) -> Checked {
        let options = &self.options.request;
        let mut identity = Identity {
            api_version: text(&manifest.object, "/apiVersion"),
            kind: text(&manifest.object, "/kind"),
            namespace: None,
            name: name_of(&manifest.object),
        };
        let request = match AdmissionRequest::for_object(manifest.object, options, self.catalog) {
            Ok(request) => request,
            Err(error) => return Checked::Problem(problem(&manifest.file, Some(manifest.line), error.to_string())),
        };
        if request.is_namespaced() {
            identity.namespace.clone_from(&request.namespace);
        }
        let mut request = match (options.operation, &request.object) {
            (Operation::Update, Some(object)) => {
                let old = self.world.current(object, identity.namespace.as_deref()).cloned();
                request.with_old_object(old, options)
            }
            _ => request,
        };
        let subject = Subject { file: manifest.file, line: manifest.line, position: manifest.position, identity };
        let mut results = Vec::new();
        for enforcement in self.enforcements {
            let selected = enforcement.selection.selects(&request, |name| self.world.namespace_labels(name));
            let outcome = match selected {
                Selected::No => continue,
                Selected::Unknown(reason) => Outcome::not_run(reason),
                Selected::Yes => {
                    let gate = Gate {
                        source: self.source.clone(),
                        allowed: enforcement.allowed.clone(),
                        grants: enforcement.grants.clone(),
                    };
                    judge(enforcement, &request, Arc::new(gate), self.options.limits)
                }
            };
            let mut before = None;
            if let Some(mutated) = &outcome.mutated {
                before = request.object.take();
                request = request.with_object(mutated.clone(), options);
            }
            results.push(CheckResult {
                policy: enforcement.name.clone(),
                mode: enforcement.mode,
                subject: subject.clone(),
                operation: options.operation,
                before,
                outcome,
                diff: None,
            });
        }
        if results.is_empty() { Checked::Unmatched(subject) } else { Checked::Evaluated(results) }
    }
}

fn name_of(object: &Value) -> String {
    match text(object, "/metadata/name") {
        name if name.is_empty() => text(object, "/metadata/generateName"),
        name => name,
    }
}
