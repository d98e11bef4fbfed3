//! A policy as a cluster enforces it: on which requests, with which settings, and what follows from its answer.
//!
//! ```text
//! PolicyResource ─► Enforcement ─┬─► Selection    rules, selectors, conditions
//!                                └─► Enforced     a policy, or a group and its expression
//! judge    what check tells: verdicts, and whatever is none
//! respond  what Kubewarden would answer the API server
//! ```

mod conditions;
mod expression;
mod group;
mod judge;
mod labels;
mod resource;
mod respond;
mod rules;
mod spec;
mod variables;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use policy_metadata::annotation::DESCRIPTION;
use policy_metadata::{ContextAwareResource, Rule};

use crate::capabilities::{AllowList, Gate, Source};
use crate::policy::{EvaluateError, Evaluation, Instance, Limits, Policy};

pub use conditions::{Condition, FailurePolicy};
pub use expression::{Expression, ExpressionError};
pub use group::Group;
pub use judge::{Outcome, Verdict, judge};
pub use labels::{LabelSelector, Labels};
pub(crate) use resource::MEMBERS;
pub use resource::{Member, PolicyResource, ResourceBody, ResourceError, is_policy_resource, read_resource};
pub use respond::{AdmissionResponse, Aside, Cause, Details, Responding, Status, respond};
pub use rules::rule_matches;

/// A policy or a group of policies in force.
#[derive(Debug, Clone)]
pub struct Enforcement {
    /// The name under which results are reported.
    pub name: String,
    /// Who decides.
    pub enforced: Enforced,
    /// What a rejection means.
    pub mode: Mode,
    /// Whether the policy may change objects.
    pub mutating: bool,
    /// The requests that are sent to it.
    pub selection: Selection,
    /// What the requester is told instead of the policy's own message. Groups always have one.
    pub message: Option<String>,
}

impl Enforcement {
    /// What the policy is for, in its own words.
    pub fn description(&self) -> Option<&str> {
        match &self.enforced {
            Enforced::Policy(configured) => {
                configured.policy.metadata()?.annotations.get(DESCRIPTION).map(String::as_str)
            }
            Enforced::Group(_) => self.message.as_deref(),
        }
    }
}

/// Who decides.
#[derive(Debug, Clone)]
pub enum Enforced {
    /// One policy.
    Policy(Configured),
    /// Several, and an expression over their verdicts.
    Group(Group),
}

/// A policy with its settings, and what it may do.
#[derive(Debug, Clone)]
pub struct Configured {
    /// The module.
    pub policy: Policy,
    /// The settings, as JSON.
    pub settings: Vec<u8>,
    /// The cluster objects that it may read.
    pub grants: Arc<HashSet<ContextAwareResource>>,
    /// The host capabilities that the policy may use.
    pub allowed: Arc<AllowList>,
    /// The time that it has for one evaluation; the host's own limit without one.
    pub timeout: Option<Duration>,
}

impl Configured {
    /// Evaluates a request, given as JSON, in a fresh instance.
    ///
    /// # Errors
    ///
    /// When there is no verdict.
    pub fn evaluate(
        &self,
        request: &[u8],
        source: &Arc<dyn Source>,
        limits: Limits,
    ) -> Result<Evaluation, EvaluateError> {
        self.instantiate(source, limits)?.evaluate(request, &self.settings)
    }

    /// A fresh instance, which asks `source` what it may ask.
    ///
    /// # Errors
    ///
    /// When the module's own initialisation fails.
    pub fn instantiate(&self, source: &Arc<dyn Source>, limits: Limits) -> Result<Instance, EvaluateError> {
        let limits = Limits { deadline: self.timeout.unwrap_or(limits.deadline), ..limits };
        let gate = Gate { source: source.clone(), allowed: self.allowed.clone(), grants: self.grants.clone() };
        self.policy.instantiate(Arc::new(gate), limits)
    }
}

/// What a rejection means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The request is refused.
    #[default]
    Protect,
    /// The request goes through, and the rejection is on record.
    Monitor,
}

/// Which requests are sent to a policy. A request that any rule matches, and that every selector and condition matches.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// At least one rule must match.
    pub rules: Vec<Rule>,
    /// The namespace of an AdmissionPolicy.
    pub namespace: Option<String>,
    /// Labels of the request's Namespace.
    pub namespace_selector: Option<LabelSelector>,
    /// Labels of the object, old or new.
    pub object_selector: Option<LabelSelector>,
    /// Whether other versions of the resource match too (`matchPolicy: Equivalent`, the default of Kubernetes).
    pub is_exact: bool,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// What a condition that fails means.
    pub failure_policy: FailurePolicy,
}

/// Whether a request is sent to a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The API server cannot tell and refuses the request, and why.
    Refused(String),
    /// Nobody here can tell, and why.
    Unknown(String),
}
