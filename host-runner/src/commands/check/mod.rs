//! `check`: would the cluster take these manifests?

mod mutations;
mod outcome;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::outside::{Outside, OutsideOptions};
use super::{Progress, Silent};
use crate::admission::{AdmissionRequest, Catalog, Operation, RequestOptions, text};
use crate::capabilities::Source;
use crate::enforcement::{Enforcement, Outcome, Selected, Verdict, judge};
use crate::manifest::{self, Manifest, Manifests, Problem, problem};
use crate::policy::{Engine, Limits, error_chain};
use crate::sources::{self, Choice, Settings};
use crate::world::{Applied, Contents, World};

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
    /// Who answers what policies ask, and where their modules come from.
    pub outside: OutsideOptions,
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
    check_showing(options, &Silent)
}

/// The same, and tells how many objects are done.
pub fn check_showing(options: &CheckOptions, progress: &dyn Progress) -> CheckReport {
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
    let outside = match Outside::prepare(&options.outside) {
        Ok(outside) => outside,
        Err(problem) => {
            report.problems.push(problem);
            return report;
        }
    };
    // Compiling and parsing do not wait for each other.
    let (policies, manifests) =
        rayon::join(|| sources::load(choice, &outside.modules(), &engine, options.limits), || read(options));
    report.problems = manifests.problems;
    report.problems.extend(policies.problems);
    report.objects = manifests.objects.len();
    report.misses_policies = policies.enforcements.is_empty()
        || policies
            .not_configured
            .iter()
            .any(|(name, _)| options.policy_names.contains(name) || !options.policy_paths.is_empty());
    report.not_configured = policies.not_configured;
    let described = policies
        .enforcements
        .iter()
        .filter_map(|enforcement| Some((enforcement.name.clone(), enforcement.description()?.to_owned())));
    report.descriptions = described.collect();

    let contents = match Contents::read(&options.outside.worlds) {
        Ok(contents) => contents,
        Err(problem) => {
            report.problems.push(problem);
            return report;
        }
    };
    let catalog = Catalog::learn(manifests.objects.iter().map(|manifest| &manifest.object).chain(contents.objects()));
    let namespace = options.request.namespace.as_deref().unwrap_or("default");
    let mut world = World::of_checked(&manifests.objects, &catalog, namespace);
    if !options.outside.worlds.is_empty() {
        world = match world.with(contents, &catalog) {
            Ok(world) => world,
            Err(message) => {
                report.problems.push(problem("--world", None, message));
                return report;
            }
        };
    }
    let world = Arc::new(world);
    let listened = match outside.source(&world) {
        Ok(listened) => listened,
        Err(problem) => {
            report.problems.push(problem);
            return report;
        }
    };
    let source: Arc<dyn Source> = Arc::new(Applied { world: world.clone(), outside: listened.source.clone() });
    let run = Run { options, enforcements: &policies.enforcements, catalog: &catalog, world: &world, source };
    progress.started(report.objects);
    let checked = manifests.objects.into_par_iter().map(|manifest| {
        let checked = run.check_object(manifest);
        progress.advanced();
        checked
    });
    let checked: Vec<Checked> = checked.collect();
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
    report.problems.extend(listened.finish().err());
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
                Selected::Refused(reason) => Outcome::new(Verdict::Rejected, Some(reason)),
                Selected::Yes => judge(enforcement, &request, &self.source, self.options.limits),
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
