//! The binary: what it says, on which stream, and how it ends.

mod support;

use insta::assert_snapshot;
use support::Run;

const GOOD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
  - name: web
    image: registry.corp.example/shop-web-storefront:881c2d2cffa9375
    imagePullPolicy: IfNotPresent
";

const FOREIGN: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
  - name: web
    image: nginx
";

/// Every policy of the bundle that needs no settings, and the one above. Whoever asks nobody finds no report.
const SETTINGS: &str = "\
disallow-third-party-registries: {privateRegistries: [registry.corp.example]}
require-fresh-scan: {missingReport: accept}
";

const WORLD: &str = "\
cluster: []
images:
  registry.corp.example/shop-web-storefront:881c2d2cffa9375:
    manifest: {schemaVersion: 2, config: {}, layers: []}
    config: {os: linux, architecture: amd64, config: {Entrypoint: [/storefront]}}
";

fn shop() -> Run {
    Run::new()
        .file("settings.yaml", SETTINGS)
        .file("world.yaml", WORLD)
        .file("good.yaml", GOOD)
        .file("foreign.yaml", FOREIGN)
}

/// A policy resource around a module of the bundle.
fn resource(more: &str) -> String {
    format!(
        "\
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {{name: own-registry}}
spec:
  module: registry://registry.corp.example/policies/disallow-third-party-registries:v{}
  settings: {{privateRegistries: [registry.corp.example], mirrors: {{docker.io: registry.corp.example/hub}}}}
  rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]
{more}",
        env!("CARGO_PKG_VERSION")
    )
}

/// A policy resource around one of the misbehaving guests.
fn guest_resource(guest: &str) -> String {
    format!(
        "\
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {{name: {guest}}}
spec:
  module: file://{guest}.wasm
  rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]
"
    )
}

#[test]
fn a_good_manifest_is_clean() {
    assert_snapshot!(shop().run("check good.yaml -s settings.yaml --offline --world world.yaml").seen());
}

#[test]
fn a_rejection_names_file_line_place_and_fix() {
    assert_snapshot!(shop().run("check foreign.yaml good.yaml -s settings.yaml --offline --world world.yaml").seen());
}

#[test]
fn verbose_tells_what_went_well_too() {
    assert_snapshot!(shop().run("check good.yaml -s settings.yaml --verbose --offline --world world.yaml").seen());
}

#[test]
fn the_json_report_keeps_its_keys() {
    let run = shop().run("check foreign.yaml -s settings.yaml --policy disallow-third-party-registries -o json");
    let pretty = serde_json::to_string_pretty(&run.json()).expect("JSON");
    assert_snapshot!(pretty);
}

#[test]
fn stdin_is_a_file_too() {
    let run = Run::new().stdin(FOREIGN).run("check - --policy require-unique-image-name");
    assert_eq!(run.status, 1);
    assert!(run.stdout.starts_with("stdin:1 Pod shop/web\n"), "{}", run.stdout);
}

#[test]
fn bad_input_is_told_and_the_rest_is_checked() {
    let run = shop()
        .file("broken.yaml", format!("{GOOD}---\nkind: Pod\n bad: [\n"))
        .file("values.yaml", "replicas: 3\n")
        .file("empty.yaml", "# nothing\n")
        .file("binary.yaml", b"apiVersion: v1\n\xff\xfe")
        .run("check broken.yaml values.yaml empty.yaml binary.yaml missing.yaml foreign.yaml --policy require-unique-image-name");
    assert_snapshot!(run.seen());
}

#[test]
fn bad_input_outranks_a_rejection() {
    let run = shop().run("check foreign.yaml missing.yaml --policy require-unique-image-name");
    assert_eq!(run.status, 2);
    let run = shop().run("check foreign.yaml missing.yaml --policy require-unique-image-name --fail-on never");
    assert_eq!(run.status, 2);
}

