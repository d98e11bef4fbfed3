//! `annotate`: metadata into a module.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy_metadata::{
    ExecutionMode, Metadata, ProtocolVersion, SettingsSchema, annotated, annotation, with_settings_schema,
    without_sections,
};
use serde_json::Value;

use crate::capabilities::NoCapabilities;
use crate::files;
use crate::policy::{Engine, Limits, LoadError, Policy, error_chain};

/// The annotation that says who annotated.
const ANNOTATED_BY: &str = "io.kubewarden.host-runner";

/// What to annotate with what.
#[derive(Debug, Clone)]
pub struct AnnotateOptions {
    /// The module.
    pub module: PathBuf,
    /// `metadata.yml`.
    pub metadata: PathBuf,
    /// The README to embed.
    pub usage: Option<PathBuf>,
    /// The JSON Schema of the settings to embed.
    pub settings_schema: Option<PathBuf>,
    /// Where the annotated module goes.
    pub output: PathBuf,
    /// Whether metadata that are in the module already are replaced.
    pub replace: bool,
}

/// What to know about a module that was annotated.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AnnotateReport {
    /// What may not be as it was meant.
    pub warnings: Vec<String>,
}

/// Annotates a module.
///
/// # Errors
///
/// Names the file that cannot be used, and why. Nothing is written then.
pub fn annotate(options: &AnnotateOptions) -> Result<AnnotateReport, String> {
    let module = fs::read(&options.module).map_err(|error| told(&options.module, &error.to_string()))?;
    let text = read(&options.metadata)?;
    let (mut metadata, ignored) =
        Metadata::from_yaml(&text).map_err(|error| told(&options.metadata, &error_chain(&error)))?;
    let module = pristine(module, options)?;
    metadata.protocol_version = Some(protocol_version(&module, metadata.execution_mode, &options.module)?);
    metadata.annotations.insert(ANNOTATED_BY.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    if let Some(usage) = &options.usage {
        metadata.annotations.insert(annotation::USAGE.to_owned(), read(usage)?);
    }
    let mut annotated = annotated(&module, &metadata).map_err(|error| told(&options.metadata, &error.to_string()))?;
    if let Some(path) = &options.settings_schema {
        let schema = SettingsSchema::parse(&read(path)?).map_err(|error| told(path, &error_chain(&error)))?;
        annotated = with_settings_schema(&annotated, &schema);
    }
    files::write_whole(&options.output, &annotated).map_err(|error| told(&options.output, &error.to_string()))?;
    let warnings =
        ignored.into_iter().map(|key| told(&options.metadata, &format!("{key} means nothing to Kubewarden")));
    Ok(AnnotateReport { warnings: warnings.collect() })
}

/// The module without metadata. Readers take the first of several, so that new ones behind old ones would be of no
/// effect.
fn pristine(module: Vec<u8>, options: &AnnotateOptions) -> Result<Vec<u8>, String> {
    match without_sections(&module).map_err(|error| told(&options.module, &error_chain(&error)))? {
        None => Ok(module),
        Some(pristine) if options.replace => Ok(pristine),
        Some(_) => Err(told(
            &options.module,
            "is annotated already, and the metadata in it would still be the ones that count: \
             take the module as it was built, or --replace them",
        )),
    }
}

/// Asks the module. That it can be asked at all shows that it is what its metadata say.
fn protocol_version(module: &[u8], mode: ExecutionMode, path: &Path) -> Result<ProtocolVersion, String> {
    let engine = Engine::new(None).map_err(|error| error_chain(&error))?;
    let policy = match Policy::load_as(&engine, module, Some(mode)) {
        Ok(policy) => policy,
        // Not run here, but annotated all the same.
        Err(LoadError::Mode { .. }) => return Ok(ProtocolVersion::Unknown),
        Err(error) => return Err(told(path, &error_chain(&error))),
    };
    if mode != ExecutionMode::Wapc {
        return Ok(ProtocolVersion::Unknown);
    }
    let answer = policy
        .instantiate(Arc::new(NoCapabilities), Limits::default())
        .and_then(|mut instance| instance.protocol_version())
        .map_err(|error| told(path, &format!("cannot tell its protocol version: {}", error_chain(&error))))?;
    match answer {
        Value::String(version) if version == "v1" => Ok(ProtocolVersion::V1),
        Value::String(version) => {
            let version: String = version.chars().take(40).collect();
            Err(told(path, &format!("its protocol version is {version:?}, and only \"v1\" is known")))
        }
        _ => Err(told(path, "its protocol version is no text")),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| told(path, &error.to_string()))
}

fn told(path: &Path, message: &str) -> String {
    format!("{}: {message}", path.display())
}
