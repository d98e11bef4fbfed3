//! Mutations in the text of their files: shown as diffs and written back.

mod support;

use std::fs;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};
use support::{Finished, Run};

const SETTINGS: &str = "\
disallow-third-party-registries: {privateRegistries: [registry.corp.example], mirrors: {docker.io: registry.corp.example/hub}}
";

/// As helm writes a chart, with comments of people.
const HELM: &str = "\
---
# Source: shop/templates/web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app.kubernetes.io/name: \"web\" # quoted, as helm does
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      imagePullSecrets:
        - name: registry
      containers:
        # the application
        - name: web
          image: \"nginx@sha256:e4e920356760c4734eeeed93b3f11a0b391efb82f103fe356731b8929dc8a2fd\" # from the hub
          imagePullPolicy: Always

          # written by hand
          ports:
            - containerPort: 80
        - name: log
          image: 'registry.corp.example/shop-log:881c2d2cffa9375'
---
# Source: shop/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  nginx.conf: |
    image: nginx # not an image
---
# Source: shop/templates/job.yaml
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  template:
    spec:
      restartPolicy: Never
      imagePullSecrets: [{name: registry}]
      containers: [{name: migrate, image: 'busybox@sha256:e4e920356760c4734eeeed93b3f11a0b391efb82f103fe356731b8929dc8a2fd', imagePullPolicy: Always}]
# the end
";

const LIST: &str = "\
apiVersion: v1
kind: List
items:
# the first
- apiVersion: v1
  kind: Pod
  metadata: {name: a}
  spec:
    imagePullSecrets: [{name: registry}]
    containers:
    - image: nginx@sha256:e4e920356760c4734eeeed93b3f11a0b391efb82f103fe356731b8929dc8a2fd # hub
      name: a
- apiVersion: v1
  kind: Pod
  metadata: {name: b}
  spec:
    imagePullSecrets: [{name: registry}]
    containers:
    - name: b
      image: nginx:2 # moves
";

const ARGUMENTS: &str =
    "-s settings.yaml --policy require-if-not-present-pull --policy disallow-third-party-registries --fail-on never";

fn check(files: &[(&str, &str)], arguments: &str) -> Finished {
    let mut run = Run::new().file("settings.yaml", SETTINGS);
    for (name, text) in files {
        run = run.file(name, text);
    }
    run.run(&format!("check {arguments} {ARGUMENTS}"))
}

fn text(run: &Finished, name: &str) -> String {
    fs::read_to_string(run.folder.path().join(name)).expect("a file")
}

/// Pretty, as `kubectl get -o json` writes it, and compact.
const JSON: &str = "\
{
    \"apiVersion\": \"v1\",
    \"kind\": \"Pod\",
    \"metadata\": {
        \"name\": \"web\"
    },
    \"spec\": {
        \"imagePullSecrets\": [{\"name\": \"registry\"}],
        \"containers\": [
            {
                \"image\": \"registry.corp.example/shop-log:881c2d2cffa9375\",
                \"imagePullPolicy\": \"Always\",
                \"name\": \"\\ud83e\\udd80\"
            }
        ]
    }
}
";
const COMPACT: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"imagePullSecrets":[{"name":"r"}],"containers":[{"image":"registry.corp.example/shop-log:881c2d2cffa9375","imagePullPolicy":"Always","name":"log"}]}}"#;

/// The one container is named twice.
const SHARED: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  imagePullSecrets: [{name: registry}]
  initContainers:
  - &log
    name: log
    image: registry.corp.example/shop-log:881c2d2cffa9375
    imagePullPolicy: Always
  containers:
  - <<: *log
    name: web
    imagePullPolicy: IfNotPresent
x-log: *log
";

fn all() -> Vec<(&'static str, String)> {
    vec![
        ("deploy/crlf.yaml", HELM.replace('\n', "\r\n")),
        ("deploy/web.yaml", HELM.to_owned()),
        ("deploy/list.yaml", LIST.trim_end().to_owned()),
        ("deploy/compact.json", COMPACT.to_owned()),
        ("deploy/pretty.json", JSON.to_owned()),
        ("deploy/with space.yaml", format!("\u{feff}{HELM}")),
    ]
}

#[test]
fn a_file_is_fixed_once_for_all_policies_and_objects() {
    let run = check(&[("deploy/web.yaml", HELM)], "deploy/web.yaml --fix");
    assert_snapshot!("fixed", run.seen());
    assert_snapshot!("fixed-text", text(&run, "deploy/web.yaml"));
}

#[test]
fn a_diff_shows_each_step_in_the_file() {
    assert_snapshot!("diff", check(&[("web.yaml", HELM)], "web.yaml --diff").seen());
}

#[test]
fn a_list_and_json_keep_their_form() {
    let files = all();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let run = check(&files, "deploy --fix");
    assert_eq!(run.status, 0, "{}", run.seen());
    for name in ["list.yaml", "compact.json", "pretty.json"] {
        assert_snapshot!(name, text(&run, &format!("deploy/{name}")));
    }
    let crlf = text(&run, "deploy/crlf.yaml");
    assert_eq!(crlf.replace("\r\n", "\n").replace('\n', "\r\n"), crlf);
    assert_eq!(crlf.matches("imagePullPolicy: IfNotPresent\r\n").count(), 1);
}

