//! One request, one policy: from the guest's answer to what the cluster would do.

use std::collections::BTreeMap;
use std::sync::Arc;

use json_patch::Patch;
use serde::Serialize;
use serde_json::Value;

use super::{Enforced, Enforcement, Group, Mode};
use crate::admission::AdmissionRequest;
use crate::capabilities::Source;
use crate::policy::{Evaluation, Limits, error_chain};

/// What the cluster would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// The request goes through as it is.
    Accepted,
    /// The request is refused.
    Rejected,
    /// The request goes through with changes.
    Mutated,
    /// There is no verdict; the message says why.
    NotRun,
    /// The policy has no settings and cannot work without.
    NotConfigured,
}

/// The outcome of one evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the cluster would do.
    pub verdict: Verdict,
    /// Why; also what a policy in monitor mode would have said.
    pub message: Option<String>,
    /// What the requester is told.
    pub warnings: Vec<String>,
    /// What the audit log keeps.
    pub audit_annotations: BTreeMap<String, String>,
    /// From the object to the mutated one.
    pub patch: Option<Patch>,
    /// The object after the mutation.
    pub mutated: Option<Value>,
}

impl Outcome {
    /// An outcome with a verdict and nothing else.
    pub fn new(verdict: Verdict, message: Option<String>) -> Self {
        Outcome {
            verdict,
            message,
            warnings: Vec::new(),
            audit_annotations: BTreeMap::new(),
            patch: None,
            mutated: None,
        }
    }

    /// No verdict, with the reason.
    pub fn not_run(reason: impl Into<String>) -> Self {
        Outcome::new(Verdict::NotRun, Some(reason.into()))
    }
}

/// What a rejection says for which the policy gives no message.
const NO_REASON: &str = "the policy gives no reason";

/// What Kubewarden says to a mutation of nothing.
pub(super) const NOTHING_TO_MUTATE: &str = "Incoming object is null, which happens only with DELETE operations, but the \
                                            policy is attempting a mutation. This is not allowed";

/// What Kubewarden says when a policy changes an object that it may not change.
pub(super) fn may_not_mutate(policy: &str) -> String {
    format!(
        "Request rejected by policy {policy}. The policy attempted to mutate the request, but it is currently configured \
         to not allow mutations."
    )
}

/// Evaluates the request in a fresh instance of the policy, or of those members of a group whose verdicts matter.
pub fn judge(
    enforcement: &Enforcement,
    request: &AdmissionRequest,
    source: &Arc<dyn Source>,
    limits: Limits,
) -> Outcome {
    match &enforcement.enforced {
        Enforced::Policy(configured) => match configured.evaluate(request.json(), source, limits) {
            Ok(evaluation) => conclude(enforcement, request, evaluation),
            Err(error) => Outcome::not_run(error_chain(&error)),
        },
        Enforced::Group(group) => judge_group(enforcement, group, request, source, limits),
    }
}

/// A member without a verdict leaves the group without one: it may have decided the matter.
fn judge_group(
    enforcement: &Enforcement,
    group: &Group,
    request: &AdmissionRequest,
    source: &Arc<dyn Source>,
    limits: Limits,
) -> Outcome {
    let (accepted, asked) =
        group.evaluate(request.json(), request.object.as_ref(), source, limits, |_, error| error_chain(error));
    let unknown = asked.iter().filter_map(|one| Some(format!("{}: {}", one.member, one.no_verdict.as_ref()?)));
    let unknown: Vec<String> = unknown.collect();
    if !unknown.is_empty() {
        return Outcome::not_run(unknown.join("; "));
    }
    if accepted {
        return Outcome::new(Verdict::Accepted, None);
    }
    let causes = asked.into_iter().filter(|one| !one.accepted).map(|one| {
        let message = one.message.unwrap_or_else(|| NO_REASON.to_owned());
        format!("{}: {message}", one.member)
    });
    let own = enforcement.message.clone().unwrap_or_default();
    let causes: Vec<String> = causes.collect();
    let message = if causes.is_empty() { own } else { format!("{own} ({})", causes.join("; ")) };
    refused(enforcement.mode, message)
}

