//! `suite.yaml` as types. What is not in here is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::admission::Operation;
use crate::world::WorldFile;

/// A policy and the cases that it must pass.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// A policy of the bundle by name, or a `.wasm` file relative to the suite.
    pub policy: String,
    /// The settings of the cases that state none.
    #[serde(default)]
    pub settings: Option<Map<String, Value>>,
    /// The world of the cases that state none.
    #[serde(default)]
    pub world: Option<WorldSource>,
    /// A session of kwctl's that answers the cases that state none.
    #[serde(default)]
    pub session: Option<PathBuf>,
    /// The cases.
    #[serde(deserialize_with = "located")]
    pub cases: Vec<Case>,
}

/// One request and what must come of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    /// A sentence with the verdict in it; unique within the suite.
    pub name: String,
    /// The line of the suite on which it begins, from 1.
    #[serde(skip)]
    pub line: usize,
    /// The settings, instead of the suite's.
    #[serde(default)]
    pub settings: Option<Map<String, Value>>,
    /// The world, instead of the suite's. Without one, host capabilities are not answered.
    #[serde(default)]
    pub world: Option<WorldSource>,
    /// A session of kwctl's to answer from, in front of the world.
    #[serde(default)]
    pub session: Option<PathBuf>,
    /// The object as it would be; for CONNECT, the options of the connection.
    #[serde(default)]
    pub object: Option<Object>,
    /// The object as it is.
    #[serde(default)]
    pub old_object: Option<Object>,
    /// The operation; without one, what the objects suggest.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// For CONNECT: the resource that is connected to, `pods` unless stated.
    #[serde(default)]
    pub resource: Option<String>,
    /// The subresource.
    #[serde(default)]
    pub subresource: Option<String>,
    /// For CONNECT: the name of what is connected to.
    #[serde(default)]
    pub object_name: Option<String>,
    /// The namespace of an object that names none.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The user's name.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's groups.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// What must come of it.
    pub expect: Expectation,
    /// The warnings, all of them and in this order.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The audit annotations, if they matter.
    #[serde(default)]
    pub audit_annotations: Option<BTreeMap<String, String>>,
}

/// A manifest beside the suite, or an object written into it.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A file with one object, relative to the suite.
    File(PathBuf),
    /// The object itself.
    Inline(Value),
}

/// A world file beside the suite, or a world written into it.
#[derive(Debug, Clone, PartialEq)]
pub enum WorldSource {
    /// A world file or a folder of manifests, relative to the suite.
    File(PathBuf),
    /// The world itself.
    Inline(WorldFile),
}

/// What must come of a case. Messages are compared whole.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Expectation {
    /// The request goes through as it is.
    Accepted,
    /// The request is refused.
    Rejected(Message),
    /// The request goes through, and the object is this one afterwards.
    MutatedTo(Object),
    /// The policy refuses the settings.
    InvalidSettings(Message),
    /// There is no verdict.
    NotRun(Message),
    /// No rule of the policy's metadata matches the request, so no cluster asks.
    NotAsked,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The whole of it.
    pub message: String,
}

/// Cases that know their lines.
fn located<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Case>, D::Error> {
    let cases: Vec<Spanned<Case>> = Vec::deserialize(deserializer)?;
    let located = |case: Spanned<Case>| Case { line: usize::try_from(case.defined.line()).unwrap_or(1), ..case.value };
    Ok(cases.into_iter().map(located).collect())
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(path) => Ok(Object::File(path.into())),
            object @ Value::Object(_) => Ok(Object::Inline(object)),
            _ => Err(D::Error::custom("an object is a path or a mapping")),
        }
    }
}

impl<'de> Deserialize<'de> for WorldSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(path) => Ok(WorldSource::File(path.into())),
            world => WorldFile::deserialize(world).map(WorldSource::Inline).map_err(D::Error::custom),
        }
    }
}
