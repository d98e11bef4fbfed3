use proptest::prelude::*;

use super::*;

const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqHd0CqnG1P5nB8v1Jm0GfQy8a3xN\nrw0eSg4nC6p3C8w9n0Rk2yTq6m5X1v7Jz4bD8sU9hWc3oLk2eF5aGxQ1Vw==\n-----END PUBLIC KEY-----\n";

fn identity(json: &str) -> Identity {
    serde_json::from_str(json).expect("an identity")
}

fn checked(json: &str) -> Result<(), String> {
    identity(json).check().map_err(|(key, what)| format!("{key}: {what}"))
}

fn github(owner: &str, repo: &str, workflow: &str, git_ref: &str) -> String {
    format!(r#"{{"githubActions":{{"owner":"{owner}","repo":"{repo}","workflow":"{workflow}","ref":"{git_ref}"}}}}"#)
}

fn keyless(issuer: &str, subject: &str) -> String {
    format!(r#"{{"keyless":{{"issuer":"{issuer}","subject":"{subject}"}}}}"#)
}

#[test]
fn a_workflow_is_asked_for_by_its_subject_and_its_repository() {
    let own = identity(&github("acme", "payments", ".github/workflows/release.yml", "refs/heads/main"));
    assert_eq!(own.check(), Ok(()));
    let subject = "https://github.com/acme/payments/.github/workflows/release.yml@refs/heads/main";
    match own.questions().as_slice() {
        [Question::Subject { issuer, subject: asked }, Question::Repository { owner: "acme", repo: "payments" }] => {
            assert_eq!((*issuer, asked.as_ref()), (GITHUB_ISSUER, subject));
        }
        other => panic!("{other:?}"),
    }
    let tags = identity(&github("acme", "payments", ".github/workflows/release.yml", "refs/tags/*"));
    match tags.questions().as_slice() {
        [Question::SubjectBelow { prefix, .. }, Question::Repository { .. }] => {
            assert_eq!(prefix, "https://github.com/acme/payments/.github/workflows/release.yml@refs/tags/");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reusable_workflow_is_one_of_another_repository() {
    let json = github("acme", "payments", "acme/ci/.github/workflows/build.yml", "refs/tags/v3");
    let reusable = identity(&json);
    assert_eq!(reusable.check(), Ok(()));
    match reusable.questions().as_slice() {
        [Question::Subject { subject, .. }, Question::Repository { owner: "acme", repo: "payments" }] => {
            assert_eq!(subject, "https://github.com/acme/ci/.github/workflows/build.yml@refs/tags/v3");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        reusable.described(""),
        "GitHub Actions acme/ci/.github/workflows/build.yml@refs/tags/v3, called by acme/payments"
    );
    let commit = "6dcd4ce23d88e2ee9568ba546881c2d2cffa9375";
    assert_eq!(checked(&github("acme", "payments", "acme/ci/.github/workflows/build.yml", commit)), Ok(()));
    // One's own workflow always runs from a branch or a tag.
    assert!(checked(&github("acme", "payments", ".github/workflows/build.yml", commit)).is_err());
}

#[test]
fn a_workflow_that_is_not_wholly_named_is_refused() {
    let (file, main) = (".github/workflows/release.yml", "refs/heads/main");
    for (owner, repo, workflow, git_ref, key) in [
        ("", "payments", file, main, "githubActions.owner"),
        ("acme/payments", "payments", file, main, "githubActions.owner"),
        ("*", "payments", file, main, "githubActions.owner"),
        ("-acme", "payments", file, main, "githubActions.owner"),
        ("acme", "", file, main, "githubActions.repo"),
        ("acme", "acme/payments", file, main, "githubActions.repo"),
        ("acme", "*", file, main, "githubActions.repo"),
        ("acme", "..", file, main, "githubActions.repo"),
        ("acme", "payments", "", main, "githubActions.workflow"),
        ("acme", "payments", "release.yml", main, "githubActions.workflow"),
        ("acme", "payments", "Release", main, "githubActions.workflow"),
        ("acme", "payments", ".github/workflows/*", main, "githubActions.workflow"),
        ("acme", "payments", ".github/workflows/*.yml", main, "githubActions.workflow"),
        ("acme", "payments", ".github/workflows/", main, "githubActions.workflow"),
        ("acme", "payments", ".github/workflows/.yml", main, "githubActions.workflow"),
        ("acme", "payments", ".github/workflows/a/b.yml", main, "githubActions.workflow"),
        ("acme", "payments", ".github/workflows/../x.yml", main, "githubActions.workflow"),
        ("acme", "payments", "/.github/workflows/x.yml", main, "githubActions.workflow"),
        ("acme", "payments", "ci/.github/workflows/x.yml", main, "githubActions.workflow"),
        ("acme", "payments", "a/b/c/.github/workflows/x.yml", main, "githubActions.workflow"),
        ("acme", "payments", ".github/workflows/x.yml@refs/heads/x", main, "githubActions.workflow"),
        ("acme", "payments", file, "", "githubActions.ref"),
        ("acme", "payments", file, "main", "githubActions.ref"),
        ("acme", "payments", file, "refs/heads/*", "githubActions.ref"),
        ("acme", "payments", file, "refs/pull/1/merge", "githubActions.ref"),
    ] {
        let error = checked(&github(owner, repo, workflow, git_ref)).expect_err(workflow);
        assert!(error.starts_with(&format!("{key}: ")), "{owner} {repo} {workflow} {git_ref}: {error}");
    }
    // The names of the practice's own settings, one after the other left out.
    for key in ["owner", "repo", "workflow", "ref"] {
        let json = github("acme", "payments", file, main).replace(&format!("\"{key}\""), "\"x\"");
        assert!(serde_json::from_str::<Identity>(&json).is_err(), "{key}");
    }
}

#[test]
fn other_ci_is_named_by_its_address() {
    for (issuer, subject) in [
        ("https://gitlab.com", "https://gitlab.com/acme/payments//.gitlab-ci.yml@refs/heads/main"),
        ("https://gitlab.com", "https://gitlab.com/acme/payments//.gitlab-ci.yml@refs/tags/*"),
        (
            "https://gitlab.corp.example:8443",
            "https://gitlab.corp.example:8443/a/b//c/.gitlab-ci.yml@refs/heads/release/*",
        ),
        ("https://agent.buildkite.com", "https://buildkite.com/acme/payments"),
        ("https://oidc.corp.example", "spiffe://corp.example/ci/payments"),
        ("https://container.googleapis.com/v1/projects/p", "https://kubernetes.io/namespaces/ci/serviceaccounts/build"),
        // A service account, which is no person.
        ("https://accounts.google.com", "krel-trust@k8s-releng-prod.iam.gserviceaccount.com"),
        ("https://accounts.google.com", "build@my-project.corp.example.iam.gserviceaccount.com"),
        // As text, whatever git allows.
        ("https://gitlab.com", "https://gitlab.com/a/b//.gitlab-ci.yml@refs/tags/@acme/app@1.2.3"),
        ("https://gitlab.com", "https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/feat#1"),
        ("https://gitlab.com", "https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/größe"),
        ("https://gitlab.com", "https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/gr%C3%B6%C3%9Fe"),
        // Certificates of other CI may name no ref.
        ("https://ci.corp.example", "https://ci.corp.example/pipelines/payments"),
    ] {
        assert_eq!(checked(&keyless(issuer, subject)), Ok(()), "{issuer} {subject}");
    }
}

#[test]
fn people_and_whole_hosts_are_refused() {
    let (gitlab, pipeline) = ("https://gitlab.com", "https://gitlab.com/acme/payments//.gitlab-ci.yml@refs/heads/main");
    for (issuer, subject, what) in [
        ("", pipeline, "keyless.issuer: write the https address"),
        ("gitlab.com", pipeline, "keyless.issuer: write the https address"),
        ("http://gitlab.com", pipeline, "keyless.issuer: write the https address"),
        ("https://", pipeline, "keyless.issuer: write the https address"),
        ("https://*.corp.example", pipeline, "keyless.issuer: write the https address"),
        ("https://accounts.google.com", "dev@corp.example", "keyless.issuer: at https://accounts.google.com people"),
        ("https://github.com/login/oauth", pipeline, "keyless.issuer: at https://github.com/login/oauth people"),
        ("https://login.microsoftonline.com/t/v2.0", pipeline, "keyless.issuer: at https://login.microsoft"),
        ("https://oauth2.sigstore.dev/auth", pipeline, "keyless.issuer: at https://oauth2.sigstore.dev people"),
        ("https://accounts.google.com", "dev@gmail.com", "keyless.issuer: at https://accounts.google.com people"),
        (
            "https://accounts.google.com",
            "*@x.iam.gserviceaccount.com",
            "keyless.issuer: at https://accounts.google.com",
        ),
        (
            "https://accounts.google.com",
            "a@b@x.iam.gserviceaccount.com",
            "keyless.issuer: at https://accounts.google.com",
        ),
        ("https://accounts.google.com", "a@.iam.gserviceaccount.com", "keyless.issuer: at https://accounts.google.com"),
        ("https://accounts.google.com", "a@evil.example", "keyless.issuer: at https://accounts.google.com"),
        (
            "https://accounts.google.com",
            "a@x.iam.gserviceaccount.com.evil.example",
            "keyless.issuer: at https://accounts.g",
        ),
        (
            "https://accounts.google.com/",
            "a@x.iam.gserviceaccount.com",
            "keyless.issuer: at https://accounts.google.com",
        ),
        (gitlab, "a@x.iam.gserviceaccount.com", "keyless.subject: an e-mail address is a person"),
        (GITHUB_ISSUER, pipeline, "keyless.issuer: write githubActions"),
        ("https://token.actions.githubusercontent.com/", pipeline, "keyless.issuer: write githubActions"),
        (
            "https://token.actions.githubusercontent.com/acme",
            "https://github.com/acme/payments/.github/workflows/release.yml@refs/heads/main",
            "keyless.issuer: the issuer of an enterprise proves no repository",
        ),
        (gitlab, "https://gitlab.com/acme/payments", "keyless.subject: name the pipeline's file and its ref"),
        (gitlab, "https://gitlab.com/a", "keyless.subject: name the pipeline's file and its ref"),
        (
            "https://git.corp.example",
            "https://git.corp.example/a/b//.gitlab-ci.yml",
            "keyless.subject: name the pipeline's",
        ),
        ("https://gitlab.corp.example:8443", "https://ci.corp.example/a/b", "keyless.subject: name the pipeline's"),
        (gitlab, "https://gitlab.com/a/b//x@refs/heads/x@refs/tags/*", "is not a ref that git knows"),
        (gitlab, "https://gitlab.com/a/b//x@refs/heads/x@refs/heads/main", "is not a ref that git knows"),
        (gitlab, "https://gitlab.com/a/b//x@refs/heads/a b", "is not a ref that git knows"),
        (gitlab, "https://gitlab.com/größe/b//x@refs/heads/main", "is no address that a certificate of CI has"),
        (gitlab, "", "keyless.subject: write the address"),
        (gitlab, "*", "keyless.subject: write the address"),
        (gitlab, "dev@corp.example", "keyless.subject: an e-mail address is a person"),
        (gitlab, "project_path:acme/payments:ref:main", "keyless.subject: write the address"),
        (gitlab, "http://gitlab.com/a/b", "is no address that a certificate of CI has"),
        (gitlab, "https://", "is no address that a certificate of CI has"),
        (gitlab, "https://gitlab.com/a b", "is no address that a certificate of CI has"),
        (gitlab, "https://gitlab.com/a?b", "is no address that a certificate of CI has"),
        (gitlab, "https://gitlab.com/*", "* stands only for the end of a ref"),
        (gitlab, "https://gitlab.com/acme/payments/*", "* stands only for the end of a ref"),
        (gitlab, "https://gitlab.com/acme/*//.gitlab-ci.yml@refs/heads/main", "* stands only for the end of a ref"),
        (gitlab, "https://gitlab.com/acme/*@refs/tags/*", "* stands only for the end of a ref"),
        (gitlab, "https://gitlab.com/acme/payments//x@refs/heads/*", "covers every branch"),
        (gitlab, "https://gitlab.com/acme/payments//x@refs/tags/v*", "* stands only for all that follows"),
        (gitlab, "https://gitlab.com/acme/payments//x@refs/merge-requests/1/head", "is a pull request"),
        (gitlab, "https://gitlab.com/acme@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://gitlab.com@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://GitLab.com/acme/payments//x@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://gitlab.com:443/acme/payments//x@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://u@gitlab.com/acme/payments//x@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://gitlab.com/acme/../payments@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://gitlab.com:x/acme/payments@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://gitlab.com:99999/acme/payments@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://gitlab.com:08443/acme/payments@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://gitlab.com:1:2/acme/payments@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://256.1.1.1/acme/payments@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://xn--a/acme/payments@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://gitlab..com/acme/payments@refs/tags/*", "it must name a pipeline"),
        (gitlab, "spiffe://corp.example/a/b@refs/tags/*", "it must name a pipeline"),
        (gitlab, "https://github.com/acme/payments", "name the workflow"),
    ] {
        let error = checked(&keyless(issuer, subject)).expect_err(subject);
        assert!(error.contains(what), "{issuer} {subject}: {error}");
    }
}

#[test]
fn keys_are_looked_at_and_not_repeated() {
    let json = |keys: &[&str]| serde_json::json!({ "publicKeys": keys }).to_string();
    let other = KEY.replace("qHd0", "qHd1");
    assert_eq!(checked(&json(&[KEY])), Ok(()));
    assert_eq!(checked(&json(&[KEY, &other])), Ok(()));
    let wider = KEY.replace('\n', "\r\n");
    let rewrapped = KEY.replace("3xN\n", "3xN").replace("Jm0G", "Jm\n0G");
    let secret = KEY.replace("PUBLIC", "PRIVATE");
    for (keys, what) in [
        (vec![], "publicKeys: write at least one"),
        (vec![KEY, KEY], "publicKeys[1]: stands twice"),
        (vec![KEY, wider.as_str()], "publicKeys[1]: stands twice"),
        (vec![KEY, rewrapped.as_str()], "publicKeys[1]: stands twice"),
        (vec![KEY, ""], "publicKeys[1]: write PEM text"),
        (vec![secret.as_str()], "publicKeys[0]: write PEM text"),
    ] {
        let error = checked(&json(&keys)).expect_err(what);
        assert!(error.starts_with(what) && !error.contains("MFkw"), "{error}");
    }
    assert_eq!(identity(&json(&[KEY])).described("images[0].signedBy[1]"), "the key of images[0].signedBy[1]");
    assert_eq!(identity(&json(&[KEY, &other])).described("k"), "all 2 keys of k");
}

#[test]
fn a_certificate_needs_the_log_unless_the_settings_say_otherwise() {
    let pem = KEY.replace("PUBLIC KEY", "CERTIFICATE");
    let of = |value: serde_json::Value| serde_json::json!({ "certificate": value }).to_string();
    match identity(&of(serde_json::json!({ "pem": pem }))) {
        Identity::Certificate(certificate) => assert!(certificate.requires_rekor_bundle()),
        other => panic!("{other:?}"),
    }
    assert_eq!(checked(&of(serde_json::json!({ "pem": pem, "chain": [pem], "requireRekorBundle": false }))), Ok(()));
    for (value, what) in [
        (serde_json::json!({}), "certificate.pem: write PEM text"),
        (serde_json::json!({ "pem": KEY }), "certificate.pem: write PEM text"),
        (serde_json::json!({ "pem": pem, "chain": [pem, KEY] }), "certificate.chain[1]: write PEM text"),
        (serde_json::json!({ "pem": format!("{pem}{pem}") }), "certificate.pem: holds more than one"),
    ] {
        let error = checked(&of(value)).expect_err(what);
        assert!(error.starts_with(what), "{error}");
    }
}

proptest! {
    #[test]
    fn any_identity_is_answered_without_a_panic(a in "[\\PC]{0,40}", b in "[a-z/.@*:]{0,40}") {
        for (one, other) in [(&a, &b), (&b, &a)] {
            let workflow = GithubActions {
                owner: "acme".to_owned(), repo: "x".to_owned(), workflow: one.clone(), git_ref: other.clone(),
            };
            let identity = Identity::GithubActions(workflow);
            let _ = (identity.check(), identity.described(""), identity.questions().len());
            let identity = Identity::Keyless(Keyless { issuer: format!("https://{one}"), subject: format!("https://{other}") });
            let _ = (identity.check(), identity.described(""), identity.questions().len());
        }
    }

    #[test]
    fn whatever_is_accepted_names_a_pipeline_up_to_a_slash(
        host in "[a-z]{1,5}", path in "[a-z/.@*]{0,20}", git_ref in "(heads|tags)/[a-z*/]{1,10}",
    ) {
        let identity = Identity::Keyless(Keyless {
            issuer: "https://ci.example".to_owned(), subject: format!("https://{host}/{path}@refs/{git_ref}"),
        });
        if identity.check().is_ok() && let [Question::SubjectBelow { prefix, .. }] = identity.questions().as_slice() {
            let start = format!("https://{host}/");
            prop_assert!(prefix.ends_with('/') && prefix.starts_with(&start) && !prefix.contains('*'), "{}", prefix);
            prop_assert!(prefix.contains("@refs/tags/") || !prefix.ends_with("@refs/heads/"), "{}", prefix);
        }
    }
}
