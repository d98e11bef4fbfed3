//! From an object to the AdmissionRequest that a cluster would send.

mod catalog;

use serde_json::{Map, Value, json};

pub use catalog::{Catalog, ResourceKind};

/// What is asked of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[clap(rename_all = "UPPER")]
pub enum Operation {
    /// A new object.
    #[default]
    Create,
    /// A changed object.
    Update,
    /// An object goes away.
    Delete,
    /// A connection to a Pod, Service or Node.
    Connect,
}

impl Operation {
    /// The name in Kubernetes' API: `CREATE`.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Connect => "CONNECT",
        }
    }
}

/// Who asks, and for what.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestOptions {
    /// The operation.
    pub operation: Operation,
    /// The subresource, such as `exec`; empty for the object itself.
    pub subresource: String,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
    /// The user's name.
    pub user: String,
    /// The user's groups.
    pub groups: Vec<String>,
}

impl RequestOptions {
    /// Who asks: the named user, or an administrator. Every user who has logged in is in `system:authenticated`, and
    /// of no other group is anything known unless it is stated.
    #[must_use]
    pub fn by(mut self, user: Option<String>, groups: Option<Vec<String>>) -> Self {
        let is_named = user.as_ref().is_some_and(|user| *user != self.user);
        self.user = user.unwrap_or(self.user);
        self.groups = match groups {
            Some(groups) => groups,
            None if is_named => vec!["system:authenticated".to_owned()],
            None => self.groups,
        };
        self
    }
}

impl Default for RequestOptions {
    /// An administrator creates the object in the namespace `default`.
    fn default() -> Self {
        RequestOptions {
            operation: Operation::Create,
            subresource: String::new(),
            namespace: None,
            user: "kubernetes-admin".to_owned(),
            groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
        }
    }
}

/// An AdmissionRequest of Kubernetes' `admission.k8s.io/v1`.
#[derive(Debug, Clone, PartialEq)]
pub struct AdmissionRequest {
    /// What is asked.
    pub operation: Operation,
    /// The resource that is asked for: of `pods/exec`, Pods.
    pub kind: ResourceKind,
    /// The subresource; empty for the resource itself.
    pub subresource: String,
    /// The name; empty when the API server is to generate it.
    pub name: String,
    /// The namespace, unless the resource is cluster-wide.
    pub namespace: Option<String>,
    /// The object as it would be.
    pub object: Option<Value>,
    /// The object as it is.
    pub old_object: Option<Value>,
    json: Vec<u8>,
}

/// Why an object cannot be asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No cluster knows the kind under this apiVersion.
    #[error("Kubernetes serves {kind} as {served}, and {api_version} has no such kind: write apiVersion: {served}")]
    NoSuchKind {
        /// What the object says.
        api_version: String,
        /// The kind of the object.
        kind: String,
        /// What it should say.
        served: &'static str,
    },
    /// CONNECT is about a subresource.
    #[error("CONNECT needs a subresource: exec, attach, portforward or proxy")]
    ConnectWithoutSubresource,
    /// Nothing connects to this.
    #[error(
        "nothing connects to {kind}/{subresource}: Pods have exec, attach, portforward and proxy, Services and Nodes have proxy"
    )]
    NoConnection {
        /// The kind of the object.
        kind: String,
        /// The subresource.
        subresource: String,
    },
}

impl AdmissionRequest {
    /// The request that asks for `operation` on an object as it stands in a manifest.
    ///
    /// On DELETE the object is the old one; on CONNECT it is what is connected to, with the options of an
    /// interactive shell. On UPDATE the old object is unknown; see [`AdmissionRequest::with_old_object`].
    ///
    /// # Errors
    ///
    /// When Kubernetes knows no such request.
    pub fn for_object(object: Value, options: &RequestOptions, catalog: &Catalog) -> Result<Self, RequestError> {
        if let Some(served) = catalog::served_as(&object) {
            let (api_version, kind) = (text(&object, "/apiVersion"), text(&object, "/kind"));
            return Err(RequestError::NoSuchKind { api_version, kind, served });
        }
        let kind = catalog.kind_of(&object);
        let name = text(&object, "/metadata/name");
        let namespace = namespace_of(&object, &kind, options);
        let (object, old_object) = match options.operation {
            Operation::Create | Operation::Update => (Some(object), None),
            Operation::Delete => (None, Some(object)),
            Operation::Connect => (Some(connection(&kind, &options.subresource)?), None),
        };
        Ok(Self::assemble(kind, name, namespace, object, old_object, options))
    }

