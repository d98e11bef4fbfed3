//! A policy as a cluster enforces it: on which requests, with which settings, and what follows from its answer.

mod judge;
mod labels;
mod resource;
mod rules;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::capabilities::{AllowList, ContextAwareResource};
use crate::policy::Policy;

pub use judge::{Outcome, Verdict, judge};
pub use labels::{LabelSelector, Labels};
pub use resource::{PolicyResource, ResourceError, is_policy_resource, read_resource};
pub use rules::{Rule, Scope};

/// A policy in force.
#[derive(Debug, Clone)]
pub struct Enforcement {
    /// The name under which results are reported.
    pub name: String,
    /// The module.
    pub policy: Policy,
    /// What a rejection means.
    pub mode: Mode,
    /// Whether the policy may change objects.
    pub mutating: bool,
    /// The requests that are sent to it.
    pub selection: Selection,
    /// What the requester is told instead of the policy's own message.
    pub message: Option<String>,
    /// The settings, as JSON.
    pub settings: Vec<u8>,
    /// The cluster objects that it may read.
    pub grants: Arc<HashSet<ContextAwareResource>>,
    /// The host capabilities that the policy may use.
    pub allowed: Arc<AllowList>,
    /// The time that it has for one evaluation; the host's own limit without one.
    pub timeout: Option<Duration>,
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

/// Which requests are sent to a policy. A request that any rule matches, and that every selector matches.
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
    /// Conditions in CEL: their number. They are not evaluated.
    pub conditions: usize,
}

/// Whether a request is sent to a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Nobody here can tell, and why.
    Unknown(String),
}
