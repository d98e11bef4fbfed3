//! A JSON value that borrows from the payload it was read from.
//!
//! `serde_json::Value` copies every string and builds a tree for every object; a policy looks at a few
//! fields of one object and then forgets it. The payload outlives the evaluation, so borrowing is free.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;

/// Any JSON value. Strings borrow from the input unless they hold an escape.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`, and what [`Json::get`] answers for a key that is absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number, as serde_json keeps it.
    Number(Number),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// The members of a JSON object, in the order of the input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

static NULL: Json<'static> = Json::Null;

impl<'a> Json<'a> {
    /// Reads JSON text.
    ///
    /// # Errors
    ///
    /// When it is none, or an object has a key twice.
    pub fn parse(text: &'a [u8]) -> Result<Self, String> {
        // Text and bytes would be two copies of serde_json's reader in each module.
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The member named `key` without the rest; `null` when there is none or this is no object.
    pub fn into_member(self, key: &str) -> Json<'a> {
        match self {
            Json::Object(object) => {
                object.0.into_iter().find(|(name, _)| name == key).map_or(Json::Null, |(_, value)| value)
            }
            _ => Json::Null,
        }
    }

    /// The member named `key`; `null` when there is none or this is no object.
    pub fn get(&self, key: &str) -> &Json<'a> {
        match self {
            Json::Object(object) => object.get(key),
            _ => &NULL,
        }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The string, or the empty string for anything else.
    pub fn text(&self) -> &str {
        self.as_str().unwrap_or_default()
    }

    /// True for `true` alone.
    pub fn is_true(&self) -> bool {
        *self == Json::Bool(true)
    }

    /// True for `null`, which also stands for "absent".
    pub fn is_null(&self) -> bool {
        *self == Json::Null
    }

    /// The items of an array; none for anything else.
    pub fn items(&self) -> &[Json<'a>] {
        match self {
            Json::Array(items) => items,
            _ => &[],
        }
    }

    /// The members of an object; none for anything else.
    pub fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match self {
            Json::Object(object) => &object.0,
            _ => &[],
        }
    }

    /// The object, if this is one.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        }
    }
}

impl<'a> Object<'a> {
    /// The member named `key`, or `null`.
    pub fn get(&self, key: &str) -> &Json<'a> {
        self.0.iter().find(|(name, _)| name == key).map_or(&NULL, |(_, value)| value)
    }

    /// The members, in the order of the input.
    pub fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        &self.0
    }

    /// The value of `key` to write to, added as `null` when it is absent.
    ///
    /// A new key goes where the sorted order of Kubewarden's payload has it.
    pub(crate) fn entry(&mut self, key: &str) -> &mut Json<'a> {
        let index = match self.0.iter().position(|(name, _)| name == key) {
            Some(index) => index,
            None => {
                let index = self.0.partition_point(|(name, _)| name.as_ref() < key);
                self.0.insert(index, (Cow::Owned(key.to_owned()), Json::Null));
                index
            }
        };
        &mut self.0[index].1
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        let mut sorted = true;
        while let Some(key) = access.next_key_seed(KeySeed)? {
            // Two readers may disagree on which of two equal keys counts, so neither is judged.
            // Kubewarden sorts the keys, which makes the first comparison the only one.
            sorted = sorted && members.last().is_none_or(|(last, _)| *last < key);
            if !sorted && members.iter().any(|(name, _)| *name == key) {
                return Err(de::Error::custom(format_args!("duplicate key {key:?}")));
            }
            members.push((key, access.next_value()?));
        }
        Ok(Json::Object(Object(members)))
    }
}

/// Reads an object key without a copy where the input allows it.
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(value) => value.serialize(serializer),
            Json::String(value) => serializer.serialize_str(value),
            Json::Array(items) => serializer.collect_seq(items),
            Json::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.0.len()))?;
                for (key, value) in &object.0 {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Json<'_> {
        serde_json::from_str(text).expect("valid JSON")
    }

    #[test]
    fn a_value_survives_byte_for_byte() {
        let text = r#"{"a":[1,-2,3.5,18446744073709551615,true,null,"é\"x"],"b":{"nested":{}},"z":""}"#;
        assert_eq!(serde_json::to_string(&parse(text)).expect("serialises"), text);
    }

    #[test]
    fn an_escaped_key_is_the_same_key() {
        assert_eq!(parse(r#"{"im\u0061ge":"nginx"}"#).get("image").as_str(), Some("nginx"));
    }

    #[test]
    fn a_duplicate_key_is_refused() {
        let error = serde_json::from_str::<Json<'_>>(r#"{"b":1,"image":"a","a":2,"im\u0061ge":"b"}"#);
        assert!(error.expect_err("ambiguous").to_string().contains("duplicate key"));
    }

    #[test]
    fn absent_members_are_null_all_the_way_down() {
        assert!(parse("{}").get("a").get("b").is_null());
        assert!(parse("[1]").get("a").is_null());
    }

    #[test]
    fn a_new_member_goes_to_its_sorted_place() {
        let Json::Object(mut object) = parse(r#"{"a":1,"c":3}"#) else { panic!("an object") };
        *object.entry("b") = Json::Bool(true);
        let text = serde_json::to_string(&Json::Object(object)).expect("serialises");
        assert_eq!(text, r#"{"a":1,"b":true,"c":3}"#);
    }
}
