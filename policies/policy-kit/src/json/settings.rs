//! From [`Json`] to the settings of a policy: serde's data model over the tree, with the place of each mistake.

use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::Json;
use crate::text::Shown;

/// A mistake in the settings: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    place: String,
    what: String,
}

impl Mistake {
    fn below(mut self, step: &str) -> Self {
        let joint = if self.place.is_empty() || self.place.starts_with('[') { "" } else { "." };
        self.place = format!("{}{joint}{}", Shown(step), self.place);
        self
    }
}

/// `privateRegistries[0]: "acme" names no registry host`.
impl Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => formatter.write_str(&self.what),
            place => write!(formatter, "{place}: {}", self.what),
        }
    }
}

impl std::error::Error for Mistake {}

/// serde's own words, without the code that would write out floating-point numbers.
impl de::Error for Mistake {
    fn custom<T: Display>(what: T) -> Self {
        Mistake { place: String::new(), what: what.to_string() }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Mistake::custom(format_args!("invalid type: {}, expected {expected}", described(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Mistake::custom(format_args!("invalid value: {}, expected {expected}", described(found)))
    }
}

fn described(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("boolean `{value}`"),
        Unexpected::Unsigned(value) => format!("integer `{value}`"),
        Unexpected::Signed(value) => format!("integer `{value}`"),
        Unexpected::Str(text) => format!("string {text:?}"),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "sequence".to_owned(),
        Unexpected::Map => "map".to_owned(),
        Unexpected::Other(other) => other.to_owned(),
        _ => "another value".to_owned(),
    }
}

impl<'de> Deserializer<'de> for &Json<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(text) => match (text.parse(), text.parse()) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => Err(de::Error::invalid_type(Unexpected::Other("a number that is no integer"), &visitor)),
            },
            Json::String(text) => visitor.visit_str(text),
            Json::Array(items) => visitor.visit_seq(Items { items, next: 0 }),
            Json::Object(_) => visitor.visit_map(Members { object: self, next: 0 }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self {
            // serde would also take a list, field by field, and an empty one for the defaults.
            Json::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &"a map from key to value")),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self {
            Json::String(text) => visitor.visit_enum(Variant { name: text, content: &Json::Null }),
            Json::Object(object) => match object.members() {
                [(name, content)] => visitor.visit_enum(Variant { name, content }),
                _ => Err(de::Error::invalid_value(Unexpected::Map, &"a map with a single key")),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

struct Items<'j, 'a> {
    items: &'j [Json<'a>],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(item).map(Some).map_err(|mistake| mistake.below(&format!("[{index}]")))
    }
}

struct Members<'j, 'a> {
    object: &'j Json<'a>,
    next: usize,
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        let Some((key, _)) = self.object.members().get(self.next) else { return Ok(None) };
        self.next += 1;
        seed.deserialize(StrDeserializer::new(key)).map(Some).map_err(|mistake: Mistake| mistake.below(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let (key, value) = match self.next.checked_sub(1).and_then(|index| self.object.members().get(index)) {
            Some((key, value)) => (key.as_ref(), value),
            None => ("", &Json::Null),
        };
        seed.deserialize(value).map_err(|mistake| mistake.below(key))
    }
}

struct Variant<'j, 'a> {
    name: &'j str,
    content: &'j Json<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = Mistake;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Mistake> {
        let variant = seed.deserialize(StrDeserializer::<Mistake>::new(self.name))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        match self.content {
            Json::Null => Ok(()),
            _ => Err(de::Error::custom(format_args!("{} takes no value", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Mistake> {
        seed.deserialize(self.content).map_err(|mistake| mistake.below(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.content.deserialize_any(visitor).map_err(|mistake| mistake.below(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Mistake> {
        self.content.deserialize_struct("", fields, visitor).map_err(|mistake| mistake.below(self.name))
    }
}
