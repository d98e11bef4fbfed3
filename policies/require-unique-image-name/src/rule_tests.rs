use std::cell::Cell;

use policy_kit::read_settings;

use super::*;

const GOOD: &str = "registry.corp.example/payments-checkout-api:881c2d2cffa9375";

/// Answers by operation and a part of the question; counts what it is asked.
#[derive(Default)]
struct World {
    answers: Vec<(&'static str, &'static str, String)>,
    asked: Cell<usize>,
}

impl World {
    fn with(mut self, operation: &'static str, about: &'static str, answer: &str) -> Self {
        self.answers.push((operation, about, answer.to_owned()));
        self
    }

    fn namespace(self, labels: &str) -> Self {
        self.with("get_resource", "shop", &format!(r#"{{"metadata":{{"labels":{labels}}}}}"#))
    }

    fn image(self, about: &'static str, revision: &str) -> Self {
        let config =
            format!(r#"{{"config":{{"config":{{"Labels":{{"org.opencontainers.image.revision":"{revision}"}}}}}}}}"#);
        self.with("v1/oci_manifest_config", about, &config)
    }
}

impl Host for World {
    fn call(&self, _: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        self.asked.set(self.asked.get() + 1);
        let question = String::from_utf8_lossy(payload);
        let known = self.answers.iter().find(|(known, about, _)| *known == operation && question.contains(about));
        known.map(|(_, _, answer)| answer.clone().into_bytes()).ok_or_else(|| "unreachable".to_owned())
    }

    fn now(&self) -> i64 {
        0
    }
}

fn judged(settings: &str, request: &str, host: &World) -> Verdict {
    let settings: Settings = read_settings(&policy_kit::Json::parse(settings).expect("JSON")).expect("settings");
    settings.check().expect("settings that work");
    let request = Request::read(policy_kit::Json::parse(request).expect("JSON")).expect("a request");
    RequireUniqueImageName::judge(&request, &settings, host)
}

fn pod(image: &str) -> String {
    format!(
        r#"{{"operation":"CREATE","kind":{{"group":"","kind":"Pod"}},"namespace":"shop",
            "object":{{"spec":{{"containers":[{{"image":"{image}","name":"web"}}]}}}}}}"#
    )
}

fn message(settings: &str, image: &str) -> String {
    judged(settings, &pod(image), &World::default()).message()
}

#[test]
fn the_tag_is_the_end_of_a_commit_and_nothing_else() {
    let name = "r.io/payments-checkout-api";
    for (tag, fix) in [
        ("881c2d2cffa937", ", such as 881c2d2cffa9375"),
        ("881c2d2cffa93751", ", such as 881c2d2cffa9375"),
        ("881c2d2cffa937g", ", such as 881c2d2cffa9375"),
        ("v881c2d2cffa9375", ", such as 881c2d2cffa9375"),
        ("881c2d2cffa9375-arm64", ", such as 881c2d2cffa9375"),
        ("abc1234", ", such as 881c2d2cffa9375"),
        ("latest", ", such as 881c2d2cffa9375"),
        // The commit is known all the same.
        ("881C2D2CFFA9375", ": write 881c2d2cffa9375"),
        ("0123456789012345678901234881c2d2cffa9375", ": write 881c2d2cffa9375"),
    ] {
        assert_eq!(
            message("{}", &format!("{name}:{tag}")),
            format!(
                r#"spec.containers[0] "web": image {name}:{tag} must have the last 15 characters of its commit SHA as the tag{fix}"#
            )
        );
    }
    assert!(message("{}", name).ends_with("without a tag it means latest"));
    let digest = format!("@sha256:{}", "a".repeat(64));
    assert!(message("{}", &format!("{name}{digest}")).ends_with("beside the digest: a digest names no commit"));
    assert_eq!(message("{}", &format!("{name}:881c2d2cffa9375{digest}")), "");
    assert_eq!(message(r#"{"commitLength":40}"#, &format!("{name}:{}", "0a".repeat(20))), "");
    assert!(message(r#"{"commitLength":64}"#, name).contains("such as 5d0a7c93e1f24b86a0c5d7e90b13f4a2"));
}

#[test]
fn a_tag_of_digits_alone_is_worth_a_warning() {
    let image = "r.io/payments-checkout-api:202601011234567";
    let verdict = judged("{}", &pod(image), &World::default());
    assert_eq!(verdict.violations, []);
    assert_eq!(
        verdict.warnings,
        [format!(
            r#"spec.containers[0] "web": the tag of {image} is a number, as of a build or a date; few commits end with one"#
        )]
    );
}

#[test]
fn an_own_expression_reads_name_or_path() {
    let name = r#"{"pattern":"(?<team>[a-z]+)[.](?<subTeam>[a-z]+)[.](?<app>[a-z-]+):(?<commit>.*)"}"#;
    for (image, expected) in [
        ("r.io/x/payments.checkout.my-api:881c2d2cffa9375", ""),
        ("r.io/payments.checkout/my-api:881c2d2cffa9375", "with my-api:881c2d2cffa9375"),
        // The expression does not decide what a commit is.
        ("r.io/payments.checkout.my-api:latest", "must have the last 15 characters"),
        ("r.io/payments.checkout.my-api", "without a tag it means latest"),
    ] {
        let message = message(name, image);
        assert!(
            if expected.is_empty() { message.is_empty() } else { message.contains(expected) },
            "{image}: {message}"
        );
    }
    let path = r#"{"pattern":"(?<team>[a-z]+)/(?<subTeam>[a-z]*)/(?<app>[a-z-]+):v-(?<commit>[0-9a-f]+)",
                   "teams":{"payments":["checkout"]}}"#;
    for (image, expected) in [
        ("r.io/payments/checkout/my-api:v-881c2d2cffa9375", ""),
        ("r.io/payments/ledger/my-api:v-881c2d2cffa9375", "must name an owner that exists (payments/checkout)"),
        ("r.io/evil/payments/checkout/my-api:v-881c2d2cffa9375", "must match"),
    ] {
        let message = message(path, image);
        assert!(
            if expected.is_empty() { message.is_empty() } else { message.contains(expected) },
            "{image}: {message}"
        );
    }
    let optional = r#"{"pattern":"(?<team>[a-z]+)-(?<subTeam>[a-z]*)-((?<app>[a-z]+))?:(?<commit>.*)"}"#;
    assert!(message(optional, "r.io/a-b-c:881c2d2cffa9375").is_empty());
    assert!(message(optional, "r.io/a--c:881c2d2cffa9375").contains("finds an empty one"));
}

#[test]
fn the_namespace_must_belong_to_the_team() {
    let settings = r#"{"ownerLabel":"team","teams":{"payments":["checkout","ledger"],"marketing":["x"]}}"#;
    for (world, expected) in [
        (World::default().namespace(r#"{"team":"payments"}"#), ""),
        (
            World::default().namespace(r#"{"team":"Payments"}"#),
            "must be of team Payments, whose Namespace this is, not of payments",
        ),
        (
            World::default().namespace(r#"{"team":"marketing"}"#),
            "must be of team marketing, whose Namespace this is, not of payments",
        ),
        (World::default().namespace(r#"{"owner":"payments"}"#), "Namespace shop must have the label team"),
        (World::default().namespace("null"), "Namespace shop must have the label team"),
        (World::default().with("get_resource", "shop", "]"), "Namespace shop cannot be read for its label team"),
        (World::default(), "Namespace shop cannot be read for its label team: unreachable"),
    ] {
        let message = judged(settings, &pod(GOOD), &world).message();
        assert!(if expected.is_empty() { message.is_empty() } else { message.contains(expected) }, "{message}");
    }
}

#[test]
fn the_namespace_is_asked_for_once_and_only_for_sound_names() {
    let two = pod(GOOD).replace("]}", &format!(r#",{{"image":"{GOOD}","name":"side"}}]}}"#));
    let world = World::default().namespace(r#"{"team":"x"}"#);
    assert_eq!(
        judged(r#"{"ownerLabel":"team","teams":{"payments":["checkout","ledger"],"marketing":["x"]}}"#, &two, &world)
            .violations
            .len(),
        2
    );
    assert_eq!(world.asked.get(), 1);
    let world = World::default();
    judged(
        r#"{"ownerLabel":"team","teams":{"payments":["checkout","ledger"],"marketing":["x"]},"verifyRevision":true}"#,
        &pod("evil.io/x:1"),
        &world,
    );
    assert_eq!(world.asked.get(), 0);
}

#[test]
fn an_object_outside_namespaces_is_judged_by_its_pods() {
    let template = format!(
        r#"{{"operation":"CREATE","kind":{{"group":"argoproj.io","kind":"ClusterWorkflowTemplate"}},
            "object":{{"spec":{{"templates":[{{"container":{{"image":"{GOOD}"}}}}]}}}}}}"#
    );
    assert_eq!(
        judged(
            r#"{"ownerLabel":"team","teams":{"payments":["checkout","ledger"],"marketing":["x"]}}"#,
            &template,
            &World::default()
        ),
        Verdict::default()
    );
    let nowhere = pod(GOOD).replace(r#""namespace":"shop","#, "");
    let message = judged(
        r#"{"ownerLabel":"team","teams":{"payments":["checkout","ledger"],"marketing":["x"]}}"#,
        &nowhere,
        &World::default(),
    )
    .message();
    assert_eq!(message, "the request names no Namespace, so nobody knows whose images may run there");
}

#[test]
fn the_image_must_say_that_it_was_built_from_the_commit() {
    let settings = r#"{"verifyRevision":true}"#;
    let sha = "0123456789012345678901234881c2d2cffa9375";
    let single = || World::default().with("v1/oci_manifest", GOOD, r#"{"config":{}}"#);
    for (world, expected) in [
        (single().image(GOOD, sha), ""),
        (single().image(GOOD, &format!("{}{sha}", "0".repeat(24))), ""),
        // The first fifteen instead of the last, a part of the SHA, upper case, nothing.
        (
            single().image(GOOD, "881c2d2cffa93750000000000fedcba987654321"),
            "must be tagged fedcba987654321: its label org.opencontainers.image.revision is 881c2d2cffa93750000000000fedcba987654321",
        ),
        (single().image(GOOD, "881c2d2cffa9375"), r#"and it has "881c2d2cffa9375""#),
        (single().image(GOOD, &sha.to_uppercase()), "must have the whole commit SHA as its label"),
        (single().image(GOOD, ""), "and it has none"),
        (single().with("v1/oci_manifest_config", GOOD, r#"{"config":{"config":null}}"#), "and it has none"),
        (single(), "cannot be looked up: unreachable"),
        (World::default(), "cannot be looked up: unreachable"),
    ] {
        let message = judged(settings, &pod(GOOD), &world).message();
        assert!(if expected.is_empty() { message.is_empty() } else { message.contains(expected) }, "{message}");
    }
}

#[test]
fn every_platform_must_agree() {
    const CHILDREN: [&str; 2] = [
        "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    ];
    let index = || {
        let [amd64, arm64] = CHILDREN;
        World::default().with(
            "v1/oci_manifest",
            GOOD,
            &format!(
                r#"{{"manifests":[{{"digest":"{amd64}","platform":{{"architecture":"amd64","os":"linux"}}}},
                    {{"digest":"{arm64}","platform":{{"architecture":"arm64","os":"linux"}}}}]}}"#
            ),
        )
    };
    let sha = "0123456789012345678901234881c2d2cffa9375";
    let [amd64, arm64] = CHILDREN;
    for (other, expected) in [
        (sha.to_owned(), ""),
        (
            "f".repeat(40),
            "must be tagged fffffffffffffff: its label org.opencontainers.image.revision is ffffffffffffffffffffffffffffffffffffffff on linux/arm64",
        ),
        (sha.replace("0123", "ffff"), "must be built from one commit"),
        (String::new(), "and on linux/arm64 it has none"),
    ] {
        let world = index().image(amd64, sha).image(arm64, &other);
        let message = judged(r#"{"verifyRevision":true}"#, &pod(GOOD), &world).message();
        assert!(if expected.is_empty() { message.is_empty() } else { message.contains(expected) }, "{message}");
    }
}

#[test]
fn an_update_that_leaves_the_image_alone_asks_nobody() {
    let update = format!(
        r#"{{"operation":"UPDATE","kind":{{"group":"","kind":"Pod"}},"namespace":"shop",
            "object":{{"metadata":{{"finalizers":[]}},"spec":{{"containers":[{{"image":"{GOOD}","name":"web"}}]}}}},
            "oldObject":{{"spec":{{"containers":[{{"image":"{GOOD}","name":"web"}}]}}}}}}"#
    );
    let world = World::default();
    let verdict = judged(
        r#"{"ownerLabel":"team","teams":{"payments":["checkout","ledger"],"marketing":["x"]},"verifyRevision":true}"#,
        &update,
        &world,
    );
    assert_eq!((verdict.violations.len(), world.asked.get()), (0, 0));
}
