//! The JSON Schema of a policy's settings (draft 7, which editors of YAML know), as far as forms, tables and resources
//! are made from it. The rest of it is for whoever validates, and is kept as it is written.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};

/// Nobody can read a form that is nested deeper; readers below recurse.
const DEEPEST: usize = 16;

/// A schema of settings, and the text that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsSchema {
    text: String,
    root: Property,
}

/// Why a text is no schema of settings.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is no UTF-8.
    #[error("not UTF-8")]
    Encoding(#[from] std::str::Utf8Error),
    /// It is no JSON, or JSON of another shape.
    #[error("not a JSON Schema of settings")]
    Json(#[from] serde_json::Error),
    /// Settings are maps.
    #[error("type must be object, with properties: settings are a map from key to value")]
    NoObject,
    /// It is nested beyond reason.
    #[error("nested more than {DEEPEST} deep")]
    Deep,
}

/// The schema of one value.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Property {
    /// What forms call it.
    pub title: Option<String>,
    /// What it means; Markdown, in one line.
    pub description: Option<String>,
    #[serde(rename = "type")]
    types: Types,
    /// What holds when it is not written; `null` for nothing.
    #[serde(deserialize_with = "given")]
    pub default: Option<OrderedValue>,
    /// Values that could be written.
    pub examples: Vec<OrderedValue>,
    /// The only texts that can be written, if there are such.
    #[serde(rename = "enum")]
    pub choices: Vec<OrderedValue>,
    /// The members of a map whose keys are known, in the order of the schema.
    pub properties: IndexMap<String, Property>,
    /// The members that must be written.
    pub required: Vec<String>,
    /// What a list holds.
    pub items: Option<Box<Property>>,
    /// What a map holds whose keys are not known.
    pub additional_properties: Option<Additional>,
    /// Of a text: what it holds, such as PEM, if it has several lines.
    pub content_media_type: Option<String>,
}

/// `additionalProperties`: whether there may be any, or what they are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Additional {
    /// Whether there may be any.
    Allowed(bool),
    /// What they are.
    Like(Box<Property>),
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(untagged)]
enum Types {
    #[default]
    Unsaid,
    One(String),
    Several(Vec<String>),
}

/// JSON whose maps keep the order in which they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OrderedValue {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Any number.
    Number(serde_json::Number),
    /// Any text.
    String(String),
    /// A list.
    Array(Vec<OrderedValue>),
    /// A map.
    Object(IndexMap<String, OrderedValue>),
}

/// What sort of value a schema asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind<'s> {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// One of some texts.
    Choice(&'s [OrderedValue]),
    /// Any text.
    Text,
    /// A list of maps with known keys.
    Objects(&'s Property),
    /// A list of anything else.
    List(&'s Property),
    /// A map with known keys.
    Object,
    /// A map with keys of one's own.
    Map,
    /// Something else.
    Other,
}

impl From<String> for OrderedValue {
    fn from(text: String) -> Self {
        OrderedValue::String(text)
    }
}

/// A `default` of `null` is one, too.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OrderedValue>, D::Error> {
    OrderedValue::deserialize(deserializer).map(Some)
}

impl SettingsSchema {
    /// Reads a schema.
    ///
    /// # Errors
    ///
    /// When the text is no JSON Schema, or one of something else than a map.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let root: Property = serde_json::from_str(text)?;
        if root.kind() != Kind::Object {
            return Err(SchemaError::NoObject);
        }
        if root.depth() > DEEPEST {
            return Err(SchemaError::Deep);
        }
        Ok(SettingsSchema { text: text.to_owned(), root })
    }

    /// Reads a schema from bytes.
    ///
    /// # Errors
    ///
    /// As [`SettingsSchema::parse`], and when the bytes are no UTF-8.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SchemaError> {
        Self::parse(std::str::from_utf8(bytes)?)
    }

    /// The schema as it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The settings as one value: their keys are its members.
    pub fn root(&self) -> &Property {
        &self.root
    }
}

