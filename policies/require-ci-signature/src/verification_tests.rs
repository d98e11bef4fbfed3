use std::cell::RefCell;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::settings::Settings;

/// Answers by the kind of the question, and keeps what it is asked.
#[derive(Default)]
struct Signatures {
    answers: Vec<(&'static str, Result<String, String>)>,
    asked: RefCell<Vec<Value>>,
}

impl Signatures {
    fn with(mut self, kind: &'static str, answer: Result<String, &str>) -> Self {
        self.answers.push((kind, answer.map_err(str::to_owned)));
        self
    }

    fn images(&self) -> Vec<String> {
        self.asked.borrow().iter().filter_map(|asked| asked["image"].as_str().map(str::to_owned)).collect()
    }
}

impl Host for Signatures {
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        assert_eq!((namespace, operation), ("oci", "v2/verify"));
        let question: Value = serde_json::from_slice(payload).expect("JSON");
        let answer = self.answers.iter().find(|(kind, _)| question["type"] == *kind).map(|(_, answer)| answer.clone());
        self.asked.borrow_mut().push(question);
        answer.unwrap_or_else(|| Err("no signatures found for image".to_owned())).map(String::into_bytes)
    }

    fn now(&self) -> i64 {
        0
    }
}

fn digest(of: char) -> String {
    format!("sha256:{}", of.to_string().repeat(64))
}

fn verified(of: char) -> Result<String, &'static str> {
    Ok(json!({"is_trusted": true, "digest": digest(of)}).to_string())
}

fn settings(signed_by: &Value) -> Settings {
    serde_json::from_value(json!({"images": [{"match": "r.io/**", "signedBy": signed_by}]})).expect("settings")
}

fn github(git_ref: &str) -> Value {
    json!({"githubActions": {"owner": "acme", "repo": "x", "workflow": ".github/workflows/x.yml", "ref": git_ref}})
}

const SUBJECT: &str = "SigstoreKeylessVerify";
const BELOW: &str = "SigstoreKeylessPrefixVerify";
const REPOSITORY: &str = "SigstoreGithubActionsVerify";
const KEY: &str = "SigstorePubKeyVerify";

fn verify(host: &Signatures, signed_by: &Value, image: &str) -> Result<String, String> {
    let settings = settings(signed_by);
    let rule = settings.images.first().expect("a rule");
    let image = Reference::parse(image).expect("a reference");
    Verifier::new(host).verify(0, rule, &image).map(str::to_owned)
}

#[test]
fn both_questions_are_about_the_same_digest() {
    let host = Signatures::default().with(SUBJECT, verified('a')).with(REPOSITORY, verified('a'));
    assert_eq!(verify(&host, &json!([github("refs/heads/main")]), "r.io/app:1"), Ok(digest('a')));
    assert_eq!(host.images(), ["r.io/app:1".to_owned(), format!("r.io/app@{}", digest('a'))]);
    // The registry answers with another image for the second.
    let host = Signatures::default().with(SUBJECT, verified('a')).with(REPOSITORY, verified('b'));
    let error = verify(&host, &json!([github("refs/heads/main")]), "r.io/app:1").expect_err("two images");
    assert_eq!(error, format!("{} was verified instead of {}", digest('b'), digest('a')));
    // One of the two is not enough, whichever it is.
    for kind in [SUBJECT, REPOSITORY, BELOW] {
        let host = Signatures::default().with(kind, verified('a'));
        assert!(verify(&host, &json!([github("refs/heads/main")]), "r.io/app:1").is_err(), "{kind}");
    }
    let host = Signatures::default().with(BELOW, verified('a')).with(REPOSITORY, verified('a'));
    assert!(verify(&host, &json!([github("refs/tags/*")]), "r.io/app:1").is_ok());
}

#[test]
fn a_digest_in_the_reference_is_what_must_be_verified() {
    let image = format!("r.io/app:1@{}", digest('a'));
    let host = Signatures::default().with(KEY, verified('a'));
    assert_eq!(verify(&host, &json!([{"publicKeys": ["k"]}]), &image), Ok(digest('a')));
    assert_eq!(host.images(), [format!("r.io/app@{}", digest('a'))]);
    let host = Signatures::default().with(KEY, verified('b'));
    let error = verify(&host, &json!([{"publicKeys": ["k"]}]), &image).expect_err("another image");
    assert!(error.contains("was verified instead of"), "{error}");
}

#[test]
fn any_identity_is_enough_and_the_first_stops() {
    let two = json!([{"publicKeys": ["k"]}, github("refs/heads/main")]);
    let host = Signatures::default().with(KEY, verified('a'));
    assert!(verify(&host, &two, "r.io/app").is_ok());
    assert_eq!(host.images(), ["r.io/app:latest"]);
    let host = Signatures::default().with(SUBJECT, verified('b')).with(REPOSITORY, verified('b'));
    assert_eq!(verify(&host, &two, "r.io/app"), Ok(digest('b')));
    assert_eq!(host.asked.borrow().len(), 3);
}

