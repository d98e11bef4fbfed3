//! The wire format of Kubewarden's `oci/v2/verify`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use policy_kit::Json;

use crate::identity::Certificate;

/// What the host is asked about the signatures of an image.
#[derive(Debug)]
pub(crate) enum Question<'q> {
    /// Did all of these keys sign?
    PublicKeys(&'q [String]),
    /// Did this subject of this issuer sign?
    Subject { issuer: &'q str, subject: Cow<'q, str> },
    /// Did a subject below this address, which ends with a slash, sign?
    SubjectBelow { issuer: &'q str, prefix: Cow<'q, str> },
    /// Did a workflow sign that this repository on GitHub started?
    Repository { owner: &'q str, repo: &'q str },
    /// Did the key of this certificate sign?
    Certificate(&'q Certificate),
}

impl<'q> Question<'q> {
    /// Asks for a subject as the settings write it, with `/*` for all that is below.
    pub(crate) fn subject(issuer: &'q str, subject: Cow<'q, str>) -> Self {
        match subject.strip_suffix('*') {
            Some(prefix) => Question::SubjectBelow { issuer, prefix: prefix.to_owned().into() },
            None => Question::Subject { issuer, subject: spelled(subject) },
        }
    }

    /// The payload. The host takes lists and wants all of a list to have signed.
    pub(crate) fn to_json(&self, image: &str, annotations: &BTreeMap<String, String>) -> String {
        let mut json = format!("{{\"type\":\"{}\",\"image\":{},", self.kind(), quoted(image));
        match self {
            Question::PublicKeys(keys) => write_list(&mut json, "pub_keys", keys.iter().map(|key| quoted(key))),
            Question::Subject { issuer, subject } => {
                let entry = format!("{{\"issuer\":{},\"subject\":{}}}", quoted(issuer), quoted(subject));
                write_list(&mut json, "keyless", [entry]);
            }
            Question::SubjectBelow { issuer, prefix } => {
                let entry = format!("{{\"issuer\":{},\"url_prefix\":{}}}", quoted(issuer), quoted(prefix));
                write_list(&mut json, "keyless_prefix", [entry]);
            }
            Question::Repository { owner, repo } => {
                let _ = write!(json, "\"owner\":{},\"repo\":{}", quoted(owner), quoted(repo));
            }
            Question::Certificate(certificate) => write_certificate(&mut json, certificate),
        }
        json.push_str(",\"annotations\":");
        if annotations.is_empty() {
            json.push_str("null}");
            return json;
        }
        for (index, (key, value)) in annotations.iter().enumerate() {
            let _ = write!(json, "{}{}:{}", if index == 0 { '{' } else { ',' }, quoted(key), quoted(value));
        }
        json.push_str("}}");
        json
    }

    fn kind(&self) -> &'static str {
        match self {
            Question::PublicKeys(_) => "SigstorePubKeyVerify",
            Question::Subject { .. } => "SigstoreKeylessVerify",
            Question::SubjectBelow { .. } => "SigstoreKeylessPrefixVerify",
            Question::Repository { .. } => "SigstoreGithubActionsVerify",
            Question::Certificate(_) => "SigstoreCertificateVerify",
        }
    }
}

