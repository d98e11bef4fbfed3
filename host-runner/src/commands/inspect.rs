//! `inspect`: what a policy says of itself.

use policy_metadata::{Metadata, SettingsSchema, of_module, schema_of_module};

use super::OutsideOptions;
use super::outside::Outside;
use super::run::find_module;
use crate::modules::ModuleUri;
use crate::policy::error_chain;

/// Which policy.
#[derive(Debug, Clone, Default)]
pub struct InspectOptions {
    /// The policy, as `run` takes it, but for resources.
    pub policy: String,
    /// Where modules come from.
    pub outside: OutsideOptions,
}

/// Reads a policy's metadata.
///
/// # Errors
///
/// When there is no such module, or none of its metadata.
pub fn inspect(options: &InspectOptions) -> Result<Metadata, String> {
    let (uri, bytes) = module(options)?;
    of_module(&bytes).map_err(|error| format!("{uri}: {}", error_chain(&error)))?.ok_or_else(|| {
        format!(
            "No Kubewarden metadata found inside of '{uri}'.\nPolicies can be annotated with the `annotate` command."
        )
    })
}

/// Reads the schema of a policy's settings.
///
/// # Errors
///
/// When there is no such module, or it carries none.
pub fn settings_schema(options: &InspectOptions) -> Result<SettingsSchema, String> {
    let (uri, bytes) = module(options)?;
    schema_of_module(&bytes).map_err(|error| format!("{uri}: {}", error_chain(&error)))?.ok_or_else(|| {
        format!(
            "{uri} carries no schema of its settings: its README says what they are, and its author can embed one \
             with `annotate --settings-schema-path`"
        )
    })
}

fn module(options: &InspectOptions) -> Result<(ModuleUri, Vec<u8>), String> {
    let uri = find_module(&options.policy, options.outside.store())?;
    let outside = Outside::prepare(&options.outside).map_err(|problem| problem.to_string())?;
    let bytes = outside.modules().bytes(&uri)?;
    Ok((uri, bytes))
}
