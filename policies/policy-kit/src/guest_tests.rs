use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::image_rule::readable_images;

/// Rewrites `nginx`, rejects `evil`, warns of all.
struct Example;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Settings {
    replacement: Option<String>,
}

impl Policy for Example {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        match settings.replacement.as_deref() {
            Some("") => Err("replacement: must not be empty".to_owned()),
            _ => Ok(()),
        }
    }

    fn judge(request: &Request<'_>, settings: &Settings, _host: &dyn Host) -> Verdict {
        readable_images(
            request,
            &[],
            |_, _| true,
            |used, image, verdict| {
                verdict.warn("seen".to_owned());
                match image.name() {
                    "evil" => verdict.reject(Violation::at(&used.place, "must not be evil")),
                    _ => verdict.edits.extend(settings.replacement.iter().map(|new| used.set_image(new.clone()))),
                }
            },
        )
    }
}

struct NoHost;

impl Host for NoHost {
    fn call(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
        Err("nobody answers".to_owned())
    }

    fn now(&self) -> i64 {
        0
    }
}

fn answered(payload: &str) -> Value {
    let bytes = evaluate::<Example>(payload.as_bytes(), &NoHost);
    serde_json::from_slice(&bytes).expect("JSON")
}

fn pod(containers: &str, settings: &str) -> String {
    format!(
        r#"{{"request":{{"kind":{{"group":"","kind":"Pod"}},"object":{{"spec":{{"containers":{containers},"x":{{"kept":[1.50,"é"]}}}}}},"operation":"CREATE"}},"settings":{settings}}}"#
    )
}

#[test]
fn a_payload_that_cannot_be_read_is_rejected() {
    for payload in ["", "{}", "[]", "null", r#"{"request":1}"#, r#"{"request":{"object":{"a":1,"a":2}}}"#, "\u{0}"] {
        let answer = answered(payload);
        assert_eq!(answer["accepted"], json!(false), "{payload:?}");
        assert!(answer["message"].as_str().is_some_and(|text| text.contains("cannot be read")), "{payload:?}");
    }
    // Deeper than any reader follows.
    let deep = format!(r#"{{"request":{{"object":{}{}}}}}"#, "[".repeat(500), "]".repeat(500));
    assert_eq!(answered(&deep)["accepted"], json!(false));
}

#[test]
fn settings_that_are_wrong_reject_everything() {
    for (settings, message) in [
        (r#"{"replacment":"a"}"#, "unknown field `replacment`"),
        (r#"{"replacement":""}"#, "replacement: must not be empty"),
        ("[]", "must be a map"),
    ] {
        let answer = answered(&pod(r#"[{"image":"nginx"}]"#, settings));
        assert_eq!(answer["accepted"], json!(false), "{settings}");
        assert!(answer["message"].as_str().is_some_and(|text| text.contains(message)), "{answer}");
        let validated = validate_settings::<Example>(settings.as_bytes()).expect("an answer");
        let validated: Value = serde_json::from_slice(&validated).expect("JSON");
        assert_eq!(validated["valid"], json!(false));
        assert!(validated["message"].as_str().is_some_and(|text| text.contains(message)), "{validated}");
    }
    assert_eq!(answered(&pod("[]", "null"))["accepted"], json!(true));
}

#[test]
fn a_mutation_changes_one_field_and_keeps_the_rest() {
    let answer = answered(&pod(r#"[{"image":"nginx","name":"web","y":null}]"#, r#"{"replacement":"r.io/nginx"}"#));
    assert_eq!(
        answer,
        json!({
            "accepted": true,
            "mutated_object": {"spec": {
                "containers": [{"image": "r.io/nginx", "name": "web", "y": null}], "x": {"kept": [1.5, "é"]}}},
            "warnings": ["seen"],
        })
    );
}

#[test]
fn a_violation_outweighs_every_edit() {
    let answer = answered(&pod(r#"[{"image":"nginx"},{"image":"evil"}]"#, r#"{"replacement":"r.io/nginx"}"#));
    assert_eq!(
        answer,
        json!({"accepted": false, "message": "spec.containers[1]: must not be evil", "warnings": ["seen"]})
    );
}

#[test]
fn an_accepted_request_is_answered_with_nothing_else() {
    assert_eq!(answered(r#"{"request":{"operation":"DELETE"},"settings":{}}"#), json!({"accepted": true}));
    // The empty image is no edit that could be made, so there is nothing to mutate.
    assert_eq!(answered(&pod("[]", "{}")), json!({"accepted": true}));
}

#[test]
fn a_private_key_in_settings_is_refused_and_in_no_answer() {
    let key = "-----BEGIN PRIVATE KEY-----MC4CAQAwBQYDK2VwBCIEIHOF";
    for settings in [
        format!(r#"{{"replacement":"{key}"}}"#),
        format!(r#"{{"{key}":"a"}}"#),
        format!(r#"{{"{key}":"a","{key}":"a"}}"#),
        format!(r#"{{"replacment":[{{"a":"{key}"}}]}}"#),
        format!(r#""{key}""#),
    ] {
        let judged = answered(&pod(r#"[{"image":"nginx"}]"#, &settings));
        assert_eq!(judged["accepted"], json!(false), "{settings}");
        let validated = validate_settings::<Example>(settings.as_bytes()).expect("an answer");
        let validated: Value = serde_json::from_slice(&validated).expect("JSON");
        assert_eq!(validated["valid"], json!(false), "{settings}");
        for answer in [judged, validated] {
            let message = answer["message"].as_str().unwrap_or_default();
            assert!(
                !message.contains("MC4C") && message.contains("a private key stands here"),
                "{settings}: {message}"
            );
        }
    }
}

#[test]
fn thousands_of_violations_and_warnings_are_not_all_told() {
    let evil = format!("[{}]", vec![r#"{"image":"evil"}"#; 1000].join(","));
    let message = answered(&pod(&evil, "{}"));
    let message = message["message"].as_str().expect("a message");
    assert!(message.ends_with("; spec.containers[49]: must not be evil; and 950 more"), "{message}");
    let containers: Vec<String> = (0..1000).map(|index| format!(r#"{{"name":"c{index}"}}"#)).collect();
    let request = pod(&format!("[{}]", containers.join(",")), "{}").replace("Pod", "PodTemplate");
    let answer = answered(&request);
    let warnings = answer["warnings"].as_array().expect("warnings");
    assert_eq!((warnings.len(), warnings.last()), (51, Some(&json!("and 950 more"))));
}
