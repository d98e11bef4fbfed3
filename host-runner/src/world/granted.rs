//! A world seen by one policy: only the kinds that it was granted.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::World;
use super::selectors::{FieldSelector, TextSelector, mask};
use crate::capabilities::{CapabilityError, HostCapabilities};
use crate::policy::ContextAwareResource;

/// Answers for a policy from a world.
#[derive(Debug, Clone)]
pub struct Granted {
    /// What is known.
    pub world: Arc<World>,
    /// The kinds that the policy may read.
    pub grants: Arc<HashSet<ContextAwareResource>>,
}

type Answer = Result<Vec<u8>, CapabilityError>;

#[derive(Deserialize)]
struct GetResource {
    api_version: String,
    kind: String,
    name: String,
    #[serde(default)]
    namespace: Option<String>,
    // Kubewarden requires the key; there is no cache here that it could disable.
    #[serde(rename = "disable_cache")]
    _disable_cache: bool,
    #[serde(default)]
    field_masks: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ListResources {
    api_version: String,
    kind: String,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    label_selector: Option<String>,
    #[serde(default)]
    field_selector: Option<String>,
    #[serde(default)]
    field_masks: Option<Vec<String>>,
}

impl HostCapabilities for Granted {
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Answer {
        match (namespace, operation) {
            ("kubernetes", "get_resource") => self.get_resource(read(payload)?),
            ("kubernetes", "list_resources_all" | "list_resources_by_namespace") => self.list_resources(read(payload)?),
            ("oci", "v1/manifest_digest") => {
                self.image(&read::<String>(payload)?, |image| json!({ "digest": image.digest }))
            }
            ("oci", "v1/oci_manifest") => self.image(&read::<String>(payload)?, |image| image.body.clone()),
            ("oci", "v1/oci_manifest_config") => self.manifest_and_config(&read::<String>(payload)?),
            ("kubernetes" | "oci" | "net" | "crypto", _) => Err(CapabilityError::Unanswered(format!(
                "the host capability {namespace}/{operation} is not answered by host-runner"
            ))),
            _ => Err(CapabilityError::Failed(format!("unknown namespace: {namespace}"))),
        }
    }

    fn now(&self) -> Option<i64> {
        self.world.now
    }
}

impl Granted {
    fn get_resource(&self, question: GetResource) -> Answer {
        let GetResource { api_version, kind, name, namespace, field_masks, .. } = question;
        self.check_grant(&api_version, &kind)?;
        match self.world.find(&api_version, &kind, namespace.as_deref(), &name) {
            Some(object) => bytes(&mask(object, field_masks.as_deref().unwrap_or_default())),
            // Kubewarden's own words, by which policies know "not found".
            None if self.world.is_complete => Err(failure(format!(
                "Cannot find {api_version}/{kind} named '{name}' inside of namespace '{namespace:?}'"
            ))),
            None => Err(CapabilityError::Unanswered(format!(
                "{kind} {name}{} is not known here: check its manifest along, or put it into the --world",
                namespace.map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default()
            ))),
        }
    }

    fn list_resources(&self, question: ListResources) -> Answer {
        let ListResources { api_version, kind, namespace, label_selector, field_selector, field_masks } = question;
        self.check_grant(&api_version, &kind)?;
        if !self.world.is_complete {
            return Err(CapabilityError::Unanswered(format!(
                "all objects of kind {kind} are asked for, and only a cluster knows them: give a --world"
            )));
        }
        let labels = TextSelector::parse(label_selector.as_deref().unwrap_or_default()).map_err(failure)?;
        let fields = FieldSelector::parse(field_selector.as_deref().unwrap_or_default()).map_err(failure)?;
        let items: Vec<Value> = self
            .world
            .list(&api_version, &kind)
            .filter(|object| namespace.is_none() || super::cluster::key_of(object).0 == namespace.as_deref())
            .filter(|object| labels.matches(object) && fields.matches(object))
            .map(|object| as_listed(mask(object, field_masks.as_deref().unwrap_or_default())))
            .collect();
        bytes(&json!({ "apiVersion": api_version, "kind": format!("{kind}List"), "metadata": {}, "items": items }))
    }

    fn check_grant(&self, api_version: &str, kind: &str) -> Result<(), CapabilityError> {
        let wanted = ContextAwareResource { api_version: api_version.to_owned(), kind: kind.to_owned() };
        if self.grants.contains(&wanted) {
            return Ok(());
        }
        Err(CapabilityError::Unanswered(format!(
            "Policy has not been granted access to Kubernetes {api_version}/{kind} resources. The violation has been reported."
        )))
    }

    fn image(&self, reference: &str, answer: impl Fn(&super::images::Known) -> Value) -> Answer {
        match self.world.images.get(reference).map_err(failure)? {
            Some(image) => bytes(&answer(image)),
            None => Err(self.unknown_image(reference)),
        }
    }

    fn manifest_and_config(&self, reference: &str) -> Answer {
        match self.world.images.get(reference).map_err(failure)? {
            Some(image) if image.is_index => Err(failure(
                "Received Image Index, but platform_resolver was not defined on the client config. \
                 Consider setting platform_resolver"
                    .to_owned(),
            )),
            Some(image) => match &image.config {
                Some(config) => bytes(&json!({ "manifest": image.body, "digest": image.digest, "config": config })),
                None => Err(failure(format!("the world holds no config for {reference}"))),
            },
            None => Err(self.unknown_image(reference)),
        }
    }

    fn unknown_image(&self, reference: &str) -> CapabilityError {
        if self.world.is_complete {
            failure(format!("{reference}: manifest unknown, the world holds no such image"))
        } else {
            CapabilityError::Unanswered(format!("image {reference} is not known here: put it into the --world"))
        }
    }
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, CapabilityError> {
    serde_json::from_slice(payload).map_err(|error| failure(error.to_string()))
}

fn bytes(value: &Value) -> Answer {
    serde_json::to_vec(value).map_err(|error| failure(error.to_string()))
}

/// A failure as Kubewarden's host hands it to the guest.
fn failure(message: impl Into<String>) -> CapabilityError {
    CapabilityError::Failed(format!("Callback evaluation failure: {}", message.into()))
}

/// Kubewarden's reflector takes some fields off what it lists.
fn as_listed(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.insert("managedFields".to_owned(), json!([]));
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    object
}
