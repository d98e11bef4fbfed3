use serde_json::json;

use super::*;

const HEAD: &str = "apiVersion: v1\nkind: Pod\n";

/// The text after a change to each object, or why it cannot be changed.
fn edited(text: &str, change: impl Fn(&mut Value)) -> Result<String, String> {
    let befores = objects(text).expect("objects and nothing else");
    let mut afters = befores.clone();
    afters.iter_mut().for_each(change);
    let changes: Vec<Change<'_>> = befores
        .iter()
        .zip(&afters)
        .enumerate()
        .filter(|(_, (before, after))| before != after)
        .map(|(position, (before, after))| Change { position, before, after })
        .collect();
    let editor = Editor::new(text);
    let edits: Result<Vec<Edit>, Refusal> = editor.edits(&changes).into_iter().collect();
    match edits {
        Err(refusal) => Err(format!("{}: {}", refusal.line, refusal.reason)),
        Ok(edits) => Ok(editor.text(&edits).expect("edits of different objects")),
    }
}

/// Changes what stands below the head of a Pod.
fn expect(body: &str, change: impl Fn(&mut Value), expected: &str) {
    assert_eq!(edited(&format!("{HEAD}{body}"), change), Ok(format!("{HEAD}{expected}")));
}

fn refused(body: &str, change: impl Fn(&mut Value)) -> String {
    edited(&format!("{HEAD}{body}"), change).expect_err("a refusal")
}

/// A new value in every container, and a new key.
fn image(object: &mut Value) {
    for container in object["spec"]["containers"].as_array_mut().expect("containers") {
        container["image"] = json!("hub/x:1");
        container["pull"] = json!("Never");
    }
}

#[test]
fn comments_quotes_and_order_stay() {
    expect(
        "spec:\n  containers:\n  # one\n  - name: a # n\n    image: x # i\n\n    # tail\n  # two\n  - image: \"y\"\n    name: 'b'\n# end\n",
        image,
        "spec:\n  containers:\n  # one\n  - name: a # n\n    image: hub/x:1 # i\n    pull: Never\n\n    # tail\n  # two\n  - image: \"hub/x:1\"\n    name: 'b'\n    pull: Never\n# end\n",
    );
}

#[test]
fn flow_stays_flow() {
    expect(
        "spec: {containers: [{name: a, image: x}, {image: 'y' , }]}\n",
        image,
        "spec: {containers: [{name: a, image: hub/x:1, pull: Never}, {image: 'hub/x:1', pull: Never , }]}\n",
    );
    expect(
        "spec: {\n  containers: [\n    {\"image\": \"x\"}, # one\n    {\n      image: y # two\n    },\n  ],\n}\n",
        image,
        "spec: {\n  containers: [\n    {\"image\": \"hub/x:1\", \"pull\": \"Never\"}, # one\n    {\n      image: hub/x:1, # two\n      pull: Never\n    },\n  ],\n}\n",
    );
    let document = "--- {apiVersion: v1, kind: Pod, spec: {containers: [{image: x}]}}\n";
    let expected = "--- {apiVersion: v1, kind: Pod, spec: {containers: [{image: hub/x:1, pull: Never}]}}\n";
    assert_eq!(edited(document, image).as_deref(), Ok(expected));
}

