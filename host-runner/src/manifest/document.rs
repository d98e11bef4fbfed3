//! One document: to objects, with the line of each.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use serde_saphyr::Spanned;

use super::split::{Document, documents};
use super::{Manifest, Manifests, Problem, problem};

/// How kubectl reads YAML: `yes` and `on` are booleans and `0755` is octal, as in YAML 1.1.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
        // Manifests with embedded dashboards and definitions are large: the machine's memory is the limit. What
        // nests deeper than a policy could read (serde_json's limit) ends before the stack does.
        budget: serde_saphyr::budget! {
            max_depth: 128,
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
    }
}

/// What a document of 128 levels may take of the stack, in a build that is not optimised. The deserializer is
/// recursive, and a thread of Rust's or rayon's has 2 MiB.
const DEEPEST_DOCUMENT: usize = 6 << 20;

/// Reads YAML, on more stack where the thread has too little left.
pub(super) fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, serde_saphyr::Error> {
    stacker::maybe_grow(DEEPEST_DOCUMENT, DEEPEST_DOCUMENT + (1 << 20), || {
        serde_saphyr::from_str_with_options(text, options())
    })
}

/// Reads all objects of a text.
pub(super) fn read(file: &Arc<str>, text: &str, manifests: &mut Manifests) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(values) = json_values(text) {
        let lines = Lines::of(text);
        for raw in values {
            json_object(file, &lines, raw, None, manifests);
        }
        return;
    }
    for document in documents(text) {
        read_yaml(file, &document, manifests);
    }
}

/// Whether the text is a List without items, which is what `kubectl get` prints when there is nothing.
pub(super) fn holds_an_empty_list(text: &str) -> bool {
    documents(text).iter().any(|document| {
        let value: Result<Value, _> = parse(document.text);
        value.is_ok_and(|value| is_list(&value))
    })
}

/// The problem with YAML that does not parse. The first line of the text is line `first_line` of the file.
pub(super) fn yaml_problem(file: &str, first_line: usize, error: &serde_saphyr::Error) -> Problem {
    let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
    let line = line.and_then(|line| usize::try_from(line).ok()).map(|line| first_line + line - 1);
    let message = error.without_snippet().to_string();
    // The location is told in front, and would be wrong here for all but the first document.
    let message = match message.split_once(" at line ") {
        Some((text, _)) => text.to_owned(),
        None => message,
    };
    problem(file, line.or(Some(first_line)), message)
}

/// One or more JSON values after each other. Nothing when the text is not JSON; it may be YAML all the same.
pub(super) fn json_values(text: &str) -> Option<Vec<&RawValue>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().ok()
}

/// Where the lines of a text end: a List may hold thousands of items, and each wants its line.
struct Lines<'t> {
    text: &'t str,
    ends: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(index, _)| index).collect();
        Lines { text, ends }
    }

    /// The line, from 1, on which a part of the text begins.
    fn line_of(&self, part: &str) -> usize {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        1 + self.ends.partition_point(|end| *end < offset)
    }
}

#[derive(Deserialize)]
struct JsonList<'t> {
    #[serde(borrow)]
    items: Option<Vec<&'t RawValue>>,
}

fn json_object(file: &Arc<str>, lines: &Lines<'_>, raw: &RawValue, list: Option<&Value>, manifests: &mut Manifests) {
    let line = lines.line_of(raw.get());
    let value: Value = match serde_json::from_str(raw.get()) {
        Ok(value) => value,
        Err(error) => {
            manifests.problems.push(problem(file, Some(line + error.line() - 1), error.to_string()));
            return;
        }
    };
    if is_list(&value) {
        match serde_json::from_str::<JsonList<'_>>(raw.get()) {
            Ok(items) => {
                for item in items.items.unwrap_or_default() {
                    json_object(file, lines, item, Some(&value), manifests);
                }
            }
            // Two keys `items`, of which readers take one or the other.
            Err(error) => manifests.problems.push(problem(file, Some(line + error.line() - 1), error.to_string())),
        }
        return;
    }
    push(file, line, value, list, manifests);
}