#[test]
fn what_diff_shows_is_what_fix_writes() {
    for tool in ["git apply -p0 --whitespace=nowarn report.txt", "patch -p0 --binary -s -i report.txt"] {
        let files = all();
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let fixed = check(&files, "deploy --fix");
        assert_eq!(fixed.status, 0, "{}", fixed.seen());
        let shown = check(&files, "deploy --diff --output-file report.txt");
        let mut words = tool.split(' ');
        let program = words.next().expect("a program");
        let Ok(applied) = Command::new(program).args(words).current_dir(shown.folder.path()).output() else {
            // Neither is needed to build or use host-runner.
            continue;
        };
        assert!(
            applied.status.success(),
            "{tool}: {}\n{}",
            String::from_utf8_lossy(&applied.stderr),
            text(&shown, "report.txt")
        );
        for (name, before) in &files {
            assert_eq!(text(&shown, name), text(&fixed, name), "{tool} {name}");
            assert_ne!(text(&fixed, name), *before, "{name}");
        }
    }
}

#[test]
fn the_json_report_has_the_diffs_and_the_fixed_files() {
    let run = check(&[("web.yaml", HELM)], "web.yaml --diff --fix -o json");
    let report = run.json();
    assert_eq!(report["fixed"], json!([{ "file": "web.yaml", "objects": 2 }]));
    let diffs: Vec<&Value> =
        report["results"].as_array().expect("results").iter().filter(|result| result["diff"].is_string()).collect();
    assert_eq!(diffs.len(), 4);
    assert!(diffs.iter().all(|result| result["verdict"] == "mutated"));
    let run = check(&[("web.yaml", HELM)], "web.yaml -o json");
    assert!(!run.stdout.contains("diff") && !run.stdout.contains("fixed"), "{}", run.stdout);
}

#[test]
fn a_fixed_file_stays_as_it_is() {
    let first = check(&[("web.yaml", HELM)], "web.yaml --fix");
    let fixed = text(&first, "web.yaml");
    let second = check(&[("web.yaml", &fixed)], "web.yaml --fix");
    assert!(!second.stdout.contains("fixed"), "{}", second.stdout);
    assert_eq!(text(&second, "web.yaml"), fixed);
}

#[test]
fn what_is_shared_is_refused_with_its_line_and_the_rest_is_fixed() {
    let both = format!("{SHARED}---\n{LIST}");
    let run = check(&[("web.yaml", &both)], "web.yaml --fix --diff");
    assert_snapshot!("shared", run.seen());
    let fixed = text(&run, "web.yaml");
    assert!(fixed.starts_with(SHARED) && fixed.contains("    - image: registry.corp.example/hub/"), "{fixed}");
}

#[test]
fn a_file_with_something_unreadable_in_it_is_left_alone() {
    let broken = format!("{HELM}---\nkind: [\n");
    let run = check(&[("web.yaml", &broken)], "web.yaml --fix");
    assert_eq!(run.status, 2, "{}", run.seen());
    assert!(
        run.stdout.contains("error: web.yaml:50: the mutation must be made by hand: this cannot be read"),
        "{}",
        run.stdout
    );
    assert_eq!(text(&run, "web.yaml"), broken);
}

#[test]
fn stdin_and_deletions_cannot_be_written_back() {
    let shop = || Run::new().file("settings.yaml", SETTINGS).file("web.yaml", HELM);
    let run = shop().stdin(HELM).run(&format!("check - web.yaml --fix {ARGUMENTS}"));
    assert_snapshot!("stdin", run.seen());
    assert_eq!(text(&run, "web.yaml"), HELM);
    let run = shop().run(&format!("check web.yaml --fix --operation DELETE {ARGUMENTS}"));
    assert_eq!(run.status, 2);
    assert!(run.stdout.contains("error: --fix: DELETE leaves no object"), "{}", run.stdout);
    let run = shop().stdin(LIST).run(&format!("check - --diff {ARGUMENTS}"));
    assert_snapshot!("stdin-diff", run.seen());
}

#[test]
fn two_names_of_one_file_are_one_file() {
    let run = Run::new().file("settings.yaml", SETTINGS).file("web.yaml", HELM).link("link.yaml", "web.yaml");
    let run = run.run(&format!("check web.yaml ./web.yaml web.yaml link.yaml --fix --diff {ARGUMENTS}"));
    assert_eq!(run.status, 0, "{}", run.seen());
    assert_eq!(run.stdout.matches("fixed web.yaml: 2 objects").count(), 1, "{}", run.stdout);
    assert_eq!(run.stdout.matches("+++ web.yaml").count(), 4, "{}", run.stdout);
    let once = check(&[("web.yaml", HELM)], "web.yaml --fix");
    assert_eq!(text(&run, "web.yaml"), text(&once, "web.yaml"));
    assert!(run.folder.path().join("link.yaml").is_symlink());
}

#[test]
fn monitor_mode_writes_nothing() {
    let policy = format!(
        "\
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {{name: pull}}
spec:
  module: registry://registry.corp.example/policies/require-if-not-present-pull:v{}
  mode: monitor
  mutating: true
  rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]
",
        env!("CARGO_PKG_VERSION")
    );
    let run =
        Run::new().file("policy.yaml", policy).file("pod.json", JSON).run("check pod.json -p policy.yaml --fix --diff");
    assert_eq!(run.status, 0, "{}", run.seen());
    assert!(run.stdout.contains("in monitor mode, would be mutated"), "{}", run.stdout);
    assert_eq!(text(&run, "pod.json"), JSON);
}
