//! What the API server knows, asked through Kubewarden's Kubernetes capability.

use crate::guest::Host;
use crate::json::{Json, write_text};

/// What waPC and Kubewarden put in front of every failure.
const WRAPPINGS: [&str; 2] = ["Host error: ", "Callback evaluation failure: "];

/// What Kubewarden is asked.
struct Question<'q> {
    api_version: &'q str,
    kind: &'q str,
    name: Option<&'q str>,
    namespace: Option<&'q str>,
    label_selector: Option<&'q str>,
    field_masks: &'q [&'q str],
    disable_cache: Option<bool>,
}

impl<'q> Question<'q> {
    fn about(api_version: &'q str, kind: &'q str) -> Self {
        Question {
            api_version,
            kind,
            name: None,
            namespace: None,
            label_selector: None,
            field_masks: &[],
            disable_cache: None,
        }
    }

    fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (key, value) in [
            ("api_version", Some(self.api_version)),
            ("kind", Some(self.kind)),
            ("name", self.name),
            ("namespace", self.namespace),
            ("label_selector", self.label_selector),
        ] {
            if let Some(value) = value {
                write_text(key, &mut json);
                json.push(':');
                write_text(value, &mut json);
                json.push(',');
            }
        }
        if !self.field_masks.is_empty() {
            write_text("field_masks", &mut json);
            json.push(':');
            for (index, mask) in self.field_masks.iter().enumerate() {
                json.push(if index == 0 { '[' } else { ',' });
                write_text(mask, &mut json);
            }
            json.push_str("],");
        }
        match self.disable_cache {
            Some(true) => json.push_str("\"disable_cache\":true"),
            Some(false) => json.push_str("\"disable_cache\":false"),
            // The comma behind the last member.
            None => drop(json.pop()),
        }
        json.push('}');
        json
    }
}

/// The JSON of an object or list, to be read with [`Answer::read`].
#[derive(Debug)]
pub struct Answer(Vec<u8>);

impl Answer {
    /// The answer as JSON.
    ///
    /// # Errors
    ///
    /// When the host did not answer with JSON.
    pub fn read(&self) -> Result<Json<'_>, String> {
        Json::parse_bytes(&self.0).map_err(|error| format!("the host's answer cannot be read: {error}"))
    }
}

/// Reads one object; `None` when the cluster has none of that name. The host may answer with what it read up to
/// five seconds ago.
///
/// # Errors
///
/// When the cluster cannot be asked, or the policy may not ask for this kind. Never to be taken for "none".
pub fn get(
    host: &dyn Host,
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
) -> Result<Option<Answer>, String> {
    let question = Question { name: Some(name), namespace, ..Question::about(api_version, kind) };
    read(host, Question { disable_cache: Some(false), ..question })
}

/// The same for a few fields of a large object: dotted paths, through lists. Its metadata is always there; a host that
/// knows no field masks answers with the whole object.
///
/// # Errors
///
/// As for [`get`].
pub fn get_fields(
    host: &dyn Host,
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
    fields: &[&str],
) -> Result<Option<Answer>, String> {
    let question = Question { name: Some(name), namespace, ..Question::about(api_version, kind) };
    read(host, Question { disable_cache: Some(false), field_masks: fields, ..question })
}

/// Reads one object as it is now, for decisions that an answer of a few seconds ago would get wrong: whoever can
/// change the object could otherwise have an old state read first.
///
/// # Errors
///
/// As for [`get`].
pub fn get_latest(
    host: &dyn Host,
    api_version: &str,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
) -> Result<Option<Answer>, String> {
    let question = Question { name: Some(name), namespace, ..Question::about(api_version, kind) };
    read(host, Question { disable_cache: Some(true), ..question })
}

