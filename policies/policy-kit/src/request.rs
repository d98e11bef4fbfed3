//! The admission request, as far as policies read it.

use std::borrow::Cow;

use crate::json::Json;

/// The AdmissionRequest of Kubernetes (`admission.k8s.io/v1`), borrowed from the payload.
///
/// Absent and `null` members are empty.
#[derive(Debug)]
pub struct Request<'a> {
    operation_name: Text<'a>,
    kind: Text<'a>,
    group: Text<'a>,
    resource: Text<'a>,
    resource_group: Text<'a>,
    sub_resource: Text<'a>,
    name: Text<'a>,
    namespace: Text<'a>,
    is_dry_run: bool,
    /// Who asks.
    pub user_info: UserInfo<'a>,
    /// The object as it would be; `null` on DELETE.
    pub object: Json<'a>,
    /// The object as it was; `null` on CREATE and CONNECT.
    pub old_object: Json<'a>,
}

/// Who asks, as the API server authenticated it.
#[derive(Debug)]
pub struct UserInfo<'a> {
    username: Text<'a>,
    groups: Vec<Text<'a>>,
}

type Text<'a> = Cow<'a, str>;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new object; also what an unknown operation is judged as, so that it is judged at all.
    Create,
    /// A changed object.
    Update,
    /// An object goes away.
    Delete,
    /// A connection to a pod, service or node.
    Connect,
}

impl<'a> Request<'a> {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// Names the member that is not what it should be.
    pub fn read(mut request: Json<'a>) -> Result<Self, String> {
        if request.as_object().is_none() {
            return Err(format!("expected an object, found {}", request.kind()));
        }
        let (mut kind, mut resource) = (object(&mut request, "kind")?, object(&mut request, "resource")?);
        Ok(Request {
            operation_name: text(&mut request, "operation")?,
            kind: text(&mut kind, "kind")?,
            group: text(&mut kind, "group")?,
            resource: text(&mut resource, "resource")?,
            resource_group: text(&mut resource, "group")?,
            sub_resource: text(&mut request, "subResource")?,
            name: text(&mut request, "name")?,
            namespace: text(&mut request, "namespace")?,
            is_dry_run: request.take("dryRun").is_true(),
            user_info: UserInfo::read(object(&mut request, "userInfo")?)?,
            object: request.take("object"),
            old_object: request.take("oldObject"),
        })
    }

    /// What is asked.
    pub fn operation(&self) -> Operation {
        match &*self.operation_name {
            "UPDATE" => Operation::Update,
            "DELETE" => Operation::Delete,
            "CONNECT" => Operation::Connect,
            _ => Operation::Create,
        }
    }

    /// The kind of the object: `Pod`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The API group of the kind; empty for the core group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The plural resource name: `pods`.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The API group of the resource.
    pub fn resource_group(&self) -> &str {
        &self.resource_group
    }

    /// The part of the resource that is asked for: `exec`; empty for the resource itself.
    pub fn sub_resource(&self) -> &str {
        &self.sub_resource
    }

    /// The object's name; empty when the API server is to generate it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The object's namespace; empty for cluster-wide objects.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether nothing of it will be kept.
    pub fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// Whether the object is a Pod.
    pub fn is_pod(&self) -> bool {
        self.group().is_empty() && self.kind() == "Pod"
    }

    /// Whether the kind is one of Kubernetes' own that hold pod templates; there, `containers` means containers.
    pub fn is_built_in_workload(&self) -> bool {
        match self.group() {
            "" => matches!(self.kind(), "Pod" | "PodTemplate" | "ReplicationController"),
            group => matches!(group, "apps" | "batch"),
        }
    }

    /// Whether the object is a Job that exists; the API server lets nobody change its pod template.
    pub fn is_existing_job(&self) -> bool {
        self.operation() == Operation::Update && self.group() == "batch" && self.kind() == "Job"
    }

    /// Whether the object may be mutated at all: not a ReplicaSet with a controller.
    ///
    /// The Deployment controller compares the template of its ReplicaSets with its own and would make new ones for
    /// ever. Pods are compared with nothing, so those that come of such a ReplicaSet may be mutated; that is also
    /// why nobody gains anything by claiming an owner.
    pub fn may_be_mutated(&self) -> bool {
        let is_replica_set = self.group() == "apps" && self.kind() == "ReplicaSet";
        let owners = self.object.get("metadata").get("ownerReferences").items();
        !(is_replica_set && owners.iter().any(|owner| owner.get("controller").is_true()))
    }

    /// Whether the images of the object may be written anew: [`Request::may_be_mutated`], and not a Pod whose
    /// controller is none of Kubernetes' own.
    ///
    /// Kubernetes' controllers compare the images of their Pods with nothing. Operators that manage Pods themselves do:
    /// CloudNativePG takes another text for another image, and makes the Pod anew for ever.
    pub fn may_images_be_mutated(&self) -> bool {
        let owners = self.object.get("metadata").get("ownerReferences").items();
        let is_foreign = |owner: &Json<'_>| {
            let group = owner.get("apiVersion").text().rsplit_once('/').map_or("", |(group, _)| group);
            owner.get("controller").is_true() && !matches!(group, "" | "apps" | "batch")
        };
        self.may_be_mutated() && !(self.is_pod() && owners.iter().any(is_foreign))
    }
}