    /// A request of known parts; for CONNECT, `object` are the options of the connection.
    pub fn from_parts(
        kind: ResourceKind,
        name: String,
        object: Option<Value>,
        old_object: Option<Value>,
        options: &RequestOptions,
    ) -> Self {
        let namespace = match object.as_ref().or(old_object.as_ref()) {
            Some(object) => namespace_of(object, &kind, options),
            None => options.namespace.clone(),
        };
        Self::assemble(kind, name, namespace, object, old_object, options)
    }

    fn assemble(
        kind: ResourceKind,
        name: String,
        namespace: Option<String>,
        object: Option<Value>,
        old_object: Option<Value>,
        options: &RequestOptions,
    ) -> Self {
        let request = AdmissionRequest {
            operation: options.operation,
            kind,
            subresource: options.subresource.clone(),
            name,
            namespace,
            object,
            old_object,
            json: Vec::new(),
        };
        request.serialised(options)
    }

    /// The same after a policy has changed the object.
    #[must_use]
    pub fn with_object(mut self, object: Value, options: &RequestOptions) -> Self {
        self.object = Some(object);
        self.serialised(options)
    }

    /// The same with the object as it was before the UPDATE.
    #[must_use]
    pub fn with_old_object(mut self, old_object: Option<Value>, options: &RequestOptions) -> Self {
        self.old_object = old_object;
        self.serialised(options)
    }

    /// The request as JSON, compact, with sorted keys and without what is unset, as Kubewarden hands it to policies.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Whether the resource lives in a namespace.
    pub fn is_namespaced(&self) -> bool {
        self.kind.is_namespaced
    }

    fn serialised(mut self, options: &RequestOptions) -> Self {
        let resource = json!({
            "group": self.kind.group, "version": self.kind.version, "resource": self.kind.plural,
        });
        // The kind of a connection is that of its options.
        let kind = match (self.operation, &self.object) {
            (Operation::Connect, Some(object)) => {
                let (group, version) = split_api_version(object);
                json!({ "group": group, "version": version, "kind": text(object, "/kind") })
            }
            _ => json!({ "group": self.kind.group, "version": self.kind.version, "kind": self.kind.kind }),
        };
        let mut request = Map::new();
        let mut set = |key: &str, value: Value| request.insert(key.to_owned(), value);
        // No cluster made this request, so there is no identity to tell it by: the one that kwctl writes.
        set("uid", json!("705ab4f5-6393-11e8-b7cc-42010a800002"));
        set("dryRun", json!(false));
        set("operation", json!(self.operation.name()));
        set("requestKind", kind.clone());
        set("kind", kind);
        set("requestResource", resource.clone());
        set("resource", resource);
        set("userInfo", json!({ "username": options.user, "groups": options.groups }));
        if !self.subresource.is_empty() {
            set("subResource", json!(self.subresource));
            set("requestSubResource", json!(self.subresource));
        }
        if !self.name.is_empty() {
            set("name", json!(self.name));
        }
        if let Some(namespace) = &self.namespace {
            set("namespace", json!(namespace));
        }
        let options_kind = match self.operation {
            Operation::Create => Some("CreateOptions"),
            Operation::Update => Some("UpdateOptions"),
            Operation::Delete => Some("DeleteOptions"),
            Operation::Connect => None,
        };
        if let Some(kind) = options_kind {
            set("options", json!({ "apiVersion": "meta.k8s.io/v1", "kind": kind }));
        }
        // Lent and taken back, since a copy of a large object costs more than all of the rest.
        if let Some(object) = self.object.take() {
            set("object", object);
        }
        if let Some(object) = self.old_object.take() {
            set("oldObject", object);
        }
        let mut request = Value::Object(request);
        self.json = request.to_string().into_bytes();
        let mut give_back = |key: &str| request.as_object_mut().and_then(|request| request.remove(key));
        self.object = give_back("object");
        self.old_object = give_back("oldObject");
        self
    }
}

/// The text at a JSON pointer, or the empty string.
pub(crate) fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Group and version of an object: `("apps", "v1")`, `("", "v1")`.
pub(crate) fn split_api_version(object: &Value) -> (&str, &str) {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    api_version.split_once('/').unwrap_or(("", api_version))
}

fn namespace_of(object: &Value, kind: &ResourceKind, options: &RequestOptions) -> Option<String> {
    if !kind.is_namespaced {
        // The namespace of a Namespace is its own name, in admission requests.
        let is_namespace = kind.group.is_empty() && kind.kind == "Namespace";
        return is_namespace.then(|| text(object, "/metadata/name"));
    }
    let own = text(object, "/metadata/namespace");
    Some(match &options.namespace {
        _ if !own.is_empty() => own,
        Some(namespace) => namespace.clone(),
        None => "default".to_owned(),
    })
}

