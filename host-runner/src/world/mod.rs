//! The outside that policies may ask about, as data: cluster objects, images, the clock.
//!
//! Answers depend on the question alone, never on the order of calls.

mod applied;
mod cluster;
mod contents;
mod images;
mod layout;
mod selectors;
mod signatures;

use std::sync::Arc;

use serde_json::{Value, json};

pub use applied::Applied;
pub use contents::{Contents, WorldFile};
pub use images::Image;
#[cfg(feature = "live")]
#[cfg(feature = "live")]
pub(crate) use selectors::mask as masked;
pub use signatures::{GithubActions, Keyless, Signature};

use crate::admission::Catalog;
use crate::capabilities::{
    Answer, CapabilityError, ImageQuestion, ObjectQuestion, ObjectsQuestion, Question, Source, json_answer,
};
use crate::enforcement::Labels;
use crate::manifest::Manifest;
use crate::verification::Verification;
use cluster::{Cluster, in_namespace};
use images::{Images, Known};
use selectors::Selection;

/// What a local run knows of the outside.
#[derive(Debug, Default)]
pub struct World {
    /// The objects under check: what the cluster will hold once they are applied.
    applied: Cluster,
    /// The objects that the cluster holds.
    cluster: Cluster,
    images: Images,
    now: Option<i64>,
    /// Whether something says what the cluster holds.
    knows_cluster: bool,
    /// Whether something says what registries hold.
    knows_images: bool,
}

impl World {
    /// A world in which only the objects under check are known. Objects that name no namespace are in `namespace`.
    pub fn of_checked(manifests: &[Manifest], catalog: &Catalog, namespace: &str) -> Self {
        let objects = manifests.iter().map(|manifest| in_namespace(manifest.object.clone(), catalog, namespace));
        World { applied: Cluster::new(objects), ..World::default() }
    }

    /// Adds what was given as the world. Its objects are `default` where they name no namespace.
    ///
    /// # Errors
    ///
    /// When two images or two objects contradict each other.
    pub fn with(mut self, contents: Contents, catalog: &Catalog) -> Result<Self, String> {
        let Contents { images, cluster, now } = contents;
        self.knows_images |= images.is_some();
        self.images = Images::new(&images.unwrap_or_default())?;
        self.knows_cluster |= cluster.is_some();
        let objects = cluster.unwrap_or_default().into_iter();
        self.cluster = Cluster::of_one_state(objects.map(|object| in_namespace(object, catalog, "default")))?;
        self.now = now;
        Ok(self)
    }

    /// The labels of a Namespace, if it is known.
    pub fn namespace_labels(&self, name: &str) -> Option<Labels> {
        self.find("v1", "Namespace", None, name).map(Labels::of)
    }