#[test]
fn an_anchor_changes_nothing_else() {
    let shared = "spec:\n  containers:\n  - &a\n    image: x\n  - *a\n";
    // Both are to change in the same way.
    expect(shared, image, "spec:\n  containers:\n  - &a\n    image: hub/x:1\n    pull: Never\n  - *a\n");
    let first = |object: &mut Value| object["spec"]["containers"][0]["image"] = json!("z");
    assert_eq!(refused(shared, first), "5: this is shared through an anchor with what must stay");
    let second = |object: &mut Value| object["spec"]["containers"][1]["image"] = json!("z");
    assert_eq!(refused(shared, second), "7: this is shared through an anchor with what must stay");
    expect(
        "spec:\n  containers:\n  - &a {image: x}\n  - <<: *a\n    name: b\n",
        second,
        "spec:\n  containers:\n  - &a {image: x}\n  - <<: *a\n    name: b\n    image: z\n",
    );
    let gone = |object: &mut Value| drop(object["spec"]["containers"][1].as_object_mut().map(|it| it.remove("image")));
    assert!(refused("spec:\n  containers:\n  - &a {image: x}\n  - <<: *a\n    name: b\n", gone).starts_with("6: "));
    // What nobody else uses is nobody else's.
    expect(
        "spec:\n  containers:\n  - image: &x y # z\n",
        |object| object["spec"]["containers"][0]["image"] = json!("new"),
        "spec:\n  containers:\n  - image: &x new # z\n",
    );
}

#[test]
fn block_scalars_end_where_they_end() {
    let add = |object: &mut Value| object["spec"]["z"] = json!(1);
    expect(
        "spec:\n  a: |\n    x\n    # no comment\n\nb: 1\n",
        add,
        "spec:\n  a: |\n    x\n    # no comment\n  z: 1\n\nb: 1\n",
    );
    expect("spec:\n  a: |+\n    x\n\nb: 1\n", add, "spec:\n  a: |+\n    x\n\n  z: 1\nb: 1\n");
    expect("spec:\n  a: >- # why\n    x\n", add, "spec:\n  a: >- # why\n    x\n  z: 1\n");
    let replace = |object: &mut Value| object["spec"]["a"] = json!("one\ntwo\n");
    expect("spec:\n  a: |-\n    x\n  b: 1\n", replace, "spec:\n  a: |\n    one\n    two\n  b: 1\n");
    expect("spec:\n  a: x # why\n", replace, "spec:\n  a: \"one\\ntwo\\n\" # why\n");
    assert_eq!(refused("spec:\n  a: | # why\n    x\n", replace), "4: this comment would be lost");
}

#[test]
fn keys_are_found_however_they_are_written() {
    let change = |object: &mut Value| {
        let labels = object["metadata"]["labels"].as_object_mut().expect("labels");
        labels.insert("a.b/c~d".to_owned(), json!("on"));
        labels.insert("new.io/x: y".to_owned(), json!("z"));
    };
    expect(
        "metadata:\n  labels:\n    'a.b/c~d': 1\n",
        change,
        "metadata:\n  labels:\n    'a.b/c~d': 'on'\n    'new.io/x: y': z\n",
    );
    expect(
        "metadata:\n  labels: {\"a.b/c~d\" : 1}\n",
        change,
        "metadata:\n  labels: {\"a.b/c~d\" : \"on\", \"new.io/x: y\": \"z\"}\n",
    );
}

#[test]
fn what_is_added_is_indented_like_its_neighbours() {
    let change = |object: &mut Value| {
        object["spec"]["volumes"] = json!([{ "name": "tmp", "emptyDir": {} }]);
        object["spec"]["security"] = json!({ "user": { "id": 1 } });
    };
    expect(
        "spec:\n    containers:\n    -   name: a\n        env:\n        -   x\n",
        change,
        "spec:\n    containers:\n    -   name: a\n        env:\n        -   x\n    security:\n        user:\n            id: 1\n    volumes:\n    - emptyDir: {}\n      name: tmp\n",
    );
    let push = |object: &mut Value| {
        object["spec"]["env"].as_array_mut().expect("a list").push(json!({ "name": "b", "value": "1" }))
    };
    expect(
        "spec:\n  env:\n    - name: a # a\n    # end\n",
        push,
        "spec:\n  env:\n    - name: a # a\n    - name: b\n      value: '1'\n    # end\n",
    );
    expect("spec:\n  env:\n  -   name: a", push, "spec:\n  env:\n  -   name: a\n  -   name: b\n      value: '1'");
    expect("spec: {env: [a]}\n", push, "spec: {env: [a, {name: b, value: '1'}]}\n");
    expect("spec: {env: []}\n", push, "spec: {env: [{name: b, value: '1'}]}\n");
    let list = |object: &mut Value| object["spec"]["b"] = json!([1]);
    expect("spec:\n  a:\n  - x\n  b: # none\n", list, "spec:\n  a:\n  - x\n  b: # none\n  - 1\n");
    let labels = |object: &mut Value| object["labels"] = json!({ "a": "b" });
    expect("labels: # none\nspec: {}\n", labels, "labels: # none\n  a: b\nspec: {}\n");
    expect("labels: {} # none\n", labels, "labels: {a: b} # none\n");
}

