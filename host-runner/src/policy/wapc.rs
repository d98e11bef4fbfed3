//! The waPC host: the nine functions that a guest may import.

use std::time::Instant;

use wasmtime::{AsContextMut, Caller, Linker, Result};

use super::guest::{Guest, read, read_text, write_from};
use super::host_calls;

const MODULE: &str = "wapc";

/// The most bytes of a message from a guest. etcd holds objects of 1.5 MiB; JSON in memory is many times its text.
const LONGEST_MESSAGE: u32 = 8 << 20;

/// The most bytes of a name in a host call.
const LONGEST_NAME: u32 = 256;

/// A guest said more than a host should hold.
#[derive(Debug, thiserror::Error)]
#[error("the guest gave a message of {0} bytes")]
struct TooLong(u32);

fn check_length(length: i32, longest: u32) -> Result<()> {
    let length = length.cast_unsigned();
    if length > longest { Err(wasmtime::Error::new(TooLong(length))) } else { Ok(()) }
}

/// Defines the imports. A module that wants any other does not instantiate.
pub(super) fn add_to(linker: &mut Linker<Guest>) -> Result<()> {
    linker.func_wrap(MODULE, "__guest_request", |mut caller: Caller<'_, Guest>, operation: i32, message: i32| {
        // The message first, as in the reference host: the two buffers may overlap.
        write_from(&mut caller, message, |guest| &guest.message)?;
        write_from(&mut caller, operation, |guest| guest.operation.as_bytes())
    })?;
    linker.func_wrap(MODULE, "__guest_response", |mut caller: Caller<'_, Guest>, pointer: i32, length: i32| {
        check_length(length, LONGEST_MESSAGE)?;
        let response = read(&mut caller, pointer, length)?;
        caller.data_mut().response = Some(response);
        Ok(())
    })?;
    linker.func_wrap(MODULE, "__guest_error", |mut caller: Caller<'_, Guest>, pointer: i32, length: i32| {
        check_length(length, LONGEST_MESSAGE)?;
        let error = read_text(&mut caller, pointer, length)?;
        caller.data_mut().error = Some(error);
        Ok(())
    })?;
    linker.func_wrap(MODULE, "__host_call", host_call)?;
    linker.func_wrap(MODULE, "__host_response_len", |caller: Caller<'_, Guest>| {
        wire_length(caller.data().host_response.len())
    })?;
    linker.func_wrap(MODULE, "__host_response", |mut caller: Caller<'_, Guest>, pointer: i32| {
        write_from(&mut caller, pointer, |guest| &guest.host_response)
    })?;
    linker.func_wrap(MODULE, "__host_error_len", |caller: Caller<'_, Guest>| {
        wire_length(caller.data().host_error.len())
    })?;
    linker.func_wrap(MODULE, "__host_error", |mut caller: Caller<'_, Guest>, pointer: i32| {
        write_from(&mut caller, pointer, |guest| guest.host_error.as_bytes())
    })?;
    linker.func_wrap(MODULE, "__console_log", |mut caller: Caller<'_, Guest>, pointer: i32, length: i32| {
        let text = read_text(&mut caller, pointer, length)?;
        caller.data_mut().write(format!("{text}\n").as_bytes());
        Ok(())
    })?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the signature is waPC's")]
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
    for length in [binding_length, namespace_length, operation_length] {
        check_length(length, LONGEST_NAME)?;
    }
    check_length(payload_length, LONGEST_MESSAGE)?;
    let binding = read_text(&mut caller, binding, binding_length)?;
    let namespace = read_text(&mut caller, namespace, namespace_length)?;
    let operation = read_text(&mut caller, operation, operation_length)?;
    let payload = read(&mut caller, payload, payload_length)?;
    let guest = caller.data_mut();
    guest.host_response.clear();
    guest.host_error.clear();
    let since = Instant::now();
    let answer = match host_calls::dispatch(guest, &binding, &namespace, &operation, &payload) {
        Ok(response) => {
            guest.host_response = response;
            1
        }
        Err(error) => {
            guest.host_error = error;
            0
        }
    };
    if guest.capabilities.waits() {
        let ticks = guest.ticks_after_wait(since);
        caller.as_context_mut().set_epoch_deadline(ticks);
    }
    Ok(answer)
}

/// A length on the wire. What is longer than 4 GiB cannot be in the guest's memory anyway.
fn wire_length(length: usize) -> i32 {
    u32::try_from(length).unwrap_or(u32::MAX).cast_signed()
}
