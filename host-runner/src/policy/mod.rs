//! Policies as WebAssembly modules: loaded once, evaluated many times. The only code that knows wasmtime.
//!
//! ```text
//! Policy ─► Instance ─┬─► wapc      guests that are called
//!                     └─► program   guests that are run
//!                           both ─► wasi, host_calls ─► capabilities
//! ```

mod engine;
mod error;
mod guest;
mod host_calls;
mod instance;
mod output;
mod program;
mod protocol;
mod wapc;
mod wasi;

use std::sync::Arc;

use policy_metadata::ExecutionMode;
use wasmtime::{InstancePre, Module, Store, Trap};

pub use engine::{Engine, Limits};
pub use error::{EvaluateError, LoadError, error_chain};
pub use instance::Instance;
pub use output::{Entry, Level, Output};
pub use policy_metadata::Metadata;
pub use protocol::{SettingsVerdict, ValidationResponse};

use crate::capabilities::HostCapabilities;
use guest::{Guest, MemoryDenied};
use wasi::ProcExit;

/// The Kubewarden whose contracts this host keeps.
pub const KUBEWARDEN_VERSION: &str = "1.36.0";

/// A compiled policy. Cheap to clone.
#[derive(Clone)]
pub struct Policy {
    pre: InstancePre<Guest>,
    mode: ExecutionMode,
    /// Kept because a policy without the engine's clock has no deadline.
    engine: Engine,
    metadata: Option<Arc<Metadata>>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Policy").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

/// What an evaluation gave.
#[derive(Debug)]
pub struct Evaluation {
    /// The policy's own answer.
    pub response: ValidationResponse,
    /// The host capabilities that nobody could answer. If there are any, the answer is no verdict.
    pub unanswered: Vec<String>,
    /// What the guest logged and printed.
    pub output: Output,
}

impl Policy {
    /// Compiles a module, or takes its code from the engine's cache.
    ///
    /// # Errors
    ///
    /// When this is no policy that Kubewarden could run, or one in a mode that this host does not have.
    pub fn load(engine: &Engine, wasm: &[u8]) -> Result<Self, LoadError> {
        Policy::load_as(engine, wasm, None)
    }

    /// The same in a mode that somebody chose, whatever the module says.
    ///
    /// # Errors
    ///
    /// As [`Policy::load`].
    pub fn load_as(engine: &Engine, wasm: &[u8], mode: Option<ExecutionMode>) -> Result<Self, LoadError> {
        let module = Module::new(&engine.wasmtime, wasm).map_err(LoadError::Compile)?;
        let metadata = policy_metadata::of_module(wasm)?;
        let mode = match (mode, &metadata) {
            (Some(mode), _) => mode,
            (None, Some(metadata)) => metadata.execution_mode,
            (None, None) if module.exports().any(|export| export.name().starts_with("opa_")) => {
                return Err(LoadError::UnspecifiedRego);
            }
            (None, None) => ExecutionMode::Wapc,
        };
        if let Some(required) = metadata.as_ref().and_then(|metadata| metadata.minimum_kubewarden_version.as_ref())
            && is_newer(required)
        {
            return Err(LoadError::TooNew { required: required.clone(), running: KUBEWARDEN_VERSION });
        }
        let exports: &[&'static str] = match mode {
            ExecutionMode::Wapc => &["memory", "__guest_call"],
            ExecutionMode::Wasi => &["memory", "_start"],
            ExecutionMode::Opa | ExecutionMode::Gatekeeper => return Err(LoadError::Mode { mode }),
        };
        for &export in exports {
            if module.get_export(export).is_none() {
                return Err(LoadError::MissingExport { mode, export });
            }
        }
        let pre = engine.linker.instantiate_pre(&module).map_err(LoadError::Link)?;
        Ok(Policy { pre, mode, engine: engine.clone(), metadata: metadata.map(Arc::new) })
    }

    /// Kubewarden's metadata, if the module is annotated.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_deref()
    }

    /// How the module is called.
    pub fn mode(&self) -> ExecutionMode {
        self.mode
    }

    /// Asks the policy whether it accepts these settings, in a fresh instance.
    ///
    /// # Errors
    ///
    /// As [`Instance::validate_settings`].
    pub fn validate_settings(
        &self,
        settings: &[u8],
        capabilities: Arc<dyn HostCapabilities>,
        limits: Limits,
    ) -> Result<SettingsVerdict, EvaluateError> {
        self.instantiate(capabilities, limits)?.validate_settings(settings)
    }

    /// Evaluates one request in a fresh instance. `request` and `settings` are JSON.
    ///
    /// # Errors
    ///
    /// When there is no verdict.
    pub fn evaluate(
        &self,
        request: &[u8],
        settings: &[u8],
        capabilities: Arc<dyn HostCapabilities>,
        limits: Limits,
    ) -> Result<Evaluation, EvaluateError> {
        self.instantiate(capabilities, limits)?.evaluate(request, settings)
    }

    /// A fresh instance, initialised.
    ///
    /// # Errors
    ///
    /// When the module's own initialisation fails.
    pub fn instantiate(
        &self,
        capabilities: Arc<dyn HostCapabilities>,
        limits: Limits,
    ) -> Result<Instance, EvaluateError> {
        match self.mode {
            ExecutionMode::Wasi => Ok(Instance::of_program(&self.engine, &self.pre, capabilities, limits)),
            _ => Instance::of_wapc(&self.engine, &self.pre, capabilities, limits),
        }
    }
}

/// Whether a version is beyond this host's. As in Kubewarden, the patch level does not count. What is no version may ask
/// for anything.
fn is_newer(required: &str) -> bool {
    match (policy_metadata::version(required), policy_metadata::version(KUBEWARDEN_VERSION)) {
        (Some((major, minor, _)), Some((our_major, our_minor, _))) => (major, minor) > (our_major, our_minor),
        _ => true,
    }
}

/// Tells the ways of failing apart, by type and never by text.
fn why(error: wasmtime::Error, store: &Store<Guest>) -> EvaluateError {
    let limits = store.data().limits;
    let output = store.data().output.printed();
    if error.downcast_ref::<MemoryDenied>().is_some() {
        return EvaluateError::MemoryLimitExceeded { limit: limits.memory };
    }
    if let Some(exit) = error.downcast_ref::<ProcExit>() {
        return EvaluateError::Exited { status: exit.0, output };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => EvaluateError::DeadlineExceeded { limit: limits.deadline },
        _ => EvaluateError::Trap { cause: error, output },
    }
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn the_patch_level_of_a_version_does_not_count() {
        for (required, expected) in [
            ("1.36.0", false),
            ("1.36.9", false),
            ("1.36.0-beta.1", false),
            ("1.9.0", false),
            ("1.37.0", true),
            ("2.0.0", true),
            ("anything", true),
            ("v1.30.0", true),
            ("1", true),
        ] {
            assert_eq!(is_newer(required), expected, "{required}");
        }
    }
}
