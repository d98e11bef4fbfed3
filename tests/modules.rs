//! Policies in a real registry: pushed as Kubewarden does it, pulled, kept, trusted, run and checked from there.

use std::fs;
use std::path::{Path, PathBuf};

use bundle_tests::images::sha256;
use bundle_tests::registry::{self, PASSWORD, Registry, Setup, USER};
use bundle_tests::signing::sign;
use host_runner::commands::OutsideOptions;
use host_runner::commands::check::{CheckOptions, CheckReport, check};
use host_runner::commands::distribute::{PullOptions, PushOptions, pull, push};
use host_runner::commands::inspect::{InspectOptions, inspect};
use host_runner::commands::run::{RunOptions, RunReport, TrustOptions, run};
use host_runner::live::LiveOptions;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;

const POLICY: &str = "require-unique-image-name";
const REQUEST: &str = r#"{"uid":"u","kind":{"group":"","kind":"Pod","version":"v1"},"resource":{"group":"","resource":"pods","version":"v1"},"operation":"CREATE","userInfo":{},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"a","image":"nginx"}]}}}"#;

/// A registry, and a folder with a store and whatever else a test needs.
struct Place {
    registry: Registry,
    folder: TempDir,
}

impl Place {
    fn new() -> Option<Self> {
        Some(Place { registry: registry::start(&Setup::default())?, folder: tempfile::tempdir().expect("a folder") })
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("written");
        path
    }

    fn outside(&self) -> OutsideOptions {
        OutsideOptions { store: Some(self.folder.path().join("store")), ..OutsideOptions::default() }
    }

    fn offline(&self) -> OutsideOptions {
        OutsideOptions { offline: true, ..self.outside() }
    }

    fn uri(&self, name: &str) -> String {
        format!("registry://{}/{name}", self.registry.host)
    }

    fn push(&self, policy: &str, name: &str) -> Result<String, String> {
        push(&PushOptions {
            policy: policy.to_owned(),
            destination: self.uri(name),
            force: false,
            outside: self.outside(),
        })
    }

    fn run(&self, policy: &str, trust: TrustOptions, outside: OutsideOptions) -> RunReport {
        let request = self.file("request.json", REQUEST);
        run(&RunOptions { policy: policy.to_owned(), request, outside, trust, ..RunOptions::default() })
    }

    /// What the registry says to a request, as text.
    fn get(&self, path: &str) -> String {
        let url = format!("http://{}/v2/{path}", self.registry.host);
        let accept = "application/vnd.oci.image.manifest.v1+json";
        registry::runtime().block_on(async {
            let client = reqwest::Client::new();
            client.get(url).header("accept", accept).send().await.expect("an answer").text().await.expect("text")
        })
    }
}

fn ran(report: &RunReport) -> bool {
    report.error.is_none() && report.answers.len() == 1 && !report.answers[0].response.allowed
}

#[test]
fn a_policy_is_pushed_as_kubewarden_does_it() {
    let Some(place) = Place::new() else { return };
    let name = place.push(POLICY, "policies/naming:v1").expect("pushed");
    let body = place.get("policies/naming/manifests/v1");
    assert_eq!(name, format!("{}/policies/naming@{}", place.registry.host, sha256(body.as_bytes())));
    let manifest: Value = serde_json::from_str(&body).expect("JSON");
    let wasm = bundle::policy(POLICY).expect("in the bundle").wasm;
    assert_eq!(
        manifest["config"],
        json!({
            "mediaType": "application/vnd.wasm.config.v1+json", "size": 2,
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        })
    );
    assert_eq!(
        manifest["layers"],
        json!([{
            "mediaType": "application/vnd.wasm.content.layer.v1+wasm", "digest": sha256(wasm), "size": wasm.len(),
        }])
    );
    let keys: Vec<&str> = manifest.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["annotations", "config", "layers", "schemaVersion"]);
    let annotations = manifest["annotations"].as_object().expect("annotations");
    assert_eq!(annotations["io.kubewarden.policy.title"], POLICY);
    // The README has lines.
    assert!(!annotations.contains_key("io.kubewarden.policy.usage"));
}