impl Property {
    /// What sort of value it is; of several types the first that is not `null` counts.
    pub fn kind(&self) -> Kind<'_> {
        let name = match &self.types {
            Types::Unsaid => return Kind::Other,
            Types::One(name) => Some(name),
            Types::Several(names) => names.iter().find(|name| *name != "null"),
        };
        match (name.map(String::as_str), &self.items) {
            (Some("boolean"), _) => Kind::Boolean,
            (Some("integer"), _) => Kind::Integer,
            (Some("string"), _) if self.choices.is_empty() => Kind::Text,
            (Some("string"), _) => Kind::Choice(&self.choices),
            (Some("array"), Some(items)) if items.kind() == Kind::Object => Kind::Objects(items),
            (Some("array"), Some(items)) => Kind::List(items),
            (Some("object"), _) if self.properties.is_empty() => Kind::Map,
            (Some("object"), _) => Kind::Object,
            _ => Kind::Other,
        }
    }

    /// Whether a member of it must be written.
    pub fn requires(&self, member: &str) -> bool {
        self.required.iter().any(|required| required == member)
    }

    /// The first example.
    pub fn example(&self) -> Option<&OrderedValue> {
        self.examples.first()
    }

    fn depth(&self) -> usize {
        let like = match &self.additional_properties {
            Some(Additional::Like(like)) => Some(&**like),
            _ => None,
        };
        let below = self.properties.values().chain(self.items.as_deref()).chain(like);
        1 + below.map(Property::depth).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_of_settings_is_one_of_a_map() {
        for (text, message) in [
            ("", "not a JSON Schema of settings"),
            ("{", "not a JSON Schema of settings"),
            ("true", "not a JSON Schema of settings"),
            (r#"{"type":"string"}"#, "type must be object, with properties: settings are a map from key to value"),
            ("{}", "type must be object, with properties: settings are a map from key to value"),
        ] {
            assert_eq!(SettingsSchema::parse(text).expect_err(text).to_string(), message);
        }
        let deep = (0..20).fold(r#"{"type":"string"}"#.to_owned(), |inner, _| {
            format!(r#"{{"type":"object","properties":{{"a":{inner}}}}}"#)
        });
        assert!(matches!(SettingsSchema::parse(&deep), Err(SchemaError::Deep)));
    }

    #[test]
    fn properties_keep_their_order_and_know_their_kinds() {
        let schema = SettingsSchema::parse(
            r#"{"type":"object","required":["z"],"properties":{
                "z":{"type":"array","items":{"type":"string"}},
                "y":{"type":["string","null"],"default":null},
                "x":{"type":"string","enum":["a"]},
                "w":{"type":"array","items":{"type":"object","properties":{"v":{"type":"integer"}}}},
                "u":{"type":"object","additionalProperties":{"type":"string"},"examples":[{"b":1,"a":2}]},
                "t":{"type":"boolean"},
                "s":{}}}"#,
        )
        .expect("a schema");
        let kinds: Vec<(&str, &str)> = schema
            .root()
            .properties
            .iter()
            .map(|(name, property)| {
                let kind = match property.kind() {
                    Kind::List(_) => "list",
                    Kind::Text => "text",
                    Kind::Choice(_) => "choice",
                    Kind::Objects(_) => "objects",
                    Kind::Map => "map",
                    Kind::Boolean => "boolean",
                    _ => "other",
                };
                (name.as_str(), kind)
            })
            .collect();
        assert_eq!(
            kinds,
            [
                ("z", "list"),
                ("y", "text"),
                ("x", "choice"),
                ("w", "objects"),
                ("u", "map"),
                ("t", "boolean"),
                ("s", "other")
            ]
        );
        let root = schema.root();
        assert!(root.requires("z") && !root.requires("y"));
        assert_eq!(root.properties["y"].default, Some(OrderedValue::Null));
        assert_eq!(root.properties["x"].default, None);
        let example = serde_json::to_string(root.properties["u"].example().expect("an example")).expect("JSON");
        assert_eq!(example, r#"{"b":1,"a":2}"#);
    }
}
