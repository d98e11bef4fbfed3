//! What `--world` names, read: world files, folders of manifests, OCI image layouts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::images::{Image, Images};
use super::layout;
use crate::manifest::{self, Problem, problem};

/// A world file.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldFile {
    /// What registries hold, by reference; without the key, nothing is said about registries.
    pub images: Option<BTreeMap<String, Image>>,
    /// What the cluster holds; without the key, nothing is said about the cluster.
    pub cluster: Option<Vec<Value>>,
    /// The time that policies see, RFC 3339.
    pub now: Option<String>,
}

/// What one or several of them say together, in whatever order they were named.
#[derive(Debug, Default)]
pub struct Contents {
    pub(super) images: Option<BTreeMap<String, Image>>,
    pub(super) cluster: Option<Vec<Value>>,
    pub(super) now: Option<i64>,
}

impl Contents {
    /// Reads each of the paths: a world file, a folder of manifests, or an OCI image layout.
    ///
    /// # Errors
    ///
    /// Names the file and the line, and what contradicts what.
    pub fn read<P: AsRef<Path>>(paths: &[P]) -> Result<Self, Problem> {
        let mut contents = Contents::default();
        for path in paths {
            let path = path.as_ref();
            let file = read_one(path)?;
            contents.add(file).map_err(|message| problem(&path.display().to_string(), None, message))?;
        }
        Ok(contents)
    }

    /// Adds what a world file says.
    ///
    /// # Errors
    ///
    /// Names the entry.
    pub fn add(&mut self, file: WorldFile) -> Result<(), String> {
        if let Some(now) = &file.now {
            let now: jiff::Timestamp =
                now.parse().map_err(|error| format!("now: {error}; write it as 2026-11-24T00:00:00Z"))?;
            let now = now.as_second();
            if self.now.is_some_and(|other| other != now) {
                return Err("now: another world tells another time".to_owned());
            }
            self.now = Some(now);
        }
        if let Some(more) = file.images {
            let images = self.images.get_or_insert_default();
            for (reference, image) in more {
                match images.get(&reference) {
                    Some(other) if *other != image => {
                        return Err(format!("images.{reference}: another world has another image of this name"));
                    }
                    _ => images.insert(reference, image),
                };
            }
            // Contradictions under different names come to light here, while the file is known.
            Images::new(images)?;
        }
        let Some(objects) = file.cluster else { return Ok(()) };
        let cluster = self.cluster.get_or_insert_default();
        for (index, object) in objects.into_iter().enumerate() {
            add_object(object, cluster).map_err(|message| format!("cluster[{index}]: {message}"))?;
        }
        Ok(())
    }

    /// The objects of the cluster.
    pub fn objects(&self) -> &[Value] {
        self.cluster.as_deref().unwrap_or_default()
    }
}

/// Adds an object, or the items of a List as `kubectl get -o yaml` writes one.
fn add_object(mut object: Value, cluster: &mut Vec<Value>) -> Result<(), String> {
    if object["apiVersion"].as_str().is_none() || object["kind"].as_str().is_none() {
        return Err("is not a Kubernetes object: it needs an apiVersion and a kind".to_owned());
    }
    if object["kind"] == "List"
        && let Value::Array(items) = object["items"].take()
    {
        for (index, item) in items.into_iter().enumerate() {
            add_object(item, cluster).map_err(|message| format!("items[{index}]: {message}"))?;
        }
        return Ok(());
    }
    let has_name = |key: &str| object["metadata"][key].as_str().is_some_and(|name| !name.is_empty());
    if !has_name("name") && !has_name("generateName") {
        return Err("needs a metadata.name".to_owned());
    }
    cluster.push(object);
    Ok(())
}

fn read_one(path: &Path) -> Result<WorldFile, Problem> {
    if layout::is_layout(path) {
        let images = layout::read(path)?;
        return Ok(WorldFile { images: Some(images), ..WorldFile::default() });
    }
    if path.is_dir() {
        let manifests = manifest::read(&[path.to_owned()]);
        if let Some(problem) = manifests.problems.into_iter().next() {
            return Err(problem);
        }
        let cluster = manifests.objects.into_iter().map(|manifest| manifest.object).collect();
        return Ok(WorldFile { cluster: Some(cluster), ..WorldFile::default() });
    }
    manifest::read_typed(path)
}
