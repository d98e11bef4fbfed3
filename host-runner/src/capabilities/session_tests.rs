//! What kwctl has recorded answers, and what is recorded can be replayed.

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
    let recorder =
        Recorder::new(Arc::new(Replayed { session: session(RECORDED).expect("a session"), otherwise: NoCapabilities }));
    let digest = Question::OciManifestDigest(ImageQuestion { image: "a".to_owned() });
    let asked =
        [digest.clone(), namespace(), digest.clone(), Question::DnsLookupHost { host: "nohost.invalid".to_owned() }];
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

#[test]
fn an_endless_recording_is_not_kept() {
    let mut recorded = Recorded::default();
    let large = || Exchange {
        kind: Exchange::kind(),
        request: String::new(),
        response: Response::Success { payload: " ".repeat(LARGEST_RECORDING / 8 + 1) },
    };
    (0..9).for_each(|_| recorded.push(large()));
    assert!(recorded.exchanges.is_empty());
    let recorder = Recorder { source: Arc::new(NoCapabilities), recorded: Arc::new(Mutex::new(recorded)) };
    let error = recorder.write(Path::new("session.yml")).expect_err("too large");
    assert_eq!(error.message, "cannot be written: policies asked more than 256 MiB of questions");
}
