//! What policies say of themselves.

use std::io::{self, Write};

use policy_metadata::{Metadata, annotation};

use super::human::plain;

/// How metadata are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MetadataFormat {
    /// For people.
    #[default]
    Human,
    /// As they stand in the module.
    Yaml,
    /// The same as JSON.
    Json,
}

/// How the name of a policy in a registry is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum NameFormat {
    /// In a sentence.
    #[default]
    Text,
    /// As JSON.
    Json,
}

/// Writes metadata.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn write_metadata(metadata: &Metadata, format: MetadataFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        MetadataFormat::Yaml => out.write_all(yaml(metadata)?.as_bytes()),
        MetadataFormat::Json => {
            serde_json::to_writer(&mut *out, metadata)?;
            writeln!(out)
        }
        MetadataFormat::Human => write_human(metadata, out),
    }
}

/// Writes the name by which a policy will always be found, in kwctl's words.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn write_name(name: &str, format: NameFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        NameFormat::Text => writeln!(out, "Policy successfully pushed: {name}"),
        NameFormat::Json => write!(out, "{}", serde_json::json!({ "immutable_ref": name })),
    }
}

fn write_human(metadata: &Metadata, out: &mut dyn Write) -> io::Result<()> {
    const PREFIX: &str = "io.kubewarden.policy.";
    writeln!(out, "Details")?;
    let mut details: Vec<(&str, String)> = metadata
        .annotations
        .iter()
        .filter(|(key, _)| key.as_str() != annotation::USAGE)
        .filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?, value.clone())))
        .collect();
    details.push(("mutating", metadata.mutating.to_string()));
    details.push(("execution mode", metadata.execution_mode.to_string()));
    details.push(("policy type", format!("{:?}", metadata.policy_type).to_lowercase()));
    if let Some(version) = &metadata.minimum_kubewarden_version {
        details.push(("minimum Kubewarden version", version.clone()));
    }
    let width = details.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
    for (key, value) in details {
        writeln!(out, "  {:<width$}  {}", plain(key), plain(&value))?;
    }
    let others: Vec<_> = metadata.annotations.iter().filter(|(key, _)| !key.starts_with(PREFIX)).collect();
    if !others.is_empty() {
        writeln!(out, "Annotations")?;
        for (key, value) in others {
            writeln!(out, "  {}: {}", plain(key), plain(value))?;
        }
    }
    writeln!(out, "Rules")?;
    for rule in &metadata.rules {
        let groups: Vec<&str> =
            rule.api_groups.iter().map(|group| if group.is_empty() { "core" } else { group }).collect();
        let line = format!(
            "{} of {} in {} ({})",
            rule.operations.join(", "),
            rule.resources.join(", "),
            groups.join(", "),
            rule.api_versions.join(", ")
        );
        writeln!(out, "  {}", plain(&line))?;
    }
    if !metadata.context_aware_resources.is_empty() {
        writeln!(out, "Cluster objects that it reads")?;
        for resource in &metadata.context_aware_resources {
            writeln!(out, "  {} {}", plain(&resource.api_version), plain(&resource.kind))?;
        }
    }
    if let Some(capabilities) = metadata.host_capabilities.as_ref().filter(|listed| !listed.is_empty()) {
        writeln!(out, "Host capabilities that it says it uses")?;
        for capability in capabilities {
            writeln!(out, "  {}", plain(capability))?;
        }
    }
    if let Some(usage) = metadata.annotations.get(annotation::USAGE) {
        writeln!(out, "Usage")?;
        for line in usage.lines() {
            writeln!(out, "  {}", plain(line).trim_end())?;
        }
    }
    Ok(())
}

fn yaml(metadata: &Metadata) -> io::Result<String> {
    serde_saphyr::to_string(metadata).map_err(io::Error::other)
}
