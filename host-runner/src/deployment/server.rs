//! The PolicyServer, and the right to read what its policies read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;
use serde_saphyr::FlowSeq;

use super::policy::head;
use super::yaml::Lines;
use super::{DeployedModule, Deployment};
use crate::admission::Catalog;

/// The release that the policies are tested against, by its contracts.
pub(super) const IMAGE: &str = "ghcr.io/kubewarden/policy-server:v1.36.0";

/// The resources, as one stream of YAML documents.
pub(super) fn resources(deployment: &Deployment) -> Result<String, String> {
    let documents = [Some(policy_server(deployment)), service_account(deployment), rights(deployment)?];
    Ok(documents.into_iter().flatten().collect::<Vec<_>>().join("---\n"))
}

fn policy_server(deployment: &Deployment) -> String {
    let mut lines = Lines::default();
    lines.comment(0, "A policy server for these policies alone, so that what it may read, only they may read.");
    head(&mut lines, "PolicyServer", &deployment.policy_server);
    lines.line(0, "spec:");
    lines.line(2, &format!("image: {IMAGE}"));
    lines.comment(2, "While none of them answers, nothing that the policies are asked about can be changed.");
    lines.line(2, "replicas: 2");
    lines.line(2, "minAvailable: 1");
    if !deployment.context().is_empty() {
        lines.line(2, &format!("serviceAccountName: {}", deployment.policy_server));
    }
    lines.comment(
        2,
        "Policies that somebody puts into a namespace may not ask with the rights of this server. Cluster-wide ones may \
         ask for what their contextAwareResources name.",
    );
    lines.line(2, "namespacedPoliciesCapabilities: []");
    lines.into_text()
}

fn service_account(deployment: &Deployment) -> Option<String> {
    if deployment.context().is_empty() {
        return None;
    }
    let mut lines = Lines::default();
    lines.line(0, "apiVersion: v1");
    lines.line(0, "kind: ServiceAccount");
    lines.line(0, "metadata:");
    lines.line(2, &format!("name: {}", deployment.policy_server));
    lines.line(2, &format!("namespace: {}", deployment.namespace));
    Some(lines.into_text())
}

/// What is read of an API group, and by which policies.
#[derive(Default)]
struct Readers<'d> {
    resources: BTreeSet<String>,
    policies: BTreeSet<&'d str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Right<'r> {
    api_groups: FlowSeq<[&'r String; 1]>,
    resources: FlowSeq<&'r BTreeSet<String>>,
    verbs: FlowSeq<[&'static str; 3]>,
}

/// What a policy reads in the cluster: API groups and resources.
pub(super) fn resources_read(module: &DeployedModule) -> impl Iterator<Item = (String, String)> {
    module.metadata.context_aware_resources.iter().map(|resource| {
        let object = json!({"apiVersion": resource.api_version, "kind": resource.kind});
        let kind = Catalog::default().kind_of(&object);
        (kind.group, kind.plural)
    })
}

/// A ClusterRole with a rule for each API group, and its binding.
fn rights(deployment: &Deployment) -> Result<Option<String>, String> {
    let mut readers: BTreeMap<String, Readers<'_>> = BTreeMap::new();
    for module in &deployment.modules {
        for (group, plural) in resources_read(module) {
            let readers = readers.entry(group).or_default();
            readers.resources.insert(plural);
            readers.policies.insert(&module.name);
        }
    }
    if readers.is_empty() {
        return Ok(None);
    }
    let name = &deployment.policy_server;
    let mut lines = Lines::default();
    lines.line(0, "apiVersion: rbac.authorization.k8s.io/v1");
    lines.line(0, "kind: ClusterRole");
    lines.line(0, "metadata:");
    lines.line(2, &format!("name: {name}"));
    lines.comment(0, "Policy servers list and watch what policies ask about, and answer from memory.");
    lines.line(0, "rules:");
    for (group, Readers { resources, policies }) in &readers {
        lines.comment(0, &format!("For {}.", policies.iter().copied().collect::<Vec<_>>().join(" and ")));
        let right = Right {
            api_groups: FlowSeq([group]),
            resources: FlowSeq(resources),
            verbs: FlowSeq(["get", "list", "watch"]),
        };
        lines.item(0, &right)?;
    }
    lines.line(0, "---");
    lines.line(0, "apiVersion: rbac.authorization.k8s.io/v1");
    lines.line(0, "kind: ClusterRoleBinding");
    lines.line(0, "metadata:");
    lines.line(2, &format!("name: {name}"));
    lines.line(0, "roleRef:");
    lines.line(2, "apiGroup: rbac.authorization.k8s.io");
    lines.line(2, "kind: ClusterRole");
    lines.line(2, &format!("name: {name}"));
    lines.line(0, "subjects:");
    lines.line(0, "- kind: ServiceAccount");
    lines.line(2, &format!("name: {name}"));
    lines.line(2, &format!("namespace: {}", deployment.namespace));
    Ok(Some(lines.into_text()))
}
