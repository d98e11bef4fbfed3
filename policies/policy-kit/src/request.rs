//! The admission request, as far as policies read it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use crate::json::Json;

/// The AdmissionRequest of Kubernetes (`admission.k8s.io/v1`), borrowed from the payload.
///
/// Absent and `null` members are empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    #[serde(borrow, default, rename = "operation")]
    operation_name: Text<'a>,
    #[serde(borrow, default)]
    kind: Kind<'a>,
    #[serde(borrow, default)]
    resource: Resource<'a>,
    #[serde(borrow, default)]
    sub_resource: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    namespace: Text<'a>,
    /// Who asks.
    #[serde(borrow, default)]
    pub user_info: UserInfo<'a>,
    /// The object as it would be; `null` on DELETE.
    #[serde(borrow, default = "null")]
    pub object: Json<'a>,
    /// The object as it was; `null` on CREATE and CONNECT.
    #[serde(borrow, default = "null")]
    pub old_object: Json<'a>,
}

/// Who asks, as the API server authenticated it.
#[derive(Debug, Default, Deserialize)]
pub struct UserInfo<'a> {
    #[serde(borrow, default)]
    username: Text<'a>,
    #[serde(borrow, default)]
    groups: Option<Vec<Text<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
struct Kind<'a> {
    #[serde(borrow, default)]
    group: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default)]
    group: Text<'a>,
    #[serde(borrow, default)]
    resource: Text<'a>,
}

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

impl Request<'_> {
    /// What is asked.
    pub fn operation(&self) -> Operation {
        match &*self.operation_name.0 {
            "UPDATE" => Operation::Update,
            "DELETE" => Operation::Delete,
            "CONNECT" => Operation::Connect,
            _ => Operation::Create,
        }
    }

    /// The kind of the object: `Pod`.
    pub fn kind(&self) -> &str {
        &self.kind.kind.0
    }

    /// The API group of the kind; empty for the core group.
    pub fn group(&self) -> &str {
        &self.kind.group.0
    }

    /// The plural resource name: `pods`.
    pub fn resource(&self) -> &str {
        &self.resource.resource.0
    }

    /// The API group of the resource.
    pub fn resource_group(&self) -> &str {
        &self.resource.group.0
    }

    /// The part of the resource that is asked for: `exec`; empty for the resource itself.
    pub fn sub_resource(&self) -> &str {
        &self.sub_resource.0
    }

    /// The object's name; empty when the API server is to generate it.
    pub fn name(&self) -> &str {
        &self.name.0
    }

    /// The object's namespace; empty for cluster-wide objects.
    pub fn namespace(&self) -> &str {
        &self.namespace.0
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
}

impl UserInfo<'_> {
    /// The user's name.
    pub fn username(&self) -> &str {
        &self.username.0
    }

    /// Whether the user is in a group.
    pub fn is_in_group(&self, group: &str) -> bool {
        self.groups.iter().flatten().any(|member| member.0 == group)
    }
}

fn null<'a>() -> Json<'a> {
    Json::Null
}

/// A string that borrows where it can; `null` reads as empty.
#[derive(Debug, Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: &str) -> Request<'_> {
        serde_json::from_str(json).expect("a request")
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
        }
    }
}
