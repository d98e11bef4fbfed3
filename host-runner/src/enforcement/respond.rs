//! What Kubewarden would answer the API server, to the byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy_metadata::ExecutionMode;
use serde::Serialize;
use serde_json::Value;

use super::{Configured, Enforced, Enforcement, Group, Mode};
use crate::capabilities::Source;
use crate::policy::{EvaluateError, Limits, Output, ValidationResponse};

/// AdmissionResponse of `admission.k8s.io/v1`, with Kubewarden's order of keys.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionResponse {
    /// The request's.
    pub uid: String,
    /// Whether the request goes through.
    pub allowed: bool,
    /// `JSONPatch`, if there is a patch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_type: Option<&'static str>,
    /// RFC 6902, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What the audit log keeps.
    pub audit_annotations: Option<BTreeMap<String, String>>,
    /// What the requester is told.
    pub warnings: Option<Vec<String>>,
}

/// Status of Kubernetes' `meta/v1`, as much of it as Kubewarden sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Why not, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// HTTP's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// What led to a refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Details {
    /// Each thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
}

/// One thing that led to a refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Never set.
    pub reason: Option<String>,
    /// The policy's own words.
    pub message: Option<String>,
    /// The member of a group that said it.
    pub field: Option<String>,
}

/// A request as Kubewarden hands it on.
#[derive(Debug, Clone, PartialEq)]
pub struct Responding {
    /// `request.uid`.
    pub uid: String,
    /// What a mutation starts from: the object, or all of a raw request.
    pub base: Option<Value>,
    /// The request as JSON.
    pub json: Vec<u8>,
}

impl AdmissionResponse {
    fn refused(uid: &str, message: String, code: Option<u16>) -> Self {
        AdmissionResponse {
            uid: uid.to_owned(),
            status: Some(Status { message: Some(message), details: None, code }),
            ..AdmissionResponse::default()
        }
    }
}

/// What a policy said on the way to its answer.
#[derive(Debug, Default)]
pub struct Aside {
    /// Its log, and what it printed.
    pub output: Output,
    /// What it asked for and nobody could answer.
    pub unanswered: Vec<String>,
}

/// Evaluates a request, and answers as policy-server would.
pub fn respond(
    enforcement: &Enforcement,
    request: &Responding,
    source: &Arc<dyn Source>,
    limits: Limits,
) -> (AdmissionResponse, Aside) {
    let (response, aside) = match &enforcement.enforced {
        Enforced::Policy(configured) => of_policy(configured, request, source, limits),
        Enforced::Group(group) => of_group(group, enforcement, request, source, limits),
    };
    let is_group = matches!(enforcement.enforced, Enforced::Group(_));
    (handled(enforcement, is_group, response), aside)
}

fn of_policy(
    configured: &Configured,
    request: &Responding,
    source: &Arc<dyn Source>,
    limits: Limits,
) -> (AdmissionResponse, Aside) {
    let refused = |error: &EvaluateError| {
        AdmissionResponse::refused(&request.uid, failure(configured.policy.mode(), error), Some(500))
    };
    let mut instance = match configured.instantiate(source, limits) {
        Ok(instance) => instance,
        Err(error) => return (refused(&error), Aside::default()),
    };
    match instance.evaluate(&request.json, &configured.settings) {
        Ok(evaluation) => {
            let aside = Aside { output: evaluation.output, unanswered: evaluation.unanswered };
            (of_answer(request, evaluation.response), aside)
        }
        Err(error) => {
            // What it said before it failed is often why.
            let aside = Aside { output: instance.output().clone(), unanswered: instance.take_unanswered() };
            (refused(&error), aside)
        }
    }
}