#[test]
fn a_module_without_metadata_is_pushed_only_by_force() {
    let Some(place) = Place::new() else { return };
    let bare = place.file("bare.wasm", b"\0asm\x01\0\0\0").display().to_string();
    let error = place.push(&bare, "bare:v1").expect_err("refused");
    assert!(error.contains("is not annotated"), "{error}");
    let options =
        PushOptions { policy: bare, destination: place.uri("bare:v1"), force: true, outside: place.outside() };
    push(&options).expect("pushed");
    let manifest: Value = serde_json::from_str(&place.get("bare/manifests/v1")).expect("JSON");
    assert!(manifest.get("annotations").is_none());
}

#[test]
fn a_policy_is_pulled_into_the_store_a_file_or_a_folder() {
    let Some(place) = Place::new() else { return };
    place.push(POLICY, "policies/naming:v1").expect("pushed");
    let wasm = bundle::policy(POLICY).expect("in the bundle").wasm;
    let pull_to = |output: Option<PathBuf>| {
        let uri = place.uri("policies/naming:v1");
        pull(&PullOptions { uri, output, trust: TrustOptions::default(), outside: place.outside() }).expect("pulled")
    };
    let pulled = pull_to(None);
    assert_eq!(
        pulled.path,
        place.folder.path().join("store/registry").join(&place.registry.host).join("policies/naming:v1")
    );
    assert_eq!(pulled.digest, sha256(wasm));
    let folder = place.folder.path().to_owned();
    for (output, expected) in
        [(folder.clone(), folder.join("naming.wasm")), (folder.join("a.wasm"), folder.join("a.wasm"))]
    {
        let pulled = pull_to(Some(output));
        assert_eq!(pulled.path, expected);
        assert_eq!(fs::read(expected).expect("a module"), wasm);
    }
}

#[test]
fn a_policy_runs_from_a_registry_and_then_without_it() {
    let Some(place) = Place::new() else { return };
    let uri = place.uri("policies/naming:v1");
    let error = place.run(&uri, TrustOptions::default(), place.offline()).error.expect("nothing there");
    assert_eq!(error, format!("{uri} has not been pulled before, and nothing is pulled offline"));
    let error = place.run(&uri, TrustOptions::default(), place.outside()).error.expect("nothing there");
    assert!(error.contains("policies/naming:v1"), "{error}");
    place.push(POLICY, "policies/naming:v1").expect("pushed");
    assert!(ran(&place.run(&uri, TrustOptions::default(), place.outside())));
    assert!(ran(&place.run(&uri, TrustOptions::default(), place.offline())));
    let digest = sha256(bundle::policy(POLICY).expect("in the bundle").wasm);
    let prefix = &digest["sha256:".len()..][..12];
    assert!(ran(&place.run(prefix, TrustOptions::default(), place.offline())));
    let inspected = inspect(&InspectOptions { policy: uri, outside: place.offline() }).expect("metadata");
    assert_eq!(inspected.title(), Some(POLICY));
}

#[test]
fn a_tag_is_pulled_once_and_latest_each_time() {
    let Some(place) = Place::new() else { return };
    for (tag, moves) in [("v1", false), ("latest", true)] {
        let uri = place.uri(&format!("policies/moving:{tag}"));
        place.push(POLICY, &format!("policies/moving:{tag}")).expect("pushed");
        assert!(ran(&place.run(&uri, TrustOptions::default(), place.outside())));
        // Another policy, which accepts the request.
        place.push("disallow-container-exec", &format!("policies/moving:{tag}")).expect("pushed");
        let again = place.run(&uri, TrustOptions::default(), place.outside());
        assert_eq!(again.answers[0].response.allowed, moves, "{tag}");
    }
}

#[test]
fn what_is_no_policy_is_told() {
    let Some(place) = Place::new() else { return };
    let image = bundle_tests::shop::busybox();
    place.registry.push(&image);
    let uri = place.uri(&format!("{}:{}", image.repository, image.tag));
    let error = place.run(&uri, TrustOptions::default(), place.outside()).error.expect("an image");
    assert!(error.ends_with("the artifact has no WebAssembly layer, so it is no policy"), "{error}");
}

