//! Policy groups in `check`: who is asked, what is told, and what is no verdict.

mod support;

use insta::assert_snapshot;
use support::{Finished, Run};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: web, image: nginx}]}\n";

/// A group over guests; each member is called after its guest, with `_` for `-`.
fn group(expression: &str, guests: &[&str], more: &str) -> Run {
    let members: String = guests
        .iter()
        .map(|guest| format!("    {}: {{module: file://{guest}.wasm}}\n", guest.replace('-', "_")))
        .collect();
    let resource = format!(
        "apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicyGroup
metadata: {{name: group}}
spec:
  rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]
  expression: {expression:?}
  message: one of them must accept
{more}  policies:
{members}"
    );
    let run = Run::new().file("pod.yaml", POD).file("group.yaml", resource);
    guests.iter().fold(run, |run, guest| run.guest(guest))
}

fn check(run: Run) -> Finished {
    run.run("check pod.yaml -p group.yaml --offline --timeout 0.5")
}

#[test]
fn a_group_decides_by_its_expression() {
    for (expression, status) in [
        ("accepts() || rejects()", 0),
        ("accepts() && rejects()", 1),
        ("accepts() && !rejects()", 0),
        ("accepts() == rejects()", 1),
        ("accepts() != rejects()", 0),
        ("rejects() || rejects()", 1),
        ("true", 0),
        ("false", 1),
    ] {
        let run = check(group(expression, &["accepts", "rejects"], ""));
        assert_eq!(run.status, status, "{expression}: {}", run.seen());
    }
}

#[test]
fn a_refusal_tells_what_each_member_said() {
    assert_snapshot!(check(group("rejects() && accepts()", &["accepts", "rejects"], "")).seen());
    assert_snapshot!("nobody-asked", check(group("false", &["accepts"], "")).seen());
    assert_snapshot!("monitor", check(group("rejects()", &["rejects"], "  mode: monitor\n")).seen());
}

#[test]
fn a_member_that_is_not_needed_is_not_asked() {
    let run = check(group("accepts() || traps()", &["accepts", "traps"], ""));
    assert_eq!(run.status, 0, "{}", run.seen());
    let run = check(group("rejects() && traps()", &["rejects", "traps"], ""));
    assert_eq!(run.status, 1, "{}", run.seen());
}

/// It may have decided the matter.
#[test]
fn a_member_without_a_verdict_leaves_the_group_without_one() {
    for (guest, expected) in [
        ("traps", "traps: the policy crashed"),
        ("loops", "loops: the policy ran longer than 500ms"),
        ("answers-garbage", "answers_garbage: the policy's answer is not a Kubewarden response"),
    ] {
        let run = check(group(&format!("{}() || accepts()", guest.replace('-', "_")), &["accepts", guest], ""));
        assert_eq!(run.status, 2, "{guest}");
        assert!(run.stdout.contains(expected), "{}", run.stdout);
    }
}

#[test]
fn a_member_may_not_change_the_object() {
    let resource = format!(
        "apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicyGroup
metadata: {{name: group}}
spec:
  rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]
  expression: rewrite()
  message: images come from here
  policies:
    rewrite:
      module: registry://registry.corp.example/disallow-third-party-registries:v{}
      settings: {{privateRegistries: [registry.corp.example], mirrors: {{docker.io: registry.corp.example/hub}}}}
",
        env!("CARGO_PKG_VERSION")
    );
    let run = check(Run::new().file("pod.yaml", POD).file("group.yaml", resource));
    assert_eq!(run.status, 1);
    assert!(run.stdout.contains("(rewrite: mutation is not allowed inside of policy group)"), "{}", run.stdout);
}

#[test]
fn a_group_that_cannot_be_enforced_is_told() {
    let refused = |expression: &str, guests: &[&str], more: &str| {
        let run = check(group(expression, guests, more));
        assert_eq!(run.status, 2);
        run.stdout.lines().next().unwrap_or_default().to_owned()
    };
    assert_snapshot!(
        [
            refused("accepts() && other()", &["accepts"], ""),
            refused("accepts() ? true : false", &["accepts"], ""),
            refused("accepts() &&", &["accepts"], ""),
            refused("true", &[], "  policies: {}\n#"),
            refused("true", &["accepts"], "  settings: {}\n"),
            refused("true", &["accepts"], "  mutating: true\n"),
            refused("true", &["accepts"], "  polices: {}\n"),
            refused("true", &["not-wapc"], ""),
        ]
        .join("\n")
    );
    let run = check(group("true", &["accepts"], "").file(
        "group.yaml",
        "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicyGroup\nmetadata: {name: group}\nspec:\n  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\n  message: not here\n  expression: a-b()\n  policies: {a-b: {module: accepts.wasm}}\n",
    ));
    assert!(
        run.stdout.starts_with("error: group.yaml:1: spec.policies.a-b: a name in an expression"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_group_of_a_namespace_holds_there() {
    for (namespace, evaluations) in [("shop", 1), ("bank", 0)] {
        let run = group("accepts()", &["accepts"], "");
        let resource = format!(
            "apiVersion: policies.kubewarden.io/v1\nkind: AdmissionPolicyGroup\nmetadata: {{name: group, namespace: {namespace}}}\nspec:\n  rules: [{{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]\n  message: not here\n  expression: accepts()\n  policies: {{accepts: {{module: accepts.wasm}}}}\n"
        );
        let run = run.file("group.yaml", resource).run("check pod.yaml -p group.yaml --offline -o json");
        assert_eq!(run.json()["summary"]["evaluations"], evaluations, "{}", run.seen());
    }
}
