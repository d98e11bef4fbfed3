//! A ClusterAdmissionPolicy.

use std::collections::BTreeMap;

use policy_metadata::{Metadata, annotation};

use super::yaml::Lines;
use super::{DeployedModule, Deployment, settings};
use crate::enforcement::Mode;

/// What a policy has for an answer, in seconds; the API server waits as long unless it is told otherwise.
pub(super) const TIMEOUT: u32 = 10;

/// A policy server ends an evaluation after two seconds unless it is told otherwise, which a slow registry may need.
const LONGER_EVALUATION: u32 = 9;

/// Namespaces of the platform.
const PLATFORM: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// Annotations that reports of the audit scanner repeat.
const REPORTED: [&str; 2] = ["io.kubewarden.policy.category", "io.kubewarden.policy.severity"];

/// The resource of one policy.
pub(super) fn resource(deployment: &Deployment, module: &DeployedModule) -> Result<String, String> {
    let named = |message| format!("{}: {message}", module.name);
    let mut lines = Lines::default();
    let annotations = &module.metadata.annotations;
    if let Some(description) = annotations.get(annotation::DESCRIPTION) {
        lines.comment(0, &format!("{description}."));
    }
    head(&mut lines, "ClusterAdmissionPolicy", &module.name);
    let reported: BTreeMap<&str, &String> =
        REPORTED.into_iter().filter_map(|key| Some((key, annotations.get(key)?))).collect();
    if !reported.is_empty() {
        lines.entry(2, "annotations", &reported).map_err(named)?;
    }
    lines.line(0, "spec:");
    lines.entry(2, "module", &module.uri).map_err(named)?;
    lines.entry(2, "mutating", &module.metadata.mutating).map_err(named)?;
    common(&mut lines, deployment, selects_away_from_platform(&module.metadata)).map_err(named)?;
    if module.asks_outside() {
        lines.comment(2, "It asks registries, which may take longer than the two seconds that are the default.");
        lines.entry(2, "timeoutEvalSeconds", &LONGER_EVALUATION).map_err(named)?;
    }
    settings::write(&mut lines, 2, module).map_err(named)?;
    if !module.metadata.context_aware_resources.is_empty() {
        lines.comment(2, "What the policy reads in the cluster. Its policy server must be allowed to.");
        lines.entry(2, "contextAwareResources", &module.metadata.context_aware_resources).map_err(named)?;
    }
    lines.rules(2, module.metadata.rules.iter()).map_err(named)?;
    Ok(lines.into_text())
}

/// What a resource begins with.
pub(super) fn head(lines: &mut Lines, kind: &str, name: &str) {
    lines.line(0, "apiVersion: policies.kubewarden.io/v1");
    lines.line(0, &format!("kind: {kind}"));
    lines.line(0, "metadata:");
    lines.line(2, &format!("name: {name}"));
}

/// What policies and groups have in common.
pub(super) fn common(lines: &mut Lines, deployment: &Deployment, spares_platform: bool) -> Result<(), String> {
    lines.entry(2, "policyServer", &deployment.policy_server)?;
    lines.comment(
        2,
        match deployment.mode {
            Mode::Monitor => {
                "monitor lets everything through and reports it. Change it to protect when the reports are quiet; there \
                 is no way back but to delete the resource."
            }
            Mode::Protect => "protect refuses. There is no way back to monitor but to delete the resource.",
        },
    );
    lines.line(2, &format!("mode: {}", name_of(deployment.mode)));
    lines.comment(2, "What cannot be judged is refused.");
    lines.line(2, "failurePolicy: Fail");
    lines.line(2, &format!("timeoutSeconds: {TIMEOUT}"));
    lines.comment(2, "The audit scanner judges what runs already.");
    lines.line(2, "backgroundAudit: true");
    if spares_platform {
        lines.comment(
            2,
            "The platform's own Pods come from its vendor, and nodes need them to start. Whoever may create Pods in \
             these namespaces owns the cluster in any case.",
        );
        lines.line(2, "namespaceSelector:");
        lines.line(4, "matchExpressions:");
        lines.line(
            4,
            &format!("- {{ key: kubernetes.io/metadata.name, operator: NotIn, values: [{}] }}", PLATFORM.join(", ")),
        );
    }
    Ok(())
}

pub(super) fn name_of(mode: Mode) -> &'static str {
    match mode {
        Mode::Monitor => "monitor",
        Mode::Protect => "protect",
    }
}

/// Policies about what Pods are made of spare the platform; those about who does what with them do not.
pub(super) fn selects_away_from_platform(metadata: &Metadata) -> bool {
    let has = |wanted: &str| metadata.rules.iter().any(|rule| rule.resources.iter().any(|resource| resource == wanted));
    let connects = metadata.rules.iter().any(|rule| rule.operations.iter().any(|operation| operation == "CONNECT"));
    has("pods") && !connects
}
