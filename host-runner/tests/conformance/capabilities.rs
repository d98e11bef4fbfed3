//! Each host capability: how a policy asks, and how kwctl writes the question down.

use crate::guests::annotated;

/// Capability, payload on the wire, question in a session file.
pub(crate) const ALL: &[(&str, &str, &str)] = &[
    (
        "oci/v1/verify",
        r#"{"SigstorePubKeyVerify":{"image":"r.io/a","pub_keys":["PEM"],"annotations":{"k":"v"}}}"#,
        "!SigstorePubKeyVerify\nimage: r.io/a\npub_keys: [PEM]\nannotations: {k: v}",
    ),
    (
        "oci/v1/verify",
        r#"{"SigstoreKeylessVerify":{"image":"r.io/a","keyless":[{"issuer":"i","subject":"s"}],"annotations":null}}"#,
        "!SigstoreKeylessVerify\nimage: r.io/a\nkeyless: [{issuer: i, subject: s}]\nannotations: null",
    ),
    (
        "oci/v2/verify",
        r#"{"type":"SigstorePubKeyVerify","image":"r.io/a","pub_keys":["PEM"],"annotations":null}"#,
        "!SigstorePubKeyVerify\nimage: r.io/a\npub_keys: [PEM]\nannotations: null",
    ),
    (
        "oci/v2/verify",
        r#"{"type":"SigstoreKeylessVerify","image":"r.io/a","keyless":[{"issuer":"i","subject":"s"}],"annotations":null}"#,
        "!SigstoreKeylessVerify\nimage: r.io/a\nkeyless: [{issuer: i, subject: s}]\nannotations: null",
    ),
    (
        "oci/v2/verify",
        r#"{"type":"SigstoreKeylessPrefixVerify","image":"r.io/a","keyless_prefix":[{"issuer":"i","url_prefix":"https://a/"}],"annotations":null}"#,
        "!SigstoreKeylessPrefixVerify\nimage: r.io/a\nkeyless_prefix: [{issuer: i, url_prefix: 'https://a/'}]\nannotations: null",
    ),
    (
        "oci/v2/verify",
        r#"{"type":"SigstoreGithubActionsVerify","image":"r.io/a","owner":"o","repo":null,"annotations":null}"#,
        "!SigstoreGithubActionsVerify\nimage: r.io/a\nowner: o\nrepo: null\nannotations: null",
    ),
    (
        "oci/v2/verify",
        r#"{"type":"SigstoreCertificateVerify","image":"r.io/a","certificate":[1,2],"certificate_chain":[[3]],"require_rekor_bundle":true,"annotations":null}"#,
        "!SigstoreCertificateVerify\nimage: r.io/a\ncertificate: [1, 2]\ncertificate_chain: [[3]]\nrequire_rekor_bundle: true\nannotations: null",
    ),
    ("oci/v1/manifest_digest", r#""r.io/a""#, "!OciManifestDigest\nimage: r.io/a"),
    ("oci/v1/oci_manifest", r#""r.io/a""#, "!OciManifest\nimage: r.io/a"),
    ("oci/v1/oci_manifest_config", r#""r.io/a""#, "!OciManifestAndConfig\nimage: r.io/a"),
    ("net/v1/dns_lookup_host", r#""a.example""#, "!DNSLookupHost\nhost: a.example"),
    (
        "crypto/v1/is_certificate_trusted",
        r#"{"cert":{"encoding":"Pem","data":[45]},"cert_chain":[{"encoding":"Der","data":[1]}],"not_after":"2030-01-01T00:00:00Z"}"#,
        "!CryptoIsCertificateTrusted\nrequest:\n  cert: {encoding: Pem, data: [45]}\n  cert_chain: [{encoding: Der, data: [1]}]\n  not_after: '2030-01-01T00:00:00Z'",
    ),
    (
        "kubernetes/list_resources_by_namespace",
        r#"{"api_version":"v1","kind":"Namespace","namespace":"n","label_selector":"a=b","field_selector":null,"field_masks":["spec.x"]}"#,
        "!KubernetesListResourceNamespace\napi_version: v1\nkind: Namespace\nnamespace: n\nlabel_selector: a=b\nfield_selector: null\nfield_masks: [spec.x]",
    ),
    (
        "kubernetes/list_resources_all",
        r#"{"api_version":"v1","kind":"Namespace","label_selector":null,"field_selector":"a=b"}"#,
        "!KubernetesListResourceAll\napi_version: v1\nkind: Namespace\nlabel_selector: null\nfield_selector: a=b\nfield_masks: null",
    ),
    (
        "kubernetes/get_resource",
        r#"{"api_version":"v1","kind":"Namespace","name":"n","namespace":null,"disable_cache":true}"#,
        "!KubernetesGetResource\napi_version: v1\nkind: Namespace\nname: n\nnamespace: null\ndisable_cache: true\nfield_masks: null",
    ),
    (
        "kubernetes/can_i",
        r#"{"subject_access_review":{"groups":["g"],"resource_attributes":{"group":"apps","resource":"deployments","verb":"get"},"user":"u"},"disable_cache":false}"#,
        "!KubernetesCanI\nrequest:\n  groups: [g]\n  resource_attributes: {group: apps, name: null, namespace: null, resource: deployments, subresource: null, verb: get, version: null}\n  user: u\ndisable_cache: false",
    ),
];

/// A session with one question, whose answer makes the policy accept.
pub(crate) fn session(request: &str) -> String {
    let request = request.replace('\n', "\n    ");
    format!(
        "- type: Exchange\n  request: |\n    {request}\n  response:\n    type: Success\n    payload: '{{\"accepted\":true}}'\n"
    )
}

/// A policy that asks, and answers with what it is told.
pub(crate) fn asking(capability: &str, payload: &str) -> Vec<u8> {
    let (namespace, operation) = capability.split_once('/').expect("a capability");
    let literal = |text: &str| text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let module = format!(
        r#"(module
            (import "wapc" "__guest_response" (func $response (param i32 i32)))
            (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wapc" "__host_response_len" (func $length (result i32)))
            (import "wapc" "__host_response" (func $host_response (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "{{\22valid\22:true}}")
            (data (i32.const 16) "kubewarden")
            (data (i32.const 32) "{}")
            (data (i32.const 64) "{}")
            (data (i32.const 1024) "{}")
            (func (export "__guest_call") (param $operation i32) (param i32) (result i32)
                (if (i32.eq (local.get $operation) (i32.const 17))
                    (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
                (drop (call $host_call (i32.const 16) (i32.const 10) (i32.const 32) (i32.const {})
                    (i32.const 64) (i32.const {}) (i32.const 1024) (i32.const {})))
                (call $host_response (i32.const 8192))
                (call $response (i32.const 8192) (call $length)) (i32.const 1)))"#,
        literal(namespace),
        literal(operation),
        literal(payload),
        namespace.len(),
        operation.len(),
        payload.len(),
    );
    let metadata = "rules: []\nmutating: false\ncontextAwareResources: [{apiVersion: v1, kind: Namespace}]\n";
    annotated(&wat::parse_str(module).expect("valid WAT"), metadata)
}