#[test]
fn a_policy_is_run_only_if_it_is_signed_as_wanted() {
    let Some(place) = Place::new() else { return };
    let name = place.push(POLICY, "policies/naming:v1").expect("pushed");
    let (_, digest) = name.split_once('@').expect("a digest");
    let (key, other) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    place.registry.push_signatures("policies/naming", digest, &[sign(&key, digest, &json!({"env": "prod"}))]);
    let uri = place.uri("policies/naming:v1");
    let key_file = |name: &str, key: &KeyPair| place.file(name, key.public_key_pem());
    let keys = |keys: Vec<PathBuf>| TrustOptions { keys, ..TrustOptions::default() };
    let trusted = |trust: TrustOptions| place.run(&uri, trust, place.outside());
    let (good, bad) = (key_file("good.pem", &key), key_file("bad.pem", &other));
    assert!(ran(&trusted(keys(vec![good.clone()]))));
    let error = trusted(keys(vec![bad.clone()])).error.expect("not signed");
    assert!(error.starts_with(&format!("{uri} cannot be trusted: ")), "{error}");
    assert!(trusted(keys(vec![good.clone(), bad.clone()])).error.is_some());
    for (annotation, expected) in [("env=prod", true), ("env=test", false)] {
        let trust = TrustOptions { annotations: vec![annotation.to_owned()], ..keys(vec![good.clone()]) };
        assert_eq!(ran(&trusted(trust)), expected, "{annotation}");
    }
    let key_text = |key: &KeyPair| key.public_key_pem().replace('\n', "\n      ");
    let wanted = |key: &KeyPair| format!("  - kind: pubKey\n    key: |\n      {}\n", key_text(key).trim_end());
    // What holds by default holds for registries, as long as nothing else is asked for.
    let default = place.file("default.yml", format!("apiVersion: v1\nallOf:\n{}", wanted(&other)));
    let by_default =
        |keys: Vec<PathBuf>| TrustOptions { default_config: Some(default.clone()), keys, ..TrustOptions::default() };
    assert!(trusted(by_default(Vec::new())).error.is_some());
    assert!(ran(&trusted(by_default(vec![good.clone()]))));
    assert!(ran(&place.run(POLICY, by_default(Vec::new()), place.offline())));
    // Those that resources name are held to the same.
    let rules = "rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]";
    let resource = format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{name: own}}\nspec:\n  module: {uri}\n  {rules}\n"
    );
    let resource = place.file("policy.yaml", resource).display().to_string();
    assert!(ran(&place.run(&resource, keys(vec![good.clone()]), place.outside())));
    assert!(place.run(&resource, keys(vec![bad.clone()]), place.outside()).error.is_some());
    // Nobody can tell offline, nor of a file.
    assert!(place.run(&uri, keys(vec![good.clone()]), place.offline()).error.is_some());
    let file = place.file("a.wasm", bundle::policy(POLICY).expect("in the bundle").wasm).display().to_string();
    assert!(place.run(&file, keys(vec![good]), place.outside()).error.is_some());
    for (config, expected) in [
        (format!("apiVersion: v1\nallOf:\n{}", wanted(&key)), true),
        (format!("apiVersion: v1\nallOf:\n{}{}", wanted(&key), wanted(&other)), false),
        (
            format!("apiVersion: v1\nanyOf:\n  minimumMatches: 1\n  signatures:\n{}{}", wanted(&key), wanted(&other)),
            true,
        ),
        (
            format!("apiVersion: v1\nanyOf:\n  minimumMatches: 2\n  signatures:\n{}{}", wanted(&key), wanted(&other)),
            false,
        ),
        ("apiVersion: v1\nallOf: []\n".to_owned(), false),
        (format!("apiVersion: v1\nanyOf:\n  minimumMatches: 0\n  signatures:\n{}", wanted(&other)), false),
        (format!("apiVersion: v2\nallOf:\n{}", wanted(&key)), false),
    ] {
        let trust = TrustOptions { config: Some(place.file("verification.yml", &config)), ..TrustOptions::default() };
        let report = trusted(trust);
        assert_eq!(ran(&report), expected, "{config}: {:?}", report.error);
    }
}