#[test]
fn fail_on_decides_what_is_a_finding() {
    for (arguments, status) in [
        ("check foreign.yaml --policy require-unique-image-name", 1),
        ("check foreign.yaml --policy require-unique-image-name --fail-on never", 0),
        ("check good.yaml --policy require-unique-image-name --fail-on warning", 0),
        ("check foreign.yaml -p policy.yaml", 0),
        ("check foreign.yaml -p policy.yaml --fail-on warning", 1),
    ] {
        let run = shop().file("policy.yaml", resource("  mode: monitor\n")).run(arguments);
        assert_eq!(run.status, status, "{arguments}: {}", run.seen());
    }
}

#[test]
fn a_policy_without_its_settings_is_not_configured() {
    let settings = SETTINGS.replace("disallow-third-party-registries", "#");
    let run =
        shop().file("settings.yaml", settings).run("check good.yaml -s settings.yaml --offline --world world.yaml");
    assert_eq!(run.status, 0, "{}", run.seen());
    assert!(
        run.stdout.contains("not configured: disallow-third-party-registries: privateRegistries: "),
        "{}",
        run.stdout
    );
    // Who asks for it by name wants its verdict.
    let run = shop().run("check good.yaml --policy disallow-third-party-registries");
    assert_eq!(run.status, 2);
}

/// Where nobody can be asked, a policy that asks has no verdict.
#[test]
fn nothing_is_clean_that_could_not_be_asked() {
    let run = shop().run("check good.yaml --policy require-single-app --offline");
    assert_snapshot!(run.seen());
    let run = shop().run("check good.yaml --policy require-single-app --offline --world world.yaml");
    assert_eq!(run.status, 0, "{}", run.seen());
}

#[test]
fn what_a_run_asked_can_be_replayed() {
    let recorded = shop().run("check good.yaml --policy require-single-app --offline --world world.yaml --record-host-capabilities-interactions session.yml");
    assert_eq!(recorded.status, 0, "{}", recorded.seen());
    let session = std::fs::read_to_string(recorded.folder.path().join("session.yml")).expect("a session");
    assert_snapshot!(session);
    let replay = "check good.yaml --policy require-single-app --replay-host-capabilities-interactions session.yml";
    assert_eq!(shop().file("session.yml", session).run(replay).status, 0);
    let empty = shop().file("session.yml", "[]").run(replay);
    assert_eq!(empty.status, 2);
    assert!(empty.stdout.contains("the recorded session has no answer to"), "{}", empty.stdout);
    assert_eq!(shop().run(replay).status, 2);
}

#[test]
fn a_kind_in_the_wrong_place_is_told() {
    let run = shop()
        .file("web.yaml", "{apiVersion: v1, kind: Deployment, metadata: {name: web}}")
        .run("check web.yaml --policy require-unique-image-name");
    assert_snapshot!(run.seen());
}

#[test]
fn an_object_that_no_policy_is_asked_about_is_counted() {
    let run =
        shop().file("service.yaml", "{apiVersion: v1, kind: Service, metadata: {name: web}}").run("check service.yaml");
    assert_eq!(run.status, 0);
    assert!(run.stdout.contains("no policy is asked about 1 object: 1 Service\n"), "{}", run.stdout);
    // But where there is no policy at all, nothing is clean.
    let run = shop().file("policy.yaml", GOOD).run("check good.yaml -p policy.yaml");
    assert_eq!(run.status, 2);
}

#[test]
fn bad_settings_name_policy_and_key() {
    let run = shop()
        .file("settings.yaml", "disallow-third-party-registries: {privateRegistry: [r.io]}\nrequire-nothing: {}\n")
        .run("check good.yaml -s settings.yaml --offline --world world.yaml");
    assert_snapshot!(run.seen());
}

#[test]
fn a_policy_that_nobody_knows_is_refused() {
    assert_snapshot!(shop().run("check good.yaml --policy require-nothing").seen());
}

