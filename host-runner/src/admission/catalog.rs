//! Kinds and the resources that serve them. A cluster would be asked; a local run has to know.

use std::collections::HashMap;

use serde_json::Value;

use super::{split_api_version, text};

/// A kind and how the API server serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceKind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind: `Deployment`.
    pub kind: String,
    /// The resource: `deployments`.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub is_namespaced: bool,
}

/// What is known of kinds: Kubernetes' own, and those of CustomResourceDefinitions at hand.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    custom: HashMap<(String, String), (String, bool)>,
}

/// Kinds of Kubernetes that are not namespaced; all others of its own are.
const CLUSTER_WIDE: &[(&str, &str)] = &[
    ("", "ComponentStatus"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "*"),
    ("apiextensions.k8s.io", "*"),
    ("apiregistration.k8s.io", "*"),
    ("authentication.k8s.io", "SelfSubjectReview"),
    ("authentication.k8s.io", "TokenReview"),
    ("authorization.k8s.io", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "SelfSubjectRulesReview"),
    ("authorization.k8s.io", "SubjectAccessReview"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "*"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
    // Custom resources that people check beside their workloads.
    ("argoproj.io", "ClusterWorkflowTemplate"),
    ("cert-manager.io", "ClusterIssuer"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("policies.kubewarden.io", "ClusterAdmissionPolicy"),
    ("policies.kubewarden.io", "ClusterAdmissionPolicyGroup"),
    ("policies.kubewarden.io", "PolicyServer"),
    ("serving.kserve.io", "ClusterServingRuntime"),
];

/// The kinds that policies are asked about most, and how Kubernetes serves them.
const SERVED_AS: &[(&str, &str)] = &[
    ("ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    ("CronJob", "batch/v1"),
    ("DaemonSet", "apps/v1"),
    ("Deployment", "apps/v1"),
    ("Job", "batch/v1"),
    ("Namespace", "v1"),
    ("Pod", "v1"),
    ("PodTemplate", "v1"),
    ("ReplicaSet", "apps/v1"),
    ("ReplicationController", "v1"),
    ("Role", "rbac.authorization.k8s.io/v1"),
    ("RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("StatefulSet", "apps/v1"),
];

/// Plurals that the rules of English spelling do not give.
const PLURALS: &[(&str, &str)] = &[("Endpoints", "endpoints"), ("Prometheus", "prometheuses")];

impl Catalog {
    /// Learns the kinds of CustomResourceDefinitions; other objects are passed over.
    pub fn learn<'o>(objects: impl IntoIterator<Item = &'o Value>) -> Self {
        let mut catalog = Catalog::default();
        for object in objects.into_iter().filter(|object| object["kind"] == "CustomResourceDefinition") {
            let (group, kind) = (text(object, "/spec/group"), text(object, "/spec/names/kind"));
            let plural = text(object, "/spec/names/plural");
            // Kubernetes' own groups have no dot or end with k8s.io, and a definition must not take their kinds away.
            let is_own =
                !group.contains('.') || CLUSTER_WIDE.iter().any(|(own, _)| *own == group && own.ends_with(".k8s.io"));
            if !kind.is_empty() && !plural.is_empty() && !is_own {
                let is_namespaced = object.pointer("/spec/scope").and_then(Value::as_str) != Some("Cluster");
                catalog.custom.insert((group, kind), (plural, is_namespaced));
            }
        }
        catalog
    }

    /// The kind of an object.
    ///
    /// What nobody has described is taken for namespaced, with the plural that its name suggests.
    pub fn kind_of(&self, object: &Value) -> ResourceKind {
        let (group, version) = split_api_version(object);
        let kind = text(object, "/kind");
        let (group, version) = (group.to_owned(), version.to_owned());
        let (plural, is_namespaced) = match self.custom.get(&(group.clone(), kind.clone())) {
            Some(known) => known.clone(),
            None => (plural_of(&kind), !is_cluster_wide(&group, &kind)),
        };
        ResourceKind { group, version, kind, plural, is_namespaced }
    }
}

/// The apiVersion that Kubernetes serves a kind of its own under, if the object names another one of Kubernetes' own:
/// no rule would match it, and no cluster would take it.
pub(super) fn served_as(object: &Value) -> Option<&'static str> {
    let (group, _) = split_api_version(object);
    let (api_version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
    let is_own = !group.contains('.') || group.ends_with(".k8s.io");
    let (_, served) = SERVED_AS.iter().find(|(known, _)| *known == kind)?;
    (is_own && api_version != *served && (!group.ends_with(".k8s.io") || served.starts_with(group))).then_some(*served)
}

fn is_cluster_wide(group: &str, kind: &str) -> bool {
    CLUSTER_WIDE.iter().any(|(other_group, other)| *other_group == group && (*other == "*" || *other == kind))
}

/// What controller-gen and `meta.UnsafeGuessKindToResource` would make of the kind.
fn plural_of(kind: &str) -> String {
    if let Some((_, plural)) = PLURALS.iter().find(|(known, _)| *known == kind) {
        return (*plural).to_owned();
    }
    let lower = kind.to_ascii_lowercase();
    match lower.as_bytes() {
        [.., b's' | b'x' | b'z'] | [.., b'c' | b's', b'h'] => format!("{lower}es"),
        [.., b'a' | b'e' | b'i' | b'o' | b'u', b'y'] => format!("{lower}s"),
        [stem @ .., b'y'] => format!("{}ies", String::from_utf8_lossy(stem)),
        _ => format!("{lower}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_have_their_resources() {
        for (api_version, kind, plural, is_namespaced) in [
            ("v1", "Pod", "pods", true),
            ("v1", "Namespace", "namespaces", false),
            ("v1", "Endpoints", "endpoints", true),
            ("networking.k8s.io/v1", "Ingress", "ingresses", true),
            ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
            ("gateway.networking.k8s.io/v1", "Gateway", "gateways", true),
            ("monitoring.coreos.com/v1", "Prometheus", "prometheuses", true),
            ("serving.knative.dev/v1", "Service", "services", true),
            ("batch.volcano.sh/v1alpha1", "Job", "jobs", true),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
            ("apps.example/v1", "Proxy", "proxies", true),
            ("apps.example/v1", "Box", "boxes", true),
        ] {
            let found = Catalog::default().kind_of(&json!({ "apiVersion": api_version, "kind": kind }));
            assert_eq!((found.plural.as_str(), found.is_namespaced), (plural, is_namespaced), "{kind}");
        }
    }

    #[test]
    fn a_kind_in_the_wrong_place_is_known() {
        for (api_version, kind, expected) in [
            ("v1", "Deployment", Some("apps/v1")),
            ("apps/v1beta1", "Deployment", Some("apps/v1")),
            ("extensions/v1beta1", "DaemonSet", Some("apps/v1")),
            ("batch/v1beta1", "CronJob", Some("batch/v1")),
            ("rbac.authorization.k8s.io/v1beta1", "Role", Some("rbac.authorization.k8s.io/v1")),
            ("apps/v1", "Deployment", None),
            ("batch.volcano.sh/v1alpha1", "Job", None),
            ("gateway.networking.k8s.io/v1", "Role", None),
            ("v1", "Service", None),
        ] {
            let found = served_as(&json!({ "apiVersion": api_version, "kind": kind }));
            assert_eq!(found, expected, "{api_version} {kind}");
        }
    }

    #[test]
    fn a_custom_resource_definition_takes_no_kind_from_kubernetes() {
        let definition = json!({
            "kind": "CustomResourceDefinition",
            "spec": { "group": "", "names": { "kind": "Pod", "plural": "x" } },
        });
        let found = Catalog::learn([&definition]).kind_of(&json!({ "apiVersion": "v1", "kind": "Pod" }));
        assert_eq!(found.plural, "pods");
    }

    #[test]
    fn a_custom_resource_definition_is_believed() {
        let definition = json!({
            "kind": "CustomResourceDefinition",
            "spec": { "group": "apps.example", "scope": "Cluster", "names": { "kind": "Mouse", "plural": "mice" } },
        });
        let found = Catalog::learn([&definition]).kind_of(&json!({ "apiVersion": "apps.example/v1", "kind": "Mouse" }));
        assert_eq!((found.plural.as_str(), found.is_namespaced), ("mice", false));
    }
}
