use policy_kit::read_settings;
use serde_json::{Value, json};

use super::*;

fn checked(settings: &Value) -> Result<Settings, String> {
    let text = settings.to_string();
    let settings: Settings = read_settings(&policy_kit::Json::parse(&text).expect("JSON"))?;
    settings.check().map(|()| settings)
}

fn signer() -> Value {
    json!({"githubActions": {"owner": "acme", "repo": "payments", "workflow": ".github/workflows/release.yml",
        "ref": "refs/heads/main"}})
}

fn certificate() -> Value {
    let body = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqHd0CqnG1P5nB8v1Jm0GfQy8a3xN";
    json!({"certificate": {"pem": format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")}})
}

#[test]
fn settings_that_cannot_work_name_their_key() {
    let rule = |pattern: &str| json!({"match": pattern, "signedBy": [signer()]});
    let by_digest = format!("r.io/app@sha256:{}", "a".repeat(64));
    for (settings, expected) in [
        (json!({}), "images: write at least one rule"),
        (json!({"images": []}), "images: write at least one rule"),
        (json!({"images": [{"match": "r.io/**"}]}), "images[0].signedBy: write who signs"),
        (json!({"images": [{"match": "r.io/**", "signedBy": []}]}), "images[0].signedBy: write who signs"),
        (json!({"images": [{"signedBy": [signer()]}]}), "images[0]: missing field `match`"),
        (json!({"images": [rule("acme/app")]}), "images[0].match: \"acme/app\" names no registry host"),
        (json!({"images": [rule("ghcr.io/**")]}), "images[0].match: \"ghcr.io/**\" covers ghcr.io, which is shared"),
        (json!({"images": [rule("r.io/app:1.*")]}), "images[0].match: \"r.io/app:1.*\" must not name a tag"),
        (json!({"images": [rule(&by_digest)]}), "images[0].match: \"r.io/app@sha256:aaaa"),
        (
            json!({"images": [rule("docker.io/acme/**"), rule("docker.io/acme/**")]}),
            "images[1].match: docker.io/acme/** is never reached, as images[0]",
        ),
        (
            json!({"images": [rule("r.io/**")], "exemptImages": ["x.io/a", "r.io/**"]}),
            "exemptImages[1]: r.io/** covers images[0].match",
        ),
        (
            json!({"images": [rule("r.io/a/**"), rule("r.io/b/c")], "exemptImages": ["r.io/b/*"]}),
            "exemptImages[0]: r.io/b/* covers images[1].match",
        ),
        (
            json!({"images": [rule("r.io/a/**")], "exemptImages": ["r.io/**:*"]}),
            "exemptImages[0]: r.io/**:* covers images[0].match",
        ),
        (
            json!({"images": [rule("r.io/**"), rule("R.io:443/**")]}),
            "images[1].match: r.io/** is never reached, as images[0]",
        ),
        (
            json!({"images": [{"match": "r.io/**", "signedBy": [signer(), {"publicKeys": []}]}]}),
            "images[0].signedBy[1].publicKeys: write at least one",
        ),
        (
            json!({"images": [{"match": "r.io/**", "signedBy": [{"anybody": {}}]}]}),
            "images[0].signedBy[0]: unknown variant `anybody`, expected one of `githubActions`, `keyless`",
        ),
        (
            json!({"images": [{"match": "r.io/**", "signedBy": [{"keyless": {}, "publicKeys": []}]}]}),
            "images[0].signedBy[0]: invalid value: map, expected a map with a single key",
        ),
        (
            json!({"images": [{"match": "r.io/**", "signedBy": [{"githubActions": {"branch": "main"}}]}]}),
            "images[0].signedBy[0].githubActions.branch: unknown field `branch`",
        ),
        (
            json!({"images": [{"match": "r.io/**", "signedBy": [{"githubActions": {"owner": "a", "repo": "b",
                "workflow": ".github/workflows/x.yml"}}]}]}),
            "images[0].signedBy[0].githubActions.ref: write which one signs",
        ),
        (
            json!({"images": [{"match": "r.io/**", "signedBy": [signer(), certificate()], "annotations": {"a": "b"}}]}),
            "images[0].annotations: prove nothing beside a certificate",
        ),
        (
            json!({"images": [{"match": "r.io/**", "signedBy": [signer()], "annotations": {"": "b"}}]}),
            "images[0].annotations: an annotation needs a name",
        ),
        (json!({"images": [rule("r.io/**")], "pinDigests": true}), "pinDigests: unknown field `pinDigests`"),
        (json!({"images": [rule("r.io/**")], "exemptImages": ["nginx"]}), "exemptImages[0]: \"nginx\" names no"),
    ] {
        let error = checked(&settings).expect_err(expected);
        assert!(error.starts_with(expected), "{settings}: {error}");
    }
}

#[test]
fn a_private_key_is_repeated_nowhere() {
    let secret = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHOFuFkNUCAbo3bdd9YMoIWkTnrWCwT8ESEGJzJpWPN2\n-----END PRIVATE KEY-----";
    for identity in [
        json!({"publicKeys": [secret]}),
        json!({"publicKeys": secret}),
        json!({"certificate": {"pem": secret}}),
        json!({"certificate": {"pem": "", "chain": secret}}),
        json!({"certificate": secret}),
        json!(secret),
        json!({"githubActions": {"owner": "a", "repo": "b", "workflow": ".github/workflows/x.yml", "ref": secret}}),
        json!({"githubActions": {"owner": "a", "repo": "b", "workflow": secret, "ref": "refs/heads/main"}}),
        json!({"keyless": {"issuer": "https://gitlab.com", "subject": secret}}),
        json!({"keyless": {"issuer": "https://gitlab.com", "subject": format!("https://a/b@refs/heads/{secret}")}}),
        json!({"keyless": {"issuer": secret, "subject": "https://a/b"}}),
        json!({"publicKeys": [], secret: []}),
        json!({secret: {}}),
    ] {
        let error = checked(&json!({"images": [{"match": "r.io/**", "signedBy": [identity]}]})).expect_err("a mistake");
        assert!(!error.contains("MC4C") && error.contains("a private key stands here"), "{error}");
    }
    let error =
        checked(&json!({"images": [{"match": "r.io/**", "signedBy": [signer()]}], secret: 1})).expect_err("a mistake");
    assert!(error.starts_with("a private key stands here") && !error.contains("MC4C"), "{error}");
    let error = checked(&json!({"images": [{"match": "r.io/**", "signedBy": secret}]})).expect_err("a mistake");
    assert!(error.starts_with("images[0].signedBy: a private key stands here") && !error.contains("MC4C"), "{error}");
}

#[test]
fn the_first_rule_that_matches_decides() {
    let settings = checked(&json!({"images": [
        {"match": "r.io/payments/**", "signedBy": [signer()]},
        {"match": "r.io/**", "signedBy": [certificate()]},
    ]}))
    .expect("settings");
    let rule = |image: &str| settings.rule_for(&Reference::parse(image).expect("a reference")).map(|(index, _)| index);
    assert_eq!(rule("r.io/payments/api:1"), Some(0));
    assert_eq!(rule("R.IO:443/payments/api"), Some(0));
    assert_eq!(rule("r.io/other:1"), Some(1));
    assert_eq!(rule("evil.io/r.io/payments/api:1"), None);
    assert!(settings.pins_digests());
    assert_eq!(settings.repositories(), "r.io/payments/**, r.io/**");
}

#[test]
fn rules_and_exemptions_that_only_overlap_are_left_alone() {
    let rule = |pattern: &str| json!({"match": pattern, "signedBy": [signer()]});
    for settings in [
        json!({"images": [rule("r.io/q*/**"), rule("r.io/**")]}),
        json!({"images": [rule("r.io/q*"), rule("r.io/*")]}),
        json!({"images": [rule("r.io/*z/**"), rule("r.io/**")]}),
        json!({"images": [rule("r.io/**")], "exemptImages": ["r.io/a/**", "r.io/b:1", "r.io/*"]}),
    ] {
        assert!(checked(&settings).is_ok(), "{settings}: {:?}", checked(&settings));
    }
}

#[test]
fn annotations_are_named_in_messages() {
    let of = |annotations: Value| {
        checked(&json!({"images": [{"match": "r.io/**", "signedBy": [signer()], "annotations": annotations}]}))
            .map(|settings| settings.demands(0))
    };
    let (long, cut) = ("é".repeat(200), "é".repeat(78));
    for (annotations, expected) in [
        (json!({}), String::new()),
        (json!({"env": "prod"}), " with annotation env=prod".to_owned()),
        (json!({"env": "prod", "a\nb": ""}), r" with annotations a\nb=, env=prod".to_owned()),
        (json!({"e": long}), format!(" with annotation e={cut}…")),
    ] {
        assert_eq!(of(annotations), Ok(expected));
    }
    let secret = "-----BEGIN PRIVATE KEY-----MC4C";
    let error = of(json!({"k": secret})).expect_err("a mistake");
    assert!(
        error.starts_with("images[0].annotations.k: a private key stands here") && !error.contains("MC4C"),
        "{error}"
    );
}

#[test]
fn long_lists_are_cut_off() {
    let rules: Vec<Value> =
        (0..8).map(|index| json!({"match": format!("r.io/t{index}/**"), "signedBy": [signer()]})).collect();
    let settings = checked(&json!({"images": rules})).expect("settings");
    assert_eq!(settings.repositories(), "r.io/t0/**, r.io/t1/**, r.io/t2/**, r.io/t3/**, r.io/t4/**, 3 more");
}