#[test]
fn a_policy_resource_may_mutate_only_if_it_says_so() {
    let run =
        |more: &str| shop().file("policy.yaml", resource(more)).run("check foreign.yaml -p policy.yaml --diff").seen();
    assert_snapshot!("mutating", run("  mutating: true\n"));
    assert_snapshot!("not-mutating", run(""));
    assert_snapshot!("monitor", run("  mutating: true\n  mode: monitor\n"));
}

#[test]
fn a_policy_resource_selects_by_namespace_and_labels() {
    for (more, world, evaluations, not_run, status) in [
        ("", "", 1, 0, 1),
        ("  objectSelector: {matchLabels: {tier: front}}\n", "", 0, 0, 0),
        ("  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}\n", "", 1, 0, 1),
        ("  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}\n", "", 0, 0, 0),
        // Nobody knows the labels, so nobody can say.
        ("  namespaceSelector: {matchLabels: {environment: production}}\n", "", 1, 1, 2),
        ("  namespaceSelector: {matchLabels: {environment: production}}\n", "production", 1, 0, 1),
        ("  namespaceSelector: {matchLabels: {environment: production}}\n", "test", 0, 0, 0),
        ("  matchConditions: [{name: all, expression: 'true'}]\n", "", 1, 0, 1),
        ("  matchConditions: [{name: none, expression: request.namespace == 'bank'}]\n", "", 0, 0, 0),
        // What only a cluster can evaluate.
        ("  matchConditions: [{name: may, expression: authorizer.path('/').check('get').allowed()}]\n", "", 1, 1, 2),
        // A field that is not there fails, and the API server then refuses the request, or lets it pass.
        ("  matchConditions: [{name: tier, expression: object.metadata.labels.tier == 'x'}]\n", "", 1, 0, 1),
        (
            "  matchConditions: [{name: tier, expression: object.metadata.labels.tier == 'x'}]\n  failurePolicy: Ignore\n",
            "",
            0,
            0,
            0,
        ),
    ] {
        let namespace = format!(
            "cluster: [{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{environment: {world}}}}}}}]\n"
        );
        let arguments = if world.is_empty() { "" } else { " --world world.yaml" };
        let run = shop()
            .file("policy.yaml", resource(more).replace("mirrors: {docker.io: registry.corp.example/hub}", ""))
            .file("world.yaml", namespace)
            .run(&format!("check foreign.yaml -p policy.yaml -o json{arguments}"));
        let summary = &run.json()["summary"];
        assert_eq!((&summary["evaluations"], &summary["notRun"]), (&evaluations.into(), &not_run.into()), "{more}");
        assert_eq!(run.status, status, "{more}");
    }
}

#[test]
fn an_admission_policy_holds_in_its_own_namespace() {
    let policy = resource("").replace("ClusterAdmissionPolicy", "AdmissionPolicy");
    for (namespace, evaluations) in [("shop", 1), ("other", 0)] {
        let policy = policy.replace("{name: own-registry}", &format!("{{name: own-registry, namespace: {namespace}}}"));
        let run = shop().file("policy.yaml", policy).run("check foreign.yaml -p policy.yaml -o json");
        assert_eq!(run.json()["summary"]["evaluations"], evaluations, "{namespace}");
    }
}

/// Kubewarden makes a namespace selector of its namespace, and none narrows what is cluster-wide.
#[test]
fn an_admission_policy_is_asked_about_what_is_cluster_wide() {
    let policy = guest_resource("rejects").replace("ClusterAdmissionPolicy", "AdmissionPolicy").replace(
        r#"{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}"#,
        r#"{apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], operations: [CREATE]}"#,
    );
    for (object, evaluations) in [
        ("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: admin}}", 1),
        ("{apiVersion: v1, kind: Namespace, metadata: {name: default}}", 1),
        ("{apiVersion: v1, kind: Namespace, metadata: {name: other}}", 0),
    ] {
        let run = Run::new().guest("rejects").file("policy.yaml", &policy).file("object.yaml", object);
        let run = run.run("check object.yaml -p policy.yaml --offline -o json");
        assert_eq!(run.json()["summary"]["evaluations"], evaluations, "{object}: {}", run.seen());
    }
}

