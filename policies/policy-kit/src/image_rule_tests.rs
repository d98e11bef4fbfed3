use super::*;

/// Rejects every image; what it is called for, and with which notion of "unchanged", is what is tested.
fn verdict(request: &str) -> Verdict {
    let request = Request::read(Json::parse(request).expect("JSON")).expect("a request");
    readable_images(
        &request,
        &[],
        |_, _| true,
        |used, image, verdict| {
            verdict.reject(Violation::at(
                &used.place,
                format!("{image}{}", if used.is_unchanged() { " as before" } else { "" }),
            ));
        },
    )
}

fn create(group: &str, kind: &str, object: &str) -> Verdict {
    verdict(&format!(r#"{{"operation":"CREATE","kind":{{"group":"{group}","kind":"{kind}"}},"object":{object}}}"#))
}

fn update(kind: &str, old: &str, new: &str) -> Verdict {
    verdict(&format!(
        r#"{{"operation":"UPDATE","kind":{{"group":"","kind":"{kind}"}},"object":{{"spec":{new}}},"oldObject":{{"spec":{old}}}}}"#
    ))
}

#[test]
fn an_object_without_a_pod_template_is_accepted() {
    for (kind, object) in [
        ("ConfigMap", r#"{"data":{"containers":"nginx","image":"nginx"}}"#),
        ("Secret", r#"{"data":{"initContainers":"bmdpbng="}}"#),
        ("Service", r#"{"spec":{"ports":[]}}"#),
    ] {
        assert_eq!(create("", kind, object), Verdict::default(), "{kind}");
    }
}

#[test]
fn what_cannot_be_read_is_rejected() {
    for (group, kind, object, message) in [
        ("", "Pod", "null", "the request holds no object to judge"),
        ("", "Pod", "[]", "the request holds no object to judge"),
        ("", "Pod", "{}", "spec cannot be read: expected an object"),
        (
            "",
            "Pod",
            r#"{"spec":{"containers":{"a":{}}}}"#,
            "spec.containers: cannot be read: expected a list, found an object",
        ),
        (
            "",
            "Pod",
            r#"{"spec":{"containers":[1]}}"#,
            "spec.containers[0]: cannot be read: expected an object, found a number",
        ),
        (
            "apps",
            "Deployment",
            r#"{"spec":{"template":{"spec":{"containers":[{"image":["a"],"name":"web"}]}}}}"#,
            r#"spec.template.spec.containers[0] "web": its image cannot be read: expected a string, found a list"#,
        ),
        ("", "Pod", r#"{"spec":{"containers":[{"name":"web"}]}}"#, r#"spec.containers[0] "web": names no image"#),
        ("", "Pod", r#"{"spec":{"volumes":[{"image":{},"name":"m"}]}}"#, r#"spec.volumes[0] "m": names no image"#),
        (
            "",
            "Pod",
            r#"{"spec":{"containers":[{"image":"$(IMAGE)"}]}}"#,
            r#"spec.containers[0]: image "$(IMAGE)" is not a valid reference: "$(IMAGE)" is not a repository path"#,
        ),
    ] {
        assert_eq!(create(group, kind, object).message(), message, "{object}");
    }
}

#[test]
fn a_template_may_leave_its_image_to_others() {
    let deployment = r#"{"spec":{"template":{"spec":{"containers":[{"name":"web"}],"volumes":[{"image":{"reference":""},"name":"m"}]}}}}"#;
    let answer = create("apps", "Deployment", deployment);
    assert!(answer.violations.is_empty());
    assert_eq!(answer.warnings.len(), 2, "{:?}", answer.warnings);
    let task = r#"{"spec":{"steps":[{"image":"$(params.image)"},{"image":"r.io/{{inputs.parameters.app}}:1"},{"image":"a"}]}}"#;
    let answer = create("tekton.dev", "Task", task);
    assert_eq!(answer.message(), "spec.steps[2]: docker.io/library/a");
    assert_eq!(
        answer.warnings.first().map(String::as_str),
        Some("spec.steps[0]: image $(params.image) is filled in later; its pods are judged when they are created")
    );
    // Another idea of `image`.
    let answer = create("example.com", "Thing", r#"{"spec":{"containers":[{"image":{"tag":"1"}}]}}"#);
    assert_eq!(answer, Verdict::default());
}

#[test]
fn delete_and_connect_touch_no_object() {
    for operation in ["DELETE", "CONNECT"] {
        let request = format!(
            r#"{{"operation":"{operation}","kind":{{"group":"","kind":"Pod"}},"oldObject":{{"spec":{{"containers":[{{"image":"a"}}]}}}}}}"#
        );
        assert_eq!(verdict(&request), Verdict::default());
    }
    // An operation that is not known is judged.
    assert!(
        !verdict(
            r#"{"operation":"PATCH","kind":{"group":"","kind":"Pod"},"object":{"spec":{"containers":[{"image":"a"}]}}}"#
        )
        .violations
        .is_empty()
    );
}

#[test]
fn an_update_is_judged_for_what_it_changes() {
    let before = r#"{"containers":[{"image":"a","name":"web"},{"image":"b","name":"side"}]}"#;
    for (after, rejected) in [
        // The same, in another order, or with more around it.
        (r#"{"containers":[{"image":"a","name":"web"},{"image":"b","name":"side"}],"nodeName":"n"}"#, vec![]),
        (r#"{"containers":[{"image":"b","name":"side"},{"image":"a","name":"web"}]}"#, vec![]),
        // Swapped, renamed, moved to another list, repeated.
        (r#"{"containers":[{"image":"b","name":"web"},{"image":"a","name":"side"}]}"#, vec!["b", "a"]),
        (r#"{"containers":[{"image":"a","name":"side"}]}"#, vec!["a"]),
        (r#"{"containers":[{"image":"c","name":"web"},{"image":"b","name":"side"}]}"#, vec!["c"]),
        (r#"{"initContainers":[{"image":"a","name":"web"}]}"#, vec!["a"]),
        (r#"{"containers":[{"image":"a","name":"web"},{"image":"a","name":"web"}]}"#, vec!["a"]),
        (r#"{"containers":[{"image":"a"}]}"#, vec!["a"]),
        // The same image, spelled otherwise, is a change that somebody made.
        (r#"{"containers":[{"image":"docker.io/a","name":"web"}]}"#, vec!["a"]),
    ] {
        let answer = update("Pod", before, after);
        assert_eq!(answer.violations.len(), rejected.len(), "{after}: {}", answer.message());
        for name in rejected {
            assert!(answer.message().contains(&format!("docker.io/library/{name}")), "{after}: {}", answer.message());
        }
    }
    let answer = update("Pod", before, before);
    assert_eq!(
        answer.warnings.first().map(String::as_str),
        Some(
            r#"spec.containers[0] "web": docker.io/library/a as before (accepted, as this update does not change it)"#
        )
    );
}

#[test]
fn an_unreadable_list_is_unchanged_only_if_it_is() {
    assert!(update("Pod", r#"{"containers":"a"}"#, r#"{"containers":"a"}"#).violations.is_empty());
    assert!(!update("Pod", r#"{"containers":"a"}"#, r#"{"containers":"b"}"#).violations.is_empty());
    assert!(!update("Pod", "null", r#"{"containers":[{"image":"a"}]}"#).violations.is_empty());
}

#[test]
fn what_was_pinned_is_known_when_it_comes_once_more_by_its_tag() {
    let digest = format!("sha256:{}", "a".repeat(64));
    for (before, after, expected) in [
        (format!("r.io/a:1@{digest}"), "r.io/a:1", true),
        (format!("r.io/a@{digest}"), "r.io/a", true),
        (format!("r.io/a:1@{digest}"), "r.io/a", false),
        (format!("r.io/a:1@{digest}"), "r.io/a:2", false),
        (format!("r.io/a:1@{digest}"), "R.io/a:1", false),
        (format!("r.io/a:11@{digest}"), "r.io/a:1", false),
        ("r.io/a:1@sha256:abc".to_owned(), "r.io/a:1", false),
        ("r.io/a:1".to_owned(), "r.io/a:1", false),
        ("r.io/a".to_owned(), "r.io/a:1", false),
    ] {
        let of = |image: &str| format!(r#"{{"spec":{{"containers":[{{"image":"{image}","name":"web"}}]}}}}"#);
        let request = format!(
            r#"{{"operation":"UPDATE","kind":{{"group":"","kind":"Pod"}},"object":{},"oldObject":{}}}"#,
            of(after),
            of(&before)
        );
        let request = Request::read(Json::parse(&request).expect("JSON")).expect("a request");
        let mut found = Vec::new();
        let _ = readable_images(
            &request,
            &[],
            |_, _| true,
            |used, _, _| found.push(used.pinned_before().map(str::to_owned)),
        );
        assert_eq!(found, [expected.then_some(before)], "{after}");
    }
}