fn read(host: &dyn Host, question: Question<'_>) -> Result<Option<Answer>, String> {
    let Question { api_version, kind, .. } = question;
    match ask(host, "get_resource", &question) {
        Ok(bytes) => Ok(Some(Answer(bytes))),
        // Kubewarden has no other sign of "not found" than this text.
        Err(error) if error.contains(&format!("Cannot find {api_version}/{kind} named")) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lists objects of one kind in all namespaces; the label selector is written as `kubectl -l` takes it.
///
/// # Errors
///
/// When the cluster cannot be asked, or the policy may not ask for this kind.
pub fn list_all(
    host: &dyn Host,
    api_version: &str,
    kind: &str,
    label_selector: Option<&str>,
) -> Result<Answer, String> {
    let question = Question { label_selector, ..Question::about(api_version, kind) };
    ask(host, "list_resources_all", &question).map(Answer)
}

/// Lists objects of one kind in one namespace.
///
/// # Errors
///
/// As for [`list_all`].
pub fn list_in_namespace(host: &dyn Host, api_version: &str, kind: &str, namespace: &str) -> Result<Answer, String> {
    let question = Question { namespace: Some(namespace), ..Question::about(api_version, kind) };
    ask(host, "list_resources_by_namespace", &question).map(Answer)
}

/// The same for a few fields of each object: dotted paths, through lists. Their metadata is always there.
///
/// # Errors
///
/// As for [`list_all`].
pub fn list_fields_in_namespace(
    host: &dyn Host,
    api_version: &str,
    kind: &str,
    namespace: &str,
    fields: &[&str],
) -> Result<Answer, String> {
    let question = Question { namespace: Some(namespace), field_masks: fields, ..Question::about(api_version, kind) };
    ask(host, "list_resources_by_namespace", &question).map(Answer)
}

fn ask(host: &dyn Host, operation: &str, question: &Question<'_>) -> Result<Vec<u8>, String> {
    host.call("kubernetes", operation, question.to_json().as_bytes()).map_err(|error| one_line(&error))
}

/// The host answers with a whole chain of causes and, if it is set up so, with a backtrace; a violation is one line,
/// without the words in front that every failure has.
pub fn one_line(error: &str) -> String {
    let error = WRAPPINGS.iter().fold(error, |error, wrapping| error.strip_prefix(wrapping).unwrap_or(error));
    let causes = error.split_once("Stack backtrace:").map_or(error, |(causes, _)| causes);
    causes.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Silent(&'static str);

    impl Host for Silent {
        fn call(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
            Err(self.0.to_owned())
        }

        fn now(&self) -> i64 {
            0
        }
    }

    #[test]
    fn not_found_is_told_from_every_other_error() {
        let missing =
            "Host error: Callback evaluation failure: Cannot find v1/Namespace named 'shop' inside of namespace 'None'";
        assert!(matches!(get(&Silent(missing), "v1", "Namespace", None, "shop"), Ok(None)));
        // The same words about another kind are no answer to this question.
        assert!(get(&Silent(missing), "v1", "Pod", Some("shop"), "web").is_err());
        let denied = "Policy has not been granted access to Kubernetes v1/Namespace resources.";
        assert!(get(&Silent(denied), "v1", "Namespace", None, "shop").is_err());
    }

    /// Answers with the question.
    struct Echo;

    impl Host for Echo {
        fn call(&self, _: &str, _: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
            Ok(payload.to_vec())
        }

        fn now(&self) -> i64 {
            0
        }
    }

    #[test]
    fn fields_are_asked_for_as_masks() {
        let listed = list_fields_in_namespace(&Echo, "v1", "Pod", "shop", &["spec.nodeName", "status.phase"]);
        assert_eq!(
            listed.expect("an answer").read().expect("JSON").to_string(),
            r#"{"api_version":"v1","kind":"Pod","namespace":"shop","field_masks":["spec.nodeName","status.phase"]}"#
        );
        let got = get_fields(&Echo, "v1", "Pod", Some("shop"), "web", &["spec"]).expect("an answer");
        assert_eq!(
            got.expect("an object").read().expect("JSON").to_string(),
            r#"{"api_version":"v1","kind":"Pod","name":"web","namespace":"shop","field_masks":["spec"],"disable_cache":false}"#
        );
        let whole = get(&Echo, "v1", "Pod", Some("shop"), "web").expect("an answer").expect("an object");
        assert!(whole.read().expect("JSON").get("field_masks").is_null());
    }

    #[test]
    fn an_error_is_one_line() {
        let error =
            "Callback evaluation failure: forbidden\n\nCaused by:\n    0: RBAC\n\nStack backtrace:\n   0: anyhow";
        assert_eq!(list_all(&Silent(error), "v1", "Pod", None).expect_err("an error"), "forbidden Caused by: 0: RBAC");
    }
}
