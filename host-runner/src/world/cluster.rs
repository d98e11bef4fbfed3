//! Kubernetes objects, by kind and name.

use std::collections::HashMap;

use serde_json::Value;

use crate::admission::Catalog;

/// Objects of a cluster.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    by_kind: HashMap<(String, String), Vec<Value>>,
}

impl Cluster {
    pub(super) fn new(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut by_kind: HashMap<(String, String), Vec<Value>> = HashMap::new();
        for object in objects {
            let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
            by_kind.entry((text("apiVersion"), text("kind"))).or_default().push(object);
        }
        Cluster { by_kind }
    }

    /// The same of objects each of which there is once.
    ///
    /// # Errors
    ///
    /// Names the object that is there twice and not the same.
    pub(super) fn of_one_state(objects: impl IntoIterator<Item = Value>) -> Result<Self, String> {
        let mut seen: HashMap<(String, String, Option<String>, String), usize> = HashMap::new();
        let mut kept: Vec<Value> = Vec::new();
        for object in objects {
            let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
            let (namespace, name) = key_of(&object);
            let (namespace, name) = (namespace.map(str::to_owned), name.to_owned());
            let key = (text("apiVersion"), text("kind"), namespace, name);
            match seen.get(&key) {
                None => {
                    seen.insert(key, kept.len());
                    kept.push(object);
                }
                Some(index) if kept[*index] == object => {}
                Some(_) => {
                    let (_, kind, namespace, name) = key;
                    let place = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
                    return Err(format!("cluster: there are two different {kind} {place}{name}"));
                }
            }
        }
        Ok(Cluster::new(kept))
    }

    pub(super) fn get(&self, api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Option<&Value> {
        let namespace = namespace.filter(|text| !text.is_empty());
        self.list(api_version, kind).find(|object| {
            let (own_namespace, own_name) = key_of(object);
            // An API server does not care for the namespace of a kind that has none.
            own_name == name && (own_namespace == namespace || own_namespace.is_none())
        })
    }

    pub(super) fn list(&self, api_version: &str, kind: &str) -> impl Iterator<Item = &Value> {
        self.by_kind.get(&(api_version.to_owned(), kind.to_owned())).into_iter().flatten()
    }
}

/// Namespace and name of an object.
pub(super) fn key_of(object: &Value) -> (Option<&str>, &str) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    (text("/metadata/namespace"), text("/metadata/name").unwrap_or_default())
}

/// The object with the namespace that it would be in: its own or the given one, and none if its kind has none.
pub(super) fn in_namespace(mut object: Value, catalog: &Catalog, namespace: &str) -> Value {
    let (is_namespaced, names_one) = (catalog.kind_of(&object).is_namespaced, key_of(&object).0.is_some());
    if let Some(metadata) = object["metadata"].as_object_mut() {
        if is_namespaced && !names_one {
            metadata.insert("namespace".to_owned(), namespace.into());
        } else if !is_namespaced {
            metadata.remove("namespace");
        }
    }
    object
}