/// The words that Kubewarden has for a policy that gives no verdict.
fn failure(mode: ExecutionMode, error: &EvaluateError) -> String {
    let call = |text: &str| format!("internal server error: Guest call failure: {text}");
    match error {
        EvaluateError::DeadlineExceeded { .. } => {
            "Policy execution interrupted because it exceeded the allowed execution time".to_owned()
        }
        EvaluateError::Guest(text) => call(text),
        EvaluateError::NoAnswer => call("No error message OR response set for call success"),
        EvaluateError::MalformedAnswer(cause) => {
            format!("internal server error: invalid response from policy: {cause}")
        }
        EvaluateError::Trap { cause, .. } => call(&cause.to_string()),
        // A program says why on its stderr.
        EvaluateError::Exited { output, .. } if mode == ExecutionMode::Wasi => output.clone(),
        EvaluateError::Exited { .. } | EvaluateError::MemoryLimitExceeded { .. } | EvaluateError::Unanswered(_) => {
            call(&error.to_string())
        }
    }
}

fn of_answer(request: &Responding, answer: ValidationResponse) -> AdmissionResponse {
    let patch = match (&request.base, &answer.mutated_object) {
        (_, None) => None,
        (None, Some(_)) => {
            return AdmissionResponse::refused(&request.uid, super::judge::NOTHING_TO_MUTATE.to_owned(), None);
        }
        (Some(base), Some(mutated)) => {
            let patch = json_patch::diff(base, mutated);
            (!patch.is_empty()).then(|| STANDARD.encode(serde_json::to_vec(&patch).unwrap_or_default()))
        }
    };
    let has_status = answer.message.is_some() || answer.code.is_some();
    AdmissionResponse {
        uid: request.uid.clone(),
        allowed: answer.accepted,
        patch_type: patch.as_ref().map(|_| "JSONPatch"),
        patch,
        status: has_status.then_some(Status { message: answer.message, details: None, code: answer.code }),
        audit_annotations: answer.audit_annotations,
        warnings: answer.warnings,
    }
}

fn of_group(
    group: &Group,
    enforcement: &Enforcement,
    request: &Responding,
    source: &Arc<dyn Source>,
    limits: Limits,
) -> (AdmissionResponse, Aside) {
    let mode_of = |name: &str| group.members.get(name).map_or(ExecutionMode::Wapc, |member| member.policy.mode());
    let (allowed, asked) = group
        .evaluate(&request.json, request.base.as_ref(), source, limits, |name, error| failure(mode_of(name), error));
    let unanswered: Vec<String> = asked.iter().filter_map(|one| one.no_verdict.clone()).collect();
    let output = asked.iter().flat_map(|one| one.output.entries().to_vec()).collect();
    let aside = Aside { output, unanswered };
    let response = AdmissionResponse { uid: request.uid.clone(), allowed, ..AdmissionResponse::default() };
    if allowed {
        return (response, aside);
    }
    let causes = asked.into_iter().filter(|one| !one.accepted).map(|one| Cause {
        reason: None,
        message: one.message,
        field: Some(format!("{}{}", super::MEMBERS, one.member)),
    });
    let status = Status {
        message: enforcement.message.clone(),
        details: Some(Details { causes: causes.collect() }),
        code: None,
    };
    (AdmissionResponse { status: Some(status), ..response }, aside)
}

/// Kubewarden's AdmissionResponseHandler: mode, the right to mutate, and the custom message, in this order.
fn handled(enforcement: &Enforcement, is_group: bool, mut response: AdmissionResponse) -> AdmissionResponse {
    if enforcement.mode == Mode::Monitor {
        return AdmissionResponse { allowed: true, patch_type: None, patch: None, status: None, ..response };
    }
    if response.patch.is_some() && !enforcement.mutating {
        (response.allowed, response.patch, response.patch_type) = (false, None, None);
        let message = super::judge::may_not_mutate(&enforcement.name);
        response.status = Some(Status { message: Some(message), details: None, code: None });
    }
    if let (false, false, Some(custom)) = (is_group, response.allowed, &enforcement.message) {
        let mut status = response.status.take().unwrap_or_default();
        let own = status.message.replace(custom.clone());
        let cause = Cause { reason: None, message: own, field: None };
        status.details.get_or_insert_default().causes.push(cause);
        response.status = Some(status);
    }
    response
}
