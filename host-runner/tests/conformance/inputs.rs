//! The flags of `run`, the request and the settings.

use crate::guests::{REQUEST, about_settings, annotated, answering, fails, folder, prints};
use crate::support::Run;
use crate::{Part, differs, row};

const ACCEPTED: &str = r#""allowed":true,"auditAnnotations":null,"warnings":null}"#;

pub(crate) fn part() -> Part {
    let rows = vec![
        row("Flags stand before or behind the policy.", || {
            prints(folder().run("run -r request.json policy.wasm"), ACCEPTED);
            prints(folder().run("run policy.wasm --request-path request.json"), ACCEPTED);
            prints(folder().run("-v --no-color run policy.wasm -r request.json --settings-json {}"), ACCEPTED);
        }),
        row("`-r -` reads the request from stdin.", || {
            prints(folder().stdin(REQUEST).run("run -r - policy.wasm"), ACCEPTED);
        }),
        row("An AdmissionReview is unwrapped; its answer is not wrapped.", || {
            let review =
                format!(r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{REQUEST}}}"#);
            prints(folder().file("request.json", review).run("run -r request.json policy.wasm"), ACCEPTED);
        }),
        row("Settings come from `-s FILE`, YAML or JSON, or from `--settings-json`; the file wins.", || {
            // A policy that wants none of the bundle's settings refuses what it does not know.
            let run = |arguments: &str| {
                Run::new()
                    .file("request.json", REQUEST)
                    .file("good.yaml", "uniqueTag: '[0-9a-f]{15}'\n")
                    .file("good.json", r#"{"uniqueTag":"[0-9a-f]{15}"}"#)
                    .run(&format!("run -r request.json require-if-not-present-pull {arguments}"))
            };
            assert_eq!(run("-s good.yaml").status, 0);
            assert_eq!(run("-s good.json").status, 0);
            assert_eq!(run(r#"--settings-json {"uniqueTag":"[0-9]{15}"}"#).status, 0);
            assert_eq!(run(r#"--settings-json {"unknown":1}"#).status, 1);
            assert_eq!(run(r#"-s good.yaml --settings-json {"unknown":1}"#).status, 0);
        }),
        row("No settings, `null` and an empty file are `{}`.", || {
            for settings in ["", "null", "{}"] {
                let run =
                    folder().file("settings.yaml", settings).run("run -r request.json -s settings.yaml policy.wasm");
                prints(run, ACCEPTED);
            }
        }),
        row("Settings that are no mapping: `Invalid settings in CRD, not an object`.", || {
            let run = folder().run("run -r request.json policy.wasm --settings-json [1]");
            fails(run, "Invalid settings in CRD, not an object");
        }),
        row("Settings that are no JSON: `Cannot parse settings JSON: …`.", || {
            let run = folder().run("run -r request.json policy.wasm --settings-json {");
            fails(run, "Cannot parse settings JSON: EOF while parsing an object at line 1 column 1");
        }),
        row("Settings that the policy refuses: exit status 1 and `Provided settings are not valid: …`.", || {
            let run = |guest: Vec<u8>| folder().file("policy.wasm", guest).run("run -r request.json policy.wasm");
            let refused = about_settings(1, r#"{"valid":false,"message":"a number, please"}"#);
            fails(run(refused), "Provided settings are not valid: a number, please");
            let silent = about_settings(1, r#"{"valid":false}"#);
            fails(run(silent), "Provided settings are not valid: ");
            let unreadable = about_settings(0, r#"invalid type: integer `1`, expected a "boolean""#);
            fails(
                run(unreadable),
                r#"Provided settings are not valid: Error invoking settings validation callback: GuestCallFailure("invalid type: integer `1`, expected a \"boolean\"")"#,
            );
            let garbage = about_settings(1, "no JSON");
            fails(
                run(garbage),
                r#"Provided settings are not valid: error: InvalidResponseWithError(Error("expected ident", line: 1, column: 2))"#,
            );
        }),
        row("A request file that is not there: `Error opening request file …`.", || {
            let run = folder().run("run -r nowhere.json policy.wasm");
            fails(run, "Error opening request file nowhere.json; No such file or directory (os error 2)");
        }),
        row("A request that is no JSON: serde's own words.", || {
            let run = folder().file("request.json", "no JSON").run("run -r request.json policy.wasm");
            fails(run, "expected ident at line 1 column 2");
        }),
        row("A request that is no object: `Invalid request object`.", || {
            fails(folder().file("request.json", "[]").run("run -r request.json policy.wasm"), "Invalid request object");
        }),
        row("An AdmissionReview without a request: `invalid AdmissionReview object`.", || {
            let run =
                folder().file("request.json", r#"{"kind":"AdmissionReview"}"#).run("run -r request.json policy.wasm");
            fails(run, "invalid AdmissionReview object");
        }),
        row(
            "An object that is no AdmissionRequest: ``cannot build AdmissionRequest object from given input: missing field `kind` ``.",
            || {
                let run = folder().file("request.json", r#"{"uid":"a"}"#).run("run -r request.json policy.wasm");
                fails(run, "cannot build AdmissionRequest object from given input: missing field `kind`");
            },
        ),
        row("Usage errors end with 2: no request, `--record-…` beside `--replay-…`.", || {
            assert_eq!(folder().run("run policy.wasm").status, 2);
            let both = "--record-host-capabilities-interactions a --replay-host-capabilities-interactions b";
            assert_eq!(folder().run(&format!("run -r request.json policy.wasm {both}")).status, 2);
            assert_eq!(folder().run("run -r request.json policy.wasm -e nonsense").status, 2);
        }),
        row(
            "`--allowed-host-capabilities` takes any number of patterns, up to the next flag or `--`; without one, none is allowed.",
            || {
                for arguments in [
                    "policy.wasm --allowed-host-capabilities",
                    "--allowed-host-capabilities oci/* net/* -- policy.wasm",
                ] {
                    prints(folder().run(&format!("run -r request.json {arguments}")), ACCEPTED);
                }
                let run = folder().run("run -r request.json policy.wasm --allowed-host-capabilities oci*");
                assert_eq!(run.status, 1);
                assert!(run.stderr.starts_with("Error: Invalid host capabilities pattern: "), "{}", run.stderr);
            },
        ),
        row("`--raw` with a YAML file: `The --raw option cannot be used with a YAML file: …`.", || {
            let run = folder().run("run --raw -r request.json policy.yaml");
            fails(run, "The --raw option cannot be used with a YAML file: policy.yaml");
        }),
        row(
            "A policy that is nowhere: `Cannot find policy with uri: …`, also for a name in a registry without `registry://`.",
            || {
                let run = folder().run("run -r request.json ghcr.io/acme/policy:v1");
                assert_eq!(run.status, 1);
                assert!(
                    run.stderr.starts_with("Error: Cannot find policy with uri: ghcr.io/acme/policy:v1"),
                    "{}",
                    run.stderr
                );
            },
        ),
        row("A module without metadata runs as waPC; one that comes from Rego wants to know its runtime.", || {
            prints(folder().run("run -r request.json policy.wasm"), ACCEPTED);
            let run = folder().guest("rego").run("run -r request.json rego.wasm");
            fails(run, "The policy has been created with Rego, please specify which Opa runtime has to be used");
        }),
        row("`-e wasi` and `executionMode: wasi` run the module as a program.", || {
            prints(folder().guest("program").run("run -r request.json -e wasi program.wasm"), ACCEPTED);
            let program = wat::parse_str(include_str!("../guests/program.wat")).expect("valid WAT");
            let program = annotated(&program, "rules: []\nmutating: false\nexecutionMode: wasi\n");
            prints(folder().file("policy.wasm", program).run("run -r request.json policy.wasm"), ACCEPTED);
        }),
        row("A policy for a newer Kubewarden is refused.", || {
            let newer = annotated(
                &answering(r#"{"accepted":true}"#),
                "rules: []\nmutating: false\nminimumKubewardenVersion: 99.1.0\n",
            );
            let run = folder().file("policy.wasm", newer).run("run -r request.json policy.wasm");
            assert_eq!(run.status, 1);
            assert!(
                run.stderr
                    .starts_with("Error: Policy required Kubewarden version 99.1.0 or greater. But it's running on "),
                "{}",
                run.stderr
            );
        }),
        differs(
            "`-e kubewarden` always fails, and `-e kubewarden-wapc` is a usage error.",
            "Both run the module as waPC, which is what the help of kwctl says.",
            || {
                for mode in ["kubewarden", "kubewarden-wapc"] {
                    prints(folder().run(&format!("run -r request.json -e {mode} policy.wasm")), ACCEPTED);
                }
            },
        ),
        differs(
            "Rego modules run with `-e opa` or `-e gatekeeper`.",
            "An error names the mode. The one maintained crate for such modules, opa-wasm 0.3, knows no `%v` in `sprintf`, with which policies build their messages.",
            || {
                let run = folder().guest("rego").run("run -r request.json -e gatekeeper rego.wasm");
                fails(run, "the policy runs in mode gatekeeper, and only kubewarden-wapc and wasi can be run here");
            },
        ),
        differs(
            "Each run fetches Sigstore's roots of trust over the network, or waits a second for it in vain.",
            "Nothing is asked of the network before a policy asks.",
            || {
                // An address that nobody answers would be waited for.
                let run = folder().run("run -r request.json policy.wasm --sources-path sources.yml");
                assert_eq!(run.status, 1);
                let proxied =
                    "proxies: {http_proxy: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1', no_proxy: null}\n";
                prints(
                    folder()
                        .file("sources.yml", proxied)
                        .run("run -r request.json policy.wasm --sources-path sources.yml"),
                    ACCEPTED,
                );
            },
        ),
        differs(
            "In a settings file `yes` and `on` are texts.",
            "They are booleans, as they are to kubectl, by whom settings come to a cluster.",
            || {
                let run = Run::new().file("request.json", REQUEST).file("settings.yaml", "mutate: yes\n");
                assert_eq!(run.run("run -r request.json require-if-not-present-pull -s settings.yaml").status, 0);
            },
        ),
        differs(
            "A manifest is no request.",
            "`-r pod.yaml` stands for the request that creates the object in it.",
            || {
                let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
                let run = folder().file("pod.yaml", pod).run("run -r pod.yaml policy.wasm");
                assert_eq!((run.status, run.stderr.as_str()), (0, ""));
                let two = format!("{pod}---\n{pod}");
                let run = folder().file("pods.yaml", two).run("run -r pods.yaml policy.wasm");
                fails(run, "pods.yaml: holds 2 objects, and a request is about one");
            },
        ),
        differs(
            "Policies are files, addresses, or digests in the store.",
            "So they are, and the policies of the bundle have their names.",
            || {
                let run = Run::new().file("request.json", REQUEST).run("run -r request.json require-unique-image-name");
                assert_eq!(run.status, 0);
                assert!(run.stdout.contains(r#""allowed":false"#), "{}", run.stdout);
            },
        ),
    ];
    Part { title: "Flags, requests, settings", rows }
}
