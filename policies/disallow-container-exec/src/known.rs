//! What an update leaves as it was.

use std::collections::BTreeSet;

use policy_kit::Json;

/// Values that were there before; as text, since there may be thousands.
pub(crate) struct Known(BTreeSet<String>);

impl Known {
    pub(crate) fn of(old: &[Json<'_>]) -> Self {
        Known(old.iter().map(ToString::to_string).collect())
    }

    pub(crate) fn has(&self, value: &Json<'_>) -> bool {
        !self.0.is_empty() && self.0.contains(&value.to_string())
    }
}
