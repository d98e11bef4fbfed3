//! A JSON value that borrows from the payload it was read from.
//!
//! `serde_json::Value` copies every string and builds a tree for every object; a policy looks at a few
//! fields of one object and then forgets it. The payload outlives the evaluation, so borrowing is free.
//!
//! Reading and writing are here too, and not serde_json's: what a number means is none of a policy's business, and
//! the code that turns floating-point numbers into text and back would be a sixth of a module.

mod read;
mod settings;
mod write;

use std::borrow::Cow;

pub use read::Malformed;
pub use settings::Mistake;
pub(crate) use write::write_text;

/// Any JSON value. Strings borrow from the input unless they hold an escape.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`, and what [`Json::get`] answers for a key that is absent.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written, so that it survives byte for byte.
    Number(&'a str),
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
    /// Takes the member named `key` out; `null` when there is none or this is no object.
    pub fn take(&mut self, key: &str) -> Json<'a> {
        match self {
            Json::Object(object) => {
                let found = object.0.iter_mut().find(|(name, _)| name == key);
                found.map_or(Json::Null, |(_, value)| std::mem::replace(value, Json::Null))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Json<'_> {
        Json::parse(text).expect("valid JSON")
    }

    #[test]
    fn a_value_survives_byte_for_byte() {
        let text = r#"{"a":[1,-2,3.50,1e400,1844674407370955161518446744073709551615,true,null,"é\"x"],"b":{"nested":{}},"z":""}"#;
        assert_eq!(parse(text).to_string(), text);
    }

    #[test]
    fn an_escaped_key_is_the_same_key() {
        assert_eq!(parse(r#"{"im\u0061ge":"nginx"}"#).get("image").as_str(), Some("nginx"));
    }

    #[test]
    fn a_duplicate_key_is_refused() {
        let error = Json::parse(r#"{"b":1,"image":"a","a":2,"im\u0061ge":"b"}"#).expect_err("ambiguous");
        assert_eq!(error.to_string(), r#"the key "image" stands twice in one object (at byte 37)"#);
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
        assert_eq!(Json::Object(object).to_string(), r#"{"a":1,"b":true,"c":3}"#);
    }
}
