//! Files with policy resources, and groups.

use crate::guests::{about_settings, answering, fails, folder, prints};
use crate::support::{Finished, Run};
use crate::{Part, differs, row};

const ACCEPTED: &str = r#""allowed":true,"auditAnnotations":null,"warnings":null}"#;

/// A ClusterAdmissionPolicy around `policy.wasm`, which is a neighbour of the file.
fn resource(spec: &str) -> String {
    format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{name: own}}\nspec:\n  module: policy.wasm\n  rules: [{{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]\n{spec}"
    )
}

fn group(expression: &str, members: &str) -> String {
    format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicyGroup\nmetadata: {{name: group}}\nspec:\n  rules: [{{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]\n  expression: {expression:?}\n  message: not like this\n  policies:\n{members}"
    )
}

fn rejecting() -> Run {
    folder().file("policy.wasm", answering(r#"{"accepted":false,"message":"no","code":418,"warnings":["w"]}"#))
}

fn run(run: Run, resources: &str) -> Finished {
    run.file("policy.yaml", resources).run("run -r request.json policy.yaml")
}

/// Members of a group: one that accepts, two that reject, one that fails, one that mutates.
fn members() -> Run {
    folder()
        .file("yes.wasm", answering(r#"{"accepted":true}"#))
        .file("no.wasm", answering(r#"{"accepted":false,"message":"no","code":418,"warnings":["w"]}"#))
        .file("never.wasm", answering(r#"{"accepted":false}"#))
        .file("mutates.wasm", answering(r#"{"accepted":true,"mutated_object":{}}"#))
        .guest("traps")
}

const MEMBERS: &str = "    yes_: {module: yes.wasm}\n    no_: {module: no.wasm}\n    never: {module: never.wasm}\n    mutates: {module: mutates.wasm}\n    traps: {module: traps.wasm}\n";

pub(crate) fn part() -> Part {
    let rows = vec![
        row(
            "A `.yaml` file holds ClusterAdmissionPolicies, AdmissionPolicies and groups; each gives a line, in their order.",
            || {
                let two = format!(
                    "{}---\n{}",
                    resource(""),
                    resource("").replace("ClusterAdmissionPolicy", "AdmissionPolicy")
                );
                let run = run(folder(), &two);
                assert_eq!(run.stdout, format!("{}{ACCEPTED}\n", crate::guests::UID).repeat(2));
                assert_eq!(run.status, 0);
            },
        ),
        row("The first error ends the run; the answers in front of it stay.", || {
            let broken = resource("  settings: {}\n").replace("policy.wasm", "refuses.wasm");
            let two = format!("{}---\n{broken}", resource(""));
            let run =
                run(folder().file("refuses.wasm", about_settings(1, r#"{"valid":false,"message":"never"}"#)), &two);
            assert_eq!(run.status, 1);
            assert_eq!(run.stdout, format!("{}{ACCEPTED}\n", crate::guests::UID));
            assert_eq!(run.stderr, "Error: Provided settings are not valid: never\n");
        }),
        row("In mode `monitor` everything is allowed, and patch and status are dropped.", || {
            prints(
                run(rejecting(), &resource("  mode: monitor\n")),
                r#""allowed":true,"auditAnnotations":null,"warnings":["w"]}"#,
            );
        }),
        row("Without `mutating: true` a mutation is a rejection.", || {
            let mutating = || folder().file("policy.wasm", answering(r#"{"accepted":true,"mutated_object":{}}"#));
            prints(
                run(mutating(), &resource("")),
                r#""allowed":false,"status":{"message":"Request rejected by policy own. The policy attempted to mutate the request, but it is currently configured to not allow mutations."},"auditAnnotations":null,"warnings":null}"#,
            );
            let run = run(mutating(), &resource("  mutating: true\n"));
            assert!(run.stdout.contains(r#""allowed":true,"patchType":"JSONPatch","patch":"#), "{}", run.stdout);
        }),
        row("`message` replaces the policy's own, which becomes a cause; the code stays.", || {
            prints(
                run(rejecting(), &resource("  message: ask the platform team\n")),
                r#""allowed":false,"status":{"message":"ask the platform team","details":{"causes":[{"reason":null,"message":"no","field":null}]},"code":418},"auditAnnotations":null,"warnings":["w"]}"#,
            );
        }),
        row("Settings are those of the resource; `-s` and `-e` change nothing.", || {
            let run = folder()
                .file("policy.yaml", resource(""))
                .file("settings.yaml", "a: 1\n")
                .run("run -r request.json policy.yaml -s settings.yaml -e wasi");
            prints(run, ACCEPTED);
        }),
        row("Rules, selectors, conditions and namespaces mean nothing: every policy is asked.", || {
            let narrow =
                "  objectSelector: {matchLabels: {a: b}}\n  matchConditions: [{name: never, expression: 'false'}]\n";
            prints(
                run(rejecting(), &resource(narrow)),
                r#""allowed":false,"status":{"message":"no","code":418},"auditAnnotations":null,"warnings":["w"]}"#,
            );
        }),
        row(
            "A document that is no policy of Kubewarden's v1 is an error; so is a key that the spec does not have.",
            || {
                fails(
                    run(folder(), &resource("").replace("kubewarden.io/v1", "kubewarden.io/v1alpha2")),
                    r#"invalid apiVersion Some("policies.kubewarden.io/v1alpha2")"#,
                );
                fails(
                    run(folder(), "apiVersion: policies.kubewarden.io/v1\nkind: PolicyServer\nmetadata: {name: a}\n"),
                    r#"unknown kind Some("PolicyServer"), not a Kubewarden policy"#,
                );
                let run = run(folder(), &resource("  mutates: true\n"));
                assert_eq!(run.status, 1);
                assert!(
                    run.stderr.starts_with("Error: policy.yaml:1: spec: unknown field `mutates`"),
                    "{}",
                    run.stderr
                );
            },
        ),
        row("A resource without a name is `crd-without-name`.", || {
            let nameless = resource("").replace("metadata: {name: own}\n", "");
            let run =
                run(folder().file("policy.wasm", answering(r#"{"accepted":true,"mutated_object":{}}"#)), &nameless);
            assert!(run.stdout.contains("rejected by policy crd-without-name."), "{}", run.stdout);
        }),
        row("A group that accepts says nothing else; members are asked only where their verdict matters.", || {
            prints(run(members(), &group("yes_() || traps()", MEMBERS)), ACCEPTED);
            prints(run(members(), &group("!(no_() && traps())", MEMBERS)), ACCEPTED);
        }),
        row(
            "A group that rejects gives its message, and what each member said that was asked and rejected. Codes and warnings of members are dropped.",
            || {
                prints(
                    run(members(), &group("no_() && yes_()", MEMBERS)),
                    r#""allowed":false,"status":{"message":"not like this","details":{"causes":[{"reason":null,"message":"no","field":"spec.policies.no_"}]}},"auditAnnotations":null,"warnings":null}"#,
                );
                prints(
                    run(members(), &group("false", MEMBERS)),
                    r#""allowed":false,"status":{"message":"not like this","details":{}},"auditAnnotations":null,"warnings":null}"#,
                );
            },
        ),
        row("A member that changes the object, and one that fails, count as rejecting.", || {
            prints(
                run(members(), &group("mutates()", MEMBERS)),
                r#""allowed":false,"status":{"message":"not like this","details":{"causes":[{"reason":null,"message":"mutation is not allowed inside of policy group","field":"spec.policies.mutates"}]}},"auditAnnotations":null,"warnings":null}"#,
            );
            let run = run(members(), &group("traps()", MEMBERS));
            assert_eq!(run.status, 0);
            assert!(
                run.stdout.contains(r#""message":"internal server error: Guest call failure: error while executing"#),
                "{}",
                run.stdout
            );
        }),
        row("Settings that members refuse are told together.", || {
            let refusing = about_settings(1, r#"{"valid":false,"message":"never"}"#);
            let two = "    a: {module: refuses.wasm}\n    b: {module: refuses.wasm}\n";
            let run = run(folder().file("refuses.wasm", refusing), &group("a() || b()", two));
            fails(
                run,
                "Provided settings are not valid: group/a: settings not valid: Policy settings are invalid: never, group/b: settings not valid: Policy settings are invalid: never",
            );
        }),
        differs(
            "The causes of a group stand in no order.",
            "They stand in the order in which the members were asked.",
            || {
                prints(
                    run(members(), &group("never() || no_()", MEMBERS)),
                    r#""allowed":false,"status":{"message":"not like this","details":{"causes":[{"reason":null,"message":null,"field":"spec.policies.never"},{"reason":null,"message":"no","field":"spec.policies.no_"}]}},"auditAnnotations":null,"warnings":null}"#,
                );
            },
        ),
        differs(
            "An expression is Rhai when it is evaluated and CEL for the controller: `if`, `|` and the like run here and not there.",
            "It is what both take: members, `==`, `!=`, `||`, `&&`, `!`, `true`, `false`; anything else is an error.",
            || {
                let run = run(members(), &group("yes_() | no_()", MEMBERS));
                assert_eq!((run.status, run.stdout.as_str()), (1, ""));
            },
        ),
        differs("`file://policy.yaml` fails, though the help names it.", "It is the file.", || {
            let run = folder().file("policy.yaml", resource(""));
            prints(run.run("run -r request.json file://policy.yaml"), ACCEPTED);
        }),
        differs(
            "`allowInsideAdmissionControllerNamespace` is an unknown key.",
            "It is known, as it is to the cluster.",
            || {
                prints(run(folder(), &resource("  allowInsideAdmissionControllerNamespace: true\n")), ACCEPTED);
            },
        ),
        differs(
            "Keys that the cluster refuses pass: an empty `rules`, an unknown key in a member of a group, an invalid timeout.",
            "They are errors, as in the cluster.",
            || {
                let empty = resource("").replace(
                    "rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]",
                    "rules: []",
                );
                fails(run(folder(), &empty), "policy.yaml:1: spec.rules is empty: the policy would never be asked");
                fails(
                    run(folder(), &resource("  timeoutEvalSeconds: 1\n")),
                    "policy.yaml:1: spec.timeoutEvalSeconds is not between 2 and 30",
                );
                fails(
                    run(folder(), &resource("  timeoutSeconds: 99\n")),
                    "policy.yaml:1: spec.timeoutSeconds is not between 2 and 30",
                );
                fails(
                    run(folder(), &resource("  timeoutSeconds: 5\n  timeoutEvalSeconds: 6\n")),
                    "policy.yaml:1: spec.timeoutSeconds: 5 seconds for the webhook are less than 6 for its policies",
                );
                fails(
                    run(folder(), &resource("  sideEffects: Some\n")),
                    "policy.yaml:1: spec.sideEffects is neither None nor NoneOnDryRun",
                );
            },
        ),
        differs("`timeoutEvalSeconds` has no effect.", "It is the policy's time, as in the cluster.", || {
            let looping = resource("  timeoutEvalSeconds: 2\n").replace("policy.wasm", "loops.wasm");
            let run = run(folder().guest("loops"), &looping);
            assert!(run.stdout.contains("exceeded the allowed execution time"), "{}", run.stdout);
        }),
        differs(
            "With several policies, each writes its recording over the one before.",
            "One recording holds them all.",
            || {
                let run = folder()
                    .file("policy.yaml", format!("{}---\n{}", resource(""), resource("")))
                    .run("run -r request.json policy.yaml --record-host-capabilities-interactions session.yml");
                assert_eq!(run.status, 0);
                let session = std::fs::read_to_string(run.folder.path().join("session.yml")).expect("a session");
                assert_eq!(session, "[]\n");
            },
        ),
    ];
    Part { title: "Policy resources and groups", rows }
}
