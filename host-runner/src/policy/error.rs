//! What keeps a policy from giving a verdict. None of it is ever counted as one.

use std::error::Error;
use std::time::Duration;

use policy_metadata::{ExecutionMode, SectionError};

/// Why a module cannot be run at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine itself could not be set up.
    #[error("the WebAssembly engine cannot be set up")]
    Engine(#[source] wasmtime::Error),
    /// The bytes are no WebAssembly module that wasmtime accepts.
    #[error("not a WebAssembly module that can be compiled")]
    Compile(#[source] wasmtime::Error),
    /// The module wants an import that a Kubewarden host does not have.
    #[error("the module cannot be linked")]
    Link(#[source] wasmtime::Error),
    /// The module is run in a mode that this host does not have.
    #[error("the policy runs in mode {mode}, and only kubewarden-wapc and wasi can be run here")]
    Mode {
        /// The mode, as Kubewarden's metadata name it.
        mode: ExecutionMode,
    },
    /// The module comes from Rego, and nothing says in which of its two modes it is to be run.
    #[error("The policy has been created with Rego, please specify which Opa runtime has to be used")]
    UnspecifiedRego,
    /// The module does not export what a guest of its mode must export.
    #[error("not a policy of mode {mode}: the module does not export `{export}`")]
    MissingExport {
        /// The mode.
        mode: ExecutionMode,
        /// The missing export.
        export: &'static str,
    },
    /// The policy is made for a Kubewarden that knows more than this host.
    #[error("Policy required Kubewarden version {required} or greater. But it's running on {running}")]
    TooNew {
        /// The version that it asks for.
        required: String,
        /// The version whose contracts this host keeps.
        running: &'static str,
    },
    /// The custom section with Kubewarden's metadata is unreadable.
    #[error(transparent)]
    Metadata(#[from] SectionError),
}

/// Why an evaluation gave no verdict.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The deadline passed.
    #[error("the policy ran longer than {limit:?} and was stopped")]
    DeadlineExceeded {
        /// The time that it had.
        limit: Duration,
    },
    /// The guest asked for more memory than it may have.
    #[error("the policy asked for more than {} MiB of memory and was stopped", limit >> 20)]
    MemoryLimitExceeded {
        /// The bytes that it may have.
        limit: usize,
    },
    /// The guest crashed.
    #[error("the policy crashed{}", output_suffix(output))]
    Trap {
        /// wasmtime's account of it.
        #[source]
        cause: wasmtime::Error,
        /// What the guest had written until then.
        output: String,
    },
    /// The guest ended its own process.
    #[error("the policy exited with status {status}{}", output_suffix(output))]
    Exited {
        /// The status that it gave.
        status: i32,
        /// What the guest had written until then.
        output: String,
    },
    /// The guest answered the call with an error.
    #[error("the policy answered with an error: {0}")]
    Guest(String),
    /// The policy asked for something that nobody could answer.
    #[error("{0}")]
    Unanswered(String),
    /// The guest said that it succeeded and gave no answer.
    #[error("the policy gave no answer")]
    NoAnswer,
    /// The answer is no Kubewarden response.
    #[error("the policy's answer is not a Kubewarden response")]
    MalformedAnswer(#[source] serde_json::Error),
}

fn output_suffix(output: &str) -> String {
    match output.trim() {
        "" => String::new(),
        output => format!(": {}", output.replace('\n', " | ")),
    }
}

/// An error and its causes on one line.
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        // wasmtime's backtraces span lines; the first says what happened.
        let line = message.lines().next().unwrap_or_default();
        if !line.is_empty() && !text.contains(line) {
            text.push_str(": ");
            text.push_str(line);
        }
        cause = error.source();
    }
    text
}
