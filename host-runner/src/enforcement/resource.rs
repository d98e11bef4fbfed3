//! Kubewarden's own resources: what a policy or a group of policies says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use policy_metadata::ContextAwareResource;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Configured, Enforced, Enforcement, Expression, Group, Mode, Selection, spec};
use crate::capabilities::AllowList;
use crate::policy::{Engine, LoadError, Policy};

/// A policy resource, read but not yet loaded.
#[derive(Debug, Clone)]
pub struct PolicyResource {
    /// `metadata.name`; empty where there is none.
    pub name: String,
    /// `spec.mode`.
    pub mode: Mode,
    /// `spec.message`.
    pub message: Option<String>,
    /// Which requests it is asked about.
    pub selection: Selection,
    /// Who decides.
    pub body: ResourceBody,
}

/// Who decides.
#[derive(Debug, Clone)]
pub enum ResourceBody {
    /// One policy.
    Policy {
        /// Which.
        member: Member,
        /// `spec.mutating`.
        mutating: bool,
    },
    /// Several.
    Group {
        /// `spec.expression`.
        expression: Expression,
        /// `spec.policies`.
        members: BTreeMap<String, Member>,
    },
}

/// A policy as a resource, or a group in one, names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Where the module is.
    pub module: String,
    /// Its settings.
    #[serde(default, deserialize_with = "settings")]
    pub settings: Map<String, Value>,
    /// The cluster objects that it may read.
    #[serde(default)]
    pub context_aware_resources: Vec<ContextAwareResource>,
    /// The seconds that it has for one evaluation.
    #[serde(default)]
    pub(super) timeout_eval_seconds: Option<u64>,
}

impl Member {
    /// Loads the module from its bytes. The settings are not checked yet.
    ///
    /// # Errors
    ///
    /// When the bytes are no policy that can be run here.
    pub fn load(self, engine: &Engine, bytes: &[u8], allowed: &Arc<AllowList>) -> Result<Configured, LoadError> {
        Ok(Configured {
            policy: Policy::load(engine, bytes)?,
            settings: Value::Object(self.settings).to_string().into_bytes(),
            grants: Arc::new(self.context_aware_resources.into_iter().collect()),
            allowed: allowed.clone(),
            timeout: self.timeout_eval_seconds.map(Duration::from_secs),
        })
    }
}

impl PolicyResource {
    /// The resource in force. `configure` loads each policy that it names; its place in the resource is `spec`, or that
    /// of the member of a group.
    ///
    /// # Errors
    ///
    /// The first that `configure` gives.
    pub fn enforce<E>(
        self,
        mut configure: impl FnMut(&str, Member) -> Result<Configured, E>,
    ) -> Result<Enforcement, E> {
        let (enforced, mutating) = match self.body {
            ResourceBody::Policy { member, mutating } => (Enforced::Policy(configure("spec", member)?), mutating),
            ResourceBody::Group { expression, members } => {
                let members = members.into_iter().map(|(name, member)| {
                    let configured = configure(&format!("{MEMBERS}{name}"), member)?;
                    Ok((name, configured))
                });
                (Enforced::Group(Group { expression, members: members.collect::<Result<_, E>>()? }), false)
            }
        };
        Ok(Enforcement {
            name: self.name,
            enforced,
            mode: self.mode,
            mutating,
            selection: self.selection,
            message: self.message,
        })
    }
}

/// `null` is no settings.
fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Why a resource is not a policy that can be enforced here.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// Another API version.
    #[error("its apiVersion is {0:?}, and only policies.kubewarden.io/v1 is known")]
    ApiVersion(String),
    /// Another kind.
    #[error("{kind:?} is no kind of policy: there are {}", KINDS.join(", "))]
    Kind {
        /// What it says.
        kind: String,
    },
    /// The resource does not have the shape of its kind.
    #[error("{0}")]
    Shape(String),
}

/// Where the members of a group stand in its resource.
pub(crate) const MEMBERS: &str = "spec.policies.";

/// Kubewarden's kinds of policies.
const KINDS: [&str; 4] =
    ["ClusterAdmissionPolicy", "AdmissionPolicy", "ClusterAdmissionPolicyGroup", "AdmissionPolicyGroup"];

/// Whether an object is one of Kubewarden's policy resources, of any kind.
pub fn is_policy_resource(object: &Value) -> bool {
    // By its kind too, so that a misspelt apiVersion is told and not passed over.
    // A PolicyServer often lies beside its policies.
    let is_server = object["kind"] == "PolicyServer";
    (!is_server && object["apiVersion"].as_str().is_some_and(|version| version.starts_with("policies.kubewarden.io/")))
        || object["kind"].as_str().is_some_and(|kind| KINDS.contains(&kind))
}

/// Reads one of Kubewarden's policy resources.
///
/// # Errors
///
/// When it is something else, or has a key that its kind does not have.
pub fn read_resource(object: &Value) -> Result<PolicyResource, ResourceError> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    if api_version != "policies.kubewarden.io/v1" {
        return Err(ResourceError::ApiVersion(api_version));
    }
    if !KINDS.contains(&kind.as_str()) {
        return Err(ResourceError::Kind { kind });
    }
    // An AdmissionPolicy holds in its own namespace.
    let namespace = (!kind.starts_with("Cluster")).then(|| match text("/metadata/namespace") {
        namespace if namespace.is_empty() => "default".to_owned(),
        namespace => namespace,
    });
    let spec = spec::read(&object["spec"], &kind, namespace)
        .map_err(|mistake| ResourceError::Shape(format!("spec{mistake}")))?;
    let spec::Read { mode, message, selection, body } = spec;
    Ok(PolicyResource { name: text("/metadata/name"), mode, message, selection, body })
}
