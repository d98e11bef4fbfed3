//! Suite and policy to results.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::format::{Case, Expectation, Object, Suite, WorldSource};
use super::result::{CaseResult, CaseStatus, SuiteResult};
use crate::admission::{AdmissionRequest, Catalog, Operation, RequestOptions, ResourceKind, text};
use crate::capabilities::{AllowList, NoCapabilities, Replayed, Session, Source};
use crate::enforcement::{Configured, Enforced, Enforcement, Mode, Outcome, Selection, Verdict, judge, rule_matches};
use crate::manifest::{self, Problem, problem};
use crate::modules;
use crate::policy::{Engine, Limits, Policy, error_chain};
use crate::world::{Contents, Offline, World};

/// A suite with its policy, ready to run.
#[derive(Debug)]
pub struct LoadedSuite {
    /// The file.
    pub file: PathBuf,
    /// What it says.
    pub suite: Suite,
    policy: Policy,
    limits: Limits,
}

/// What a case came to.
enum Found {
    Outcome(Box<Outcome>),
    InvalidSettings(String),
    /// Holds what was not asked about.
    NotAsked(String),
}

impl LoadedSuite {
    /// Reads a suite and loads its policy.
    ///
    /// # Errors
    ///
    /// When there is nothing to run: the file is no suite, it holds no cases, or the policy does not load.
    pub fn load(file: &Path, engine: &Engine, limits: Limits) -> Result<Self, Problem> {
        let suite: Suite = manifest::read_typed(file)?;
        let refuse = |message: String| problem(&file.display().to_string(), None, message);
        if suite.cases.is_empty() {
            return Err(refuse("holds no cases".to_owned()));
        }
        let mut names = HashSet::new();
        if let Some(case) = suite.cases.iter().find(|case| !names.insert(case.name.as_str())) {
            return Err(refuse(format!("two cases are named {:?}", case.name)));
        }
        let bytes =
            modules::local(&suite.policy, folder_of(file)).map_err(|message| refuse(format!("policy: {message}")))?;
        let policy =
            Policy::load(engine, &bytes).map_err(|error| refuse(format!("policy: {}", error_chain(&error))))?;
        Ok(LoadedSuite { file: file.to_owned(), suite, policy, limits })
    }

    /// Runs all cases.
    pub fn run(&self) -> SuiteResult {
        let cases = self
            .suite
            .cases
            .iter()
            .map(|case| CaseResult { name: case.name.clone(), line: case.line, status: self.run_case(case) })
            .collect();
        SuiteResult { file: self.file.clone(), policy: self.suite.policy.clone(), cases }
    }

    /// Runs one case.
    pub fn run_case(&self, case: &Case) -> CaseStatus {
        match self.evaluate(case) {
            Ok(found) => self.compare(case, found),
            Err(reason) => CaseStatus::NotRun { reason },
        }
    }

    fn evaluate(&self, case: &Case) -> Result<Found, String> {
        let no_settings = Map::new();
        let settings = case.settings.as_ref().or(self.suite.settings.as_ref()).unwrap_or(&no_settings);
        let settings = serde_json::to_vec(settings).map_err(|error| error.to_string())?;
        let verdict = self
            .policy
            .validate_settings(&settings, Arc::new(NoCapabilities), self.limits)
            .map_err(|error| error_chain(&error))?;
        if let Some(refusal) = verdict.refusal() {
            return Ok(Found::InvalidSettings(refusal));
        }
        if matches!(case.expect, Expectation::InvalidSettings(_)) && case.object.is_none() && case.old_object.is_none()
        {
            return Ok(Found::Outcome(Box::new(Outcome::new(Verdict::Accepted, None))));
        }
        let request = self.request(case)?;
        let metadata = self.policy.metadata();
        let configured = Configured {
            policy: self.policy.clone(),
            settings,
            grants: Arc::new(
                metadata.map(|metadata| metadata.context_aware_resources.iter().cloned().collect()).unwrap_or_default(),
            ),
            allowed: Arc::new(self.allowed()?),
            timeout: None,
        };
        let enforcement = Enforcement {
            name: self.suite.policy.clone(),
            enforced: Enforced::Policy(configured),
            mode: Mode::Protect,
            mutating: metadata.is_none_or(|metadata| metadata.mutating),
            selection: Selection::default(),
            message: None,
        };
        let source = self.source(case)?;
        if let Some(metadata) = metadata
            && !metadata.rules.iter().any(|rule| rule_matches(rule, &request, false))
        {
            let subresource = if request.subresource.is_empty() { "" } else { "/" };
            return Ok(Found::NotAsked(format!(
                "{} of {}{subresource}{}",
                request.operation.name(),
                request.kind.plural,
                request.subresource,
            )));
        }
        Ok(Found::Outcome(Box::new(judge(&enforcement, &request, &source, self.limits))))
    }

