//! Policies that misbehave. Whatever they do, there is no verdict, the host goes on, and the reason is told by type.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use host_runner::capabilities::{Answer, CapabilityError, HostCapabilities, NoCapabilities};
use host_runner::policy::{Engine, EvaluateError, Evaluation, Limits, LoadError, Policy};
use policy_metadata::ExecutionMode;

const LIMITS: Limits = Limits { deadline: Duration::from_millis(200), memory: 16 << 20 };

fn load(name: &str) -> Result<Policy, LoadError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name).with_extension("wat");
    let wasm = wat::parse_file(path).expect("valid WAT");
    Policy::load(&Engine::new(None).expect("an engine"), &wasm)
}

fn evaluate_within(name: &str, limits: Limits) -> Result<Evaluation, EvaluateError> {
    load(name).expect("a policy").evaluate(b"{}", b"{}", Arc::new(NoCapabilities), limits)
}

fn evaluate(name: &str) -> EvaluateError {
    evaluate_within(name, LIMITS).expect_err("no verdict")
}

#[test]
fn a_policy_that_behaves_is_heard() {
    assert!(evaluate_within("accepts", LIMITS).expect("a verdict").response.accepted);
}

#[test]
fn an_endless_loop_is_stopped() {
    for guest in ["loops", "loops-in-init", "loops-in-start", "sleeps"] {
        let error = evaluate(guest);
        assert!(
            matches!(error, EvaluateError::DeadlineExceeded { limit } if limit == LIMITS.deadline),
            "{guest}: {error:?}"
        );
    }
}

#[test]
fn a_stopped_policy_leaves_the_engine_usable() {
    let policy = load("loops").expect("a policy");
    for _ in 0..3 {
        let capabilities = Arc::new(NoCapabilities);
        assert!(policy.evaluate(b"{}", b"{}", capabilities.clone(), LIMITS).is_err());
        assert!(policy.validate_settings(b"{}", capabilities, LIMITS).expect("an answer").valid);
    }
}

#[test]
fn memory_is_limited() {
    for guest in ["grows-memory", "born-too-large"] {
        let error = evaluate(guest);
        assert!(
            matches!(error, EvaluateError::MemoryLimitExceeded { limit } if limit == LIMITS.memory),
            "{guest}: {error:?}"
        );
    }
}

#[test]
fn a_crash_is_no_verdict() {
    for guest in ["traps", "recurses", "points-outside", "claims-everything", "error-not-text"] {
        let error = evaluate(guest);
        assert!(matches!(error, EvaluateError::Trap { .. }), "{guest}: {error:?}");
    }
}

#[test]
fn an_exit_is_no_verdict() {
    assert!(matches!(evaluate("exits"), EvaluateError::Exited { status: 3, .. }));
}

#[test]
fn garbage_is_no_verdict() {
    assert!(matches!(evaluate("answers-garbage"), EvaluateError::MalformedAnswer(_)));
    assert!(matches!(evaluate("answers-nothing"), EvaluateError::NoAnswer));
    let error = evaluate("fails-silently");
    assert_eq!(error.to_string(), "the policy answered with an error: No error message set for call failure");
}

#[test]
fn only_kubewarden_is_at_home() {
    assert_eq!(evaluate("asks-elsewhere").to_string(), "the policy answered with an error: unknown binding: elsewhere");
}