#[derive(Deserialize)]
struct YamlList {
    items: Option<Vec<Spanned<Value>>>,
}

fn read_yaml(file: &Arc<str>, document: &Document<'_>, manifests: &mut Manifests) {
    let first_line = document.first_line + lines_before_content(document.text);
    let value: Value = match parse(document.text) {
        Ok(value) => value,
        Err(error) => {
            manifests.problems.push(yaml_problem(file, document.first_line, &error));
            return;
        }
    };
    if !is_list(&value) {
        push(file, first_line, value, None, manifests);
        return;
    }
    match parse::<YamlList>(document.text) {
        Ok(list) => {
            for item in list.items.unwrap_or_default() {
                let line = usize::try_from(item.defined.line()).unwrap_or(1).max(1);
                push_item(file, document.first_line + line - 1, item.value, &value, manifests);
            }
        }
        Err(error) => manifests.problems.push(yaml_problem(file, document.first_line, &error)),
    }
}

/// A List inside a List has the line of the outer item for all of its own.
fn push_item(file: &Arc<str>, line: usize, mut item: Value, list: &Value, manifests: &mut Manifests) {
    if is_list(&item) {
        let items = item["items"].take();
        if let Value::Array(items) = items {
            for inner in items {
                push_item(file, line, inner, &item, manifests);
            }
        }
    } else {
        push(file, line, item, Some(list), manifests);
    }
}

/// `List`, `RoleList`: a kind of that name with items. Go writes an empty list of items as `null`.
pub(super) fn is_list(value: &Value) -> bool {
    let is_named_so = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    is_named_so && matches!(value.get("items"), Some(Value::Array(_) | Value::Null))
}

fn push(file: &Arc<str>, line: usize, mut object: Value, list: Option<&Value>, manifests: &mut Manifests) {
    if let (Some(list), Some(members)) = (list, object.as_object_mut()) {
        // The items of a typed list may leave out what the list says: a RoleList holds Roles.
        let kind = list["kind"].as_str().and_then(|kind| kind.strip_suffix("List")).filter(|kind| !kind.is_empty());
        if let Some(kind) = kind {
            members.entry("apiVersion").or_insert_with(|| list["apiVersion"].clone());
            members.entry("kind").or_insert_with(|| kind.into());
        }
    }
    match mistake(&object) {
        Some(message) => manifests.problems.push(problem(file, Some(line), message)),
        None => {
            let position = manifests.objects.len();
            manifests.objects.push(Manifest { file: file.clone(), line, position, object });
        }
    }
}

/// What keeps this from being a Kubernetes object.
fn mistake(object: &Value) -> Option<String> {
    let found = match object {
        Value::Object(_) => None,
        Value::Null => Some("null"),
        Value::Bool(_) => Some("a boolean"),
        Value::Number(_) => Some("a number"),
        Value::String(_) => Some("a text"),
        Value::Array(_) => Some("a list"),
    };
    if let Some(found) = found {
        return Some(format!("is not a Kubernetes object but {found}"));
    }
    if object["kind"] == "List" {
        return Some("is a List whose items are no list".to_owned());
    }
    let missing: Vec<&str> =
        ["apiVersion", "kind"].into_iter().filter(|key| object[*key].as_str().is_none_or(str::is_empty)).collect();
    (!missing.is_empty()).then(|| format!("is not a Kubernetes object: it has no {}", missing.join(" and no ")))
}

/// Lines in front of the first that is neither a marker, a directive, a comment nor blank.
fn lines_before_content(text: &str) -> usize {
    text.lines()
        .take_while(|line| {
            let content = line.trim();
            content.is_empty()
                || content.starts_with('#')
                || line.starts_with('%')
                || line.strip_prefix("---").is_some_and(|rest| rest.trim().is_empty() || rest.trim().starts_with('#'))
        })
        .count()
}
