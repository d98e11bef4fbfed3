//! Label selectors, as the API server evaluates them.

use policy_kit::Json;

/// Whether a label selector selects these labels. One that cannot be read selects everything, as does an empty one.
pub(crate) fn selects(selector: &Json<'_>, labels: &Json<'_>) -> bool {
    let equal = selector.get("matchLabels").members().iter().all(|(key, value)| labels.get(key) == value);
    equal && selector.get("matchExpressions").items().iter().all(|expression| holds(expression, labels))
}

fn holds(expression: &Json<'_>, labels: &Json<'_>) -> bool {
    let label = labels.get(expression.get("key").text());
    let is_listed = || expression.get("values").items().contains(label);
    match expression.get("operator").text() {
        "In" => is_listed(),
        "NotIn" => !is_listed(),
        "Exists" => !label.is_null(),
        "DoesNotExist" => label.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_select_as_the_api_server_has_it() {
        let labels = Json::parse(r#"{"tier":"ops","a":"1"}"#).expect("valid JSON");
        for (selector, expected) in [
            (r#"{"matchLabels":{"tier":"ops"}}"#, true),
            (r#"{"matchLabels":{"tier":"ops","b":"1"}}"#, false),
            (r#"{"matchExpressions":[{"key":"tier","operator":"In","values":["dev","ops"]}]}"#, true),
            (r#"{"matchExpressions":[{"key":"tier","operator":"In","values":["dev"]}]}"#, false),
            (r#"{"matchExpressions":[{"key":"b","operator":"In","values":["ops"]}]}"#, false),
            (r#"{"matchExpressions":[{"key":"tier","operator":"NotIn","values":["ops"]}]}"#, false),
            (r#"{"matchExpressions":[{"key":"b","operator":"NotIn","values":["ops"]}]}"#, true),
            (r#"{"matchExpressions":[{"key":"a","operator":"Exists"}]}"#, true),
            (r#"{"matchExpressions":[{"key":"a","operator":"DoesNotExist"}]}"#, false),
            (r#"{"matchExpressions":[{"key":"a","operator":"Perhaps"}]}"#, true),
            (r#"{"matchLabels":{"tier":"ops"},"matchExpressions":[{"key":"b","operator":"Exists"}]}"#, false),
            ("{}", true),
        ] {
            let selector = Json::parse(selector).expect("valid JSON");
            assert_eq!(selects(&selector, &labels), expected, "{selector:?}");
        }
    }
}