#[test]
fn what_is_removed_takes_no_comment_with_it() {
    let change = |object: &mut Value| drop(object["spec"].as_object_mut().map(|spec| spec.remove("b")));
    expect("spec:\n  # a\n  a: 1\n  b: {c: 2}\n  # d\n  d: 3\n", change, "spec:\n  # a\n  a: 1\n  # d\n  d: 3\n");
    expect("spec:\n  a: 1\n  b: 2", change, "spec:\n  a: 1");
    expect("spec:\n  b: 2\n", change, "spec: {}\n");
    expect("spec: {b: 1, a: 2}\n", change, "spec: {a: 2}\n");
    expect("spec: {a: 2, b: 1, }\n", change, "spec: {a: 2, }\n");
    assert_eq!(refused("spec:\n  a: 1\n  b: 2 # why\n", change), "5: this comment would be lost");
    let item = |object: &mut Value| drop(object["spec"].as_array_mut().map(|spec| spec.remove(0)));
    expect("spec:\n- a: 1\n  b: 2\n# c\n- c: 3\n", item, "spec:\n# c\n- c: 3\n");
    expect("spec:\n- a: 1\n", item, "spec: []\n");
    let key = |object: &mut Value| drop(object["spec"][0].as_object_mut().map(|spec| spec.remove("a")));
    expect("spec:\n- a: 1\n  b: 2\n", key, "spec:\n- b: 2\n");
}

#[test]
fn ends_of_lines_and_a_byte_order_mark_stay() {
    let text = "\u{feff}apiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: x # i\r\n";
    let expected = "\u{feff}apiVersion: v1\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - image: hub/x:1 # i\r\n    pull: Never\r\n";
    assert_eq!(edited(text, image).as_deref(), Ok(expected));
}

#[test]
fn json_stays_json() {
    let change = |object: &mut Value| {
        image(object);
        object["spec"]["volumes"] = json!([{ "name": "yes" }]);
    };
    let compact = r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"\ud83e\udd80"}]}}"#;
    let expected = r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"hub/x:1","pull":"Never"}],"volumes":[{"name":"yes"}]}}"#;
    assert_eq!(edited(compact, change).as_deref(), Ok(expected));
    let pretty = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"spec\": {\n\t\t\"containers\": [\n\t\t\t{\n\t\t\t\t\"image\": \"x\"\n\t\t\t}\n\t\t]\n\t}\n}\n";
    let expected = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"spec\": {\n\t\t\"containers\": [\n\t\t\t{\n\t\t\t\t\"image\": \"hub/x:1\",\n\t\t\t\t\"pull\": \"Never\"\n\t\t\t}\n\t\t],\n\t\t\"volumes\": [\n\t\t\t{\n\t\t\t\t\"name\": \"yes\"\n\t\t\t}\n\t\t]\n\t}\n}\n";
    assert_eq!(edited(pretty, change).as_deref(), Ok(expected));
    assert_eq!(edited(&format!("{compact}\n{pretty}"), |_| ()).as_deref(), Ok(format!("{compact}\n{pretty}").as_str()));
}

