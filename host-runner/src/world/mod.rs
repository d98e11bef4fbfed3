//! The outside that policies may ask about, as data: cluster objects, images, the clock.
//!
//! Answers depend on the question alone, never on the order of calls.

mod cluster;
mod granted;
mod images;
mod selectors;

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

pub use granted::Granted;

use crate::admission::Catalog;
use crate::enforcement::Labels;
use crate::manifest::{self, Manifest, Problem};
use cluster::Cluster;
use images::{Image, Images};

/// What a local run knows of the outside.
#[derive(Debug, Default)]
pub struct World {
    /// The objects under check: what the cluster will hold once they are applied.
    applied: Cluster,
    /// The objects that the cluster holds.
    cluster: Cluster,
    images: Images,
    now: Option<i64>,
    is_complete: bool,
}

/// A world file.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldFile {
    /// What registries hold, by reference.
    pub images: std::collections::BTreeMap<String, Image>,
    /// What the cluster holds.
    pub cluster: Vec<Value>,
    /// The time that policies see, RFC 3339.
    pub now: Option<String>,
}

impl World {
    /// A world in which only the objects under check are known. Whatever else a policy asks stays unanswered.
    /// Objects that name no namespace are in `namespace`.
    pub fn of_checked(manifests: &[Manifest], catalog: &Catalog, namespace: &str) -> Self {
        let objects = manifests.iter().map(|manifest| {
            let mut object = manifest.object.clone();
            if catalog.kind_of(&object).is_namespaced
                && object["metadata"]["namespace"].as_str().is_none_or(str::is_empty)
                && let Some(metadata) = object["metadata"].as_object_mut()
            {
                metadata.insert("namespace".to_owned(), namespace.into());
            }
            object
        });
        World { applied: Cluster::new(objects), ..World::default() }
    }

    /// Adds what a file or a folder of manifests says. From then on the world is complete: what it does not
    /// contain does not exist.
    ///
    /// # Errors
    ///
    /// Names the file and the line.
    pub fn with_file(self, path: &Path) -> Result<Self, Problem> {
        if path.is_dir() {
            let manifests = manifest::read(&[path.to_owned()]);
            if let Some(problem) = manifests.problems.into_iter().next() {
                return Err(problem);
            }
            let cluster = manifests.objects.into_iter().map(|manifest| manifest.object).collect();
            return self
                .with(WorldFile { cluster, ..WorldFile::default() })
                .map_err(|message| manifest::problem(&path.display().to_string(), None, message));
        }
        let file: WorldFile = manifest::read_typed(path)?;
        self.with(file).map_err(|message| manifest::problem(&path.display().to_string(), None, message))
    }

    /// The same for a world that stands in another file.
    ///
    /// # Errors
    ///
    /// Names the entry.
    pub fn with(mut self, file: WorldFile) -> Result<Self, String> {
        for (index, object) in file.cluster.iter().enumerate() {
            if object["apiVersion"].as_str().is_none() || object["kind"].as_str().is_none() {
                return Err(format!("cluster[{index}]: is not a Kubernetes object: it needs an apiVersion and a kind"));
            }
        }
        if let Some(now) = &file.now {
            let now: jiff::Timestamp =
                now.parse().map_err(|error| format!("now: {error}; write it as 2026-11-24T00:00:00Z"))?;
            self.now = Some(now.as_second());
        }
        self.cluster = Cluster::new(file.cluster);
        self.images = Images::new(file.images)?;
        self.is_complete = true;
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

    fn find(&self, api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Option<&Value> {
        let layers = [&self.applied, &self.cluster];
        layers.into_iter().find_map(|layer| layer.get(api_version, kind, namespace, name))
    }

    /// All objects of a kind, in the order in which they were given; an object under check replaces its old self.
    fn list<'w>(&'w self, api_version: &'w str, kind: &'w str) -> impl Iterator<Item = &'w Value> {
        let applied = self.applied.list(api_version, kind);
        let rest = self.cluster.list(api_version, kind).filter(move |object| {
            let (namespace, name) = cluster::key_of(object);
            self.applied.get(api_version, kind, namespace, name).is_none()
        });
        applied.chain(rest)
    }
}
