use std::cell::Cell;

use policy_kit::{Json, read_settings};

use super::*;

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Trusts every image, or none; counts what it is asked.
struct Signatures {
    trusts: bool,
    asked: Cell<usize>,
}

impl Host for Signatures {
    fn call(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
        self.asked.set(self.asked.get() + 1);
        if self.trusts {
            Ok(format!(r#"{{"is_trusted":true,"digest":"{DIGEST}"}}"#).into_bytes())
        } else {
            Err("unsigned".to_owned())
        }
    }

    fn now(&self) -> i64 {
        0
    }
}

const KEY: &str = r"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqHd0CqnG1P5nB8v1Jm0GfQy8a3xN\n-----END PUBLIC KEY-----\n";

fn judged(host: &Signatures, more: &str, request: &str) -> Verdict {
    let settings = format!(r#"{{"images":[{{"match":"r.io/**","signedBy":[{{"publicKeys":["{KEY}"]}}]}}]{more}}}"#);
    let settings: Settings = read_settings(&Json::parse(&settings).expect("JSON")).expect("settings");
    settings.check().expect("settings that work");
    let request = Request::read(Json::parse(request).expect("JSON")).expect("a request");
    RequireCiSignature::judge(&request, &settings, host)
}

fn host(trusts: bool) -> Signatures {
    Signatures { trusts, asked: Cell::new(0) }
}

fn pod(images: &[String]) -> String {
    let containers: Vec<String> = images.iter().map(|image| format!(r#"{{"image":"{image}"}}"#)).collect();
    format!(
        r#"{{"operation":"CREATE","kind":{{"group":"","kind":"Pod"}},"object":{{"spec":{{"containers":[{}]}}}}}}"#,
        containers.join(",")
    )
}

#[test]
fn an_image_used_a_thousand_times_is_asked_for_once() {
    let host = host(true);
    let verdict = judged(&host, "", &pod(&vec!["r.io/app:1".to_owned(); 1000]));
    assert_eq!((verdict.violations.len(), verdict.edits.len(), host.asked.get()), (0, 1000, 1));
}

#[test]
fn a_thousand_images_are_rejected_before_all_are_asked_for() {
    let host = host(true);
    let images: Vec<String> = (0..1000).map(|index| format!("r.io/app:{index}")).collect();
    let verdict = judged(&host, "", &pod(&images));
    assert_eq!(host.asked.get(), 64);
    assert!(
        verdict.message().ends_with("; names more than 64 images to verify, which takes too long: split the object")
    );
}

#[test]
fn nothing_is_asked_about_what_needs_no_answer() {
    let foreign = pod(&["evil.io/app:1".to_owned()]);
    let exempt = pod(&["docker.io/istio/proxyv2:1".to_owned()]);
    let delete = pod(&["r.io/app:1".to_owned()]).replace("CREATE", "DELETE");
    let connect = pod(&["r.io/app:1".to_owned()]).replace("CREATE", "CONNECT");
    for (request, violations) in [(foreign, 1), (exempt, 0), (delete, 0), (connect, 0)] {
        let host = host(true);
        let verdict = judged(&host, r#","exemptImages":["docker.io/istio/proxyv2"]"#, &request);
        assert_eq!((verdict.violations.len(), verdict.edits.len(), host.asked.get()), (violations, 0, 0), "{request}");
    }
}

#[test]
fn an_update_that_leaves_an_image_alone_asks_nobody() {
    for (image, more, warnings) in [
        (format!("r.io/app:1@{DIGEST}"), "", 0),
        ("r.io/app:1".to_owned(), "", 1),
        ("r.io/app:1".to_owned(), r#","pinDigest":false"#, 0),
        ("evil.io/app:1".to_owned(), "", 1),
    ] {
        let host = host(false);
        let object = format!(r#"{{"spec":{{"containers":[{{"image":"{image}","name":"web"}}]}}}}"#);
        let request = format!(
            r#"{{"operation":"UPDATE","kind":{{"group":"","kind":"Pod"}},"object":{object},"oldObject":{object}}}"#
        );
        let verdict = judged(&host, more, &request);
        assert_eq!((verdict.violations.len(), verdict.warnings.len(), host.asked.get()), (0, warnings, 0), "{image}");
    }
}

#[test]
fn failures_repeat_no_long_reason() {
    let host = host(false);
    let verdict = judged(&host, "", &pod(&vec!["r.io/app:1".to_owned(); 3]));
    assert_eq!(
        verdict.message(),
        "spec.containers[0]: image r.io/app:1 must be signed by the key of images[0].signedBy[0]: unsigned; \
         spec.containers[1]: image r.io/app:1 must be signed by the key of images[0].signedBy[0]: see above; \
         spec.containers[2]: image r.io/app:1 must be signed by the key of images[0].signedBy[0]: see above"
    );
}