/// The options of a connection, with which somebody opens a shell or a tunnel.
fn connection(kind: &ResourceKind, subresource: &str) -> Result<Value, RequestError> {
    if subresource.is_empty() {
        return Err(RequestError::ConnectWithoutSubresource);
    }
    let shell = json!({ "stdin": true, "stdout": true, "tty": true });
    let options = match (kind.kind.as_str(), subresource) {
        ("Pod", "exec") => {
            json!({ "kind": "PodExecOptions", "command": ["sh"], "stdin": true, "stdout": true, "tty": true })
        }
        ("Pod", "attach") => {
            let mut options = shell;
            options["kind"] = json!("PodAttachOptions");
            options
        }
        ("Pod", "portforward") => json!({ "kind": "PodPortForwardOptions" }),
        ("Pod", "proxy") => json!({ "kind": "PodProxyOptions", "path": "/" }),
        ("Service", "proxy") => json!({ "kind": "ServiceProxyOptions", "path": "/" }),
        ("Node", "proxy") => json!({ "kind": "NodeProxyOptions", "path": "/" }),
        (kind, subresource) => {
            return Err(RequestError::NoConnection { kind: kind.to_owned(), subresource: subresource.to_owned() });
        }
    };
    let mut options = options;
    options["apiVersion"] = json!("v1");
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(yaml: &str, options: &RequestOptions) -> Value {
        let object = serde_saphyr::from_str(yaml).expect("YAML");
        let request = AdmissionRequest::for_object(object, options, &Catalog::default()).expect("a request");
        serde_json::from_slice(request.json()).expect("JSON")
    }

    #[test]
    fn a_create_request_is_what_a_cluster_would_send() {
        let object = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {z: 1, a: null}}";
        let object: Value = serde_saphyr::from_str(object).expect("YAML");
        let options = RequestOptions { namespace: Some("shop".to_owned()), ..RequestOptions::default() };
        let request = AdmissionRequest::for_object(object, &options, &Catalog::default()).expect("a request");
        assert_eq!(
            String::from_utf8(request.json().to_vec()).expect("UTF-8"),
            concat!(
                r#"{"dryRun":false,"kind":{"group":"apps","kind":"Deployment","version":"v1"},"name":"web","namespace":"shop","#,
                r#""object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"a":null,"z":1}},"#,
                r#""operation":"CREATE","options":{"apiVersion":"meta.k8s.io/v1","kind":"CreateOptions"},"#,
                r#""requestKind":{"group":"apps","kind":"Deployment","version":"v1"},"#,
                r#""requestResource":{"group":"apps","resource":"deployments","version":"v1"},"#,
                r#""resource":{"group":"apps","resource":"deployments","version":"v1"},"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","#,
                r#""userInfo":{"groups":["system:masters","system:authenticated"],"username":"kubernetes-admin"}}"#,
            )
        );
        assert_eq!(request.object.expect("given back")["kind"], "Deployment");
    }

    #[test]
    fn delete_has_an_old_object_only() {
        let options = RequestOptions { operation: Operation::Delete, ..RequestOptions::default() };
        let request = request("{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}}", &options);
        assert!(request.get("object").is_none());
        assert_eq!(request["oldObject"]["metadata"]["name"], "web");
        assert_eq!(request["namespace"], "shop");
    }

    #[test]
    fn connect_is_about_the_options_of_the_connection() {
        let options = RequestOptions {
            operation: Operation::Connect,
            subresource: "exec".to_owned(),
            ..RequestOptions::default()
        };
        let request = request("{apiVersion: v1, kind: Pod, metadata: {name: web}}", &options);
        assert_eq!(request["kind"]["kind"], "PodExecOptions");
        assert_eq!(request["resource"]["resource"], "pods");
        assert_eq!(request["subResource"], "exec");
        assert_eq!(request["name"], "web");
    }

    #[test]
    fn a_cluster_wide_object_has_no_namespace() {
        let options = RequestOptions { namespace: Some("shop".to_owned()), ..RequestOptions::default() };
        let role = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: admin}}";
        assert!(request(role, &options).get("namespace").is_none());
        assert_eq!(request("{apiVersion: v1, kind: Namespace, metadata: {name: prod}}", &options)["namespace"], "prod");
    }

    #[test]
    fn nobody_connects_to_a_deployment() {
        let object = json!({ "apiVersion": "apps/v1", "kind": "Deployment" });
        let options = RequestOptions { operation: Operation::Connect, ..RequestOptions::default() };
        let error = AdmissionRequest::for_object(object.clone(), &options, &Catalog::default());
        assert_eq!(error, Err(RequestError::ConnectWithoutSubresource));
        let options = RequestOptions { subresource: "exec".to_owned(), ..options };
        assert!(AdmissionRequest::for_object(object, &options, &Catalog::default()).is_err());
    }
}
