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

    pub(super) fn get(&self, api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Option<&Value> {
        self.list(api_version, kind).find(|object| key_of(object) == (namespace.filter(|text| !text.is_empty()), name))
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

/// The object with the namespace that it would be in, if it names none and is of a kind that has one.
pub(super) fn in_namespace(mut object: Value, catalog: &Catalog, namespace: &str) -> Value {
    if key_of(&object).0.is_none()
        && catalog.kind_of(&object).is_namespaced
        && let Some(metadata) = object["metadata"].as_object_mut()
    {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    object
}
