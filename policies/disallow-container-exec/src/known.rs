//! What was there before, or is known already.

use std::collections::BTreeSet;

use policy_kit::Json;

/// Things, told apart by a text: there may be thousands of each, so none is compared with all.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeSet<String>);

impl Known {
    /// The values of a list.
    pub(crate) fn values(list: &[Json<'_>]) -> Self {
        Known(list.iter().map(ToString::to_string).collect())
    }

    /// Notes a thing.
    pub(crate) fn add(&mut self, thing: String) {
        self.0.insert(thing);
    }

    /// Whether a thing is among them.
    pub(crate) fn has(&self, thing: &str) -> bool {
        self.0.contains(thing)
    }

    /// Whether a value is among them.
    pub(crate) fn has_value(&self, value: &Json<'_>) -> bool {
        !self.0.is_empty() && self.has(&value.to_string())
    }
}
