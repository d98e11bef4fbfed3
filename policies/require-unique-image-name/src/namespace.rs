//! Whose Namespace an object is in.

use policy_kit::{Host, Request, cluster};

/// The team that the object's Namespace belongs to, by one of its labels; asked for once per request at most.
pub(crate) struct NamespaceOwner<'r> {
    request: &'r Request<'r>,
    host: &'r dyn Host,
    label: &'r str,
    known: Option<Result<Option<String>, String>>,
}

impl<'r> NamespaceOwner<'r> {
    pub(crate) fn new(request: &'r Request<'r>, host: &'r dyn Host, label: &'r str) -> Self {
        NamespaceOwner { request, host, label, known: None }
    }

    /// The team; `None` for a custom resource without a Namespace. It runs nothing itself, and its pods are judged in
    /// theirs.
    ///
    /// # Errors
    ///
    /// Says why nobody knows the team.
    pub(crate) fn team(&mut self) -> Result<Option<&str>, &str> {
        let NamespaceOwner { request, host, label, known } = self;
        match known.get_or_insert_with(|| read(request, *host, label)) {
            Ok(team) => Ok(team.as_deref()),
            Err(error) => Err(error),
        }
    }
}

fn read(request: &Request<'_>, host: &dyn Host, label: &str) -> Result<Option<String>, String> {
    let namespace = request.namespace();
    if namespace.is_empty() && !request.is_built_in_workload() {
        return Ok(None);
    }
    if namespace.is_empty() {
        return Err("the request names no Namespace, so nobody knows whose images may run there".to_owned());
    }
    let unreadable = |error: String| format!("Namespace {namespace} cannot be read for its label {label}: {error}");
    let answer = match cluster::get(host, "v1", "Namespace", None, namespace) {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            return Err(format!("Namespace {namespace} must exist and have the label {label}: it is not found"));
        }
        Err(error) => return Err(unreadable(error)),
    };
    let object = answer.read().map_err(unreadable)?;
    match object.get("metadata").get("labels").get(label).text() {
        "" => Err(format!(
            "Namespace {namespace} must have the label {label}, which names its team: \
             kubectl label namespace {namespace} {label}=<team>"
        )),
        team => Ok(Some(team.to_owned())),
    }
}
