//! The selectors and masks of Kubewarden's Kubernetes capability.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::capabilities::ObjectsQuestion;

/// Both selectors of a question.
#[derive(Debug)]
pub(super) struct Selection {
    labels: TextSelector,
    fields: FieldSelector,
}

impl Selection {
    pub(super) fn of(question: &ObjectsQuestion) -> Result<Self, String> {
        Ok(Selection {
            labels: TextSelector::parse(question.label_selector.as_deref().unwrap_or_default())?,
            fields: FieldSelector::parse(question.field_selector.as_deref().unwrap_or_default())?,
        })
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        self.labels.matches(object) && self.fields.matches(object)
    }
}

/// A label selector as `kubectl -l` takes it: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
#[derive(Debug, Default, PartialEq, Eq)]
struct TextSelector(Vec<(String, Condition)>);

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl TextSelector {
    fn parse(text: &str) -> Result<Self, String> {
        let mut conditions = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            let one = |value: &str| vec![value.trim().to_owned()];
            let (key, condition) = if let Some((key, values)) = set_of(part, " notin ") {
                (key, Condition::NotIn(values))
            } else if let Some((key, values)) = set_of(part, " in ") {
                (key, Condition::In(values))
            } else if let Some((key, value)) = part.split_once("!=") {
                (key, Condition::NotIn(one(value)))
            } else if let Some((key, value)) = part.split_once('=') {
                (key, Condition::In(one(value.strip_prefix('=').unwrap_or(value))))
            } else if let Some(key) = part.strip_prefix('!') {
                (key, Condition::DoesNotExist)
            } else {
                (part, Condition::Exists)
            };
            let key = key.trim();
            if key.is_empty() || key.contains(['(', ')', ' ', '=', '!', '<', '>']) {
                return Err(format!("unable to parse label selector {text:?}"));
            }
            conditions.push((key.to_owned(), condition));
        }
        Ok(TextSelector(conditions))
    }

    fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(key, condition)| {
            let value = object["metadata"]["labels"].get(key).and_then(Value::as_str);
            let is_in = |values: &[String]| value.is_some_and(|value| values.iter().any(|other| other == value));
            match condition {
                Condition::In(values) => is_in(values),
                Condition::NotIn(values) => !is_in(values),
                Condition::Exists => value.is_some(),
                Condition::DoesNotExist => value.is_none(),
            }
        })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn set_of<'t>(part: &'t str, operator: &str) -> Option<(&'t str, Vec<String>)> {
    let (key, set) = part.split_once(operator)?;
    let set = set.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some((key, set.split(',').map(|value| value.trim().to_owned()).collect()))
}

/// A field selector: `metadata.name=a,spec.nodeName!=b`.
#[derive(Debug, Default, PartialEq, Eq)]
struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    fn parse(text: &str) -> Result<Self, String> {
        let mut conditions = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (path, is_equal, value) = if let Some((path, value)) = part.split_once("!=") {
                (path, false, value)
            } else if let Some((path, value)) = part.split_once('=') {
                (path, true, value.strip_prefix('=').unwrap_or(value))
            } else {
                return Err(format!("invalid field selector {text:?}"));
            };
            conditions.push((path.to_owned(), is_equal, value.to_owned()));
        }
        Ok(FieldSelector(conditions))
    }

    fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, is_equal, value)| {
            let found = path.split('.').try_fold(object, |value, key| value.get(key));
            let found = match found {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            (found == *value) == *is_equal
        })
    }
}

/// The object with nothing but the masked fields; no masks keep everything. `apiVersion`, `kind` and `metadata`
/// stay whole, lists are looked through.
pub(crate) fn mask(object: &Value, masks: Option<&BTreeSet<String>>) -> Value {
    let Some(masks) = masks.filter(|masks| !masks.is_empty()) else { return object.clone() };
    let paths: Vec<Vec<&str>> = masks.iter().map(|mask| mask.split('.').collect()).collect();
    let paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
    let mut kept = prune(object, &paths);
    if let (Some(kept), Some(object)) = (kept.as_object_mut(), object.as_object()) {
        for key in ["apiVersion", "kind", "metadata"] {
            if let Some(value) = object.get(key) {
                kept.insert(key.to_owned(), value.clone());
            }
        }
    }
    kept
}

fn prune(value: &Value, paths: &[&[&str]]) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (key, member) in members {
                let below: Vec<&[&str]> =
                    paths.iter().filter(|path| path.first() == Some(&key.as_str())).map(|path| &path[1..]).collect();
                if below.iter().any(|path| path.is_empty()) {
                    kept.insert(key.clone(), member.clone());
                } else if !below.is_empty() {
                    kept.insert(key.clone(), prune(member, &below));
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| prune(item, paths)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn label_selectors_are_read_as_kubectl_reads_them() {
        let object = json!({ "metadata": { "labels": { "tier": "front", "team": "a" } } });
        for (selector, expected) in [
            ("", true),
            ("tier=front", true),
            ("tier==front, team!=b", true),
            ("tier!=front", false),
            ("zone!=a", true),
            ("tier in (front, back),team", true),
            ("tier notin (front)", false),
            ("zone notin (a)", true),
            ("!zone", true),
            ("zone", false),
        ] {
            assert_eq!(TextSelector::parse(selector).expect("a selector").matches(&object), expected, "{selector}");
        }
        assert!(TextSelector::parse("a in b").is_err());
        assert!(TextSelector::parse("=b").is_err());
    }

    #[test]
    fn field_selectors_compare_texts() {
        let object = json!({ "metadata": { "name": "web" }, "spec": { "nodeName": "n1" } });
        for (selector, expected) in [
            ("metadata.name=web", true),
            ("metadata.name!=web", false),
            ("spec.nodeName=n1,metadata.name=x", false),
            ("status.phase=", true),
        ] {
            assert_eq!(FieldSelector::parse(selector).expect("a selector").matches(&object), expected, "{selector}");
        }
    }

    #[test]
    fn a_mask_keeps_what_it_names() {
        let object = json!({ "kind": "Pod", "metadata": { "name": "a" }, "spec": { "containers": [{ "image": "x", "name": "y" }], "z": 1 }, "status": 1 });
        let masks = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(
            mask(&object, Some(&masks(&["spec.containers.image"]))),
            json!({ "kind": "Pod", "metadata": { "name": "a" }, "spec": { "containers": [{ "image": "x" }] } })
        );
        assert_eq!(
            mask(&object, Some(&masks(&["metadata.name"]))),
            json!({ "kind": "Pod", "metadata": { "name": "a" } })
        );
        assert_eq!(mask(&object, Some(&masks(&[]))), object);
        assert_eq!(mask(&object, None), object);
    }
}
