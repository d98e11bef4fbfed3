//! The settings file: a YAML map from policy name to settings.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::Origin;
use crate::manifest::{Problem, problem};

/// The settings that the user gave, by policy name; each knows its line.
pub type Settings = BTreeMap<String, Spanned<Option<Map<String, Value>>>>;

/// The settings file, read.
pub(super) struct GivenSettings<'c> {
    pub(super) by_name: &'c Settings,
    pub(super) file: Option<&'c Path>,
}

impl GivenSettings<'_> {
    /// The settings of a policy, and where they stand.
    pub(super) fn of(&self, name: &str) -> (Option<Map<String, Value>>, Option<Origin>) {
        match self.by_name.get(name) {
            None => (None, None),
            Some(given) => {
                let file = self.file.map(|file| file.display().to_string()).unwrap_or_default();
                (Some(given.value.clone().unwrap_or_default()), Some(Origin { file, line: line_of(given) }))
            }
        }
    }

    /// Settings for policies that are not there. One file serves runs with all policies of the bundle and with some.
    pub(super) fn unused(&self, taken: &[&str], uses_bundle: bool) -> Vec<Problem> {
        let Some(file) = self.file else { return Vec::new() };
        let known = if taken.is_empty() { String::new() } else { format!("; there are {}", taken.join(", ")) };
        self.by_name
            .iter()
            .filter(|(name, _)| !taken.contains(&name.as_str()))
            .filter(|(name, _)| !uses_bundle || bundle::policy(name).is_none())
            .map(|(name, given)| {
                let message = format!("{name}: no policy of this name takes settings here{known}");
                problem(&file.display().to_string(), line_of(given), message)
            })
            .collect()
    }
}

fn line_of<T>(given: &Spanned<T>) -> Option<usize> {
    usize::try_from(given.referenced.line()).ok().filter(|line| *line > 0)
}