#[test]
fn a_mutation_of_nothing_is_let_through_in_monitor_mode() {
    for (more, verdict) in [("", "rejected"), ("  mode: monitor\n", "accepted")] {
        let policy = guest_resource("mutates").replace("[CREATE]", "[DELETE]") + more;
        let run = shop().guest("mutates").file("policy.yaml", policy);
        let run = run.run("check good.yaml -p policy.yaml --offline --operation DELETE -o json");
        assert_eq!(run.json()["results"][0]["verdict"], verdict, "{}", run.seen());
    }
}

#[test]
fn a_resource_that_cannot_be_enforced_is_told_with_its_line() {
    let group =
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicyGroup\nmetadata: {name: group}\nspec: {}\n";
    let pulled = resource("").replace("disallow-third-party-registries:v", "another-policy:v");
    let misspelt = resource("  mutate: true\n");
    let policies = [group, &pulled, &misspelt].join("---\n");
    assert_snapshot!(shop().file("policies.yaml", policies).run("check good.yaml -p policies.yaml --offline").seen());
}

#[test]
fn a_mutation_is_what_the_next_policy_sees() {
    let run = Run::new()
        .file("settings.yaml", format!("{SETTINGS}require-if-not-present-pull: {{}}\n").replace("}\n", "}\n"))
        .file("pod.yaml", GOOD.replace("IfNotPresent", "Always"))
        .file("policy.yaml", guest_resource("accepts"))
        .run("check pod.yaml --policy require-if-not-present-pull --diff");
    assert_snapshot!(run.seen());
    let settings = "disallow-third-party-registries: {privateRegistries: [registry.corp.example], mirrors: {docker.io: registry.corp.example/hub}}\n\
                    require-unique-image-name: {exemptImages: [\"registry.corp.example/hub/**\"]}\n";
    let arguments = "check foreign.yaml -s settings.yaml --policy disallow-third-party-registries --policy require-unique-image-name";
    let run = shop().file("settings.yaml", settings).run(arguments);
    assert_eq!(run.status, 0, "{}", run.seen());
}

#[test]
fn a_misbehaving_policy_is_no_verdict() {
    for guest in ["traps", "loops", "answers-garbage", "grows-memory", "exits"] {
        let run = shop()
            .guest(guest)
            .file("policy.yaml", guest_resource(guest))
            .run("check good.yaml -p policy.yaml -o json --timeout 0.2");
        assert_eq!(run.status, 2, "{guest}");
        assert_eq!(run.json()["results"][0]["verdict"], "notRun", "{guest}");
    }
}

#[test]
fn a_policy_that_prints_does_not_spoil_the_report() {
    let run = shop()
        .guest("prints")
        .file("policy.yaml", guest_resource("prints"))
        .run("check good.yaml -p policy.yaml -o json");
    assert_eq!(run.json()["summary"]["accepted"], 1);
    assert_eq!(run.status, 0);
}

#[test]
fn a_module_that_is_no_policy_is_refused() {
    let run = shop()
        .guest("rego")
        .guest("not-wapc")
        .file("text.wasm", "text")
        .run("check good.yaml -p rego.wasm -p not-wapc.wasm -p text.wasm");
    assert_snapshot!(run.seen());
}

#[test]
fn a_module_without_metadata_needs_a_resource() {
    assert_snapshot!(shop().guest("accepts").run("check good.yaml -p accepts.wasm").seen());
}