#[test]
fn what_a_guest_prints_is_kept_from_our_stdout() {
    let evaluation = evaluate_within("prints", LIMITS).expect("a verdict");
    assert_eq!(evaluation.output.printed(), r#"{"summary":"fake"}"#);
}

#[test]
fn what_is_no_policy_does_not_load() {
    assert!(matches!(load("wants-more"), Err(LoadError::Link(_))));
    assert!(matches!(load("not-wapc"), Err(LoadError::MissingExport { export: "__guest_call", .. })));
    assert!(matches!(load("rego"), Err(LoadError::UnspecifiedRego)));
    let engine = Engine::new(None).expect("an engine");
    assert!(matches!(Policy::load(&engine, b"not wasm"), Err(LoadError::Compile(_))));
    assert!(matches!(Policy::load(&engine, b""), Err(LoadError::Compile(_))));
}

/// What nobody could answer counts, whenever it was asked: the policy may have kept the answer.
#[test]
fn a_question_at_start_is_not_forgotten() {
    let evaluation = evaluate_within("asks-early", LIMITS).expect("an evaluation");
    assert!(evaluation.response.accepted);
    assert_eq!(evaluation.unanswered, ["nothing here answers oci/v1/manifest_digest; give a --world"]);
    let error = load("asks-early")
        .expect("a policy")
        .validate_settings(b"{}", Arc::new(NoCapabilities), LIMITS)
        .expect_err("nobody answers");
    assert!(matches!(error, EvaluateError::Unanswered(_)), "{error:?}");
}

const fn generous() -> Limits {
    Limits { deadline: Duration::from_secs(20), memory: 16 << 20 }
}

fn load_program(name: &str) -> Policy {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name).with_extension("wat");
    let wasm = wat::parse_file(path).expect("valid WAT");
    Policy::load_as(&Engine::new(None).expect("an engine"), &wasm, Some(ExecutionMode::Wasi)).expect("a program")
}

#[test]
fn a_program_is_asked_through_its_arguments_and_stdin() {
    let policy = load_program("program");
    let capabilities = Arc::new(NoCapabilities);
    assert!(policy.validate_settings(b"{}", capabilities.clone(), LIMITS).expect("an answer").valid);
    let evaluation = policy.evaluate(b"{}", b"{}", capabilities.clone(), LIMITS).expect("a verdict");
    assert!(evaluation.response.accepted);
    let error = policy.validate_settings(b"", capabilities, LIMITS).expect_err("no question");
    assert!(
        matches!(&error, EvaluateError::Exited { status: 1, output } if output == "no question on stdin"),
        "{error:?}"
    );
}

#[test]
fn a_program_that_misbehaves_is_no_verdict() {
    let evaluate = |name: &str, limits| {
        load_program(name).evaluate(b"{}", b"{}", Arc::new(NoCapabilities), limits).expect_err(name)
    };
    let error = evaluate("program-fails", LIMITS);
    assert!(matches!(&error, EvaluateError::Exited { status: 7, output } if output == "out of cheese"), "{error:?}");
    assert!(matches!(evaluate("program-loops", LIMITS), EvaluateError::DeadlineExceeded { .. }));
    // The host keeps no more of it than of any message, long before the deadline.
    assert!(matches!(evaluate("program-talks", generous()), EvaluateError::Trap { .. }));
}

#[test]
fn a_program_finds_the_answer_at_the_end_of_its_stdin() {
    struct Answering;
    impl HostCapabilities for Answering {
        fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Answer {
            assert_eq!(
                (namespace, operation, payload),
                ("net", "v1/dns_lookup_host", &b"\"registry.corp.example\""[..])
            );
            Ok(br#"{"accepted":true}"#.to_vec())
        }
    }
    struct Refusing;
    impl HostCapabilities for Refusing {
        fn call(&self, _: &str, _: &str, _: &[u8]) -> Answer {
            Err(CapabilityError::Failed("no such host".to_owned()))
        }
    }
    let policy = load_program("program-asks");
    let evaluation = policy.evaluate(b"{}", b"{}", Arc::new(Answering), LIMITS).expect("a verdict");
    assert!(evaluation.response.accepted);
    let evaluation = policy.evaluate(b"{}", b"{}", Arc::new(Refusing), LIMITS).expect("a verdict");
    assert_eq!(evaluation.response.message.as_deref(), Some("no such host"));
    let evaluation = policy.evaluate(b"{}", b"{}", Arc::new(NoCapabilities), LIMITS).expect("a verdict");
    assert_eq!(evaluation.unanswered.len(), 1);
}

/// Waiting for the network is not the policy's own time; asking is.
#[test]
fn who_asks_for_ever_is_stopped_all_the_same() {
    struct Far;
    impl HostCapabilities for Far {
        fn call(&self, _: &str, _: &str, _: &[u8]) -> Answer {
            Ok(Vec::new())
        }

        fn waits(&self) -> bool {
            true
        }
    }
    let policy = load("asks-for-ever").expect("a policy");
    let error = policy.evaluate(b"{}", b"{}", Arc::new(Far), LIMITS).expect_err("no verdict");
    assert!(matches!(error, EvaluateError::DeadlineExceeded { .. }), "{error:?}");
}
