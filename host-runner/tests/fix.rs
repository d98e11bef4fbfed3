//! Mutations in the text of their files: shown as diffs and written back.

mod support;

use std::fs;
use std::process::Command;

use insta::assert_snapshot;
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
          image: \"nginx:1.27\" # from the hub
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
      containers: [{name: migrate, image: busybox, imagePullPolicy: Always}]
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
    - image: nginx:1 # hub
      name: a
- apiVersion: v1
  kind: Pod
  metadata: {name: b}
  spec:
    imagePullSecrets: [{name: registry}]
    containers:
    - name: b
      image: nginx:2
";

const ARGUMENTS: &str =
    "-s settings.yaml --policy require-if-not-present-pull --policy disallow-third-party-registries --fail-on never";

fn run(files: &[(&str, &str)], arguments: &str) -> Finished {
    let mut run = Run::new().file("settings.yaml", SETTINGS);
    for (name, text) in files {
        run = run.file(name, text);
    }
    run.run(&format!("check {arguments} {ARGUMENTS}"))
}

fn text(run: &Finished, name: &str) -> String {
    fs::read_to_string(run.folder.path().join(name)).expect("a file")
}

#[test]
fn a_file_is_fixed_once_for_all_policies_and_objects() {
    let run = run(&[("web.yaml", HELM)], "web.yaml --fix");
    assert_snapshot!("fixed", run.seen());
    assert_snapshot!("fixed-text", text(&run, "web.yaml"));
}
