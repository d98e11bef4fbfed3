//! Policies that give the answers that a row needs, and requests to ask them.

use crate::support::{Finished, Run};

/// An AdmissionRequest for a Pod of two containers.
pub(crate) const REQUEST: &str = r#"{"uid":"1299d386","kind":{"group":"","kind":"Pod","version":"v1"},"resource":{"group":"","resource":"pods","version":"v1"},"operation":"CREATE","userInfo":{"username":"alice","groups":["system:authenticated"]},"namespace":"shop","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"a","image":"nginx"},{"name":"b","image":"redis"}]}}}"#;

/// The beginning of every answer to it.
pub(crate) const UID: &str = r#"{"uid":"1299d386","#;

/// A text as a string of WAT.
fn literal(text: &str) -> String {
    text.bytes().map(|byte| format!("\\{byte:02x}")).collect()
}

/// A waPC policy that answers what it is told to, as an answer (1) or as an error (0).
pub(crate) fn guest(validate: (i32, &str), validate_settings: (i32, &str)) -> Vec<u8> {
    let call = |(status, text): (i32, &str), place: usize| {
        let function = if status == 1 { "$response" } else { "$error" };
        format!("(call {function} (i32.const {place}) (i32.const {})) (i32.const {status})", text.len())
    };
    wat::parse_str(format!(
        r#"(module
            (import "wapc" "__guest_response" (func $response (param i32 i32)))
            (import "wapc" "__guest_error" (func $error (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "{}")
            (data (i32.const 8192) "{}")
            (func (export "__guest_call") (param $operation i32) (param i32) (result i32)
                (if (result i32) (i32.eq (local.get $operation) (i32.const 17))
                    (then {}) (else {}))))"#,
        literal(validate.1),
        literal(validate_settings.1),
        call(validate_settings, 8192),
        call(validate, 0),
    ))
    .expect("valid WAT")
}

/// A policy that takes any settings and answers with this.
pub(crate) fn answering(validate: &str) -> Vec<u8> {
    guest((1, validate), (1, r#"{"valid":true}"#))
}

/// A policy that answers a settings check with this.
pub(crate) fn about_settings(status: i32, validate_settings: &str) -> Vec<u8> {
    guest((1, r#"{"accepted":true}"#), (status, validate_settings))
}

/// A module with metadata.
pub(crate) fn annotated(module: &[u8], yaml: &str) -> Vec<u8> {
    let (metadata, _) = policy_metadata::Metadata::from_yaml(yaml).expect("metadata");
    policy_metadata::annotated(module, &metadata).expect("annotated")
}

/// A run in a folder with a request and an accepting policy.
pub(crate) fn folder() -> Run {
    Run::new().file("request.json", REQUEST).file("policy.wasm", answering(r#"{"accepted":true}"#))
}

/// What `run` makes of a policy that gives this answer.
pub(crate) fn answer(validate: &str) -> Finished {
    folder().file("policy.wasm", answering(validate)).run("run -r request.json policy.wasm")
}

/// Asserts a whole line on stdout, nothing on stderr, and success.
#[track_caller]
pub(crate) fn prints(run: Finished, rest: &str) {
    assert_eq!((run.status, run.stdout.as_str()), (0, format!("{UID}{rest}\n").as_str()), "{}", run.stderr);
    assert_eq!(run.stderr, "");
}

/// Asserts exit status 1, nothing on stdout, and this on stderr.
#[track_caller]
pub(crate) fn fails(run: Finished, error: &str) {
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (1, "", format!("Error: {error}\n").as_str()));
}
