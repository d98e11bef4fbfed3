//! One request, one policy: from the guest's answer to what the cluster would do.

use std::collections::BTreeMap;
use std::sync::Arc;

use json_patch::Patch;
use serde::Serialize;
use serde_json::Value;

use super::{Enforcement, Mode};
use crate::admission::AdmissionRequest;
use crate::capabilities::HostCapabilities;
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

/// Evaluates the request in a fresh instance of the policy.
pub fn judge(
    enforcement: &Enforcement,
    request: &AdmissionRequest,
    capabilities: Arc<dyn HostCapabilities>,
    limits: Limits,
) -> Outcome {
    let limits = Limits { deadline: enforcement.timeout.unwrap_or(limits.deadline), ..limits };
    match enforcement.policy.evaluate(request.json(), &enforcement.settings, capabilities, limits) {
        Ok(evaluation) => conclude(enforcement, request, evaluation),
        Err(error) => Outcome::not_run(error_chain(&error)),
    }
}

/// Kubewarden's AdmissionResponseHandler: mode, the right to mutate, and the custom message, in this order.
fn conclude(enforcement: &Enforcement, request: &AdmissionRequest, evaluation: Evaluation) -> Outcome {
    let Evaluation { response, unanswered, .. } = evaluation;
    if !unanswered.is_empty() {
        // Whatever the policy made of it, it judged without what it asked for.
        return Outcome::not_run(unanswered.join("; "));
    }
    let mut outcome = Outcome {
        warnings: response.warnings.unwrap_or_default(),
        audit_annotations: response.audit_annotations.unwrap_or_default(),
        ..Outcome::new(Verdict::Accepted, None)
    };
    let (patch, mutated) = match (response.mutated_object, &request.object) {
        (Some(_), None) => {
            outcome.verdict = Verdict::Rejected;
            outcome.message = Some(
                "Incoming object is null, which happens only with DELETE operations, but the policy is attempting a \
                 mutation. This is not allowed"
                    .to_owned(),
            );
            return outcome;
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
    if enforcement.mode == Mode::Monitor {
        // The cluster lets everything through and drops the patch; what would have happened is what one wants to see.
        if !response.accepted {
            let message = response.message.unwrap_or_default();
            outcome.warnings.push(format!("in monitor mode, would be rejected: {message}"));
            outcome.message = Some(message);
        } else if patch.is_some() {
            outcome.warnings.push("in monitor mode, would be mutated".to_owned());
        }
        return outcome;
    }
    if patch.is_some() && !enforcement.mutating {
        outcome.verdict = Verdict::Rejected;
        outcome.message = Some(enforcement.message.clone().unwrap_or_else(|| {
            format!(
                "Request rejected by policy {}. The policy attempted to mutate the request, but it is currently \
                 configured to not allow mutations.",
                enforcement.name
            )
        }));
        return outcome;
    }
    if response.accepted {
        outcome.message = response.message;
        outcome.verdict = if patch.is_some() { Verdict::Mutated } else { Verdict::Accepted };
        (outcome.patch, outcome.mutated) = (patch, mutated);
        return outcome;
    }
    outcome.verdict = Verdict::Rejected;
    let own = response.message.unwrap_or_else(|| "the policy gives no reason".to_owned());
    outcome.message = Some(match &enforcement.message {
        // The API server shows the cause below the message.
        Some(custom) => format!("{custom} ({own})"),
        None => own,
    });
    outcome
}
