//! What policies may ask of the host, independent of who answers.
//!
//! ```text
//! guest ─► gate      may this policy ask? (allow-list, contextAwareResources)
//!           └─► question   the call as a value
//!                └─► Source   the world, the network, a recorded session
//! ```

mod allow_list;
mod gate;
mod question;
mod session;

pub use allow_list::{AllowList, AllowListError};
pub use gate::Gate;
pub use question::{
    AccessReview, CertificateTrust, CertificateVerification, EncodedCertificate, Encoding, GithubActionsVerification,
    ImageQuestion, KeylessIdentity, KeylessPrefix, KeylessPrefixVerification, KeylessVerification, ObjectQuestion,
    ObjectsQuestion, PublicKeyVerification, Question, ResourceAttributes,
};
use serde::Serialize;
pub use session::{Recorder, Replayed, Session};

/// Answers the host capabilities of Kubewarden (`kubernetes`, `oci`, `net`, `crypto`).
pub trait HostCapabilities: Send + Sync {
    /// Answers one call with the bytes that Kubewarden's host would answer with.
    ///
    /// # Errors
    ///
    /// See [`CapabilityError`].
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Answer;

    /// The time that guests see, in seconds since 1970-01-01T00:00:00Z; the machine's own without one.
    fn now(&self) -> Option<i64> {
        None
    }

    /// Whether answers come over the network, so that waiting for them is not the policy's own time.
    fn waits(&self) -> bool {
        false
    }
}

/// Where answers come from.
pub trait Source: Send + Sync {
    /// Answers a question that the policy was allowed to ask.
    ///
    /// # Errors
    ///
    /// See [`CapabilityError`]; the text is that of the cause alone.
    fn answer(&self, question: &Question) -> Answer;

    /// As for [`HostCapabilities::now`].
    fn now(&self) -> Option<i64> {
        None
    }

    /// As for [`HostCapabilities::waits`].
    fn waits(&self) -> bool {
        false
    }
}

impl<S: Source + ?Sized> Source for std::sync::Arc<S> {
    fn answer(&self, question: &Question) -> Answer {
        self.as_ref().answer(question)
    }

    fn now(&self) -> Option<i64> {
        self.as_ref().now()
    }

    fn waits(&self) -> bool {
        self.as_ref().waits()
    }
}

/// What a call comes to: the bytes for the guest, or why there are none.
pub type Answer = Result<Vec<u8>, CapabilityError>;

/// An answer as JSON.
pub(crate) fn json_answer(value: &impl Serialize) -> Answer {
    serde_json::to_vec(value).map_err(|error| CapabilityError::Failed(error.to_string()))
}

/// Why a call has no positive answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CapabilityError {
    /// This is the answer, the same as in a cluster: not found, not signed, a malformed question.
    Failed(String),
    /// Nobody here can tell. Whatever the policy makes of it is no verdict.
    Unanswered(String),
}

impl CapabilityError {
    /// The text, whichever it is.
    pub fn into_text(self) -> String {
        match self {
            CapabilityError::Failed(text) | CapabilityError::Unanswered(text) => text,
        }
    }
}

/// Answers nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoCapabilities;

impl HostCapabilities for NoCapabilities {
    fn call(&self, namespace: &str, operation: &str, _: &[u8]) -> Answer {
        Err(CapabilityError::Unanswered(format!("nothing here answers {namespace}/{operation}; give a --world")))
    }
}

impl Source for NoCapabilities {
    fn answer(&self, question: &Question) -> Answer {
        Err(CapabilityError::Unanswered(format!("nothing here answers {}; give a --world", question.path())))
    }
}
