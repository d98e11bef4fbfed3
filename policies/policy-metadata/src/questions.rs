//! `questions-ui.yml`: the form in which Rancher's UI asks for the settings of a policy.
//!
//! It is Rancher's dialect of chart questions. `array[`, `map[` and `sequence[` are types as they stand, without a
//! closing bracket. Inside a sequence the UI shows a nested sequence or map as YAML.

use serde::Serialize;

use crate::settings_schema::{Kind, OrderedValue, Property, SettingsSchema};

#[derive(Serialize)]
struct Questions<'s> {
    questions: Vec<Question<'s>>,
}

#[derive(Default, Serialize)]
struct Question<'s> {
    variable: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tooltip: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'static str>,
    required: bool,
    /// The outer option is whether the form writes anything before somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<OrderedValue>,
    #[serde(skip_serializing_if = "is_false")]
    hide_input: bool,
    #[serde(skip_serializing_if = "is_false")]
    value_multiline: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    options: &'s [OrderedValue],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subquestions: Vec<Question<'s>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sequence_questions: Vec<Question<'s>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The form, with what the policy is for above it.
///
/// # Errors
///
/// When it cannot be written as YAML.
pub fn questions(description: &str, schema: &SettingsSchema) -> Result<String, serde_saphyr::ser::Error> {
    // A question that asks nothing is how these forms say what they are about.
    let about = Question {
        variable: "description".to_owned(),
        kind: "map",
        description: Some(description),
        group: Some("Settings"),
        default: Some(OrderedValue::Null),
        hide_input: true,
        ..Question::default()
    };
    let mut questions = vec![about];
    questions.extend(members("", schema.root(), None));
    let yaml = serde_saphyr::to_string(&Questions { questions })?;
    Ok(format!("# Made from settings.schema.json by `just artifacthub`.\n{yaml}"))
}

/// A question for each member. `defaults` are those that the map itself has.
fn members<'s>(prefix: &str, map: &'s Property, defaults: Option<&OrderedValue>) -> Vec<Question<'s>> {
    let question = |(name, member): (&'s String, &'s Property)| {
        let inherited = match defaults {
            Some(OrderedValue::Object(defaults)) => defaults.get(name),
            _ => None,
        };
        question(format!("{prefix}{name}"), member, map.requires(name), inherited)
    };
    map.properties.iter().map(question).collect()
}

fn question<'s>(
    variable: String,
    property: &'s Property,
    required: bool,
    inherited: Option<&OrderedValue>,
) -> Question<'s> {
    let kind = property.kind();
    // What must be written is begun with an example, as an empty form would be refused by the policy.
    let default = inherited.or(property.default.as_ref()).or(property.example().filter(|_| required)).cloned();
    let (name, subquestions, sequence_questions) = match kind {
        Kind::Boolean => ("boolean", vec![], vec![]),
        Kind::Integer => ("int", vec![], vec![]),
        Kind::Choice(_) => ("enum", vec![], vec![]),
        Kind::Text | Kind::Other => ("string", vec![], vec![]),
        Kind::List(_) => ("array[", vec![], vec![]),
        Kind::Map => ("map[", vec![], vec![]),
        Kind::Object => ("map[", members(&format!("{variable}."), property, default.as_ref()), vec![]),
        Kind::Objects(items) => ("sequence[", vec![], members("", items, None)),
    };
    let is_multiline = |property: &Property| property.content_media_type.is_some();
    Question {
        variable,
        kind: name,
        label: property.title.as_deref(),
        tooltip: property.description.as_deref(),
        group: Some("Settings"),
        required,
        default: default.filter(|default| *default != OrderedValue::Null),
        hide_input: kind == Kind::Object,
        value_multiline: is_multiline(property) || property.items.as_deref().is_some_and(is_multiline),
        options: match kind {
            Kind::Choice(choices) => choices,
            _ => &[],
        },
        subquestions,
        sequence_questions,
        ..Question::default()
    }
}
