//! What a guest asks of the host, in Kubewarden's binding.

use std::time::Instant;

use wasmtime::{AsContextMut, Caller, Result};

use super::guest::{Guest, read, read_text};
use super::output::Entry;
use crate::capabilities::CapabilityError;

/// The most bytes of a message from a guest. etcd holds objects of 1.5 MiB; JSON in memory is many times its text.
pub(super) const LONGEST_MESSAGE: u32 = 8 << 20;

/// The most bytes of a name in a host call.
const LONGEST_NAME: u32 = 256;

/// A guest said more than a host should hold.
#[derive(Debug, thiserror::Error)]
#[error("the guest gave a message of {0} bytes")]
pub(super) struct TooLong(pub(super) u32);

pub(super) fn check_length(length: i32, longest: u32) -> Result<()> {
    let length = length.cast_unsigned();
    if length > longest { Err(wasmtime::Error::new(TooLong(length))) } else { Ok(()) }
}

/// A part of guest memory: its address and its length.
pub(super) type Part = (i32, i32);

/// Reads one host call from guest memory and answers it; the inner error is what the guest gets to see.
pub(super) fn answer(
    caller: &mut Caller<'_, Guest>,
    binding: Part,
    namespace: Part,
    operation: Part,
    payload: Part,
) -> Result<std::result::Result<Vec<u8>, String>> {
    for (_, length) in [binding, namespace, operation] {
        check_length(length, LONGEST_NAME)?;
    }
    check_length(payload.1, LONGEST_MESSAGE)?;
    let binding = read_text(caller, binding.0, binding.1)?;
    let namespace = read_text(caller, namespace.0, namespace.1)?;
    let operation = read_text(caller, operation.0, operation.1)?;
    let payload = read(caller, payload.0, payload.1)?;
    let guest = caller.data_mut();
    let since = Instant::now();
    let answer = dispatch(guest, &binding, &namespace, &operation, &payload);
    if guest.capabilities.waits() {
        let ticks = guest.ticks_after_wait(since);
        caller.as_context_mut().set_epoch_deadline(ticks);
    }
    Ok(answer)
}

/// A text that quotes what a policy asks, which may be megabytes, as far as anybody reads.
fn shortened(mut text: String) -> String {
    const LONGEST: usize = 16 << 10;
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

fn dispatch(
    guest: &mut Guest,
    binding: &str,
    namespace: &str,
    operation: &str,
    payload: &[u8],
) -> std::result::Result<Vec<u8>, String> {
    if binding != "kubewarden" {
        return Err(format!("unknown binding: {binding}"));
    }
    if namespace == "tracing" {
        return match operation {
            // Never fails, whatever the payload: a policy's verdict must not depend on its log.
            "log" => {
                guest.output.push(Entry::logged(payload));
                Ok(Vec::new())
            }
            _ => Err(format!("unknown operation: {operation}")),
        };
    }
    match guest.capabilities.clone().call(namespace, operation, payload) {
        Ok(response) => Ok(response),
        Err(CapabilityError::Failed(message)) => Err(shortened(message)),
        Err(CapabilityError::Unanswered(cause)) => {
            let cause = shortened(cause);
            if guest.unanswered.len() < 32 && !guest.unanswered.contains(&cause) {
                guest.unanswered.push(cause.clone());
            }
            Err(cause)
        }
    }
}
