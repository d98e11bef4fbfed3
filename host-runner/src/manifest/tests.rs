use super::*;

fn lines(text: &str) -> Vec<(usize, String)> {
    let manifests = read_text("a.yaml", text);
    assert_eq!(manifests.problems, []);
    manifests
        .objects
        .iter()
        .map(|manifest| (manifest.line, manifest.object["metadata"]["name"].as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn problems(text: &str) -> Vec<String> {
    read_text("a.yaml", text).problems.iter().map(ToString::to_string).collect()
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";

fn expect(found: Vec<(usize, String)>, expected: &[(usize, &str)]) {
    let found: Vec<(usize, &str)> = found.iter().map(|(line, name)| (*line, name.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_object_knows_its_line() {
    expect(lines(POD), &[(1, "web")]);
    expect(lines(&format!("# comment\n---\n# another\n\n{POD}---\n{POD}")), &[(5, "web"), (9, "web")]);
    expect(
        lines("{\"apiVersion\": \"v1\",\n \"kind\": \"Pod\"}\n\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}"),
        &[(1, ""), (4, "")],
    );
}

#[test]
fn lists_are_taken_apart() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b}\n";
    expect(lines(list), &[(4, "a"), (8, "b")]);
    let json = "{\n\"apiVersion\": \"v1\", \"kind\": \"List\",\n\"items\": [\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}]}";
    expect(lines(json), &[(4, "a")]);
}

#[test]
fn the_items_of_a_typed_list_have_its_kind() {
    let text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleList\nitems:\n- metadata: {name: a}\n";
    let manifests = read_text("a.yaml", text);
    assert_eq!(manifests.objects[0].object["kind"], "Role");
    assert_eq!(manifests.objects[0].object["apiVersion"], "rbac.authorization.k8s.io/v1");
}

#[test]
fn an_empty_list_is_no_problem() {
    assert_eq!(problems("{apiVersion: v1, kind: List, items: []}"), [] as [&str; 0]);
}

#[test]
fn what_is_no_object_is_told_with_its_line() {
    assert_eq!(problems(""), ["a.yaml:1: holds no Kubernetes object"]);
    assert_eq!(problems("# nothing\n---\n"), ["a.yaml:1: holds no Kubernetes object"]);
    assert_eq!(problems("replicas: 3\n"), ["a.yaml:1: is not a Kubernetes object: it has no apiVersion and no kind"]);
    assert_eq!(problems("---\n- a\n"), ["a.yaml:2: is not a Kubernetes object but a list"]);
    assert_eq!(problems("kind: Pod\napiVersion: 1\n"), ["a.yaml:1: is not a Kubernetes object: it has no apiVersion"]);
}

#[test]
fn a_list_without_items_is_told() {
    assert_eq!(problems("{apiVersion: v1, kind: List, items: {}}"), ["a.yaml:1: is a List whose items are no list"]);
    assert_eq!(problems("{apiVersion: v1, kind: List}"), ["a.yaml:1: is a List whose items are no list"]);
    assert_eq!(problems("{apiVersion: v1, kind: PodList, items: null}"), [] as [&str; 0]);
    // A kind that is only named so.
    assert_eq!(read_text("a.yaml", "{apiVersion: a.io/v1, kind: AllowList, spec: {}}").objects.len(), 1);
}

#[test]
fn a_list_with_two_lists_of_items_is_told() {
    let pod = r#"{"apiVersion":"v1","kind":"Pod"}"#;
    let text = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{pod}],"items":[{pod}]}}"#);
    assert_eq!(problems(&text).len(), 1);
}

#[test]
fn nesting_ends_before_the_stack_does() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("{\"a\":", "}")] {
        for depth in [120, 3_000, 50_000] {
            let text = format!("apiVersion: v1\nkind: Pod\nspec: {}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(read_text("a.yaml", &text).problems.len(), usize::from(depth > 120), "{open} {depth}");
        }
    }
    let blocks: String = (0..5_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(problems(&blocks).len(), 1);
}

#[test]
fn aliases_do_not_explode() {
    let mut text = "apiVersion: v1\nkind: Pod\na: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (one, next) in ["a", "b", "c", "d", "e", "f", "g", "h"].iter().zip(["b", "c", "d", "e", "f", "g", "h", "i"]) {
        text += &format!("{next}: &{next} [{}]\n", vec![format!("*{one}"); 10].join(", "));
    }
    assert_eq!(problems(&text).len(), 1);
}

#[test]
fn folders_are_read_once_and_dead_links_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("sub/.git")).expect("folders");
    for name in ["b.yaml", "sub/a.yml", "sub/.git/c.yaml", "notes.txt"] {
        fs::write(path(name), POD).expect("a file");
    }
    std::os::unix::fs::symlink(folder.path(), path("sub/circle")).expect("a link");
    std::os::unix::fs::symlink(path("nowhere"), path("dead.yaml")).expect("a link");
    let manifests = read(&[folder.path().to_owned()]);
    let found: Vec<&str> = manifests.objects.iter().filter_map(|manifest| manifest.file.rsplit('/').next()).collect();
    assert_eq!(found, ["b.yaml", "a.yml"]);
    assert_eq!(manifests.problems.len(), 1);
    assert!(manifests.problems[0].file.ends_with("dead.yaml"));
}

#[test]
fn a_broken_document_leaves_the_others_alone() {
    let manifests = read_text("a.yaml", &format!("{POD}---\nkind: Pod\n  apiVersion: v1\n---\n{POD}"));
    assert_eq!(manifests.objects.len(), 2);
    assert_eq!(manifests.objects[1].line, 8);
    assert_eq!(manifests.problems.len(), 1);
    assert_eq!(manifests.problems[0].line, Some(6));
}

#[test]
fn a_duplicate_key_is_refused() {
    let problems = problems("apiVersion: v1\nkind: Pod\nkind: Pod\n");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("a.yaml:3: ") && problems[0].contains("duplicate"), "{problems:?}");
}

#[test]
fn yaml_is_read_as_kubectl_reads_it() {
    let manifests =
        read_text("a.yaml", "apiVersion: v1\nkind: Pod\nspec: {a: yes, b: off, c: 0755, d: 'yes', e: 1.10, f: ~}\n");
    let expected: Value = serde_json::json!({ "a": true, "b": false, "c": 493, "d": "yes", "e": 1.1, "f": null });
    assert_eq!(manifests.objects[0].object["spec"], expected);
}

#[test]
fn anchors_and_merge_keys_are_resolved() {
    let text = "apiVersion: v1\nkind: Pod\nbase: &base {a: 1}\nspec: {<<: *base, b: 2}\n";
    assert_eq!(read_text("a.yaml", text).objects[0].object["spec"], serde_json::json!({ "a": 1, "b": 2 }));
}

#[test]
fn a_missing_file_is_told() {
    let manifests = read(&[PathBuf::from("does/not/exist.yaml")]);
    assert_eq!(manifests.problems.len(), 1);
    assert!(manifests.problems[0].to_string().starts_with("does/not/exist.yaml: cannot be read: "));
}
