//! Recorded sessions in kwctl's format: what a policy asked, and what it was told.
//!
//! A YAML list of exchanges. Each request is YAML again, with a tag that names the question.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, CapabilityError, Question, Source};
use crate::files;
use crate::manifest::{self, Problem, problem};

/// Questions that only hosts of Rego policies ask of themselves.
const OF_REGO: [&str; 2] =
    ["!KubernetesGetResourcePluralName", "!HasKubernetesListResourceAllResultChangedSinceInstant"];

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    /// Always `Exchange`; may be left out.
    #[serde(rename = "type", default = "Exchange::kind")]
    kind: String,
    request: String,
    response: Response,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", deny_unknown_fields)]
enum Response {
    Success { payload: String },
    Error { message: String },
}

impl Exchange {
    fn kind() -> String {
        "Exchange".to_owned()
    }
}

/// A recorded session, ready to answer.
///
/// kwctl answers in the order of the recording and fails when a policy asks in another. Here the question decides: a
/// question that was recorded several times gets its answers in their order, and the last one from then on.
#[derive(Debug)]
pub struct Session {
    answers: Mutex<HashMap<Question, VecDeque<Answer>>>,
}

impl Session {
    /// Reads a session file.
    ///
    /// # Errors
    ///
    /// Names the file and the exchange that cannot be read.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let exchanges: Vec<Exchange> = manifest::read_typed(path)?;
        let file = path.display().to_string();
        let mut answers: HashMap<Question, VecDeque<Answer>> = HashMap::new();
        for (index, exchange) in exchanges.into_iter().enumerate() {
            if OF_REGO.iter().any(|tag| exchange.request.trim_start().starts_with(tag)) {
                continue;
            }
            if exchange.kind != Exchange::kind() {
                let message = format!("exchange {index}: its type is {:?}, and only Exchange is known", exchange.kind);
                return Err(problem(&file, None, message));
            }
            let question: Question = serde_saphyr::from_str(&exchange.request).map_err(|error| {
                let error = error.to_string();
                let error = error.lines().next().unwrap_or_default().to_owned();
                problem(&file, None, format!("exchange {index}: its request is no recorded question: {error}"))
            })?;
            answers.entry(question).or_default().push_back(match exchange.response {
                Response::Success { payload } => Ok(payload.into_bytes()),
                Response::Error { message } => Err(CapabilityError::Failed(message)),
            });
        }
        Ok(Session { answers: Mutex::new(answers) })
    }

    /// The recorded answer, if there is one.
    pub fn answer(&self, question: &Question) -> Option<Answer> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = answers.get_mut(question)?;
        if recorded.len() > 1 { recorded.pop_front() } else { recorded.front().cloned() }
    }
}

/// A session first, and somebody else for what was not recorded.
pub struct Replayed<S> {
    /// What was recorded.
    pub session: Session,
    /// Who is asked then.
    pub otherwise: S,
}

impl<S: Source> Source for Replayed<S> {
    fn answer(&self, question: &Question) -> Answer {
        self.session.answer(question).unwrap_or_else(|| match self.otherwise.answer(question) {
            Err(CapabilityError::Unanswered(cause)) => Err(CapabilityError::Unanswered(format!(
                "the recorded session has no answer to {question:?} (every field counts); {cause}"
            ))),
            answer => answer,
        })
    }

    fn now(&self) -> Option<i64> {
        self.otherwise.now()
    }

    fn waits(&self) -> bool {
        self.otherwise.waits()
    }
}

/// The most bytes of questions and answers in a recording: a policy may ask in an endless loop.
const LARGEST_RECORDING: usize = 256 << 20;

/// Writes down what is asked and answered.
#[derive(Clone)]
pub struct Recorder {
    source: Arc<dyn Source>,
    recorded: Arc<Mutex<Recorded>>,
}

#[derive(Default)]
struct Recorded {
    exchanges: Vec<Exchange>,
    bytes: usize,
}

impl Recorder {
    /// Listens to a source.
    pub fn new(source: Arc<dyn Source>) -> Self {
        Recorder { source, recorded: Arc::default() }
    }

    /// Writes the session to a file that appears only when it is whole.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or policies asked more than a recording holds: then nothing is, since half of it would
    /// be another session.
    pub fn write(&self, path: &Path) -> Result<(), Problem> {
        let refused = |error: String| problem(&path.display().to_string(), None, format!("cannot be written: {error}"));
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.bytes > LARGEST_RECORDING {
            return Err(refused(format!("policies asked more than {} MiB of questions", LARGEST_RECORDING >> 20)));
        }
        let text = if recorded.exchanges.is_empty() {
            "[]\n".to_owned()
        } else {
            serde_saphyr::to_string(&recorded.exchanges).map_err(|error| refused(error.to_string()))?
        };
        files::write_whole(path, text.as_bytes()).map_err(|error| refused(error.to_string()))
    }
}

impl Recorded {
    /// Keeps an exchange, as long as there is room.
    fn push(&mut self, exchange: Exchange) {
        let (Response::Success { payload: answer } | Response::Error { message: answer }) = &exchange.response;
        self.bytes = self.bytes.saturating_add(exchange.request.len() + answer.len());
        if self.bytes <= LARGEST_RECORDING {
            self.exchanges.push(exchange);
        } else {
            self.exchanges.clear();
        }
    }
}

impl Source for Recorder {
    fn answer(&self, question: &Question) -> Answer {
        let answer = self.source.answer(question);
        let response = match &answer {
            Ok(bytes) => {
                std::str::from_utf8(bytes).ok().map(|payload| Response::Success { payload: payload.to_owned() })
            }
            Err(CapabilityError::Failed(message)) => Some(Response::Error { message: message.clone() }),
            // Nobody answered, and a recording that says so would be one of nothing.
            Err(CapabilityError::Unanswered(_)) => None,
        };
        if let (Some(response), Some(request)) = (response, tagged(question)) {
            let exchange = Exchange { kind: Exchange::kind(), request, response };
            self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        }
        answer
    }

    fn now(&self) -> Option<i64> {
        self.source.now()
    }

    fn waits(&self) -> bool {
        self.source.waits()
    }
}

/// `!KubernetesGetResource` and the fields below it.
fn tagged(question: &Question) -> Option<String> {
    let Value::Object(variant) = serde_json::to_value(question).ok()? else { return None };
    let (tag, fields) = variant.into_iter().next()?;
    Some(format!("!{tag}\n{}", serde_saphyr::to_string(&fields).ok()?))
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
