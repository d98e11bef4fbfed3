use proptest::prelude::*;

use super::*;

const SHA256: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn normalised(text: &str) -> String {
    match Reference::parse(text) {
        Ok(reference) => reference.to_string(),
        Err(error) => panic!("{text} should be a reference, but {error}"),
    }
}

#[test]
fn references_are_normalised_as_the_kubelet_does() {
    for (written, expected) in [
        ("nginx", "docker.io/library/nginx"),
        ("library/nginx", "docker.io/library/nginx"),
        ("docker.io/nginx", "docker.io/library/nginx"),
        ("index.docker.io/nginx", "docker.io/library/nginx"),
        ("docker.io/library/nginx:1.27", "docker.io/library/nginx:1.27"),
        ("registry-1.docker.io/library/nginx", "registry-1.docker.io/library/nginx"),
        ("public.ecr.aws/docker/library/nginx", "public.ecr.aws/docker/library/nginx"),
        ("Docker.io/nginx", "docker.io/library/nginx"),
        ("GHCR.io/Acme/x".to_lowercase().as_str(), "ghcr.io/acme/x"),
        ("GHCR.io/acme/x", "ghcr.io/acme/x"),
        ("registry.corp.com.evil.io/a", "registry.corp.com.evil.io/a"),
        ("evil.io/registry.corp.com/app", "evil.io/registry.corp.com/app"),
        ("localhost/app", "localhost/app"),
        ("localhost:5000/app", "localhost:5000/app"),
        ("127.0.0.1/a", "127.0.0.1/a"),
        ("myhost/app", "docker.io/myhost/app"),
        ("MYHOST/app", "myhost:443/app"),
        ("a.b:5000", "docker.io/library/a.b:5000"),
        ("reg:5000/app", "reg:5000/app"),
        ("reg:443/app", "reg:443/app"),
        ("ghcr.io:0443/acme/x", "ghcr.io/acme/x"),
        ("docker.io:443/nginx", "docker.io/library/nginx"),
        ("[::1]/app", "[::1]/app"),
        ("[2001:DB8::1]:5000/app:v1", "[2001:db8::1]:5000/app:v1"),
        ("a__b/c--d/e.f_g", "docker.io/a__b/c--d/e.f_g"),
    ] {
        assert_eq!(normalised(written), expected, "{written}");
    }
    assert_eq!(normalised(&format!("nginx@{SHA256}")), format!("docker.io/library/nginx@{SHA256}"));
    assert_eq!(normalised(&format!("r.io/app:1.2@{SHA256}")), format!("r.io/app:1.2@{SHA256}"));
    let sha512 = format!("sha512:{}", "0a".repeat(64));
    assert_eq!(normalised(&format!("r.io/app@{sha512}")), format!("r.io/app@{sha512}"));
    let longest_tag = "a".repeat(128);
    assert_eq!(normalised(&format!("r.io/app:{longest_tag}")), format!("r.io/app:{longest_tag}"));
}

#[test]
fn what_no_kubelet_pulls_is_refused() {
    let upper_digest = SHA256.to_uppercase().replace("SHA256", "sha256");
    for text in [
        "",
        " nginx",
        "nginx ",
        "ngi nx",
        "nginx\n",
        "nginx:lаtest", // Cyrillic a
        "ｎginx",
        "registry.corp.com@evil.io/a",
        "user:pw@evil.io/a",
        "https://evil.io/a",
        "evil.io./a",
        ".evil.io/a",
        "evil..io/a",
        "-evil.io/a",
        "evil_host.io/a",
        "evil.io//a",
        "evil.io/a/",
        "evil.io/../a",
        "evil.io/./a",
        "/a",
        "evil.io/",
        "evil.io/A",
        "a___b/c",
        "a.-b",
        "a..b",
        "-a",
        "a-",
        "nginx:",
        "nginx:-a",
        "nginx:a:b",
        "nginx@",
        "nginx@sha256:x",
        "nginx@md5:0123456789abcdef0123456789abcdef",
        "nginx@sha256:0123",
        "evil.io:/a",
        "evil.io:80a/a",
        "evil.io:0/a",
        "evil.io:65536/a",
        "[::1/a",
        "[]/a",
        "[::1]x/a",
        "[::g]/a",
        "$(IMAGE)",
        "{{ .Values.image }}",
        &format!("nginx@{upper_digest}"),
        &format!("nginx@sha256:{}", "a".repeat(63)),
        &format!("nginx@sha512:{}", "a".repeat(64)),
        &format!("nginx@sha384:{}", "a".repeat(96)),
        &format!("@{SHA256}"),
        &format!("nginx@{SHA256}@{SHA256}"),
        &"a".repeat(64),
        &format!("r.io/{}", "a".repeat(256)),
        &format!("nginx:{}", "a".repeat(129)),
    ] {
        assert!(Reference::parse(text).is_err(), "{text:?} must be refused");
    }
    // The path is limited, `library/` included; the host is not part of it.
    assert!(Reference::parse(&format!("r.io/{}", "a".repeat(255))).is_ok());
    assert!(Reference::parse(&"a".repeat(255 - "library/".len())).is_ok());
    assert!(Reference::parse(&"a".repeat(256 - "library/".len())).is_err());
    // Only the exact length of an image ID is one.
    assert!(Reference::parse(&"a".repeat(63)).is_ok());
}