    /// Who answers what the policy asks.
    fn source(&self, case: &Case) -> Result<Arc<dyn Source>, String> {
        let world: Arc<dyn Source> = match case.world.as_ref().or(self.suite.world.as_ref()) {
            Some(source) => Arc::new(Offline(Arc::new(self.world(source)?))),
            None => Arc::new(NoCapabilities),
        };
        let Some(path) = case.session.as_ref().or(self.suite.session.as_ref()) else { return Ok(world) };
        let session = Session::read(&folder_of(&self.file).join(path)).map_err(|problem| problem.to_string())?;
        Ok(Arc::new(Replayed { session, otherwise: world }))
    }

    /// What the policy says it uses: a suite shows that it uses no more. Without a word, whatever it likes.
    fn allowed(&self) -> Result<AllowList, String> {
        let stated = self.policy.metadata().and_then(|metadata| metadata.host_capabilities.as_ref());
        stated.map_or_else(
            || Ok(AllowList::all()),
            |patterns| AllowList::parse(patterns).map_err(|error| error.to_string()),
        )
    }

    fn world(&self, source: &WorldSource) -> Result<World, String> {
        let mut contents = Contents::default();
        match source {
            WorldSource::File(path) => {
                let path = folder_of(&self.file).join(path);
                contents = Contents::read(&[path]).map_err(|problem| problem.to_string())?;
            }
            WorldSource::Inline(world) => contents.add(world.clone()).map_err(|message| format!("world: {message}"))?,
        }
        let catalog = Catalog::learn(contents.objects());
        World::default().with(contents, &catalog)
    }

    fn object(&self, object: &Object) -> Result<Value, String> {
        let path = match object {
            Object::Inline(object) => return Ok(object.clone()),
            Object::File(path) => folder_of(&self.file).join(path),
        };
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let manifests = manifest::read_text(&path.display().to_string(), &text);
        if let Some(problem) = manifests.problems.first() {
            return Err(problem.to_string());
        }
        match <[_; 1]>::try_from(manifests.objects) {
            Ok([manifest]) => Ok(manifest.object),
            Err(objects) => {
                Err(format!("{}: holds {} objects, and a case is about one", path.display(), objects.len()))
            }
        }
    }

    fn request(&self, case: &Case) -> Result<AdmissionRequest, String> {
        let object = case.object.as_ref().map(|object| self.object(object)).transpose()?;
        let old_object = case.old_object.as_ref().map(|object| self.object(object)).transpose()?;
        let operation = case.operation.unwrap_or(match (&object, &old_object) {
            (Some(_), Some(_)) => Operation::Update,
            (None, Some(_)) => Operation::Delete,
            _ => Operation::Create,
        });
        if operation != Operation::Connect && (case.resource.is_some() || case.object_name.is_some()) {
            return Err("resource and objectName are for CONNECT: other requests are about the object".to_owned());
        }
        let options = RequestOptions {
            operation,
            subresource: case.subresource.clone().unwrap_or_default(),
            namespace: case.namespace.clone(),
            ..RequestOptions::default()
        }
        .by(case.user.clone(), case.groups.clone());
        let Some(described) = object.as_ref().or(old_object.as_ref()) else {
            return Err("needs an object or an oldObject".to_owned());
        };
        let (kind, name) = if operation == Operation::Connect {
            let resource = case.resource.clone().unwrap_or_else(|| "pods".to_owned());
            let is_namespaced = resource != "nodes";
            let kind = ResourceKind {
                group: String::new(),
                version: "v1".to_owned(),
                kind: String::new(),
                plural: resource,
                is_namespaced,
            };
            (kind, case.object_name.clone().unwrap_or_default())
        } else {
            (Catalog::default().kind_of(described), text(described, "/metadata/name"))
        };
        Ok(AdmissionRequest::from_parts(kind, name, object, old_object, &options))
    }

