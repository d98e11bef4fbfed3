use super::*;

fn places(object: &str, strict: bool) -> Vec<String> {
    let object = Json::parse(object).expect("valid JSON");
    images(&object, strict)
        .iter()
        .map(|used| {
            format!(
                "{} = {}",
                used.place,
                if matches!(used.kind, Kind::Unreadable(_)) { "?" } else { used.image().text() }
            )
        })
        .collect()
}

#[test]
fn all_places_of_a_pod_are_walked() {
    let pod = r#"{"spec":{
        "containers":[{"image":"a","name":"web"}],
        "ephemeralContainers":[{"image":"b","name":"debug"}],
        "initContainers":[{"image":"c","name":"setup"},{"image":"d","name":"proxy","restartPolicy":"Always"}],
        "volumes":[{"emptyDir":{},"name":"tmp"},{"image":{"reference":"e"},"name":"model"}]}}"#;
    assert_eq!(
        places(pod, true),
        [
            r#"spec.containers[0] "web" = a"#,
            r#"spec.ephemeralContainers[0] "debug" = b"#,
            r#"spec.initContainers[0] "setup" = c"#,
            r#"spec.initContainers[1] "proxy" = d"#,
            r#"spec.volumes[1] "model" = e"#,
        ]
    );
}

#[test]
fn what_is_no_container_is_seen_in_kubernetes_own_kinds_alone() {
    for (spec, strict, lenient) in [
        (r#"{"containers":{"web":{"image":"a"}}}"#, vec!["spec.containers = ?"], vec![]),
        (r#"{"initContainers":"a"}"#, vec!["spec.initContainers = ?"], vec![]),
        (r#"{"containers":["a"]}"#, vec!["spec.containers[0] = ?"], vec![]),
        (r#"{"containers":[[{"image":"a"}]]}"#, vec!["spec.containers[0] = ?"], vec![]),
        // The object beside it makes it a list of containers everywhere.
        (
            r#"{"containers":[{"image":"a"},null]}"#,
            vec!["spec.containers[0] = a", "spec.containers[1] = ?"],
            vec!["spec.containers[0] = a", "spec.containers[1] = ?"],
        ),
        (
            r#"{"containers":[{"image":"a"}],"volumes":[{"image":"b"}]}"#,
            vec!["spec.containers[0] = a", "spec.volumes[0] = ?"],
            vec!["spec.containers[0] = a"],
        ),
        (
            r#"{"containers":[{"image":"a"}],"volumes":{"image":{"reference":"b"}}}"#,
            vec!["spec.containers[0] = a", "spec.volumes = ?"],
            vec!["spec.containers[0] = a"],
        ),
        (r#"{"volumes":"a"}"#, vec!["spec.volumes = ?"], vec![]),
        (r#"{"containers":[],"initContainers":null,"volumes":null}"#, vec![], vec![]),
    ] {
        let object = format!(r#"{{"spec":{spec}}}"#);
        assert_eq!(places(&object, true), strict, "{spec}, strictly");
        assert_eq!(places(&object, false), lenient, "{spec}, leniently");
    }
}

#[test]
fn the_containers_of_custom_resources_are_walked() {
    for (object, expected) in [
        // Tekton
        (
            r#"{"spec":{"taskSpec":{"sidecars":[{"image":"b"}],"stepTemplate":{"image":"c"},"steps":[{"image":"a","name":"s"}]}}}"#,
            vec![
                "spec.taskSpec.sidecars[0] = b",
                "spec.taskSpec.stepTemplate = c",
                r#"spec.taskSpec.steps[0] "s" = a"#,
            ],
        ),
        // Argo Workflows
        (
            r#"{"spec":{"templates":[{"container":{"image":"a"},"name":"t"},{"containerSet":{"containers":[{"image":"b"}]}},{"script":{"image":"c"}}]}}"#,
            vec![
                "spec.templates[0].container = a",
                "spec.templates[1].containerSet.containers[0] = b",
                "spec.templates[2].script = c",
            ],
        ),
        // Knative
        (
            r#"{"spec":{"template":{"spec":{"containers":[{"image":"a"}]}}}}"#,
            vec!["spec.template.spec.containers[0] = a"],
        ),
        // Kubeflow, Ray, KServe
        (
            r#"{"spec":{"pytorchReplicaSpecs":{"Master":{"template":{"spec":{"containers":[{"image":"a"}]}}}}}}"#,
            vec!["spec.pytorchReplicaSpecs.Master.template.spec.containers[0] = a"],
        ),
        (
            r#"{"spec":{"workerGroupSpecs":[{"template":{"spec":{"initContainers":[{"image":"a"}]}}}]}}"#,
            vec!["spec.workerGroupSpecs[0].template.spec.initContainers[0] = a"],
        ),
        (r#"{"spec":{"predictor":{"containers":[{"image":"a"}]}}}"#, vec!["spec.predictor.containers[0] = a"]),
    ] {
        assert_eq!(places(object, false), expected, "{object}");
    }
}
