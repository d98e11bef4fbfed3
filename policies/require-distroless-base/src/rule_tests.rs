use std::cell::RefCell;
use std::collections::BTreeMap;

use policy_kit::{Json, read_settings};
use proptest::prelude::*;

use super::*;

/// A registry that counts what it is asked.
#[derive(Default)]
struct Registry {
    manifests: BTreeMap<String, String>,
    configs: BTreeMap<String, String>,
    asked: RefCell<Vec<String>>,
}

impl Registry {
    /// An image with these layers, each named by a letter.
    fn image(mut self, name: &str, layers: &str) -> Self {
        self.manifests.insert(name.to_owned(), r#"{"config":{},"layers":[]}"#.to_owned());
        self.config(name, layers)
    }

    fn config(mut self, name: &str, layers: &str) -> Self {
        let ids: Vec<String> = layers.chars().map(|letter| format!("\"{}\"", digest(letter))).collect();
        let blobs = vec!["{}"; ids.len()].join(",");
        let rootfs = format!(r#"{{"diff_ids":[{}]}}"#, ids.join(","));
        let answer = format!(r#"{{"manifest":{{"layers":[{blobs}]}},"config":{{"rootfs":{rootfs}}}}}"#);
        self.configs.insert(name.to_owned(), answer);
        self
    }

    /// An index of images for these platforms, each with its layers.
    fn index(mut self, name: &str, children: &[(&str, char, &str)]) -> Self {
        let repository = name.rsplit_once(':').map_or(name, |(repository, _)| repository).to_owned();
        let mut items = Vec::new();
        for (architecture, letter, layers) in children {
            let digest = digest(*letter);
            items.push(format!(
                r#"{{"digest":"{digest}","platform":{{"os":"linux","architecture":"{architecture}"}}}}"#
            ));
            self = self.config(&format!("{repository}@{digest}"), layers);
        }
        self.manifests.insert(name.to_owned(), format!(r#"{{"manifests":[{}]}}"#, items.join(",")));
        self
    }

    fn asked(&self) -> usize {
        self.asked.borrow().len()
    }
}

impl Host for Registry {
    fn call(&self, _: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        let name: String = serde_json::from_slice(payload).expect("a JSON string");
        self.asked.borrow_mut().push(name.clone());
        let known = if operation == "v1/oci_manifest" { &self.manifests } else { &self.configs };
        known.get(&name).map(|answer| answer.clone().into_bytes()).ok_or_else(|| "unreachable".to_owned())
    }

    fn now(&self) -> i64 {
        0
    }
}

fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

fn settings(json: &str) -> Settings {
    let settings: Settings = read_settings(&Json::parse(json).expect("JSON")).expect("settings");
    settings.check().expect("settings that work");
    settings
}

fn judged(settings: &Settings, images: &[&str], host: &dyn Host) -> Verdict {
    let containers: Vec<String> = images.iter().map(|image| format!(r#"{{"image":"{image}","name":"c"}}"#)).collect();
    let request = format!(
        r#"{{"operation":"CREATE","kind":{{"group":"","kind":"Pod"}},"object":{{"spec":{{"containers":[{}]}}}}}}"#,
        containers.join(",")
    );
    let request = Request::read(Json::parse(&request).expect("JSON")).expect("a request");
    RequireDistrolessBase::judge(&request, settings, host)
}

fn pinned(letters: &str) -> String {
    let ids: Vec<String> = letters.chars().map(|letter| format!("\"{}\"", digest(letter))).collect();
    format!(r#"{{"name":"{letters}","diffIds":[{}]}}"#, ids.join(","))
}

#[test]
fn nobody_is_asked_without_an_image_to_judge() {
    let host = Registry::default();
    let settings = settings(r#"{"approvedBases":[{"image":"r.io/base:1"}],"exemptImages":["r.io/vendor/**"]}"#);
    assert_eq!(judged(&settings, &["r.io/vendor/a:1"], &host), Verdict::default());
    assert_eq!(judged(&settings, &["r.io/A"], &host).violations.len(), 1);
    assert_eq!(host.asked(), 0);
}

#[test]
fn pinned_layers_are_compared_before_any_base_is_looked_up() {
    let host = Registry::default().image("r.io/app:1", "abc").image("r.io/base:1", "ab");
    let both = format!(r#"{{"approvedBases":[{{"image":"r.io/base:1"}},{}]}}"#, pinned("ab"));
    assert!(judged(&settings(&both), &["r.io/app:1"], &host).violations.is_empty());
    assert_eq!(*host.asked.borrow(), ["r.io/app:1", "r.io/app:1"]);
}

#[test]
fn each_image_and_each_base_is_looked_up_once() {
    let host = Registry::default().image("r.io/app:1", "abc").image("r.io/other:1", "abd").image("r.io/base:1", "ab");
    let live = settings(r#"{"approvedBases":[{"image":"r.io/base:1"}]}"#);
    let verdict = judged(&live, &["r.io/app:1", "r.io/other:1", "R.io:443/app:1", "r.io/app:1"], &host);
    assert!(verdict.violations.is_empty(), "{}", verdict.message());
    assert_eq!(host.asked(), 6, "{:?}", host.asked.borrow());
}

#[test]
fn only_the_platforms_of_a_base_that_matter_are_looked_up() {
    let base = [("s390x", '3', "ef"), ("amd64", '1', "ab"), ("arm64", '2', "cd")];
    let registry = || {
        Registry::default()
            .index("r.io/base:1", &base)
            .index("r.io/app:1", &[("amd64", '4', "ab9"), ("arm64", '5', "cd9")])
    };
    let live = settings(r#"{"approvedBases":[{"image":"r.io/base:1"}]}"#);
    let host = registry();
    assert!(judged(&live, &["r.io/app:1"], &host).violations.is_empty());
    // The index, two images; the base's index, two of its images.
    assert_eq!(host.asked(), 6, "{:?}", host.asked.borrow());
    let one = settings(r#"{"approvedBases":[{"image":"r.io/base:1"}],"platforms":["linux/arm64"]}"#);
    let host = registry();
    assert!(judged(&one, &["r.io/app:1"], &host).violations.is_empty());
    assert_eq!(host.asked(), 4, "{:?}", host.asked.borrow());
}

#[test]
fn a_denied_base_is_looked_up_for_every_platform_that_a_node_has() {
    // An image may say that it is for another platform than it is.
    let host = Registry::default()
        .index("r.io/debug:1", &[("amd64", '1', "abe"), ("arm64", '2', "cdf")])
        .index("r.io/app:1", &[("amd64", '4', "abf")]);
    let json = format!(r#"{{"approvedBases":[{}],"deniedBases":[{{"image":"r.io/debug:1"}}]}}"#, pinned("ab"));
    let verdict = judged(&settings(&json), &["r.io/app:1"], &host);
    assert!(
        verdict.message().contains("must not have a layer of r.io/debug:1 (deniedBases[0])"),
        "{}",
        verdict.message()
    );
    let json = json.replace(r#"{"approved"#, r#"{"platforms":["linux/amd64"],"approved"#);
    assert!(judged(&settings(&json), &["r.io/app:1"], &host).violations.is_empty());
}

#[test]
fn a_denied_base_that_is_known_in_part_rejects_all() {
    let mut host = Registry::default().index("r.io/debug:1", &[("amd64", '1', "abe"), ("arm64", '2', "cdf")]);
    host.configs.remove(&format!("r.io/debug@{}", digest('2')));
    let host = host.image("r.io/app:1", "abc");
    let json = format!(r#"{{"approvedBases":[{}],"deniedBases":[{{"image":"r.io/debug:1"}}]}}"#, pinned("ab"));
    assert_eq!(
        judged(&settings(&json), &["r.io/app:1", "r.io/app:1"], &host).message(),
        "deniedBases[0]: r.io/debug:1 cannot be looked up: unreachable; nobody knows which images are built on it"
    );
}

#[test]
fn empty_layers_prove_nothing_and_deny_nothing() {
    let empty = "sha256:84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652";
    let replaced = |registry: &mut Registry| {
        for answer in registry.configs.values_mut() {
            *answer = answer.replace(&digest('0'), empty);
        }
    };
    let mut host =
        Registry::default().image("r.io/base:1", "00").image("r.io/app:1", "00a").image("r.io/fine:1", "ab0c");
    replaced(&mut host);
    let live = settings(r#"{"approvedBases":[{"image":"r.io/base:1"}]}"#);
    let message = judged(&live, &["r.io/app:1"], &host).message();
    assert!(message.contains("is the empty layer alone"), "{message}");
    let denied = format!(r#"{{"approvedBases":[{}],"deniedBases":[{}]}}"#, pinned("ab"), pinned("90"));
    let denied = settings(&denied.replace(&digest('0'), empty));
    assert!(judged(&denied, &["r.io/fine:1"], &host).violations.is_empty());
}

#[test]
fn a_base_is_there_as_a_whole_or_not_at_all() {
    let host = Registry::default().image("r.io/app:1", "ab").image("r.io/base:1", "abc");
    for base in [pinned("abc"), r#"{"image":"r.io/base:1"}"#.to_owned()] {
        let message = judged(&settings(&format!(r#"{{"approvedBases":[{base}]}}"#)), &["r.io/app:1"], &host).message();
        assert!(message.contains("its first layers are those of none of them"), "{message}");
    }
}

#[test]
fn the_audit_log_is_told_the_base_that_goes_furthest_and_only_of_what_is_accepted() {
    let host = Registry::default()
        .image("r.io/app:1", "abc")
        .index("r.io/mixed:1", &[("amd64", '1', "abc"), ("arm64", '2', "de")]);
    let bases = settings(&format!(r#"{{"approvedBases":[{},{}]}}"#, pinned("ab"), pinned("a")));
    let verdict = judged(&bases, &["r.io/app:1"], &host);
    assert_eq!(verdict.audit_annotations, [("base", "r.io/app:1: the base is ab (approvedBases[0])".to_owned())]);
    let verdict = judged(&bases, &["r.io/mixed:1"], &host);
    assert_eq!((verdict.violations.len(), verdict.audit_annotations), (1, vec![]));
}

#[test]
fn a_denied_base_wins_over_an_approved_one() {
    let host = Registry::default().image("r.io/base:1", "abc").image("r.io/denied:1", "ab").image("r.io/app:1", "abcd");
    let json = r#"{"approvedBases":[{"image":"r.io/base:1"}],"deniedBases":[{"image":"r.io/denied:1"}]}"#;
    let message = judged(&settings(json), &["r.io/app:1"], &host).message();
    assert!(message.contains("must not be built on r.io/denied:1 (deniedBases[0])"), "{message}");
}

#[test]
fn thousands_of_images_are_no_thousands_of_look_ups() {
    let host = Registry::default();
    let names: Vec<String> = (0..5_000).map(|number| format!("r.io/app:{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let verdict = judged(&settings(&format!(r#"{{"approvedBases":[{}]}}"#, pinned("a"))), &names, &host);
    assert_eq!((verdict.violations.len(), host.asked()), (5_000, MOST_IMAGES));
    let last = verdict.violations.last().expect("a violation").to_string();
    assert!(last.contains("is one of more than 100 in this object"), "{last}");
    let host = Registry::default().image("r.io/app:1", "ab");
    let verdict =
        judged(&settings(&format!(r#"{{"approvedBases":[{}]}}"#, pinned("a"))), &vec!["r.io/app:1"; 5_000], &host);
    assert_eq!((verdict.violations.len(), host.asked()), (0, 2));
    assert_eq!(verdict.audit_annotations.len(), 1);
}

/// Answers everything with one text.
struct Garbage(String);

impl Host for Garbage {
    fn call(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn now(&self) -> i64 {
        0
    }
}

#[test]
fn whatever_is_no_image_is_rejected() {
    let settings = settings(r#"{"approvedBases":[{"image":"r.io/base:1"}],"deniedBases":[{"image":"r.io/debug:1"}]}"#);
    let deep = "[".repeat(100_000);
    for answer in [
        "",
        "null",
        "[]",
        "{}",
        "\u{fc}",
        "{\"config\":{}}",
        "{\"config\":1,\"layers\":2}",
        "{\"manifests\":[{}]}",
        &deep,
    ] {
        assert!(!judged(&settings, &["r.io/app:1"], &Garbage(answer.to_owned())).violations.is_empty(), "{answer:.40}");
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        prop::sample::select(vec!["", "linux", "/bin/sh", "RUN make", "COPY a /b", "PATH=/busybox", "[\"a\"]"])
            .prop_map(serde_json::Value::from),
        Just(serde_json::Value::from(digest('a'))),
    ];
    let keys = prop::sample::select(vec![
        "config",
        "manifest",
        "layers",
        "rootfs",
        "diff_ids",
        "history",
        "created_by",
        "comment",
        "empty_layer",
        "Entrypoint",
        "Cmd",
        "Env",
        "Labels",
        "annotations",
        "os",
        "architecture",
        "manifests",
        "digest",
        "platform",
    ]);
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// What a registry answers is judged without a crash, and is never a proof: no answer has the approved layers.
    #[test]
    fn any_answer_of_a_registry_is_judged(answer in json()) {
        let base = format!(r#"{{"approvedBases":[{}],"allowScratch":false}}"#, pinned("b"));
        let verdict = judged(&settings(&base), &["r.io/app:1"], &Garbage(answer.to_string()));
        prop_assert!(!verdict.violations.is_empty());
    }
}
