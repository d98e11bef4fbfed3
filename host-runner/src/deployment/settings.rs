//! The settings of a policy, each with what it means.

use policy_metadata::{OrderedValue, Property};
use serde_json::{Map, Value};

use super::DeployedModule;
use super::yaml::Lines;

/// Writes `settings:` and what is below. What must be set is there, with an example; what need not be is there as a
/// comment.
pub(super) fn write(lines: &mut Lines, indent: usize, module: &DeployedModule) -> Result<(), String> {
    let Some(schema) = module.schema.as_ref() else {
        let settings = module.settings.clone().unwrap_or_default();
        return lines.entry(indent, "settings", &Value::Object(settings));
    };
    let root = schema.root();
    let is_written = |key: &str| match &module.settings {
        Some(settings) => settings.contains_key(key),
        None => root.requires(key),
    };
    if root.properties.keys().any(|key| is_written(key)) {
        lines.line(indent, "settings:");
    } else {
        lines.comment(indent, "Nothing has to be set. To set something, take the braces away.");
        lines.line(indent, "settings: {}");
    }
    for (index, (key, property)) in root.properties.iter().enumerate() {
        if index > 0 {
            lines.blank();
        }
        lines.comment(indent + 2, &meaning(property, root.requires(key)));
        let given = module.settings.as_ref().and_then(|settings| settings.get(key));
        match (given, property.example().or(property.default.as_ref())) {
            (Some(given), _) => lines.entry(indent + 2, key, given)?,
            (None, Some(example)) if is_written(key) => lines.entry(indent + 2, key, example)?,
            (None, Some(example)) => lines.idle_entry(indent + 2, key, example)?,
            (None, None) => {}
        }
    }
    // What the schema does not know, the policy may refuse; it is not for us to leave it out.
    let unknown = module.settings.iter().flatten().filter(|(key, _)| !root.properties.contains_key(*key));
    for (key, value) in unknown {
        lines.entry(indent + 2, key, value)?;
    }
    Ok(())
}

fn meaning(property: &Property, is_required: bool) -> String {
    let meaning = property.description.as_deref().or(property.title.as_deref()).unwrap_or_default();
    let default = match &property.default {
        _ if is_required => "Required; this is an example.".to_owned(),
        None | Some(OrderedValue::Null) => String::new(),
        Some(default) => format!("Default: {}", serde_json::to_string(default).unwrap_or_default()),
    };
    format!("{meaning} {default}")
}

/// The settings without a word, for members of groups: what is given, or what must be set, and `more` over it.
pub(super) fn bare(module: &DeployedModule, more: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut settings = module.settings.clone().unwrap_or_default();
    if let Some(schema) = module.schema.as_ref().filter(|_| module.settings.is_none()) {
        for key in &schema.root().required {
            let example = schema.root().properties.get(key).and_then(Property::example);
            let value = example.and_then(|example| serde_json::to_value(example).ok());
            settings.insert(key.clone(), value.ok_or_else(|| format!("{}: {key} has no example", module.name))?);
        }
    }
    settings.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(settings)
}
