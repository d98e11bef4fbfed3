//! Labels and the selectors over them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The label that every Namespace has, with its name as the value.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The labels of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The labels of a Kubernetes object.
    pub fn of(object: &Value) -> Self {
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
        Labels(
            labels
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
        )
    }

    /// Labels from pairs.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Labels(pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    /// With the label that the API server gives to each Namespace.
    #[must_use]
    pub fn with_namespace_name(mut self, name: &str) -> Self {
        self.0.insert(NAMESPACE_NAME.to_owned(), name.to_owned());
        self
    }
}

/// `LabelSelector` of Kubernetes' `meta/v1`; an empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LabelSelector {
    match_labels: BTreeMap<String, String>,
    match_expressions: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    key: String,
    operator: Operator,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl LabelSelector {
    /// Whether all requirements hold.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.0.get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.holds(labels))
    }

    /// Whether nothing but the name of a Namespace decides.
    pub(super) fn asks_only_for_the_namespace_name(&self) -> bool {
        let keys = self.match_labels.keys().chain(self.match_expressions.iter().map(|requirement| &requirement.key));
        keys.into_iter().all(|key| key == NAMESPACE_NAME)
    }
}

impl Requirement {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.0.get(&self.key);
        let is_listed = value.is_some_and(|value| self.values.contains(value));
        match self.operator {
            Operator::In => is_listed,
            // Also when there is no such label.
            Operator::NotIn => !is_listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_matches_as_in_kubernetes() {
        let labels = Labels::from_pairs([("tier", "front"), ("team", "payments")]);
        for (selector, expected) in [
            ("{}", true),
            ("{matchLabels: {tier: front}}", true),
            ("{matchLabels: {tier: front, team: other}}", false),
            ("{matchExpressions: [{key: tier, operator: In, values: [front, back]}]}", true),
            ("{matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}", false),
            ("{matchExpressions: [{key: zone, operator: NotIn, values: [a]}]}", true),
            ("{matchExpressions: [{key: zone, operator: In, values: [a]}]}", false),
            ("{matchExpressions: [{key: tier, operator: Exists}]}", true),
            ("{matchExpressions: [{key: tier, operator: DoesNotExist}]}", false),
            ("{matchLabels: {tier: front}, matchExpressions: [{key: team, operator: DoesNotExist}]}", false),
        ] {
            let parsed: LabelSelector = serde_saphyr::from_str(selector).expect("a selector");
            assert_eq!(parsed.matches(&labels), expected, "{selector}");
        }
    }
}
