//! The other commands.

use crate::guests::{REQUEST, about_settings, annotated, answering, fails, folder};
use crate::support::{Finished, Run};
use crate::{Part, differs, row};

const METADATA: &str = "rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\nmutating: false\nannotations: {io.kubewarden.policy.title: own, io.kubewarden.policy.version: 1.0}\n";

/// A policy that says which protocol it speaks.
const SPEAKS: &str = include_str!("../guests/speaks.wat");

fn module() -> Run {
    Run::new().file("policy.wasm", wat::parse_str(SPEAKS).expect("valid WAT")).file("metadata.yml", METADATA)
}

/// The module that a run has left.
fn left(run: &Finished, name: &str) -> Vec<u8> {
    std::fs::read(run.folder.path().join(name)).expect("a module")
}

pub(crate) fn part() -> Part {
    let rows = vec![
        row(
            "`annotate -m metadata.yml -u README.md -o out.wasm in.wasm` asks the policy for its protocol, embeds the README, and turns annotations into texts.",
            || {
                let run = module()
                    .file("README.md", "# Own\n")
                    .run("annotate -m metadata.yml -u README.md -o out.wasm policy.wasm");
                assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
                let metadata =
                    policy_metadata::of_module(&left(&run, "out.wasm")).expect("a module").expect("annotated");
                assert_eq!(metadata.protocol_version, Some(policy_metadata::ProtocolVersion::V1));
                assert_eq!(metadata.version(), Some("1.0"));
                assert_eq!(metadata.annotations["io.kubewarden.policy.usage"], "# Own\n");
            },
        ),
        row("Programs and Rego have the protocol version `Unknown`.", || {
            let run = module().guest("program").file("metadata.yml", format!("{METADATA}executionMode: wasi\n"));
            let run = run.run("annotate -m metadata.yml -o out.wasm program.wasm");
            assert_eq!(run.status, 0, "{}", run.stderr);
            let metadata = policy_metadata::of_module(&left(&run, "out.wasm")).expect("a module").expect("annotated");
            assert_eq!(metadata.protocol_version, Some(policy_metadata::ProtocolVersion::Unknown));
        }),
        row("Metadata that Kubernetes would not take, or of another mode than the module's, are refused.", || {
            let refused = |metadata: &str| {
                let run =
                    module().file("metadata.yml", metadata).run("annotate -m metadata.yml -o out.wasm policy.wasm");
                assert_eq!((run.status, run.stdout.as_str()), (1, ""));
                assert!(!run.folder.path().join("out.wasm").exists());
                run.stderr
            };
            assert_eq!(refused("mutating: false\n"), "Error: metadata.yml: missing field `rules`\n");
            assert!(refused(&METADATA.replace("[pods]", "[]")).contains("rules[0]: none of its lists may be empty"));
            assert!(
                refused(&format!("{METADATA}executionMode: wasi\n")).contains("the module does not export `_start`")
            );
        }),
        row(
            "`inspect -o yaml` gives the metadata in their order; a module without any: `No Kubewarden metadata found inside of …`, exit status 1.",
            || {
                let policy = annotated(&answering(r#"{"accepted":true}"#), METADATA);
                let run = folder().file("own.wasm", policy).run("inspect own.wasm -o yaml");
                assert_eq!(run.status, 0);
                assert!(run.stdout.starts_with("rules:\n- apiGroups:\n"), "{}", run.stdout);
                let run = folder().run("inspect policy.wasm");
                assert_eq!((run.status, run.stdout.as_str()), (1, ""));
                assert!(
                    run.stderr.starts_with("Error: No Kubewarden metadata found inside of 'file://policy.wasm'.\n"),
                    "{}",
                    run.stderr
                );
            },
        ),
        row(
            "`bench` takes the inputs of `run`, `--warm-up-time`, `--measurement-time`, `--num-samples`, `--num-resamples` and `--dump-results-to-disk`, and names `validate`, `validate_settings` and the warming up on stdout.",
            || {
                let run = folder().run("bench -r request.json policy.wasm --warm-up-time 0 --measurement-time 1 --num-samples 3 --num-resamples 2 --dump-results-to-disk yes");
                assert_eq!((run.status, run.stderr.as_str()), (0, ""));
                for expected in ["validate_settings", "validate, fresh instance", "warming up"] {
                    assert!(run.stdout.contains(expected), "{}", run.stdout);
                }
            },
        ),
        row("`completions --shell SHELL` prints completions.", || {
            for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
                let run = Run::new().run(&format!("completions --shell {shell}"));
                assert_eq!(run.status, 0);
                assert!(run.stdout.contains("host-runner"), "{shell}");
            }
        }),
        differs(
            "Annotating an annotated module adds metadata that nobody reads.",
            "It is refused; `--replace` replaces them.",
            || {
                let old = annotated(&wat::parse_str(SPEAKS).expect("valid WAT"), "rules: []\nmutating: true\n");
                let run =
                    module().file("policy.wasm", old.clone()).run("annotate -m metadata.yml -o out.wasm policy.wasm");
                assert_eq!(run.status, 1);
                assert!(run.stderr.contains("is annotated already"), "{}", run.stderr);
                let run =
                    module().file("policy.wasm", old).run("annotate -m metadata.yml -o out.wasm policy.wasm --replace");
                assert_eq!(run.status, 0);
                let metadata =
                    policy_metadata::of_module(&left(&run, "out.wasm")).expect("a module").expect("annotated");
                assert_eq!(metadata.title(), Some("own"));
            },
        ),
        differs(
            "`annotate` says nothing of keys that Kubewarden ignores, and warns when `hostCapabilities` and the texts in the module are not literally the same.",
            "It warns of such keys; capabilities are held against what a policy asks by `test`.",
            || {
                let run = module().file("metadata.yml", format!("{METADATA}contextAware: false\n"));
                let run = run.run("annotate -m metadata.yml -o out.wasm policy.wasm");
                assert_eq!(
                    (run.status, run.stderr.as_str()),
                    (0, "warning: metadata.yml: contextAware means nothing to Kubewarden\n")
                );
            },
        ),
        differs(
            "`annotate` notes `io.kubewarden.kwctl`, and renames the import `kubewarden:javy/host`.",
            "It notes `io.kubewarden.host-runner`, and leaves the module as it is: hosts take both names.",
            || {
                let run = module().run("annotate -m metadata.yml -o out.wasm policy.wasm");
                let metadata =
                    policy_metadata::of_module(&left(&run, "out.wasm")).expect("a module").expect("annotated");
                assert!(metadata.annotations.contains_key("io.kubewarden.host-runner"));
            },
        ),
        differs(
            "`bench` measures whatever the policy does, an error too, in one instance.",
            "A policy without a verdict is an error. Fresh and reused instances are measured; `-o json` has the numbers.",
            || {
                let run =
                    folder().guest("traps").run("bench -r request.json traps.wasm --warm-up-time 0 --num-samples 1");
                assert_eq!((run.status, run.stdout.as_str()), (1, ""));
                assert!(
                    run.stderr.starts_with("Error: nothing is measured: traps.wasm gives no verdict: "),
                    "{}",
                    run.stderr
                );
                let run = folder().run("bench -r request.json policy.wasm --warm-up-time 0 --num-samples 3 -o json");
                let measured = run.json();
                assert_eq!(measured["policies"][0]["fresh"]["samples"], 3);
                assert_eq!(measured["policies"][0]["reused"]["samples"], 3);
            },
        ),
        differs(
            "`bench` tells invalid settings with the policy's name in front, twice.",
            "Once: `<policy>: Provided settings are not valid: …`.",
            || {
                let refusing = about_settings(1, r#"{"valid":false,"message":"never"}"#);
                let run = folder().file("policy.wasm", refusing).run("bench -r request.json policy.wasm");
                fails(run, "policy.wasm: Provided settings are not valid: never");
            },
        ),
        differs(
            "`bench` wants a policy.",
            "Without one it measures the bundle, each policy and all together; `-s` is then a map from policy name to settings.",
            || {
                let settings = include_str!("../../../examples/settings.yaml");
                let run = Run::new()
                    .file("request.json", REQUEST)
                    .file("settings.yaml", settings)
                    .file("world.yaml", "cluster: []\nimages: {}\n")
                    .run("bench -r request.json -s settings.yaml --world world.yaml --offline --warm-up-time 0 --num-samples 1 -o json");
                assert_eq!((run.status, run.stderr.as_str()), (0, ""));
                assert_eq!(run.json()["policies"].as_array().map(Vec::len), Some(bundle::POLICIES.len()));
                assert_eq!(run.json()["all"]["samples"], 1);
            },
        ),
        differs(
            "`inspect` draws tables, and has `--show-signatures`; `push --force` wants a value; `pull` prints nothing.",
            "`inspect` prints plain lines, and has no signatures; `--force` is a flag; `pull` tells the file and its digest.",
            || {
                assert_eq!(Run::new().run("inspect require-single-app --show-signatures").status, 2);
                let run = Run::new().run("inspect require-single-app");
                assert!(run.stdout.starts_with("Details\n  author "), "{}", run.stdout);
                assert!(Run::new().run("push --help").stdout.contains("-f, --force\n"));
            },
        ),
        differs(
            "There are `scaffold`, `verify`, `digest`, `save`, `load`, `policies`, `rm`, `info` and `docs`.",
            "There are not, and each is a usage error. Requests are made from manifests where they are needed; `man` prints manual pages.",
            || {
                for command in ["scaffold", "verify", "digest", "save", "load", "policies", "rm", "info", "docs"] {
                    assert_eq!(Run::new().run(command).status, 2, "{command}");
                }
                let run = Run::new().run("man");
                assert!(run.stdout.contains(".TH host-runner 1"), "{}", run.stdout);
            },
        ),
        differs(
            "Its name is kwctl.",
            "A link or copy with that name calls itself so, and is the same program.",
            || {
                let run = folder().run_as("kwctl", "run --help");
                assert!(run.stdout.contains("Usage: kwctl run "), "{}", run.stdout);
                crate::guests::prints(
                    folder().run_as("kwctl", "run -r request.json policy.wasm"),
                    r#""allowed":true,"auditAnnotations":null,"warnings":null}"#,
                );
            },
        ),
    ];
    Part { title: "Other commands", rows }
}
