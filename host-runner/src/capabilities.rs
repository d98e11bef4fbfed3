//! What policies may ask of the host, independent of who answers.

/// Answers the host capabilities of Kubewarden (`kubernetes`, `oci`, `net`, `crypto`).
pub trait HostCapabilities: Send + Sync {
    /// Answers one call with the bytes that Kubewarden's host would answer with.
    ///
    /// # Errors
    ///
    /// See [`CapabilityError`].
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, CapabilityError>;

    /// The time that guests see, in seconds since 1970-01-01T00:00:00Z; the machine's own without one.
    fn now(&self) -> Option<i64> {
        None
    }
}

/// Why a call has no positive answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CapabilityError {
    /// This is the answer, the same as in a cluster: not found, not granted, a malformed question.
    Failed(String),
    /// Nobody here can tell. Whatever the policy makes of it is no verdict.
    Unanswered(String),
}

/// Answers nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoCapabilities;

impl HostCapabilities for NoCapabilities {
    fn call(&self, namespace: &str, operation: &str, _: &[u8]) -> Result<Vec<u8>, CapabilityError> {
        Err(CapabilityError::Unanswered(format!("nothing here answers {namespace}/{operation}; give a --world")))
    }
}
