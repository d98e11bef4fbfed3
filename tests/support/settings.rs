//! The settings of the policies, as their schemas have them.

use std::fs;

use policy_metadata::{Additional, Kind, OrderedValue, Property, SettingsSchema};
use serde_json::{Map, Value, json};

use crate::policy_folder;

/// The name of the schema in each policy's folder.
pub const SCHEMA: &str = "settings.schema.json";

/// The schema of a policy's settings.
///
/// # Panics
///
/// When there is none.
pub fn schema(policy: &str) -> SettingsSchema {
    let path = policy_folder(policy).join(SCHEMA);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    SettingsSchema::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The settings without which the policy refuses to start, with their examples as values.
///
/// # Panics
///
/// When one has no example.
pub fn required(schema: &SettingsSchema) -> Map<String, Value> {
    let root = schema.root();
    let value = |name: &String| {
        let example = root.properties.get(name).and_then(Property::example);
        (name.clone(), json!(example.unwrap_or_else(|| panic!("{name} is required and has no example"))))
    };
    root.required.iter().map(value).collect()
}

/// The table of a README: a row for each setting, and for each member of it that needs a word.
pub fn table(schema: &SettingsSchema) -> String {
    let mut table = String::from("| key | default | meaning |\n| --- | --- | --- |\n");
    for (name, property) in &schema.root().properties {
        row(&mut table, name, property, schema.root().requires(name));
        let (members, joint) = match property.kind() {
            Kind::Objects(items) => (items, "[]."),
            _ => (property, "."),
        };
        for (member, below) in members.properties.iter().filter(|(_, below)| below.description.is_some()) {
            row(&mut table, &format!("{name}{joint}{member}"), below, members.requires(member));
        }
    }
    table
}

fn row(table: &mut String, key: &str, property: &Property, is_required: bool) {
    let default = match &property.default {
        _ if is_required => "required".to_owned(),
        None | Some(OrderedValue::Null) => "none".to_owned(),
        Some(default) => format!("`{}`", flow(default)),
    };
    let meaning = property.description.as_deref().unwrap_or_default().replace('|', "\\|");
    table.push_str(&format!("| `{key}` | {default} | {meaning} |\n"));
}

/// A value as YAML in one line.
fn flow(value: &OrderedValue) -> String {
    let is_plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-./".contains(c))
    };
    match value {
        OrderedValue::Null => "null".to_owned(),
        OrderedValue::Bool(flag) => flag.to_string(),
        OrderedValue::Number(number) => number.to_string(),
        OrderedValue::String(text) if is_plain(text) => text.clone(),
        OrderedValue::String(text) => json!(text).to_string(),
        OrderedValue::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        OrderedValue::Object(members) if members.is_empty() => "{}".to_owned(),
        OrderedValue::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}: {}", flow(&key.clone().into()), flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

/// A schema within the schema, and a value that leads to it: settings with something else in its place.
pub struct Place<'s> {
    /// `allow[].user`
    pub path: String,
    /// What stands there.
    pub property: &'s Property,
    steps: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    Key(String),
    Item,
}

impl Place<'_> {
    /// Settings that hold nothing but `value`, in this place.
    pub fn holding(&self, value: Value) -> Value {
        self.steps.iter().rev().fold(value, |inner, step| match step {
            Step::Key(key) => json!({ key: inner }),
            Step::Item => json!([inner]),
        })
    }
}

/// Every place of a schema, the settings as a whole first.
pub fn places(schema: &SettingsSchema) -> Vec<Place<'_>> {
    let mut found = Vec::new();
    collect(String::new(), Vec::new(), schema.root(), &mut found);
    found
}

fn collect<'s>(path: String, steps: Vec<Step>, property: &'s Property, found: &mut Vec<Place<'s>>) {
    let below = |step: Step| [steps.clone(), vec![step]].concat();
    for (name, member) in &property.properties {
        let joint = if path.is_empty() { "" } else { "." };
        collect(format!("{path}{joint}{name}"), below(Step::Key(name.clone())), member, found);
    }
    if let Some(items) = &property.items {
        collect(format!("{path}[]"), below(Step::Item), items, found);
    }
    if let Some(Additional::Like(like)) = &property.additional_properties {
        collect(format!("{path}.*"), below(Step::Key("any".to_owned())), like, found);
    }
    found.push(Place { path, property, steps });
}