    /// The object as the cluster holds it now, before what is under check is applied.
    pub fn current(&self, object: &Value, namespace: Option<&str>) -> Option<&Value> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        self.cluster.get(text("/apiVersion"), text("/kind"), namespace, text("/metadata/name"))
    }

    /// The time that policies see, if the world tells one.
    pub fn now(&self) -> Option<i64> {
        self.now
    }

    /// The answer, where this world has one. `None` is for others to answer, if there are any.
    pub fn answer(&self, question: &Question) -> Option<Answer> {
        match question {
            Question::OciManifestDigest(ImageQuestion { image }) => {
                self.about_image(image, |image| json_answer(&json!({ "digest": image.digest })))
            }
            Question::OciManifest(ImageQuestion { image }) => self.about_image(image, |image| json_answer(&image.body)),
            Question::OciManifestAndConfig(ImageQuestion { image: name }) => {
                self.about_image(name, |image| manifest_and_config(name, image))
            }
            Question::KubernetesGetResource(question) => self.get(question),
            Question::KubernetesListResourceAll(question) | Question::KubernetesListResourceNamespace(question) => {
                self.knows_cluster.then(|| list_of(question, selected(&self.cluster, question)?))
            }
            #[cfg(feature = "live")]
            Question::CryptoIsCertificateTrusted { request } => {
                Some(crate::live::certificates::judge(request, self.now))
            }
            _ => match Verification::of(question)? {
                Ok(wanted) => self.about_image(wanted.image, |image| {
                    signatures::verify(&image.signatures, &wanted).map_err(CapabilityError::Failed)?;
                    json_answer(&json!({ "is_trusted": true, "digest": image.digest }))
                }),
                Err(message) => Some(failed(message)),
            },
        }
    }

    /// What is said where nobody else can be asked. A world with a `cluster` says all of the cluster, and one with
    /// `images` all of the registries: what it does not contain does not exist. Of the rest nobody knows.
    pub fn missing(&self, question: &Question) -> Answer {
        match question {
            Question::OciManifestDigest(ImageQuestion { image })
            | Question::OciManifest(ImageQuestion { image })
            | Question::OciManifestAndConfig(ImageQuestion { image }) => self.missing_image(image),
            Question::KubernetesGetResource(ObjectQuestion { api_version, kind, name, namespace, .. }) => {
                if self.knows_cluster {
                    // Kubewarden's own words, by which policies know "not found".
                    return failed(format!(
                        "Cannot find {api_version}/{kind} named '{name}' inside of namespace '{namespace:?}'"
                    ));
                }
                let place = namespace.as_ref().map(|namespace| format!(" in namespace {namespace}"));
                unanswered(format!(
                    "{kind} {name}{} is not known here: check its manifest along, or put it into the `cluster` of a --world",
                    place.unwrap_or_default()
                ))
            }
            Question::KubernetesListResourceAll(question) | Question::KubernetesListResourceNamespace(question) => {
                let kind = &question.kind;
                unanswered(format!(
                    "all objects of kind {kind} are asked for, and only a cluster knows them: give a --world with a `cluster`"
                ))
            }
            Question::KubernetesCanI { .. } | Question::DnsLookupHost { .. } => unanswered(format!(
                "the host capability {} is not answered by a world: go without --offline, or replay a recorded session",
                question.path()
            )),
            _ => match Verification::of(question) {
                Some(Ok(wanted)) => self.missing_image(wanted.image),
                Some(Err(message)) => failed(message),
                None => unanswered(format!("the host capability {} is not answered here", question.path())),
            },
        }
    }

    fn missing_image(&self, image: &str) -> Answer {
        if self.knows_images {
            failed(format!("{image}: manifest unknown, the world holds no such image"))
        } else {
            unanswered(format!("image {image} is not known here: put it into the `images` of a --world"))
        }
    }

    fn about_image(&self, reference: &str, answer: impl FnOnce(&Known) -> Answer) -> Option<Answer> {
        match self.images.get(reference) {
            Ok(image) => image.map(answer),
            Err(message) => Some(failed(message)),
        }
    }

    fn get(&self, question: &ObjectQuestion) -> Option<Answer> {
        let ObjectQuestion { api_version, kind, name, namespace, field_masks, .. } = question;
        match self.cluster.get(api_version, kind, namespace.as_deref(), name) {
            Some(object) => Some(json_answer(&selectors::mask(object, field_masks.as_ref()))),
            None => self.knows_cluster.then(|| {
                failed(format!("Cannot find {api_version}/{kind} named '{name}' inside of namespace '{namespace:?}'"))
            }),
        }
    }

    fn find(&self, api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Option<&Value> {
        let layers = [&self.applied, &self.cluster];
        layers.into_iter().find_map(|layer| layer.get(api_version, kind, namespace, name))
    }
}

/// The objects of one kind that a question asks about, as they are listed.
fn selected(cluster: &Cluster, question: &ObjectsQuestion) -> Result<Vec<Value>, CapabilityError> {
    let ObjectsQuestion { api_version, kind, namespace, .. } = question;
    let selection = Selection::of(question).map_err(CapabilityError::Failed)?;
    let found = cluster.list(api_version, kind);
    let found = found.filter(|object| namespace.is_none() || cluster::key_of(object).0 == namespace.as_deref());
    let found = found.filter(|object| selection.matches(object));
    Ok(found.map(|object| as_listed(selectors::mask(object, question.field_masks.as_ref()))).collect())
}

fn list_of(question: &ObjectsQuestion, items: Vec<Value>) -> Answer {
    let kind = format!("{}List", question.kind);
    json_answer(&json!({ "apiVersion": question.api_version, "kind": kind, "metadata": {}, "items": items }))
}

/// A world beyond which nothing is asked.
#[derive(Debug, Clone)]
pub struct Offline(pub Arc<World>);

impl Source for Offline {
    fn answer(&self, question: &Question) -> Answer {
        self.0.answer(question).unwrap_or_else(|| self.0.missing(question))
    }

    fn now(&self) -> Option<i64> {
        self.0.now
    }
}

/// The host capability cannot choose among the images of an index.
fn manifest_and_config(name: &str, image: &Known) -> Answer {
    if image.is_index {
        return failed(
            "Received Image Index/Manifest List, but platform_resolver was not defined on the client config. \
             Consider setting platform_resolver",
        );
    }
    match &image.config {
        Some(config) => json_answer(&json!({ "manifest": image.body, "digest": image.digest, "config": config })),
        None => failed(format!("the world holds no config for {name}")),
    }
}

/// Kubewarden's reflector takes some fields off what it lists.
pub(crate) fn as_listed(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.insert("managedFields".to_owned(), json!([]));
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    object
}

fn failed(message: impl Into<String>) -> Answer {
    Err(CapabilityError::Failed(message.into()))
}

fn unanswered(message: impl Into<String>) -> Answer {
    Err(CapabilityError::Unanswered(message.into()))
}
