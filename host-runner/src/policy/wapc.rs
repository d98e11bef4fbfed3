//! The waPC host: the nine functions that a guest may import.

use wasmtime::{Caller, Linker, Result};

use super::guest::{Guest, read, read_text, write_from};
use super::host_calls::{self, LONGEST_MESSAGE, check_length};

const MODULE: &str = "wapc";

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
        check_length(length, LONGEST_MESSAGE)?;
        let text = read_text(&mut caller, pointer, length)?;
        caller.data_mut().output.print(format!("{text}\n").as_bytes());
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
    let answer = host_calls::answer(
        &mut caller,
        (binding, binding_length),
        (namespace, namespace_length),
        (operation, operation_length),
        (payload, payload_length),
    )?;
    let guest = caller.data_mut();
    guest.host_response.clear();
    guest.host_error.clear();
    Ok(match answer {
        Ok(response) => {
            guest.host_response = response;
            1
        }
        Err(error) => {
            guest.host_error = error;
            0
        }
    })
}

/// A length on the wire. What is longer than 4 GiB cannot be in the guest's memory anyway.
pub(super) fn wire_length(length: usize) -> i32 {
    u32::try_from(length).unwrap_or(u32::MAX).cast_signed()
}