fn checked(place: &Place, policies: &Path, outside: OutsideOptions) -> CheckReport {
    let pod = place.file(
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: nginx}]}\n",
    );
    check(&CheckOptions {
        paths: vec![pod],
        policy_paths: vec![policies.to_owned()],
        outside,
        ..CheckOptions::default()
    })
}

#[test]
fn manifests_are_checked_against_policies_of_a_registry() {
    let Some(place) = Place::new() else { return };
    place.push(POLICY, "policies/naming:v9").expect("pushed");
    let uri = place.uri("policies/naming:v9");
    let report = checked(&place, Path::new(&uri), place.outside());
    assert_eq!((report.summary().rejected, report.summary().problems), (1, 0), "{:?}", report.problems);
    assert_eq!(report.results[0].policy, "naming");
    let rules = "rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]";
    let resources = format!(
        "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {{name: own}}\nspec:\n  module: {uri}\n  {rules}\n---\napiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicyGroup\nmetadata: {{name: group}}\nspec:\n  {rules}\n  expression: '!naming()'\n  message: no\u{a0}names\n  policies: {{naming: {{module: '{uri}'}}}}\n"
    );
    let resources = place.file("policies.yaml", resources);
    // The store has it by now.
    for outside in [place.outside(), place.offline()] {
        let report = checked(&place, &resources, outside);
        assert_eq!((report.summary().rejected, report.summary().accepted), (1, 1), "{:?}", report.problems);
    }
}

#[test]
fn registries_that_want_a_password_get_it() {
    let setup = Setup { wants_password: true, ..Setup::default() };
    let Some(registry) = registry::start(&setup) else { return };
    let place = Place { registry, folder: tempfile::tempdir().expect("a folder") };
    let error = place.push(POLICY, "policies/naming:v1").expect_err("no password");
    assert!(error.contains("policies/naming:v1"), "{error}");
    use base64::Engine;
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let host = &place.registry.host;
    place.file("config.json", json!({ "auths": { host.as_str(): { "auth": auth } } }).to_string());
    let live = LiveOptions { docker_config: Some(place.folder.path().to_owned()), ..LiveOptions::default() };
    let outside = OutsideOptions { live, ..place.outside() };
    let options = PushOptions {
        policy: POLICY.to_owned(),
        destination: place.uri("policies/naming:v1"),
        force: false,
        outside: outside.clone(),
    };
    push(&options).expect("pushed");
    assert!(ran(&place.run(&place.uri("policies/naming:v1"), TrustOptions::default(), outside)));
}

#[test]
fn a_policy_comes_from_a_web_server_that_is_trusted() {
    let Some(place) = Place::new() else { return };
    place.push(POLICY, "policies/naming:v1").expect("pushed");
    let host = &place.registry.host;
    // A registry is a web server, too.
    let digest = sha256(bundle::policy(POLICY).expect("in the bundle").wasm);
    let uri = format!("http://{host}/v2/policies/naming/blobs/{digest}");
    let error = place.run(&uri, TrustOptions::default(), place.outside()).error.expect("no TLS");
    assert_eq!(error, format!("{uri}: write https, or list {host} under insecure_sources in --sources-path"));
    let sources = place.file("sources.yml", format!("insecure_sources: [\"{host}\"]\n"));
    let live = LiveOptions { sources: Some(sources), ..LiveOptions::default() };
    let outside = OutsideOptions { live, ..place.outside() };
    assert!(ran(&place.run(&uri, TrustOptions::default(), outside.clone())));
    let missing = format!("http://{host}/v2/policies/naming/blobs/sha256:{}", "0".repeat(64));
    let error = place.run(&missing, TrustOptions::default(), outside).error.expect("nothing there");
    assert!(error.contains("404"), "{error}");
}
