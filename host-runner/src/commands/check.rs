//! `check`: would the cluster take these manifests?

use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use crate::admission::{AdmissionRequest, Catalog, Operation, RequestOptions, text};
use crate::capabilities::{Gate, Recorder, Replayed, Session, Source};
use crate::enforcement::{Enforcement, Mode, Outcome, Selected, Verdict, judge};
use crate::exit_status::ExitStatus;
#[cfg(feature = "live")]
use crate::live::{LiveOptions, Online};
use crate::manifest::{self, Manifest, Problem, problem};
use crate::policy::{Engine, Limits, error_chain};
use crate::sources::{self, Choice, Settings};
use crate::world::{Applied, Contents, Offline, World};

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
    /// What an evaluation may take.
    pub limits: Limits,
    /// Where compiled code is kept.
    pub cache: Option<PathBuf>,
}

/// The outcome of a run.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// How many objects were read.
    pub objects: usize,
    /// One per object and policy that is asked about it, in the order of the input.
    pub results: Vec<CheckResult>,
    /// The policies that need settings and have none, and what they say.
    pub not_configured: Vec<(String, String)>,
    /// The objects that no policy is asked about.
    pub unmatched: Vec<Subject>,
    /// What could not be used.
    pub problems: Vec<Problem>,
    /// Whether a policy was asked for by name and is not configured, or there is none that could be asked.
    pub misses_policies: bool,
}

/// One object, one policy.
#[derive(Debug)]
pub struct CheckResult {
    /// The policy's name.
    pub policy: String,
    /// What its rejections mean.
    pub mode: Mode,
    /// The object.
    pub subject: Subject,
    /// What was asked.
    pub operation: Operation,
    /// What came of it.
    pub outcome: Outcome,
    /// The object in front of the mutation, if there was one.
    pub before: Option<Value>,
}

/// An object, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// What it is.
    pub identity: Identity,
}

/// What an object is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// The namespace that it is in, or would be in.
    pub namespace: Option<String>,
    /// The name, or what a generated one begins with.
    pub name: String,
}

/// From which finding on a run is not clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FailOn {
    /// A rejection.
    #[default]
    Rejection,
    /// A warning.
    Warning,
    /// Nothing that a policy says. What could not be evaluated still counts.
    Never,
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Objects that were read.
    pub objects: usize,
    /// Evaluations that were to be made: one per object and policy that is asked about it.
    pub evaluations: usize,
    /// Those that went through unchanged.
    pub accepted: usize,
    /// Those that were refused.
    pub rejected: usize,
    /// Those that went through with changes.
    pub mutated: usize,
    /// Those with warnings, whatever their verdict.
    pub warned: usize,
    /// Those without a verdict.
    pub not_run: usize,
    /// Policies without the settings that they need.
    pub not_configured: usize,
    /// Objects that no policy is asked about.
    pub unmatched: usize,
    /// Input that could not be used.
    pub problems: usize,
}

/// Runs the check.
pub fn check(options: &CheckOptions) -> CheckReport {
    let mut report = CheckReport::default();
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
    let (policies, manifests) =
        rayon::join(|| sources::load(choice, &engine, options.limits), || manifest::read(&options.paths));
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
    if let (Some(recorder), Some(path)) = (recorder, &options.record)
        && let Err(problem) = recorder.write(path)
    {
        report.problems.push(problem);
    }
    report
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
        let subject = Subject { file: manifest.file, line: manifest.line, identity };
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

impl CheckReport {
    /// The numbers.
    pub fn summary(&self) -> Summary {
        let count = |verdict| self.results.iter().filter(|result| result.outcome.verdict == verdict).count();
        Summary {
            objects: self.objects,
            evaluations: self.results.len(),
            accepted: count(Verdict::Accepted),
            rejected: count(Verdict::Rejected),
            mutated: count(Verdict::Mutated),
            warned: self.results.iter().filter(|result| !result.outcome.warnings.is_empty()).count(),
            not_run: count(Verdict::NotRun),
            not_configured: self.not_configured.len(),
            unmatched: self.unmatched.len(),
            problems: self.problems.len(),
        }
    }

    /// How the run ends. What could not be done outranks what was found, and a run without a policy is not clean.
    pub fn exit_status(&self, fail_on: FailOn) -> ExitStatus {
        let summary = self.summary();
        let unusable = summary.problems > 0 || summary.not_run > 0 || self.misses_policies;
        let found = match fail_on {
            FailOn::Rejection => summary.rejected > 0,
            FailOn::Warning => summary.rejected > 0 || summary.warned > 0,
            FailOn::Never => false,
        };
        match (unusable, found) {
            (true, _) => ExitStatus::Unusable,
            (false, true) => ExitStatus::Findings,
            (false, false) => ExitStatus::Clean,
        }
    }
}
