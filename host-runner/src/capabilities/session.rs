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

/// Writes down what is asked and answered.
#[derive(Clone)]
pub struct Recorder {
    source: Arc<dyn Source>,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// Listens to a source.
    pub fn new(source: Arc<dyn Source>) -> Self {
        Recorder { source, exchanges: Arc::default() }
    }

    /// Writes the session to a file that appears only when it is whole.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Problem> {
        let refused = |error: String| problem(&path.display().to_string(), None, format!("cannot be written: {error}"));
        let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        let text = if exchanges.is_empty() {
            "[]\n".to_owned()
        } else {
            serde_saphyr::to_string(&*exchanges).map_err(|error| refused(error.to_string()))?
        };
        files::write_whole(path, text.as_bytes()).map_err(|error| refused(error.to_string()))
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
            self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
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
mod tests {
    use super::*;
    use crate::capabilities::{ImageQuestion, NoCapabilities, ObjectQuestion};

    /// As kwctl writes it.
    const RECORDED: &str = r"
- type: Exchange
  request: |
    !KubernetesGetResource
    api_version: v1
    kind: Namespace
    name: test-policy
    namespace: null
    disable_cache: false
    field_masks: null
  response:
    type: Success
    payload: '{}'
- request: |
    !DNSLookupHost
    host: nohost.invalid
  response:
    type: Error
    message: 'failed to lookup address information: Name or service not known'
- request: |
    !OciManifestDigest
    image: a
  response: { type: Success, payload: one }
- request: |
    !OciManifestDigest
    image: a
  response: { type: Success, payload: two }
- request: |
    !KubernetesGetResourcePluralName
    api_version: v1
    kind: Pod
  response: { type: Success, payload: pods }
";

    fn session(text: &str) -> Result<Session, Problem> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.yml");
        std::fs::write(&path, text).expect("written");
        Session::read(&path)
    }

    fn namespace() -> Question {
        Question::KubernetesGetResource(ObjectQuestion {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            name: "test-policy".to_owned(),
            namespace: None,
            disable_cache: false,
            field_masks: None,
        })
    }

    #[test]
    fn kwctls_recordings_answer_by_what_is_asked() {
        let session = session(RECORDED).expect("a session");
        let digest = Question::OciManifestDigest(ImageQuestion { image: "a".to_owned() });
        // Not in the order of the recording.
        assert_eq!(session.answer(&digest), Some(Ok(b"one".to_vec())));
        assert_eq!(session.answer(&namespace()), Some(Ok(b"{}".to_vec())));
        assert_eq!(session.answer(&digest), Some(Ok(b"two".to_vec())));
        assert_eq!(session.answer(&digest), Some(Ok(b"two".to_vec())));
        let host = Question::DnsLookupHost { host: "nohost.invalid".to_owned() };
        let message = "failed to lookup address information: Name or service not known".to_owned();
        assert_eq!(session.answer(&host), Some(Err(CapabilityError::Failed(message))));
    }

    #[test]
    fn every_field_of_a_question_counts() {
        let replayed = Replayed { session: session(RECORDED).expect("a session"), otherwise: NoCapabilities };
        let Question::KubernetesGetResource(question) = namespace() else { unreachable!() };
        let other = Question::KubernetesGetResource(ObjectQuestion { disable_cache: true, ..question });
        let Err(CapabilityError::Unanswered(cause)) = replayed.answer(&other) else { panic!("answered") };
        assert!(cause.starts_with("the recorded session has no answer to KubernetesGetResource"), "{cause}");
    }

    #[test]
    fn what_is_recorded_can_be_replayed() {
        let recorder = Recorder::new(Arc::new(Replayed {
            session: session(RECORDED).expect("a session"),
            otherwise: NoCapabilities,
        }));
        let digest = Question::OciManifestDigest(ImageQuestion { image: "a".to_owned() });
        let asked = [
            digest.clone(),
            namespace(),
            digest.clone(),
            Question::DnsLookupHost { host: "nohost.invalid".to_owned() },
        ];
        let answers: Vec<Answer> = asked.iter().map(|question| recorder.answer(question)).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.yml");
        recorder.write(&path).expect("written");
        let again = Session::read(&path).expect("a session");
        let replayed: Vec<Option<Answer>> = asked.iter().map(|question| again.answer(question)).collect();
        assert_eq!(replayed, answers.into_iter().map(Some).collect::<Vec<_>>());
        assert!(std::fs::read_to_string(&path).expect("text").contains("!KubernetesGetResource"));
    }

    #[test]
    fn what_is_no_recording_is_told() {
        for text in [
            "- request: \"!Unheard\\nimage: a\\n\"\n  response: {type: Success, payload: x}\n",
            "- request: \"KubernetesGetResource: {api_version: v1}\"\n  response: {type: Success, payload: x}\n",
        ] {
            let error = session(text).expect_err("no recording");
            assert!(error.message.starts_with("exchange 0: its request is no recorded question"), "{error}");
        }
        assert!(session("- request: a\n  response: {type: Other}\n").is_err());
    }
}
