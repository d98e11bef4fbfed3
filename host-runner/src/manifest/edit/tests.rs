use serde_json::json;

use super::*;

/// Everything that a policy might do to one container.
fn image_and_policy(object: &mut Value) {
    for container in object["spec"]["containers"].as_array_mut().expect("containers") {
        container["image"] = json!("hub/x:1");
        container["imagePullPolicy"] = json!("IfNotPresent");
    }
}

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

#[test]
fn smoke() {
    let head = "apiVersion: v1\nkind: Pod\n";
    for text in [
        "spec:\n  containers:\n  # first\n  - name: a # n\n    image: x # i\n\n    # tail of a\n  # second\n  - image: \"y\"\n    name: b\n# end\n",
        "spec: {containers: [{name: a, image: x}, {name: 'b', image: 'y'}]}\n",
        "spec: {\n  containers: [\n    {name: a, image: x}, # one\n    {name: 'b', image: y},\n  ],\n}\n",
        "spec:\n  containers:\n  - &a\n    image: x\n    name: c\n  - *a\n",
        "spec:\n  containers:\n  - &a\n    image: x\n  - <<: *a\n    name: b\n",
        "spec:\n  containers:\n  - image: x\n    args: |\n      a\n      # b\n\n  - image: >-\n      y\n    # c\n    name: b\n",
        "spec:\n  \"containers\":\n  - 'image': x\n  -   image: y\n      name: b",
        "spec:\n  containers:\n  - image:\n    # none\n  - image: &x y\n    t: !!str 5\n    z:\n    - 1\n",
    ] {
        println!(
            "====\n{}",
            edited(&format!("{head}{text}"), image_and_policy).unwrap_or_else(|e| format!("REFUSED {e}"))
        );
    }
    for text in [
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\"},{\"name\":\"b\",\"image\":\"y\"}]}}",
        "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"Pod\",\n    \"spec\": {\n        \"containers\": [\n            {\n                \"name\": \"a\"\n            }\n        ]\n    }\n}\n",
        "--- {apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: x}, {image: y}]}}\n",
    ] {
        println!("====\n{}", edited(text, image_and_policy).unwrap_or_else(|e| format!("REFUSED {e}")));
    }
}
