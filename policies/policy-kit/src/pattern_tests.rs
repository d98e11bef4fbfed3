use proptest::prelude::*;

use super::*;

#[test]
fn a_pattern_matches_whole_references() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let by_digest = format!("r.io/app@{digest}");
    let tagged_digest = format!("r.io/app:1.2@{digest}");
    for (pattern, image, expected) in [
        ("r.io/**", "r.io/a/b/c:1", true),
        ("r.io/**", "r.io/a", true),
        ("r.io/*", "r.io/a", true),
        ("r.io/*", "r.io/a/b", false),
        ("r.io/team-*/app", "r.io/team-x/app:v1", true),
        ("r.io/team-*/app", "r.io/team-x/y/app", false),
        ("r.io/**/app", "r.io/app", true),
        ("r.io/**/app", "r.io/a/b/app", true),
        ("r.io/**/app", "r.io/a/b/apps", false),
        ("r.io/app", "evil.io/r.io/app", false),
        ("r.io/app", "r.io.evil.io/app", false),
        ("r.io/app", "r.io:5000/app", false),
        ("r.io:5000/app", "R.IO:5000/app", true),
        ("r.io/app", "R.io:0443/app", true),
        ("CORP/app", "CORP/app", true),
        ("CORP/app", "corp/app", false),
        ("docker.io/corp/app", "CORP/app", false),
        ("docker.io/nginx", "nginx:1.27", true),
        ("docker.io/library/*", "redis", true),
        ("r.io/app:1.*", "r.io/app:1.2", true),
        ("r.io/app:1.*", "r.io/app:2.1", false),
        ("r.io/app:latest", "r.io/app", true),
        // The tag beside a digest is decoration: it must not open an exemption.
        ("r.io/app:1.2", tagged_digest.as_str(), false),
        ("r.io/app", tagged_digest.as_str(), true),
        (by_digest.as_str(), tagged_digest.as_str(), true),
        (by_digest.as_str(), "r.io/app:1.2", false),
    ] {
        let reference = Reference::parse(image).expect("a reference");
        let parsed = ImagePattern::parse(pattern).expect("a pattern");
        assert_eq!(parsed.matches(&reference), expected, "{pattern} on {image}");
    }
}

#[test]
fn a_pattern_is_shown_in_its_one_spelling() {
    for (text, shown, has_tag) in [
        ("docker.io/nginx", "docker.io/library/nginx", false),
        ("R.io:443/team-*/**", "r.io/team-*/**", false),
        ("r.io:5000/app:1.*", "r.io:5000/app:1.*", true),
    ] {
        let pattern = ImagePattern::parse(text).expect("a pattern");
        assert_eq!((pattern.to_string().as_str(), pattern.has_tag()), (shown, has_tag), "{text}");
    }
}

