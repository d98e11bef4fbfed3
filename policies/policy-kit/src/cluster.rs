//! What the API server knows, asked through Kubewarden's Kubernetes capability.

use serde::Serialize;
use serde_json::json;

use crate::guest::Host;
use crate::json::Json;

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
        serde_json::from_slice(&self.0).map_err(|error| format!("the host's answer cannot be read: {error}"))
    }
}

/// Reads one object; `None` when the cluster has none of that name.
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
    let question = json!({
        "api_version": api_version, "kind": kind, "name": name, "namespace": namespace, "disable_cache": false,
    });
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
    let question = json!({ "api_version": api_version, "kind": kind, "label_selector": label_selector });
    ask(host, "list_resources_all", &question).map(Answer)
}

fn ask(host: &dyn Host, operation: &str, question: &impl Serialize) -> Result<Vec<u8>, String> {
    let payload = serde_json::to_vec(question).map_err(|error| error.to_string())?;
    host.call("kubernetes", operation, &payload)
}