#[test]
fn upper_case_names_come_with_the_lower_case_spelling() {
    for (written, suggested) in [
        ("A-B-MY_APP:881c2d2cffa9375", "a-b-my_app:881c2d2cffa9375"),
        ("R.io:5000/Team/App:V1", "R.io:5000/team/app:V1"),
    ] {
        let error = Reference::parse(written).expect_err("upper case");
        assert_eq!(error, ReferenceError::UpperCase(suggested.to_owned()));
        assert!(Reference::parse(suggested).is_ok());
    }
}

proptest! {
    #[test]
    fn any_text_is_answered_without_a_panic(text in "\\PC{0,80}") {
        let _ = Reference::parse(&text);
    }

    #[test]
    fn reference_like_text_is_answered_without_a_panic(text in "[a-zA-Z0-9._:/@\\[\\]-]{0,80}") {
        // What is accepted is its own normal form.
        if let Ok(reference) = Reference::parse(&text) {
            let once = reference.to_string();
            let twice = Reference::parse(&once).expect("a normal form is a reference").to_string();
            prop_assert_eq!(once, twice);
        }
    }

    #[test]
    fn a_host_in_any_spelling_has_one_normal_form(
        text in "[a-zA-Z]{1,3}(\\.[a-zA-Z]{1,3})?(:0{0,2}(443|80|0|65535|65536))?/[a-z]{1,3}(:v1)?",
    ) {
        if let Ok(reference) = Reference::parse(&text) {
            let once = reference.to_string();
            let again = Reference::parse(&once).expect("a normal form is a reference");
            prop_assert_eq!(again.host(), reference.host());
            prop_assert_eq!(again.path(), reference.path());
            let asked = reference.pinned();
            let asked = Reference::parse(&asked).expect("what a registry is asked for");
            prop_assert_eq!(asked.host(), reference.host());
        }
    }

    #[test]
    fn every_reference_of_the_grammar_is_read_whole(
        host in "[a-z0-9]{1,5}(-[a-z0-9]{1,3})?\\.[a-z]{2,3}(:[1-9][0-9]{0,3})?",
        path in "[a-z0-9]{1,8}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,8}){0,3}",
        tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
        pinned in any::<bool>(),
    ) {
        let tag_part = tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest_part = if pinned { format!("@{SHA256}") } else { String::new() };
        let text = format!("{host}/{path}{tag_part}{digest_part}");
        let reference = Reference::parse(&text).expect("in the grammar");
        prop_assert_eq!(reference.host(), host.trim_end_matches(":443"));
        prop_assert_eq!(reference.path(), path);
        prop_assert_eq!(reference.tag(), tag.as_deref());
        prop_assert_eq!(reference.digest().is_some(), pinned);
    }
}

#[test]
fn a_digest_has_a_known_algorithm_and_its_length() {
    assert!(is_digest(&format!("sha256:{}", "0a".repeat(32))));
    assert!(is_digest(&format!("sha512:{}", "0a".repeat(64))));
    for text in
        ["", "sha256:", "sha256:0a", &format!("sha256:{}", "0A".repeat(32)), &format!("md5:{}", "0a".repeat(16))]
    {
        assert!(!is_digest(text), "{text}");
    }
}
