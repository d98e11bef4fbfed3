//! The objects under check, as the cluster will hold them.

use std::sync::Arc;

use serde_json::Value;

use super::{World, cluster, list_of, selected, selectors};
use crate::capabilities::{Answer, CapabilityError, ObjectQuestion, ObjectsQuestion, Question, Source, json_answer};

/// The objects under check in front of the outside: what the cluster will hold once they are applied.
#[derive(Clone)]
pub struct Applied {
    /// Where the objects under check are.
    pub world: Arc<World>,
    /// Who is asked about everything else.
    pub outside: Arc<dyn Source>,
}

impl Source for Applied {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::KubernetesGetResource(ObjectQuestion {
                api_version, kind, name, namespace, field_masks, ..
            }) => match self.world.applied.get(api_version, kind, namespace.as_deref(), name) {
                Some(object) => json_answer(&selectors::mask(object, field_masks.as_ref())),
                None => self.outside.answer(question),
            },
            Question::KubernetesListResourceAll(wanted) | Question::KubernetesListResourceNamespace(wanted) => {
                let applied = &self.world.applied;
                let list = self.outside.answer(question)?;
                if applied.list(&wanted.api_version, &wanted.kind).next().is_none() {
                    return Ok(list);
                }
                let mut items = selected(applied, wanted)?;
                // An object under check replaces its old self, even where it is not selected any more.
                items.extend(items_of(&list, wanted)?.into_iter().filter(|object| {
                    let (namespace, name) = cluster::key_of(object);
                    applied.get(&wanted.api_version, &wanted.kind, namespace, name).is_none()
                }));
                list_of(wanted, items)
            }
            question => self.outside.answer(question),
        }
    }

    fn now(&self) -> Option<i64> {
        self.outside.now()
    }

    fn waits(&self) -> bool {
        self.outside.waits()
    }
}

fn items_of(list: &[u8], wanted: &ObjectsQuestion) -> Result<Vec<Value>, CapabilityError> {
    let unreadable =
        |error: String| CapabilityError::Unanswered(format!("the list of {} cannot be read: {error}", wanted.kind));
    let mut list: Value = serde_json::from_slice(list).map_err(|error| unreadable(error.to_string()))?;
    match list["items"].take() {
        Value::Array(items) => Ok(items),
        _ => Err(unreadable("it has no items".to_owned())),
    }
}