#[test]
fn a_connection_can_be_asked_for() {
    let run = shop()
        .run("check good.yaml --policy disallow-container-exec --operation CONNECT --subresource exec --user alice");
    assert_eq!(run.status, 1, "{}", run.seen());
    let run = shop().run("check good.yaml --operation CONNECT");
    assert_eq!(run.status, 2);
    assert!(run.stdout.contains("good.yaml:1: CONNECT needs a subresource"), "{}", run.stdout);
}

#[test]
fn an_update_is_compared_with_the_world() {
    let world = format!("cluster:\n- {}", FOREIGN.trim_end().replace('\n', "\n  "));
    let arguments = "check foreign.yaml --policy require-unique-image-name --operation UPDATE";
    assert_eq!(shop().run(arguments).status, 1);
    let run = shop().file("world.yaml", world).run(&format!("{arguments} --world world.yaml"));
    assert_eq!(run.status, 0, "{}", run.seen());
    assert!(run.stdout.contains("warning: "), "{}", run.stdout);
}

#[test]
fn a_report_goes_to_a_file_and_is_whole() {
    let run = shop().run("check foreign.yaml --policy require-unique-image-name -o json --output-file report.json");
    assert_eq!((run.status, run.stdout.as_str()), (1, ""));
    let report = std::fs::read_to_string(run.folder.path().join("report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["summary"]["rejected"], 1);
    let run = shop().run("check foreign.yaml --policy require-unique-image-name --output-file no/such/folder.json");
    assert_eq!(run.status, 2);
    assert!(run.stderr.starts_with("error: the report cannot be written: no/such/folder.json: "), "{}", run.stderr);
}

#[test]
fn a_suite_tells_failed_from_not_run() {
    let suite = "\
policy: require-unique-image-name
cases:
- name: a good name is accepted
  object: good.yaml
  expect: accepted
- name: a good name is rejected
  object: good.yaml
  expect: {rejected: {message: no reason}}
- name: a file that does not exist
  object: missing.yaml
  expect: accepted
- name: an operation without a rule
  oldObject: good.yaml
  expect: accepted
- name: a deletion is not asked about
  oldObject: good.yaml
  expect: notAsked
- name: a creation is not asked about
  object: good.yaml
  expect: notAsked
";
    assert_snapshot!(shop().file("suite.yaml", suite).run("test .").seen());
}

#[test]
fn a_crash_satisfies_no_expectation() {
    let suite = "\
policy: traps.wasm
cases:
- name: a crash is not a rejection
  object: good.yaml
  expect: {rejected: {message: the policy crashed}}
";
    let run = shop().guest("traps").file("suite.yaml", suite).run("test suite.yaml -o json");
    assert_eq!(run.status, 2);
    assert_eq!(run.json()["suites"][0]["cases"][0]["status"], "notRun");
}

#[test]
fn a_suite_that_cannot_be_read_is_told_with_its_line() {
    let misspelt = "policy: require-unique-image-name\ncases:\n- name: a\n  objekt: good.yaml\n  expect: accepted\n";
    let run = shop().file("suite.yaml", misspelt).run("test suite.yaml");
    assert_eq!(run.status, 2);
    assert!(run.stdout.starts_with("error: suite.yaml:4: unknown field `objekt`"), "{}", run.stdout);
}

#[test]
fn no_suites_are_not_a_success() {
    assert_eq!(shop().run("test .").status, 2);
    assert_eq!(shop().run("test nowhere").status, 2);
    assert_eq!(shop().file("suite.yaml", "policy: require-unique-image-name\ncases: []\n").run("test").status, 2);
}

#[test]
fn the_help_is_what_it_is() {
    for command in [
        "--help",
        "check --help",
        "test --help",
        "run --help",
        "bench --help",
        "inspect --help",
        "annotate --help",
        "push --help",
        "pull --help",
        "init --help",
        "manifests --help",
        "completions --help",
        "man --help",
    ] {
        assert_snapshot!(command, Run::new().run(command).seen());
    }
}
