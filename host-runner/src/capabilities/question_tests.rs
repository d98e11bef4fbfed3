use super::*;

fn read(path: &str, payload: &str) -> Result<Question, Unreadable> {
    let (namespace, operation) = path.split_once('/').expect("a path");
    Question::read(namespace, operation, payload.as_bytes())
}

#[test]
fn both_versions_of_a_verification_ask_the_same() {
    let first = read("oci/v1/verify", r#"{"SigstorePubKeyVerify":{"image":"a","pub_keys":["k"]}}"#);
    let second =
        read("oci/v2/verify", r#"{"type":"SigstorePubKeyVerify","image":"a","pub_keys":["k"],"annotations":null}"#);
    assert!(matches!(first, Ok(Question::SigstorePubKeyVerify(_))));
    assert_eq!(first, second);
}

#[test]
fn the_first_version_knows_no_prefixes() {
    let payload = r#"{"SigstoreKeylessPrefixVerify":{"image":"a","keyless_prefix":[]}}"#;
    let error = read("oci/v1/verify", payload).expect_err("unknown");
    assert!(matches!(error, Unreadable::Payload(text) if text.starts_with("unknown variant")));
}

#[test]
fn every_call_of_the_contract_is_read_and_names_its_path() {
    for (path, payload) in [
        ("oci/v1/manifest_digest", r#""a""#),
        ("oci/v1/oci_manifest", r#""a""#),
        ("oci/v1/oci_manifest_config", r#""a""#),
        ("oci/v2/verify", r#"{"type":"SigstoreKeylessVerify","image":"a","keyless":[{"issuer":"i","subject":"s"}]}"#),
        (
            "oci/v2/verify",
            r#"{"type":"SigstoreKeylessPrefixVerify","image":"a","keyless_prefix":[{"issuer":"i","url_prefix":"https://x"}],"annotations":{"k":"v"}}"#,
        ),
        ("oci/v2/verify", r#"{"type":"SigstoreGithubActionsVerify","image":"a","owner":"o","repo":null}"#),
        (
            "oci/v2/verify",
            r#"{"type":"SigstoreCertificateVerify","image":"a","certificate":[45],"certificate_chain":[[45]],"require_rekor_bundle":true}"#,
        ),
        ("net/v1/dns_lookup_host", r#""a""#),
        (
            "crypto/v1/is_certificate_trusted",
            r#"{"cert":{"encoding":"Pem","data":[45]},"cert_chain":[{"encoding":"Der","data":[1]}],"not_after":null}"#,
        ),
        (
            "kubernetes/list_resources_by_namespace",
            r#"{"api_version":"v1","kind":"Pod","namespace":"ns","label_selector":null}"#,
        ),
        ("kubernetes/list_resources_all", r#"{"api_version":"v1","kind":"Pod","field_masks":["spec.nodeName"]}"#),
        (
            "kubernetes/get_resource",
            r#"{"api_version":"v1","kind":"Namespace","name":"n","namespace":null,"disable_cache":false}"#,
        ),
        (
            "kubernetes/can_i",
            r#"{"subject_access_review":{"groups":null,"resource_attributes":{"resource":"pods","verb":"get"},"user":"u"},"disable_cache":false}"#,
        ),
    ] {
        assert_eq!(read(path, payload).map(|question| question.path()), Ok(path), "{payload}");
    }
}

#[test]
fn what_kubewarden_does_not_know_is_named() {
    let unknown = |text: &str| Err(Unreadable::Unknown(text.to_owned()));
    assert_eq!(read("oci/v3/verify", "{}"), unknown("unknown operation: v3/verify"));
    assert_eq!(read("http/get", "{}"), unknown("unknown namespace: http"));
    for (path, payload, expected) in [
        ("kubernetes/get_resource", r#"{"api_version":"v1","kind":"A","name":"n"}"#, "missing field `disable_cache`"),
        ("kubernetes/list_resources_by_namespace", r#"{"api_version":"v1","kind":"A"}"#, "missing field `namespace`"),
        ("oci/v1/oci_manifest", "{}", "invalid type: map, expected a string"),
    ] {
        let error = read(path, payload).expect_err(path);
        assert!(matches!(&error, Unreadable::Payload(text) if text.starts_with(expected)), "{error:?}");
    }
}