impl<'a> UserInfo<'a> {
    fn read(mut user: Json<'a>) -> Result<Self, String> {
        let groups = match user.take("groups") {
            Json::Array(groups) => groups,
            Json::Null => Vec::new(),
            other => return Err(format!("groups: expected a list, found {}", other.kind())),
        };
        let groups = groups.into_iter().map(|group| match group {
            Json::String(group) => Ok(group),
            other => Err(format!("groups: expected a string, found {}", other.kind())),
        });
        Ok(UserInfo { groups: groups.collect::<Result<_, _>>()?, username: text(&mut user, "username")? })
    }

    /// The user's name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Whether the user is in a group.
    pub fn is_in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|member| member == group)
    }
}

/// Takes an object out of an object.
fn object<'a>(request: &mut Json<'a>, key: &str) -> Result<Json<'a>, String> {
    match request.take(key) {
        taken @ (Json::Object(_) | Json::Null) => Ok(taken),
        other => Err(format!("{key}: expected an object, found {}", other.kind())),
    }
}

/// Takes a text out of an object. Another type is refused: taken for empty, it would be a name that no rule knows.
fn text<'a>(object: &mut Json<'a>, key: &str) -> Result<Text<'a>, String> {
    match object.take(key) {
        Json::String(text) => Ok(text),
        Json::Null => Ok(Text::default()),
        other => Err(format!("{key}: expected a string, found {}", other.kind())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: &str) -> Request<'_> {
        Request::read(Json::parse(json).expect("JSON")).expect("a request")
    }

    #[test]
    fn absent_and_null_members_are_empty() {
        let absent = request("{}");
        let null = request(
            r#"{"operation":null,"kind":{"group":null,"kind":null},"name":null,"namespace":null,"object":null,
                "oldObject":null,"userInfo":{"username":null,"groups":null}}"#,
        );
        for request in [absent, null] {
            assert_eq!(request.operation(), Operation::Create);
            assert_eq!((request.group(), request.kind(), request.namespace()), ("", "", ""));
            assert!(request.object.is_null() && request.old_object.is_null());
            assert!(!request.user_info.is_in_group("") && !request.is_built_in_workload());
        }
    }

    #[test]
    fn only_the_kinds_that_hold_pod_templates_are_workloads() {
        for (group, kind, expected) in [
            ("", "Pod", true),
            ("", "PodTemplate", true),
            ("", "ReplicationController", true),
            ("apps", "DaemonSet", true),
            ("batch", "CronJob", true),
            // Their data may well have a key named `containers`.
            ("", "ConfigMap", false),
            ("", "Secret", false),
            ("batch.volcano.sh", "Job", false),
            ("apps.kruise.io", "CloneSet", false),
        ] {
            let json = format!(r#"{{"kind":{{"group":"{group}","kind":"{kind}"}}}}"#);
            assert_eq!(request(&json).is_built_in_workload(), expected, "{group}/{kind}");
        }
    }

    #[test]
    fn only_a_controlled_replica_set_is_left_alone() {
        let owned = r#"{"metadata":{"ownerReferences":[{"controller":true}]}}"#;
        for (group, kind, object, expected) in [
            ("apps", "ReplicaSet", owned, false),
            ("apps", "ReplicaSet", r#"{"metadata":{"ownerReferences":[{"kind":"X"}]}}"#, true),
            ("apps", "ReplicaSet", "{}", true),
            ("", "Pod", owned, true),
            ("apps", "Deployment", owned, true),
        ] {
            let json = format!(r#"{{"kind":{{"group":"{group}","kind":"{kind}"}},"object":{object}}}"#);
            assert_eq!(request(&json).may_be_mutated(), expected, "{json}");
            assert_eq!(request(&json).may_images_be_mutated(), expected, "{json}");
        }
    }

    #[test]
    fn pods_of_operators_keep_their_images() {
        for (kind, owner, expected) in [
            ("Pod", r#"{"apiVersion":"postgresql.cnpg.io/v1","controller":true}"#, false),
            ("Pod", r#"{"apiVersion":"apps.kruise.io/v1","controller":true}"#, false),
            ("Pod", r#"{"apiVersion":"postgresql.cnpg.io/v1","controller":false}"#, true),
            ("Pod", r#"{"apiVersion":"postgresql.cnpg.io/v1"}"#, true),
            ("Pod", r#"{"apiVersion":"apps/v1","controller":true}"#, true),
            ("Pod", r#"{"apiVersion":"batch/v1","controller":true}"#, true),
            ("Pod", r#"{"apiVersion":"v1","controller":true}"#, true),
            ("Pod", r#"{"apiVersion":"apps/v1","controller":true},{"apiVersion":"x.io/v1","controller":true}"#, false),
            ("PodTemplate", r#"{"apiVersion":"postgresql.cnpg.io/v1","controller":true}"#, true),
        ] {
            let json =
                format!(r#"{{"kind":{{"kind":"{kind}"}},"object":{{"metadata":{{"ownerReferences":[{owner}]}}}}}}"#);
            assert_eq!(request(&json).may_images_be_mutated(), expected, "{json}");
            assert!(request(&json).may_be_mutated(), "{json}");
        }
    }
}
