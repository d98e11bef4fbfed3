//! The folder of a deployment: `base`, one overlay for each mode, and `groups`.

use std::path::Path;

use super::policy::name_of;
use super::yaml::Lines;
use super::{DeployedFile, Deployment, group, policy, server};
use crate::enforcement::Mode;

const KUSTOMIZATION: &str = "kustomization.yaml";

/// The files, in the order in which they should be read.
pub(super) fn folder(deployment: &Deployment) -> Result<Vec<DeployedFile>, String> {
    // The base lets everything through, so that nobody is surprised who applies it as it is.
    let base = Deployment { mode: Mode::Monitor, ..deployment.clone() };
    let mut files = vec![file("base", "policy-server.yaml", server::resources(&base)?)];
    for module in &base.modules {
        files.push(file("base", &format!("{}.yaml", module.name), policy::resource(&base, module)?));
    }
    let about = "The policy server and the policies. Settings are examples: put yours over them in an overlay.";
    files.push(kustomization("base", about, &names(&files), None));

    for mode in [Mode::Monitor, Mode::Protect] {
        let about = match mode {
            Mode::Monitor => "Policies that report, and let everything through.",
            Mode::Protect => "Policies that refuse. Begin with monitor.",
        };
        files.push(kustomization(name_of(mode), about, &["../base".to_owned()], Some(mode)));
    }

    let mut groups = Vec::new();
    for example in &base.groups {
        if let Some(text) = group::resource(&base, example)? {
            groups.push(file("groups", &format!("{}.yaml", example.name), text));
        }
    }
    if !groups.is_empty() {
        let about = "Examples of groups, beside the policies or in their place. The policy server is the base's.";
        let listed = kustomization("groups", about, &names(&groups), None);
        files.extend(groups);
        files.push(listed);
    }
    Ok(files)
}

fn file(folder: &str, name: &str, text: String) -> DeployedFile {
    DeployedFile { path: Path::new(folder).join(name), text }
}

fn names(files: &[DeployedFile]) -> Vec<String> {
    files.iter().filter_map(|file| file.path.file_name()).map(|name| name.to_string_lossy().into_owned()).collect()
}

fn kustomization(folder: &str, about: &str, resources: &[String], mode: Option<Mode>) -> DeployedFile {
    let mut lines = Lines::default();
    lines.comment(0, about);
    lines.line(0, "apiVersion: kustomize.config.k8s.io/v1beta1");
    lines.line(0, "kind: Kustomization");
    lines.line(0, "resources:");
    for resource in resources {
        lines.line(0, &format!("- {resource}"));
    }
    if let Some(mode) = mode {
        lines.line(0, "patches:");
        lines.line(0, "- target: { group: policies.kubewarden.io, kind: ClusterAdmissionPolicy }");
        lines.line(2, "patch: |");
        lines.line(4, "- op: replace");
        lines.line(6, "path: /spec/mode");
        lines.line(6, &format!("value: {}", name_of(mode)));
    }
    file(folder, KUSTOMIZATION, lines.into_text())
}
