//! What policies answer, what becomes of it, and what they may ask.

use crate::guests::{REQUEST, UID, annotated, answer, answering, folder, guest, prints};
use crate::support::Run;
use crate::{Part, capabilities, differs, row};

/// Reads the Namespace `shop` and answers with what it is told.
const ASKS: &str = include_str!("../guests/asks-for-a-namespace.wat");

fn asks() -> Vec<u8> {
    annotated(
        &wat::parse_str(ASKS).expect("valid WAT"),
        "rules: []\nmutating: false\ncontextAwareResources: [{apiVersion: v1, kind: Namespace}]\n",
    )
}

/// A recorded answer to what that policy asks.
const SESSION: &str = r#"- type: Exchange
  request: |
    !KubernetesGetResource
    api_version: v1
    kind: Namespace
    name: shop
    namespace: null
    disable_cache: false
    field_masks: null
  response:
    type: Success
    payload: '{"accepted":true}'
"#;

fn replay(arguments: &str) -> crate::support::Finished {
    folder().file("policy.wasm", asks()).file("session.yml", SESSION).run(&format!(
        "run -r request.json policy.wasm --replay-host-capabilities-interactions session.yml {arguments}"
    ))
}

pub(crate) fn part() -> Part {
    let rows = vec![
        row("Stdout has one line of compact JSON; exit status 0 whether the request is allowed or not.", || {
            prints(answer(r#"{"accepted":true}"#), r#""allowed":true,"auditAnnotations":null,"warnings":null}"#);
            prints(answer(r#"{"accepted":false}"#), r#""allowed":false,"auditAnnotations":null,"warnings":null}"#);
        }),
        row("`status` is there when the policy gives a message or a code, also where it accepts.", || {
            prints(
                answer(r#"{"accepted":false,"message":"no","code":418}"#),
                r#""allowed":false,"status":{"message":"no","code":418},"auditAnnotations":null,"warnings":null}"#,
            );
            prints(
                answer(r#"{"accepted":true,"message":"fine"}"#),
                r#""allowed":true,"status":{"message":"fine"},"auditAnnotations":null,"warnings":null}"#,
            );
        }),
        row("Audit annotations and warnings are handed on.", || {
            prints(
                answer(r#"{"accepted":true,"audit_annotations":{"b":"1","a":"2"},"warnings":["w"]}"#),
                r#""allowed":true,"auditAnnotations":{"a":"2","b":"1"},"warnings":["w"]}"#,
            );
        }),
        row("Unknown keys of an answer are ignored, `null` is absent.", || {
            prints(
                answer(r#"{"accepted":true,"message":null,"mutated_object":null,"more":1}"#),
                r#""allowed":true,"auditAnnotations":null,"warnings":null}"#,
            );
        }),
        row(
            "A mutation becomes a patch: RFC 6902 in base64, lists compared by position, no patch without a difference.",
            || {
                let mutated = |spec: &str| {
                    answer(&format!(
                        r#"{{"accepted":true,"mutated_object":{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web"}},"spec":{spec}}}}}"#
                    ))
                };
                let same = r#"{"containers":[{"name":"a","image":"nginx"},{"name":"b","image":"redis"}]}"#;
                prints(mutated(same), r#""allowed":true,"auditAnnotations":null,"warnings":null}"#);
                // [{"op":"replace","path":"/spec/containers/0/image","value":"x"},{"op":"replace","path":"/spec/containers/0/name","value":"c"},{"op":"remove","path":"/spec/containers/1"}]
                let run = mutated(r#"{"containers":[{"name":"c","image":"x"}]}"#);
                let patch = "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zcGVjL2NvbnRhaW5lcnMvMC9pbWFnZSIsInZhbHVlIjoieCJ9LHsib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zcGVjL2NvbnRhaW5lcnMvMC9uYW1lIiwidmFsdWUiOiJjIn0seyJvcCI6InJlbW92ZSIsInBhdGgiOiIvc3BlYy9jb250YWluZXJzLzEifV0=";
                prints(
                    run,
                    &format!(
                        r#""allowed":true,"patchType":"JSONPatch","patch":"{patch}","auditAnnotations":null,"warnings":null}}"#
                    ),
                );
            },
        ),
        row("Whatever a module's metadata say, it may mutate; also where it rejects.", || {
            let mutates = answering(r#"{"accepted":false,"mutated_object":{}}"#);
            let mutates = annotated(&mutates, "rules: []\nmutating: false\n");
            let run = folder().file("policy.wasm", mutates).run("run -r request.json policy.wasm");
            assert!(run.stdout.contains(r#""allowed":false,"patchType":"JSONPatch","patch":"#), "{}", run.stdout);
        }),
        row("A mutation without an object, as on DELETE, is a rejection.", || {
            let request = REQUEST.replace(r#""object":{"#, r#""oldObject":{"#).replace("CREATE", "DELETE");
            let run = folder()
                .file("request.json", request)
                .file("policy.wasm", answering(r#"{"accepted":true,"mutated_object":{}}"#))
                .run("run -r request.json policy.wasm");
            prints(
                run,
                r#""allowed":false,"status":{"message":"Incoming object is null, which happens only with DELETE operations, but the policy is attempting a mutation. This is not allowed"},"auditAnnotations":null,"warnings":null}"#,
            );
        }),
        row(
            "An error of the policy: code 500, `internal server error: Guest call failure: …`, exit status 0.",
            || {
                let failing = guest((0, "out of \"cheese\""), (1, r#"{"valid":true}"#));
                let run = folder().file("policy.wasm", failing).run("run -r request.json policy.wasm");
                prints(
                    run,
                    r#""allowed":false,"status":{"message":"internal server error: Guest call failure: out of \"cheese\"","code":500},"auditAnnotations":null,"warnings":null}"#,
                );
            },
        ),
        row("A crash: the same with `error while executing at wasm backtrace: …`.", || {
            let run = folder().guest("traps").run("run -r request.json traps.wasm");
            assert_eq!(run.status, 0);
            let expected = r#""allowed":false,"status":{"message":"internal server error: Guest call failure: error while executing at wasm backtrace:"#;
            assert!(run.stdout.contains(expected), "{}", run.stdout);
        }),
        row("An answer that is no JSON: `internal server error: invalid response from policy: …`, code 500.", || {
            prints(
                answer("no JSON"),
                r#""allowed":false,"status":{"message":"internal server error: invalid response from policy: expected ident at line 1 column 2","code":500},"auditAnnotations":null,"warnings":null}"#,
            );
        }),
        row("A WASI program that ends with an error: code 500, and its stderr as the message.", || {
            let fails = wat::parse_str(include_str!("../guests/program-fails-later.wat")).expect("valid WAT");
            let run = folder().file("policy.wasm", fails).run("run -r request.json -e wasi policy.wasm");
            let expected = r#""allowed":false,"status":{"message":"out of cheese","code":500},"auditAnnotations":null,"warnings":null}"#;
            assert_eq!(
                (run.status, run.stdout, run.stderr.as_str()),
                (0, format!("{UID}{expected}\n"), "out of cheese\n")
            );
        }),
        row(
            "`--raw`, or `policyType: raw`: any JSON is a request; its `uid` is the answer's if it is a text, and a mutation changes all of it.",
            || {
                let run = |request: &str, validate: &str, arguments: &str| {
                    Run::new()
                        .file("request.json", request)
                        .file("policy.wasm", answering(validate))
                        .file(
                            "raw.wasm",
                            annotated(&answering(validate), "rules: []\nmutating: false\npolicyType: raw\n"),
                        )
                        .run(&format!("run -r request.json {arguments}"))
                        .stdout
                };
                let accepted = r#"{"accepted":true}"#;
                let rest = r#""allowed":true,"auditAnnotations":null,"warnings":null}"#;
                for arguments in ["--raw policy.wasm", "raw.wasm"] {
                    assert_eq!(run("[1]", accepted, arguments), format!("{{\"uid\":\"\",{rest}\n"));
                    assert_eq!(run(r#"{"uid":"a"}"#, accepted, arguments), format!("{{\"uid\":\"a\",{rest}\n"));
                    assert_eq!(run(r#"{"uid":1}"#, accepted, arguments), format!("{{\"uid\":\"\",{rest}\n"));
                }
                let mutated = run(r#"{"a":1}"#, r#"{"accepted":true,"mutated_object":{"a":2}}"#, "--raw policy.wasm");
                // [{"op":"replace","path":"/a","value":2}]
                assert!(
                    mutated.contains(r#""patch":"W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9hIiwidmFsdWUiOjJ9XQ==""#),
                    "{mutated}"
                );
            },
        ),
        row(
            "Sessions that kwctl recorded are replayed. Cluster objects need `--allow-context-aware` all the same.",
            || {
                prints(replay("--allow-context-aware"), r#""allowed":true,"auditAnnotations":null,"warnings":null}"#);
                let run = replay("");
                let expected = "Policy has not been granted access to Kubernetes v1/Namespace resources. The violation has been reported.";
                assert!(run.stdout.contains(expected), "{}", run.stdout);
            },
        ),
        row(
            "Every capability can be replayed: signatures by keys, identities, prefixes, workflows and certificates, digests, manifests, configurations, addresses, certificates, lists, objects, access reviews.",
            || {
                for (capability, payload, request) in capabilities::ALL {
                    let session = capabilities::session(request);
                    let run = folder()
                    .file("policy.wasm", capabilities::asking(capability, payload))
                    .file("session.yml", session)
                    .run("run -r request.json policy.wasm --allow-context-aware --replay-host-capabilities-interactions session.yml");
                    assert_eq!(
                        (run.status, run.stdout.as_str(), run.stderr.as_str()),
                        (
                            0,
                            format!("{UID}{}\n", r#""allowed":true,"auditAnnotations":null,"warnings":null}"#).as_str(),
                            ""
                        ),
                        "{capability}"
                    );
                }
            },
        ),
        row("A capability that is not allowed: the policy is told so, in these words.", || {
            let run = replay("--allow-context-aware --allowed-host-capabilities oci/*");
            let expected = "Policy has not been granted access to the 'kubernetes/get_resource' host capability. The violation has been reported.";
            assert!(run.stdout.contains(expected), "{}", run.stdout);
        }),
        differs(
            "A replay file that is not there ends with 0 if the policy copes.",
            "Exit status 1, and the file's name.",
            || {
                let run =
                    folder().run("run -r request.json policy.wasm --replay-host-capabilities-interactions no.yml");
                assert_eq!((run.status, run.stdout.as_str()), (1, ""));
                assert!(run.stderr.starts_with("Error: no.yml: cannot be read: "), "{}", run.stderr);
            },
        ),
        differs(
            "A session is replayed in its order, and another question is an error.",
            "A question gets the answer that was recorded for it, whenever it is asked; every field of it counts.",
            || {
                let shifted = SESSION.replace("name: shop", "name: other");
                let twice = format!("{shifted}{SESSION}");
                let run = folder().file("policy.wasm", asks()).file("session.yml", twice).run(
                    "run -r request.json policy.wasm --allow-context-aware --replay-host-capabilities-interactions session.yml",
                );
                prints(run, r#""allowed":true,"auditAnnotations":null,"warnings":null}"#);
            },
        ),
        differs(
            "What could not be answered is known to the policy alone.",
            "A warning on stderr says so, too.",
            || {
                let run = folder().file("policy.wasm", asks()).run("run -r request.json policy.wasm --offline");
                assert_eq!(run.status, 0);
                assert!(
                    run.stderr.starts_with("warning: the policy was told that this could not be answered: "),
                    "{}",
                    run.stderr
                );
            },
        ),
        differs(
            "Settings and request go to one instance, so a policy may remember one for the other.",
            "Each has a fresh instance, as in policy-server.",
            || {
                let counts = wat::parse_str(include_str!("../guests/remembers.wat")).expect("valid WAT");
                let run = folder().file("policy.wasm", counts).run("run -r request.json policy.wasm");
                prints(run, r#""allowed":true,"auditAnnotations":null,"warnings":null}"#);
            },
        ),
        differs(
            "A policy has all the time and memory of the machine.",
            "5 seconds and 256 MiB (`--timeout`, `--memory`), and then policy-server's words: `Policy execution interrupted because it exceeded the allowed execution time`, code 500.",
            || {
                let run = folder().guest("loops").run("run -r request.json loops.wasm --timeout 0.2");
                prints(
                    run,
                    r#""allowed":false,"status":{"message":"Policy execution interrupted because it exceeded the allowed execution time","code":500},"auditAnnotations":null,"warnings":null}"#,
                );
                let run = folder().guest("grows-memory").run("run -r request.json grows-memory.wasm --memory 16");
                assert!(run.stdout.contains("asked for more than 16 MiB"), "{}", run.stdout);
            },
        ),
        differs(
            "What a policy prints goes to stdout, in front of the answer, and it may read stdin.",
            "It goes to stderr, and its stdin is empty.",
            || {
                let run = folder().guest("prints").run("run -r request.json prints.wasm");
                assert_eq!(run.stdout.lines().count(), 1);
                assert_eq!(run.stderr, "{\"summary\":\"fake\"}\n");
            },
        ),
    ];
    Part { title: "Evaluation and answers", rows }
}