#[test]
fn what_kubectl_would_misread_is_quoted() {
    for (text, written) in [
        ("IfNotPresent", "IfNotPresent"),
        ("registry.corp.example:5000/a@sha256:0b7f", "registry.corp.example:5000/a@sha256:0b7f"),
        ("100m", "100m"),
        ("yes", "'yes'"),
        ("y", "'y'"),
        ("0755", "'0755'"),
        ("1_000", "'1_000'"),
        ("12:30:45", "'12:30:45'"),
        ("2001-01-01", "'2001-01-01'"),
        ("1e3", "'1e3'"),
        ("~", "'~'"),
        ("", "''"),
        ("a: b", "'a: b'"),
        ("a #b", "'a #b'"),
        ("- a", "'- a'"),
        ("it's: so", "'it''s: so'"),
        ("a, b", "a, b"),
        ("tab\t", "\"tab\\t\""),
    ] {
        expect("spec: a\n", |object| object["spec"] = json!(text), &format!("spec: {written}\n"));
    }
    expect("spec: [a]\n", |object| object["spec"] = json!(["a", "b, c", "d?e"]), "spec: [a, 'b, c', 'd?e']\n");
}

#[test]
fn one_object_that_cannot_be_changed_leaves_the_others_alone() {
    let text = format!("{HEAD}spec: &a {{b: 1}}\nx: *a\n---\n{HEAD}spec: {{b: 1}}\n");
    let before = objects(&text).expect("objects");
    let afters: Vec<Value> = before
        .iter()
        .map(|object| {
            let mut object = object.clone();
            object["spec"]["b"] = json!(2);
            object
        })
        .collect();
    let changes: Vec<Change<'_>> =
        (0..2).map(|position| Change { position, before: &before[position], after: &afters[position] }).collect();
    let editor = Editor::new(&text);
    let edits = editor.edits(&changes);
    assert_eq!(edits[0].as_ref().expect_err("a refusal").line, 3);
    let expected = format!("{HEAD}spec: &a {{b: 1}}\nx: *a\n---\n{HEAD}spec: {{b: 2}}\n");
    assert_eq!(editor.text(edits.iter().flatten()), Some(expected));
}

#[test]
fn a_list_in_a_list_is_followed() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: Pod, a: 1} # one\n- {apiVersion: v1, kind: Pod, a: 2} # two\n";
    let expected = text.replace("a: 1", "a: 3").replace("a: 2", "a: 3");
    assert_eq!(edited(text, |object| object["a"] = json!(3)), Ok(expected));
}

#[test]
fn a_diff_counts_lines_of_the_file() {
    let before: String = (1..=30).map(|number| format!("{number}\n")).collect();
    let after = before.replace("12\n", "12\nnew\n").replace("30\n", "thirty");
    let expected = "--- a.yaml\n+++ a.yaml\n@@ -10,6 +10,7 @@\n 10\n 11\n 12\n+new\n 13\n 14\n 15\n@@ -27,4 +28,4 @@\n 27\n 28\n 29\n-30\n+thirty\n\\ No newline at end of file\n";
    assert_eq!(unified_diff("a.yaml", &before, &after), expected);
    assert_eq!(unified_diff("a.yaml", &before, &before), "");
    assert_eq!(unified_diff("a b", "a\n", "a\na\n"), "--- a b\t\n+++ a b\t\n@@ -1 +1,2 @@\n a\n+a\n");
}

#[test]
fn deep_documents_can_be_changed() {
    let deep = format!("{}1{}", "{a: ".repeat(110), "}".repeat(110));
    let change = |object: &mut Value| object["z"] = json!(1);
    expect(&format!("spec: {deep}\n"), change, &format!("spec: {deep}\nz: 1\n"));
}

#[test]
fn what_cannot_be_read_leaves_the_whole_file_alone() {
    let text = format!("{HEAD}---\nkind: [\n");
    let (before, after) =
        (json!({ "apiVersion": "v1", "kind": "Pod" }), json!({ "apiVersion": "v1", "kind": "Pod", "a": 1 }));
    let edits = Editor::new(&text).edits(&[Change { position: 0, before: &before, after: &after }]);
    assert_eq!(edits[0].as_ref().expect_err("a refusal").line, 4);
}