    fn compare(&self, case: &Case, found: Found) -> CaseStatus {
        let expected = match self.expected(case) {
            Ok(expected) => expected,
            Err(reason) => return CaseStatus::NotRun { reason },
        };
        let outcome = match found {
            Found::InvalidSettings(message) => {
                return match &expected {
                    Expected::InvalidSettings(wanted) if *wanted == message => CaseStatus::Passed,
                    _ => failed(&expected, format!("invalid settings: {message}")),
                };
            }
            Found::NotAsked(what) => {
                return match &expected {
                    Expected::NotAsked => CaseStatus::Passed,
                    _ => CaseStatus::NotRun {
                        reason: format!("the policy's metadata has no rule for {what}, so no cluster would ask it"),
                    },
                };
            }
            Found::Outcome(outcome) => outcome,
        };
        let message = outcome.message.clone().unwrap_or_default();
        let is_as_expected = match &expected {
            Expected::Accepted => outcome.verdict == Verdict::Accepted,
            Expected::Rejected(wanted) => outcome.verdict == Verdict::Rejected && *wanted == message,
            Expected::MutatedTo(wanted) => outcome.mutated.as_ref() == Some(wanted),
            Expected::InvalidSettings(_) | Expected::NotAsked => false,
            Expected::NotRun(wanted) => outcome.verdict == Verdict::NotRun && *wanted == message,
        };
        if outcome.verdict == Verdict::NotRun && !matches!(expected, Expected::NotRun(_)) {
            return CaseStatus::NotRun { reason: message };
        }
        if !is_as_expected {
            return failed(&expected, describe(&outcome));
        }
        if outcome.warnings != case.warnings {
            return CaseStatus::Failed {
                expected: format!("warnings {}", lines(&case.warnings)),
                found: format!("warnings {}", lines(&outcome.warnings)),
            };
        }
        match &case.audit_annotations {
            Some(annotations) if *annotations != outcome.audit_annotations => CaseStatus::Failed {
                expected: format!("audit annotations {}", pairs(annotations)),
                found: format!("audit annotations {}", pairs(&outcome.audit_annotations)),
            },
            _ => CaseStatus::Passed,
        }
    }

    fn expected(&self, case: &Case) -> Result<Expected, String> {
        Ok(match &case.expect {
            Expectation::Accepted => Expected::Accepted,
            Expectation::Rejected(wanted) => Expected::Rejected(wanted.message.clone()),
            Expectation::MutatedTo(object) => Expected::MutatedTo(self.object(object)?),
            Expectation::InvalidSettings(wanted) => Expected::InvalidSettings(wanted.message.clone()),
            Expectation::NotRun(wanted) => Expected::NotRun(wanted.message.clone()),
            Expectation::NotAsked => Expected::NotAsked,
        })
    }
}

/// An expectation with its files read.
enum Expected {
    Accepted,
    Rejected(String),
    MutatedTo(Value),
    InvalidSettings(String),
    NotRun(String),
    NotAsked,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expected::Accepted => formatter.write_str("accepted"),
            Expected::Rejected(message) => write!(formatter, "rejected: {message}"),
            Expected::MutatedTo(object) => write!(formatter, "mutated to {object}"),
            Expected::InvalidSettings(message) => write!(formatter, "invalid settings: {message}"),
            Expected::NotRun(message) => write!(formatter, "not run: {message}"),
            Expected::NotAsked => formatter.write_str("not asked"),
        }
    }
}

fn failed(expected: &Expected, found: String) -> CaseStatus {
    CaseStatus::Failed { expected: expected.to_string(), found }
}

fn describe(outcome: &Outcome) -> String {
    let message = outcome.message.as_deref().unwrap_or_default();
    match (outcome.verdict, &outcome.mutated) {
        (Verdict::Rejected, _) => format!("rejected: {message}"),
        (Verdict::Mutated, Some(object)) => format!("mutated to {object}"),
        (Verdict::NotRun, _) => format!("not run: {message}"),
        _ => "accepted".to_owned(),
    }
}

fn lines(warnings: &[String]) -> String {
    match warnings {
        [] => "none".to_owned(),
        warnings => warnings.iter().map(|warning| format!("\n  - {warning}")).collect(),
    }
}

fn pairs(annotations: &BTreeMap<String, String>) -> String {
    annotations.iter().map(|(key, value)| format!("\n  {key}: {value}")).collect()
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}
