//! Policies as WebAssembly modules: loaded once, evaluated many times. The only code that knows wasmtime.

mod engine;
mod error;
mod guest;
mod host_calls;
mod metadata;
mod protocol;
mod wapc;
mod wasi;

use std::sync::Arc;

use wasmtime::{InstancePre, Module, Store, Trap, TypedFunc};

pub use engine::{Engine, Limits};
pub use error::{EvaluateError, LoadError, error_chain};
pub use metadata::Metadata;
pub use protocol::{SettingsVerdict, ValidationResponse};

use crate::capabilities::HostCapabilities;
use guest::{Guest, MemoryDenied};
use wasi::ProcExit;

/// A compiled policy. Cheap to clone.
#[derive(Clone)]
pub struct Policy {
    pre: InstancePre<Guest>,
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
    /// What the guest logged and wrote.
    pub output: String,
}

/// A policy in memory, ready for calls. A fresh one for each evaluation is what policy-server does.
pub struct Instance {
    store: Store<Guest>,
    call: TypedFunc<(i32, i32), i32>,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Instance")
    }
}

impl Policy {
    /// Compiles a module, or takes its code from the engine's cache.
    ///
    /// # Errors
    ///
    /// When this is no waPC policy that Kubewarden could run.
    pub fn load(engine: &Engine, wasm: &[u8]) -> Result<Self, LoadError> {
        let module = Module::new(&engine.wasmtime, wasm).map_err(LoadError::Compile)?;
        let metadata = Metadata::of(wasm).map_err(LoadError::Metadata)?;
        let mode = match &metadata {
            Some(metadata) => metadata.execution_mode.clone(),
            None if module.exports().any(|export| export.name().starts_with("opa_")) => "opa or gatekeeper".to_owned(),
            None => Metadata::WAPC.to_owned(),
        };
        if mode != Metadata::WAPC {
            return Err(LoadError::Mode { mode });
        }
        for export in ["memory", "__guest_call"] {
            if module.get_export(export).is_none() {
                return Err(LoadError::NotWapc { export });
            }
        }
        let pre = engine.linker.instantiate_pre(&module).map_err(LoadError::Link)?;
        Ok(Policy { pre, engine: engine.clone(), metadata: metadata.map(Arc::new) })
    }

    /// Kubewarden's metadata, if the module is annotated.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_deref()
    }

    /// Asks the policy whether it accepts these settings.
    ///
    /// # Errors
    ///
    /// When it gives no answer. Settings that cannot even be read are refused, not an error: the SDK answers them
    /// with a guest error.
    pub fn validate_settings(
        &self,
        settings: &[u8],
        capabilities: Arc<dyn HostCapabilities>,
        limits: Limits,
    ) -> Result<SettingsVerdict, EvaluateError> {
        let mut instance = self.instantiate(capabilities, limits)?;
        let answer = instance.call("validate_settings", settings.to_vec());
        let unanswered = std::mem::take(&mut instance.store.data_mut().unanswered);
        if !unanswered.is_empty() {
            return Err(EvaluateError::Unanswered(unanswered.join("; ")));
        }
        match answer {
            Ok(answer) => serde_json::from_slice(&answer).map_err(EvaluateError::MalformedAnswer),
            Err(EvaluateError::Guest(message)) => Ok(SettingsVerdict { valid: false, message: Some(message) }),
            Err(error) => Err(error),
        }
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
        let mut store = Store::new(&self.engine.wasmtime, Guest::new(capabilities, limits));
        store.limiter(|guest| guest);
        store.set_epoch_deadline(limits.ticks());
        let instance = self.pre.instantiate(&mut store).map_err(|error| why(error, &store))?;
        store.data_mut().memory = instance.get_memory(&mut store, "memory");
        // Kubewarden's order; a guest may have either, both or none.
        for initialiser in ["_start", "wapc_init"] {
            if let Ok(function) = instance.get_typed_func::<(), ()>(&mut store, initialiser) {
                store.set_epoch_deadline(limits.ticks());
                match function.call(&mut store, ()) {
                    Ok(()) => {}
                    Err(error) if error.downcast_ref::<ProcExit>().is_some_and(|exit| exit.0 == 0) => {}
                    Err(error) => return Err(why(error, &store)),
                }
            }
        }
        let call = instance.get_typed_func(&mut store, "__guest_call").map_err(|error| why(error, &store))?;
        Ok(Instance { store, call })
    }
}

impl Instance {
    /// Evaluates one request. `request` and `settings` are JSON.
    ///
    /// # Errors
    ///
    /// When there is no verdict. The instance is of no use after that.
    pub fn evaluate(&mut self, request: &[u8], settings: &[u8]) -> Result<Evaluation, EvaluateError> {
        let mut payload = Vec::with_capacity(request.len() + settings.len() + 24);
        payload.extend_from_slice(b"{\"request\":");
        payload.extend_from_slice(request);
        payload.extend_from_slice(b",\"settings\":");
        payload.extend_from_slice(settings);
        payload.push(b'}');
        let answer = self.call("validate", payload)?;
        let response = serde_json::from_slice(&answer).map_err(EvaluateError::MalformedAnswer)?;
        let guest = self.store.data_mut();
        Ok(Evaluation { response, unanswered: std::mem::take(&mut guest.unanswered), output: guest.output() })
    }

    /// One waPC call.
    fn call(&mut self, operation: &'static str, message: Vec<u8>) -> Result<Vec<u8>, EvaluateError> {
        let lengths = (wire_length(operation.len()), wire_length(message.len()));
        let guest = self.store.data_mut();
        let ticks = guest.limits.ticks();
        guest.begin(operation, message);
        self.store.set_epoch_deadline(ticks);
        let succeeded = match self.call.call(&mut self.store, lengths) {
            Ok(answer) => answer != 0,
            Err(error) => return Err(why(error, &self.store)),
        };
        let guest = self.store.data_mut();
        match (succeeded, guest.response.take(), guest.error.take()) {
            (true, Some(response), _) => Ok(response),
            (_, _, Some(error)) => Err(EvaluateError::Guest(error)),
            (true, None, None) => Err(EvaluateError::NoAnswer),
            (false, _, None) => Err(EvaluateError::Guest("no error message set for call failure".to_owned())),
        }
    }
}

fn wire_length(length: usize) -> i32 {
    u32::try_from(length).unwrap_or(u32::MAX).cast_signed()
}

/// Tells the ways of failing apart, by type and never by text.
fn why(error: wasmtime::Error, store: &Store<Guest>) -> EvaluateError {
    let limits = store.data().limits;
    let output = store.data().output();
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