/// The subject as a certificate spells it: Fulcio writes a URL (Go's `net/url`), in which these are escaped.
fn spelled(subject: Cow<'_, str>) -> Cow<'_, str> {
    let is_escaped = |b: u8| !b.is_ascii() || matches!(b, b'"' | b'<' | b'>' | b'`' | b'{' | b'|' | b'}');
    if !subject.bytes().any(is_escaped) {
        return subject;
    }
    let mut spelled = String::with_capacity(subject.len() * 2);
    for letter in subject.chars() {
        let mut bytes = [0; 4];
        for byte in letter.encode_utf8(&mut bytes).bytes() {
            if is_escaped(byte) {
                let _ = write!(spelled, "%{byte:02X}");
            } else {
                spelled.push(letter);
            }
        }
    }
    spelled.into()
}

fn write_certificate(json: &mut String, certificate: &Certificate) {
    let _ = write!(json, "\"certificate\":{},\"certificate_chain\":", bytes(&certificate.pem));
    // An empty list would be a chain that trusts nothing.
    if certificate.chain.is_empty() {
        json.push_str("null");
    } else {
        let chain: Vec<String> = certificate.chain.iter().map(|authority| bytes(authority)).collect();
        let _ = write!(json, "[{}]", chain.join(","));
    }
    let _ = write!(json, ",\"require_rekor_bundle\":{}", certificate.requires_rekor_bundle());
}

fn write_list(json: &mut String, key: &str, items: impl IntoIterator<Item = String>) {
    let items: Vec<String> = items.into_iter().collect();
    let _ = write!(json, "\"{key}\":[{}]", items.join(","));
}

fn quoted(text: &str) -> String {
    Json::String(Cow::Borrowed(text)).to_string()
}

/// The host takes certificates as lists of numbers.
fn bytes(text: &str) -> String {
    let numbers: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn asked(question: &Question<'_>) -> Value {
        let annotations =
            BTreeMap::from([("env".to_owned(), "\"prod\"".to_owned()), ("team".to_owned(), String::new())]);
        let with: Value = serde_json::from_str(&question.to_json("r.io/a:1", &annotations)).expect("JSON");
        assert_eq!(with.get("annotations"), Some(&json!({"env": "\"prod\"", "team": ""})));
        serde_json::from_str(&question.to_json("r.io/a:1", &BTreeMap::new())).expect("JSON")
    }

    #[test]
    fn questions_are_written_as_kubewarden_reads_them() {
        let issuer = "https://gitlab.com";
        let keys = ["a\nb".to_owned(), "c".to_owned()];
        for (question, expected) in [
            (
                Question::PublicKeys(&keys),
                json!({"type":"SigstorePubKeyVerify","image":"r.io/a:1","pub_keys":["a\nb","c"],"annotations":null}),
            ),
            (
                Question::subject(issuer, "https://gitlab.com/a/b//x@refs/tags/v1".into()),
                json!({"type":"SigstoreKeylessVerify","image":"r.io/a:1","annotations":null,
                    "keyless":[{"issuer":issuer,"subject":"https://gitlab.com/a/b//x@refs/tags/v1"}]}),
            ),
            (
                Question::subject(issuer, "https://gitlab.com/a/b//x@refs/tags/*".into()),
                json!({"type":"SigstoreKeylessPrefixVerify","image":"r.io/a:1","annotations":null,
                    "keyless_prefix":[{"issuer":issuer,"url_prefix":"https://gitlab.com/a/b//x@refs/tags/"}]}),
            ),
            (
                Question::subject(issuer, "https://gitlab.com/a/b//x@refs/heads/@größe#1".into()),
                json!({"type":"SigstoreKeylessVerify","image":"r.io/a:1","annotations":null,
                    "keyless":[{"issuer":issuer,"subject":"https://gitlab.com/a/b//x@refs/heads/@gr%C3%B6%C3%9Fe#1"}]}),
            ),
            (
                Question::Repository { owner: "acme", repo: "payments" },
                json!({"type":"SigstoreGithubActionsVerify","image":"r.io/a:1","owner":"acme","repo":"payments",
                    "annotations":null}),
            ),
        ] {
            assert_eq!(asked(&question), expected);
        }
    }

    #[test]
    fn a_certificate_is_a_list_of_numbers_and_its_chain_a_list_of_lists() {
        let alone = Certificate { pem: "-a\n".to_owned(), ..Certificate::default() };
        assert_eq!(
            asked(&Question::Certificate(&alone)),
            json!({"type":"SigstoreCertificateVerify","image":"r.io/a:1","certificate":[45,97,10],
                "certificate_chain":null,"require_rekor_bundle":true,"annotations":null})
        );
        let chained = Certificate {
            chain: vec!["a".to_owned(), "é".to_owned()],
            require_rekor_bundle: Some(false),
            ..Certificate::default()
        };
        assert_eq!(
            asked(&Question::Certificate(&chained)),
            json!({"type":"SigstoreCertificateVerify","image":"r.io/a:1","certificate":[],
                "certificate_chain":[[97],[195,169]],"require_rekor_bundle":false,"annotations":null})
        );
    }
}
