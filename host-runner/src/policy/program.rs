//! Policies that are WASI programs: one run for each call, the question on stdin, the answer on stdout.

use std::sync::Arc;

use wasmtime::{Caller, InstancePre, Linker, Result, Store};

use super::engine::{Engine, Limits};
use super::error::EvaluateError;
use super::guest::{Guest, Program};
use super::host_calls::{LONGEST_MESSAGE, check_length};
use super::wapc::wire_length;
use super::wasi::ProcExit;
use super::{host_calls, why};
use crate::capabilities::HostCapabilities;

/// The arguments of a program that is asked for a verdict.
pub(super) const VALIDATE: &[&str] = &["policy.wasm", "validate"];

/// The arguments of a program that is asked about its settings.
pub(super) const VALIDATE_SETTINGS: &[&str] = &["policy.wasm", "validate-settings"];

/// Defines the import through which a program asks the host. Programs that come from JavaScript have it under
/// another name.
pub(super) fn add_to(linker: &mut Linker<Guest>) -> Result<()> {
    for module in ["host", "kubewarden:javy/host"] {
        linker.func_wrap(module, "call", host_call)?;
    }
    Ok(())
}

/// As in waPC, but for two things: 0 is success and 1 is failure, and what is answered stands at the end of stdin.
#[expect(clippy::too_many_arguments, reason = "the signature is Kubewarden's")]
fn host_call(
    mut caller: Caller<'_, Guest>,
    binding: i32,
    binding_length: i32,
    namespace: i32,
    namespace_length: i32,
    operation: i32,
    operation_length: i32,
    payload: i32,
    payload_length: i32,
) -> Result<i32> {
    let answer = host_calls::answer(
        &mut caller,
        (binding, binding_length),
        (namespace, namespace_length),
        (operation, operation_length),
        (payload, payload_length),
    )?;
    let (text, status) = match answer {
        Ok(response) => (response, 0),
        Err(error) => (error.into_bytes(), 1),
    };
    let program = &mut caller.data_mut().program;
    // What has been read is of no use to anybody, and a policy may ask often.
    program.stdin.drain(..program.read);
    program.read = 0;
    check_length(wire_length(program.stdin.len() + text.len()), 2 * LONGEST_MESSAGE)?;
    program.stdin.extend(text);
    Ok(status)
}

/// Runs the program once. The store is what it leaves behind.
pub(super) fn run(
    engine: &Engine,
    pre: &InstancePre<Guest>,
    capabilities: Arc<dyn HostCapabilities>,
    limits: Limits,
    arguments: &'static [&'static str],
    stdin: Vec<u8>,
) -> (std::result::Result<Vec<u8>, EvaluateError>, Guest) {
    let mut guest = Guest::new(capabilities, limits);
    guest.program = Program { arguments, stdin, read: 0, stdout: Some(Vec::new()) };
    let mut store = Store::new(&engine.wasmtime, guest);
    store.limiter(|guest| guest);
    store.set_epoch_deadline(limits.ticks());
    let ended = pre
        .instantiate(&mut store)
        .and_then(|instance| {
            store.data_mut().memory = instance.get_memory(&mut store, "memory");
            instance.get_typed_func::<(), ()>(&mut store, "_start")
        })
        .and_then(|start| start.call(&mut store, ()));
    let ended = match ended {
        Err(error) if error.downcast_ref::<ProcExit>().is_none_or(|exit| exit.0 != 0) => Err(why(error, &store)),
        _ => Ok(()),
    };
    let mut guest = store.into_data();
    let answer = guest.program.stdout.take().unwrap_or_default();
    (ended.map(|()| answer), guest)
}