#[test]
fn what_lies_within_another_pattern_is_told_from_what_does_not() {
    let digest = |letter: &str| format!("r.io/a@sha256:{}", letter.repeat(64));
    let (a, b) = (digest("a"), digest("b"));
    for (wide, narrow, expected) in [
        ("r.io/**", "r.io/**", true),
        ("r.io/**", "r.io/a", true),
        ("r.io/**", "r.io/a/*/b", true),
        ("r.io/*/**", "r.io/**", true),
        ("r.io/**/*", "r.io/**", true),
        ("r.io/**", "r.io/*/**", true),
        ("r.io/**/*", "r.io/*/**", true),
        ("r.io/a/**", "r.io/a/b/**", true),
        ("r.io/a/**", "r.io/a", true),
        ("r.io/a/**", "r.io/a/**/b", true),
        ("r.io/a/*", "r.io/a/b", true),
        ("r.io/*/**", "r.io/*", true),
        ("r.io/**/b", "r.io/a/**/b", true),
        ("r.io/team-*/**", "r.io/team-x/*", true),
        ("r.io/*-*", "r.io/a-*", true),
        ("docker.io/library/*", "docker.io/nginx", true),
        ("docker.io/acme/**", "docker.io/acme/**", true),
        ("r.io/**", "r.io/a:1", true),
        ("r.io/**", a.as_str(), true),
        (a.as_str(), a.as_str(), true),
        ("r.io/a:1.*", "r.io/a:1.2", true),
        ("r.io/a:*", "r.io/a", true),
        (a.as_str(), b.as_str(), false),
        (a.as_str(), "r.io/a", false),
        ("r.io/a:1", "r.io/a", false),
        ("r.io/a:1.*", "r.io/a:*", false),
        ("r.io/a:1.*", a.as_str(), false),
        // Letters of a name must not be taken for those that a wildcard could stand for.
        ("r.io/q*/**", "r.io/**", false),
        ("r.io/q*", "r.io/*", false),
        ("r.io/*z/**", "r.io/**", false),
        ("r.io/*0*/**", "r.io/*/**", false),
        ("r.io/*-*", "r.io/*", false),
        ("r.io/**/q*", "r.io/**", false),
        ("r.io/a/**", "r.io/**", false),
        ("r.io/a/*", "r.io/a/**", false),
        ("r.io/*", "r.io/**", false),
        ("r.io/*/*", "r.io/**", false),
        ("r.io/a/**/b", "r.io/a/**", false),
        ("r.io/*/b/**", "r.io/**/b", false),
        ("r.io/team-*", "r.io/*", false),
        ("r.io/ab*", "r.io/a*", false),
        ("r.io/**", "r.io:5000/**", false),
        ("r.io/b/**", "r.io/a/**", false),
        ("docker.io/acme/**", "docker.io/nginx", false),
    ] {
        let pattern = |text: &str| ImagePattern::parse(text).expect("a pattern");
        assert_eq!(pattern(wide).covers(&pattern(narrow)), expected, "{wide} around {narrow}");
    }
}

#[test]
fn over_broad_and_senseless_patterns_are_refused() {
    for text in [
        "",
        "nginx",
        "library/nginx",
        "*/app",
        "*.corp.example/app",
        "**",
        "r.io",
        "r.io/",
        "r.io//a",
        "r.io/A",
        "r.io/a**b",
        "r.io/a:",
        "r.io/a:b c",
        "docker.io/**",
        "docker.io/*",
        "docker.io/n*",
        "ghcr.io/*",
        "ghcr.io/*/app",
        "quay.io/a*/b",
        "quay.io:80/**",
        "r.io/a@sha256:1",
        "r.io/a:1@sha256:1",
        "https://r.io/a",
    ] {
        assert!(ImagePattern::parse(text).is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_pattern_is_answered_without_a_panic(text in "\\PC{0,60}") {
        let _ = ImagePattern::parse(&text);
    }

    #[test]
    fn what_a_covered_pattern_means_the_covering_one_means_too(
        wide in "(a|b|\\*|a\\*|\\*b|\\*\\*)(/(a|\\*|\\*b|\\*\\*)){0,3}",
        narrow in "(a|b|\\*|a\\*|\\*b|\\*\\*)(/(a|\\*|\\*b|\\*\\*)){0,3}",
        path in "[ab]{1,2}(/[ab]{1,2}){0,4}",
    ) {
        let pattern = |path: &str| ImagePattern::parse(&format!("r.io/{path}")).expect("a pattern");
        let (wide, narrow) = (pattern(&wide), pattern(&narrow));
        let text = format!("r.io/{path}");
        let image = Reference::parse(&text).expect("a reference");
        prop_assert!(!(wide.covers(&narrow) && narrow.matches(&image)) || wide.matches(&image));
    }

    #[test]
    fn a_literal_pattern_matches_itself_and_no_other_host(
        path in "[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,3}", tag in "[a-z0-9]{1,8}",
    ) {
        let text = format!("r.io/{path}:{tag}");
        let pattern = ImagePattern::parse(&text).expect("a pattern");
        prop_assert!(pattern.matches(&Reference::parse(&text).expect("a reference")));
        let elsewhere = format!("evil.io/{text}");
        if let Ok(other) = Reference::parse(&elsewhere) {
            prop_assert!(!pattern.matches(&other));
        }
    }
}