#[test]
fn only_an_answer_that_says_so_is_trusted() {
    let d = digest('a');
    for answer in [
        json!({"is_trusted": false, "digest": d}).to_string(),
        json!({"is_trusted": "true", "digest": d}).to_string(),
        json!({"digest": d}).to_string(),
        json!({"is_trusted": true}).to_string(),
        json!({"is_trusted": true, "digest": null}).to_string(),
        json!({"is_trusted": true, "digest": ""}).to_string(),
        json!({"is_trusted": true, "digest": "sha256:abc"}).to_string(),
        json!({"is_trusted": true, "digest": d.to_uppercase()}).to_string(),
        json!({"is_trusted": true, "digest": format!("{d}@{d}")}).to_string(),
        json!({"is_trusted": true, "digest": format!("{d} ")}).to_string(),
        json!({"is_trusted": true, "digest": ["a"]}).to_string(),
        json!([true]).to_string(),
        format!(r#"{{"is_trusted":false,"is_trusted":true,"digest":"{d}"}}"#),
        "true".to_owned(),
        String::new(),
        "[".repeat(100_000),
    ] {
        let host = Signatures::default().with(KEY, Ok(answer.clone()));
        assert!(verify(&host, &json!([{"publicKeys": ["k"]}]), "r.io/app:1").is_err(), "{answer:.100}");
    }
}

#[test]
fn an_image_is_verified_once_and_its_failure_told_once() {
    let host = Signatures::default().with(KEY, Err("registry is away"));
    let settings = settings(&json!([{"publicKeys": ["k"]}]));
    let rule = settings.images.first().expect("a rule");
    let mut verifier = Verifier::new(&host);
    let image = Reference::parse("r.io/app:1").expect("a reference");
    let same = Reference::parse("R.io:443/app:1").expect("a reference");
    assert_eq!(verifier.verify(0, rule, &image), Err("registry is away".to_owned()));
    assert_eq!(verifier.verify(0, rule, &same), Err("see above".to_owned()));
    assert_eq!(host.asked.borrow().len(), 1);
    assert!(verifier.verify(1, rule, &same).is_err());
    assert_eq!(host.asked.borrow().len(), 2);
}

#[test]
fn more_images_than_an_object_has_are_not_asked_for() {
    let host = Signatures::default().with(KEY, verified('a'));
    let settings = settings(&json!([{"publicKeys": ["k"]}]));
    let rule = settings.images.first().expect("a rule");
    let mut verifier = Verifier::new(&host);
    for index in 0..MOST_IMAGES {
        let text = format!("r.io/app:{index}");
        assert!(verifier.verify(0, rule, &Reference::parse(&text).expect("a reference")).is_ok());
    }
    assert_eq!(verifier.exhaustion(), None);
    let one_more = Reference::parse("r.io/app:more").expect("a reference");
    assert_eq!(verifier.verify(0, rule, &one_more), Err("it was not looked at".to_owned()));
    assert!(verifier.exhaustion().is_some());
    assert!(verifier.verify(0, rule, &Reference::parse("r.io/app:0").expect("a reference")).is_ok());
    assert_eq!(host.asked.borrow().len(), MOST_IMAGES);
}

#[test]
fn reasons_are_short_and_each_is_given_once() {
    for (error, expected) in [
        ("Host error: Callback evaluation failure: timed out\n\nCaused by:\n    0: dns", "timed out Caused by: 0: dns"),
        ("", "the host does not say why"),
        ("\u{1b}[31mred\u{7}", "[31mred"),
        ("away \u{202e}enif\u{2066}\u{200b}", "away enif"),
        ("network: missing signatures", "network: missing signatures"),
        (
            "r.io said: Image verification failed: missing signatures",
            "r.io said: Image verification failed: missing signatures",
        ),
        ("Image verification failed: missing signatures2", "Image verification failed: missing signatures2"),
        (
            "no signatures found for image: r.io/a:1 ",
            "no signatures found for image: r.io/a:1 (Kubewarden up to 1.30 does not see the bundles of cosign 3: sign with --new-bundle-format=false --use-signing-config=false)",
        ),
    ] {
        assert_eq!(reason(error, &Question::PublicKeys(&[])), expected);
    }
    let missing =
        "Image verification failed: missing signatures\nThe following constraints were not satisfied:\nkind: x";
    let repository = Question::Repository { owner: "acme", repo: "x" };
    assert_eq!(reason(missing, &repository), "it has a signature of that workflow, but none of a run for acme/x");
    let subject = Question::subject("https://gitlab.com", "https://gitlab.com/a".into());
    assert_eq!(reason(missing, &subject), "it has signatures, but none of theirs that Kubewarden can check");
    let wrapped = format!("Host error: Callback evaluation failure: {missing}");
    for error in ["Image verification failed: missing signatures", missing, &wrapped] {
        let keys = ["a".to_owned(), "b".to_owned()];
        assert_eq!(
            reason(error, &Question::PublicKeys(&keys)),
            "it has signatures, but not all of these keys made one that Kubewarden can check"
        );
        assert_eq!(
            reason(error, &Question::PublicKeys(&keys[..1])),
            "it has signatures, but none of theirs that Kubewarden can check"
        );
    }
    assert_eq!(reason(&"é".repeat(5000), &Question::PublicKeys(&[])).chars().count(), LONGEST_REASON + 1);
    let host = Signatures::default().with(KEY, Err("away")).with(SUBJECT, Err("away"));
    let three = json!([{"publicKeys": ["k"]}, github("refs/heads/main"), github("refs/tags/*")]);
    let error = verify(&host, &three, "r.io/app:1").expect_err("unsigned");
    assert_eq!(error.matches("away").count(), 1, "{error}");
    assert_eq!(error.matches("no signatures found").count(), 1, "{error}");
}

proptest! {
    #[test]
    fn any_answer_is_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "\\PC*") {
        let _ = read(&bytes);
        let _ = reason(&text, &Question::PublicKeys(&[]));
    }
}
