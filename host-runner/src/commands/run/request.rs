//! The request of `run`: an AdmissionRequest, an AdmissionReview around one, or any JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admission::{self, Catalog, RequestOptions};
use crate::enforcement::Responding;
use crate::manifest::{self, read_bytes};

/// AdmissionRequest of `admission.k8s.io/v1`, as Kubewarden reads it: unknown keys are dropped, and what is null is
/// absent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionRequest {
    uid: String,
    kind: GroupVersionKind,
    resource: GroupVersionResource,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_kind: Option<GroupVersionKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_resource: Option<GroupVersionResource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_sub_resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    operation: String,
    user_info: UserInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_object: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct GroupVersionKind {
    group: String,
    version: String,
    kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct GroupVersionResource {
    group: String,
    version: String,
    resource: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct UserInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<BTreeMap<String, Vec<String>>>,
}

/// The request as it stands in the file.
#[derive(Debug)]
pub(in crate::commands) struct Given(Value);

impl Given {
    /// Reads a file, or stdin for `-`. A manifest, by its extension, stands for the request that creates its object.
    ///
    /// # Errors
    ///
    /// In kwctl's words.
    pub(in crate::commands) fn read(path: &Path) -> Result<Self, String> {
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            return Given::of_manifest(path);
        }
        let bytes =
            read_bytes(path).map_err(|error| format!("Error opening request file {}; {error}", path.display()))?;
        serde_json::from_slice(&bytes).map(Given).map_err(|error| error.to_string())
    }

    fn of_manifest(path: &Path) -> Result<Self, String> {
        let text = manifest::read_to_string(path).map_err(|problem| problem.to_string())?;
        let file = path.display().to_string();
        let manifests = manifest::read_text(&file, &text);
        if let Some(problem) = manifests.problems.first() {
            return Err(problem.to_string());
        }
        let [manifest] = <[_; 1]>::try_from(manifests.objects)
            .map_err(|objects| format!("{file}: holds {} objects, and a request is about one", objects.len()))?;
        let request =
            admission::AdmissionRequest::for_object(manifest.object, &RequestOptions::default(), &Catalog::default());
        let request = request.map_err(|error| format!("{file}:{}: {error}", manifest.line))?;
        serde_json::from_slice(request.json()).map(Given).map_err(|error| error.to_string())
    }

    /// What a policy that judges admission requests gets.
    ///
    /// # Errors
    ///
    /// In kwctl's words.
    pub(in crate::commands) fn as_admission(&self) -> Result<Responding, String> {
        let Value::Object(members) = &self.0 else { return Err("Invalid request object".to_owned()) };
        let is_review = members.get("kind").is_some_and(|kind| kind == "AdmissionReview");
        let request = match (is_review, members.get("request")) {
            (true, Some(request)) => request,
            (true, None) => return Err("invalid AdmissionReview object".to_owned()),
            (false, _) => &self.0,
        };
        let request = AdmissionRequest::deserialize(request)
            .map_err(|error| format!("cannot build AdmissionRequest object from given input: {error}"))?;
        // By way of a value, which sorts the keys at every level, as Kubewarden's host does.
        let json = serde_json::to_value(&request).map_err(|error| error.to_string())?.to_string().into_bytes();
        Ok(Responding { uid: request.uid, base: request.object, json })
    }

    /// What a policy that judges any JSON gets.
    pub(in crate::commands) fn as_raw(&self) -> Responding {
        let uid = self.0.get("uid").and_then(Value::as_str).unwrap_or_default().to_owned();
        Responding { uid, json: self.0.to_string().into_bytes(), base: Some(self.0.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"{"uid":"u","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"operation":"CREATE","userInfo":{"username":"alice","groups":["b","a"],"extra":null},"object":{"z":1,"a":null},"oldObject":null,"unknown":1,"dryRun":false}"#;

    fn given(text: &str) -> Given {
        Given(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn a_request_is_what_kubewarden_makes_of_it() {
        let request = given(REQUEST).as_admission().expect("a request");
        assert_eq!(
            String::from_utf8(request.json).expect("text"),
            concat!(
                r#"{"dryRun":false,"kind":{"group":"","kind":"Pod","version":"v1"},"object":{"a":null,"z":1},"operation":"CREATE","#,
                r#""resource":{"group":"","resource":"pods","version":"v1"},"uid":"u","userInfo":{"groups":["b","a"],"username":"alice"}}"#,
            )
        );
        assert_eq!(request.uid, "u");
        let review = given(&format!(r#"{{"kind":"AdmissionReview","request":{REQUEST}}}"#)).as_admission();
        assert_eq!(review.expect("a request").uid, "u");
    }

    #[test]
    fn what_is_no_request_is_told_in_kwctls_words() {
        for (text, expected) in [
            ("[]", "Invalid request object"),
            (r#"{"kind":"AdmissionReview"}"#, "invalid AdmissionReview object"),
            ("{}", "cannot build AdmissionRequest object from given input: missing field `uid`"),
            (r#"{"uid":"u"}"#, "cannot build AdmissionRequest object from given input: missing field `kind`"),
        ] {
            assert_eq!(given(text).as_admission().expect_err(text), expected);
        }
    }

    #[test]
    fn a_raw_request_is_any_json() {
        let raw = given(r#"{"uid":"u","b":1,"a":2}"#).as_raw();
        assert_eq!((raw.uid.as_str(), raw.json.as_slice()), ("u", &br#"{"a":2,"b":1,"uid":"u"}"#[..]));
        assert_eq!(given("[1]").as_raw().uid, "");
        assert_eq!(given(r#"{"uid":1}"#).as_raw().uid, "");
    }
}
