//! What a guest asks of the host, in Kubewarden's binding.

use super::guest::Guest;
use crate::capabilities::CapabilityError;

/// Answers one host call; the error is what the guest gets to see.
pub(super) fn dispatch(
    guest: &mut Guest,
    binding: &str,
    namespace: &str,
    operation: &str,
    payload: &[u8],
) -> Result<Vec<u8>, String> {
    if binding != "kubewarden" {
        return Err(format!("unknown binding: {binding}"));
    }
    if namespace == "tracing" {
        return match operation {
            // Never fails, whatever the payload: a policy's verdict must not depend on its log.
            "log" => {
                guest.write(payload);
                guest.write(b"\n");
                Ok(Vec::new())
            }
            _ => Err(format!("unknown operation: {operation}")),
        };
    }
    match guest.capabilities.clone().call(namespace, operation, payload) {
        Ok(response) => Ok(response),
        Err(CapabilityError::Failed(message)) => Err(message),
        Err(CapabilityError::Unanswered(cause)) => {
            if guest.unanswered.len() < 32 && !guest.unanswered.contains(&cause) {
                guest.unanswered.push(cause.clone());
            }
            Err(cause)
        }
    }
}
