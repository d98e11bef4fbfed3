//! The same deployment as a chart for Helm: what can be chosen is a value, and the schemas of the settings are part of the
//! schema of the values, so that Helm refuses a misspelt setting before anything is applied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use policy_metadata::annotation;
use serde_json::{Map, Value, json};

use super::policy::name_of;
use super::yaml::{Lines, written};
use super::{DeployedFile, DeployedModule, Deployment, policy, server, settings};

/// What belongs to the values, and not to what is known of a policy.
const CHOSEN: [&str; 4] = ["module", "mode", "policyServer", "settings"];

/// The files of the chart.
pub(super) fn files(deployment: &Deployment) -> Result<Vec<DeployedFile>, String> {
    let file = |path: &str, text: String| DeployedFile { path: PathBuf::from(path), text };
    Ok(vec![
        file("Chart.yaml", chart(deployment)),
        file("values.yaml", values(deployment)?),
        file("values.schema.json", schema(deployment)?),
        file("policies.yaml", known(deployment)?),
        file("rights.yaml", rights(deployment)?),
        file("templates/policies.yaml", include_str!("chart/policies.yaml").to_owned()),
        file("templates/policy-server.yaml", include_str!("chart/policy-server.yaml").to_owned()),
    ])
}

fn chart(deployment: &Deployment) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut lines = Lines::default();
    lines.line(0, "apiVersion: v2");
    lines.line(0, &format!("name: {}", deployment.policy_server));
    lines.line(0, "description: Policies for Kubewarden, with a policy server that has the rights they need");
    lines.line(0, "type: application");
    lines.line(0, &format!("version: {version}"));
    lines.line(0, &format!("appVersion: {version}"));
    lines.into_text()
}

fn values(deployment: &Deployment) -> Result<String, String> {
    let mut lines = Lines::default();
    lines.comment(
        0,
        "monitor lets everything through and reports it. protect refuses; there is no way back but to uninstall. Each \
         policy may have a mode of its own.",
    );
    lines.line(0, &format!("mode: {}", name_of(deployment.mode)));
    lines.blank();
    lines.line(0, "policyServer:");
    lines.comment(
        2,
        "false when there is one with this name already. It must be allowed to read what the policies ask about.",
    );
    lines.line(2, "create: true");
    lines.line(2, &format!("name: {}", deployment.policy_server));
    lines.line(2, &format!("image: {}", server::IMAGE));
    lines.line(2, "replicas: 2");
    lines.blank();
    lines.comment(
        0,
        "What stands below `spec` of a policy is merged into its ClusterAdmissionPolicy, such as another \
         namespaceSelector.",
    );
    lines.line(0, "policies:");
    for (index, module) in deployment.modules.iter().enumerate() {
        if index > 0 {
            lines.blank();
        }
        if let Some(description) = module.metadata.annotations.get(annotation::DESCRIPTION) {
            lines.comment(2, &format!("{description}."));
        }
        lines.line(2, &format!("{}:", module.name));
        lines.line(4, "enabled: true");
        lines.entry(4, "module", &module.uri)?;
        settings::write(&mut lines, 4, module)?;
    }
    Ok(lines.into_text())
}

fn schema(deployment: &Deployment) -> Result<String, String> {
    let mode = json!({"enum": ["monitor", "protect"]});
    let mut policies = Map::new();
    for module in &deployment.modules {
        let settings = match &module.schema {
            None => json!({"type": "object"}),
            Some(schema) => inner_schema(schema.text()).map_err(|message| format!("{}: {message}", module.name))?,
        };
        let policy = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["enabled", "module"],
            "properties": {
                "enabled": {"type": "boolean"},
                "module": {"type": "string", "minLength": 1},
                "mode": &mode,
                "settings": settings,
                "spec": {"type": "object"},
            },
        });
        policies.insert(module.name.clone(), policy);
    }
    let names: Vec<&String> = policies.keys().collect();
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "required": ["mode", "policyServer", "policies"],
        "properties": {
            "mode": &mode,
            "policyServer": {
                "type": "object",
                "additionalProperties": false,
                "required": ["create", "name", "image", "replicas"],
                "properties": {
                    "create": {"type": "boolean"},
                    "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63},
                    "image": {"type": "string", "minLength": 1},
                    "replicas": {"type": "integer", "minimum": 1},
                },
            },
            "policies": {"type": "object", "additionalProperties": false, "required": names, "properties": policies},
        },
    });
    serde_json::to_string_pretty(&schema).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// A schema within another: it has no version of its own.
fn inner_schema(text: &str) -> Result<Value, String> {
    let mut schema: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    schema.remove("$schema");
    Ok(Value::Object(schema))
}

/// What is known of each policy, as its resource has it.
fn known(deployment: &Deployment) -> Result<String, String> {
    let mut known = BTreeMap::new();
    for module in &deployment.modules {
        let text = policy::resource(deployment, module)?;
        let mut resource: Value = serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", module.name))?;
        if let Some(spec) = resource.get_mut("spec").and_then(Value::as_object_mut) {
            spec.retain(|key, _| !CHOSEN.contains(&key.as_str()));
        }
        known.insert(&module.name, resource);
    }
    Ok(format!("# What is known of each policy. What can be chosen is in values.yaml.\n{}", written(&known)?))
}

/// What each policy reads in the cluster, by API group.
fn rights(deployment: &Deployment) -> Result<String, String> {
    let of = |module: &DeployedModule| {
        let mut rights: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (group, plural) in server::resources_read(module) {
            rights.entry(group).or_default().insert(plural);
        }
        rights
    };
    let rights: BTreeMap<&String, _> = deployment.modules.iter().map(|module| (&module.name, of(module))).collect();
    Ok(format!("# What each policy reads in the cluster, by API group.\n{}", written(&rights)?))
}
