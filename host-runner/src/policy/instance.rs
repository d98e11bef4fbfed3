//! A policy in memory, ready for calls.

use std::sync::Arc;

use serde_json::Value;
use wasmtime::{InstancePre, Store, TypedFunc};

use super::engine::{Engine, Limits};
use super::error::EvaluateError;
use super::guest::Guest;
use super::output::Output;
use super::protocol::{SettingsVerdict, ValidationResponse};
use super::wapc::wire_length;
use super::wasi::ProcExit;
use super::{Evaluation, program, why};
use crate::capabilities::HostCapabilities;

/// A policy in memory. A fresh one for each evaluation is what policy-server makes.
pub struct Instance {
    kind: Kind,
    /// What the last call said beside its answer.
    output: Output,
}

enum Kind {
    Wapc {
        store: Box<Store<Guest>>,
        call: TypedFunc<(i32, i32), i32>,
    },
    /// A program is run anew for each call.
    Program {
        engine: Engine,
        pre: InstancePre<Guest>,
        capabilities: Arc<dyn HostCapabilities>,
        limits: Limits,
        unanswered: Vec<String>,
    },
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Instance")
    }
}

impl Instance {
    /// An instance of a waPC guest, initialised.
    pub(super) fn of_wapc(
        engine: &Engine,
        pre: &InstancePre<Guest>,
        capabilities: Arc<dyn HostCapabilities>,
        limits: Limits,
    ) -> Result<Self, EvaluateError> {
        let mut store = Store::new(&engine.wasmtime, Guest::new(capabilities, limits));
        store.limiter(|guest| guest);
        store.set_epoch_deadline(limits.ticks());
        let instance = pre.instantiate(&mut store).map_err(|error| why(error, &store))?;
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
        Ok(Instance { kind: Kind::Wapc { store: Box::new(store), call }, output: Output::default() })
    }

    /// A program, to be run for each call.
    pub(super) fn of_program(
        engine: &Engine,
        pre: &InstancePre<Guest>,
        capabilities: Arc<dyn HostCapabilities>,
        limits: Limits,
    ) -> Self {
        let kind =
            Kind::Program { engine: engine.clone(), pre: pre.clone(), capabilities, limits, unanswered: Vec::new() };
        Instance { kind, output: Output::default() }
    }

    /// Asks the policy whether it accepts these settings, given as JSON.
    ///
    /// # Errors
    ///
    /// When it gives no answer. Settings that cannot even be read are refused, not an error: the SDK answers them
    /// with a guest error.
    pub fn validate_settings(&mut self, settings: &[u8]) -> Result<SettingsVerdict, EvaluateError> {
        let answer = self.call("validate_settings", program::VALIDATE_SETTINGS, settings.to_vec());
        let unanswered = self.take_unanswered();
        if !unanswered.is_empty() {
            return Err(EvaluateError::Unanswered(unanswered.join("; ")));
        }
        match answer {
            Ok(answer) => serde_json::from_slice(&answer).map_err(EvaluateError::MalformedAnswer),
            Err(EvaluateError::Guest(message)) => {
                Ok(SettingsVerdict { valid: false, message: Some(message), is_guest_error: true })
            }
            Err(error) => Err(error),
        }
    }

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
        let answer = self.call("validate", program::VALIDATE, payload)?;
        let response: ValidationResponse = serde_json::from_slice(&answer).map_err(EvaluateError::MalformedAnswer)?;
        Ok(Evaluation { response, unanswered: self.take_unanswered(), output: std::mem::take(&mut self.output) })
    }

    /// The waPC protocol that the guest speaks.
    ///
    /// # Errors
    ///
    /// When it does not say.
    pub fn protocol_version(&mut self) -> Result<Value, EvaluateError> {
        let answer = self.call("protocol_version", &[], Vec::new())?;
        serde_json::from_slice(&answer).map_err(EvaluateError::MalformedAnswer)
    }

    /// What the last call said beside its answer, unless [`Instance::evaluate`] has handed it over.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// What could not be answered since somebody asked last.
    pub fn take_unanswered(&mut self) -> Vec<String> {
        match &mut self.kind {
            Kind::Wapc { store, .. } => std::mem::take(&mut store.data_mut().unanswered),
            Kind::Program { unanswered, .. } => std::mem::take(unanswered),
        }
    }

    fn call(
        &mut self,
        operation: &'static str,
        arguments: &'static [&'static str],
        message: Vec<u8>,
    ) -> Result<Vec<u8>, EvaluateError> {
        match &mut self.kind {
            Kind::Wapc { store, call } => {
                let answer = call_wapc(store, call, operation, message);
                self.output = std::mem::take(&mut store.data_mut().output);
                answer
            }
            Kind::Program { engine, pre, capabilities, limits, unanswered } => {
                let (answer, guest) = program::run(engine, pre, capabilities.clone(), *limits, arguments, message);
                unanswered.extend(guest.unanswered);
                self.output = guest.output;
                answer
            }
        }
    }
}

fn call_wapc(
    store: &mut Store<Guest>,
    call: &TypedFunc<(i32, i32), i32>,
    operation: &'static str,
    message: Vec<u8>,
) -> Result<Vec<u8>, EvaluateError> {
    let lengths = (wire_length(operation.len()), wire_length(message.len()));
    let guest = store.data_mut();
    let ticks = guest.limits.ticks();
    guest.begin(operation, message);
    store.set_epoch_deadline(ticks);
    let succeeded = match call.call(&mut *store, lengths) {
        Ok(answer) => answer != 0,
        Err(error) => return Err(why(error, store)),
    };
    let guest = store.data_mut();
    match (succeeded, guest.response.take(), guest.error.take()) {
        (true, Some(response), _) => Ok(response),
        (_, _, Some(error)) => Err(EvaluateError::Guest(error)),
        (true, None, None) => Err(EvaluateError::NoAnswer),
        (false, _, None) => Err(EvaluateError::Guest("No error message set for call failure".to_owned())),
    }
}