/// A refusal, or what is left of it in monitor mode: the cluster lets everything through, and what would have happened
/// is what one wants to see.
fn refused(mode: Mode, message: String) -> Outcome {
    let mut outcome = Outcome::new(Verdict::Rejected, Some(message.clone()));
    if mode == Mode::Monitor {
        outcome.verdict = Verdict::Accepted;
        outcome.warnings.push(format!("in monitor mode, would be rejected: {message}"));
    }
    outcome
}

/// Kubewarden's AdmissionResponseHandler: mode, the right to mutate, and the custom message, in this order.
fn conclude(enforcement: &Enforcement, request: &AdmissionRequest, evaluation: Evaluation) -> Outcome {
    let Evaluation { response, unanswered, .. } = evaluation;
    if !unanswered.is_empty() {
        // Whatever the policy made of it, it judged without what it asked for.
        return Outcome::not_run(unanswered.join("; "));
    }
    let warnings = response.warnings.unwrap_or_default();
    let audit_annotations = response.audit_annotations.unwrap_or_default();
    let with = |mut outcome: Outcome| {
        outcome.warnings.splice(0..0, warnings);
        Outcome { audit_annotations, ..outcome }
    };
    let (patch, mutated) = match (response.mutated_object, &request.object) {
        (Some(_), None) => {
            let message = with_custom(enforcement, NOTHING_TO_MUTATE.to_owned());
            return with(refused(enforcement.mode, message));
        }
        (Some(mutated), Some(object)) => {
            let is_same = |key: &str| mutated.get(key) == object.get(key);
            if !mutated.is_object() || !is_same("apiVersion") || !is_same("kind") {
                return Outcome::not_run("the policy makes something else of the object, which no API server takes");
            }
            let patch = json_patch::diff(object, &mutated);
            if patch.is_empty() { (None, None) } else { (Some(patch), Some(mutated)) }
        }
        (None, _) => (None, None),
    };
    if !response.accepted {
        let own = response.message.unwrap_or_else(|| NO_REASON.to_owned());
        let message = with_custom(enforcement, own);
        // Without the right to mutate, Kubewarden speaks of that first.
        let is_rejected_anyway = enforcement.mode == Mode::Protect && patch.is_some() && !enforcement.mutating;
        return with(if is_rejected_anyway {
            mutation_refused(enforcement)
        } else {
            refused(enforcement.mode, message)
        });
    }
    match (&patch, enforcement.mode, enforcement.mutating) {
        (None, ..) => with(Outcome::new(Verdict::Accepted, response.message)),
        (Some(_), Mode::Monitor, _) => {
            let mut outcome = Outcome::new(Verdict::Accepted, None);
            outcome.warnings.push("in monitor mode, would be mutated".to_owned());
            with(outcome)
        }
        (Some(_), Mode::Protect, false) => with(mutation_refused(enforcement)),
        (Some(_), Mode::Protect, true) => {
            with(Outcome { patch, mutated, ..Outcome::new(Verdict::Mutated, response.message) })
        }
    }
}

/// The policy's own words, behind those that the resource has for them. In monitor mode nobody is told the latter.
fn with_custom(enforcement: &Enforcement, own: String) -> String {
    match (&enforcement.message, enforcement.mode) {
        // The API server shows the cause below the message.
        (Some(custom), Mode::Protect) => format!("{custom} ({own})"),
        _ => own,
    }
}

fn mutation_refused(enforcement: &Enforcement) -> Outcome {
    let message = enforcement.message.clone().unwrap_or_else(|| may_not_mutate(&enforcement.name));
    Outcome::new(Verdict::Rejected, Some(message))
}
