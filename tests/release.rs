//! A release from beginning to end, in a clone of its own, with a registry on this machine. It builds the modules twice
//! and more, so it runs when it is asked for: `just try-release`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use bundle_tests::registry::{self, Setup};
use bundle_tests::root;

const VERSION: &str = "99.1.0";

struct Clone {
    folder: tempfile::TempDir,
}

impl Clone {
    /// The files of the project as they are now, in a repository with one commit.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clone = Clone { folder };
        let copy = "git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t \"$CLONE\"";
        let copied = Command::new("sh").args(["-c", copy]).current_dir(root()).env("CLONE", clone.path()).status();
        assert!(copied.expect("a shell").success());
        clone.git(&["init", "-q", "-b", "main"]);
        clone.commit("before");
        clone
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        let output = Command::new("git").args(identity).args(arguments).current_dir(self.path()).output().expect("git");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        // Dependencies are compiled once for the project and the clone.
        let target = root().join("target");
        Command::new(program)
            .args(arguments)
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", target)
            .env_remove("BLESS")
            .output()
            .expect(program)
    }

    fn release(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.run(".ci/release", arguments);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() { Ok(text) } else { Err(text) }
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

#[test]
#[ignore = "builds the modules several times: just try-release"]
fn a_release_is_made_published_and_run() {
    let Some(registry) = registry::start(&Setup::default()) else { return };
    let clone = Clone::new();
    let before = env!("CARGO_PKG_VERSION");
    let out = format!("target/release-{VERSION}");

    // What cannot be released.
    for (arguments, message) in [
        (&["v1"][..], "v1 is no version, such as 1.2.3"),
        (&["0.0.1"][..], "0.0.1 is older than"),
        (&[VERSION, "--pull"][..], "usage: .ci/release VERSION"),
    ] {
        let refused = clone.release(arguments).expect_err(message);
        assert!(refused.contains(message), "{refused}");
    }
    fs::write(clone.path().join("README.md.new"), "").expect("written");
    let refused = clone.release(&[VERSION]).expect_err("changes");
    assert!(refused.contains("there are changes that are not committed"), "{refused}");
    fs::remove_file(clone.path().join("README.md.new")).expect("removed");
    assert_eq!(clone.git(&["status", "--porcelain"]), "");

    // Prepared: the version is everywhere, and the packages of the release before are as they were.
    clone.release(&[VERSION]).unwrap_or_else(|error| panic!("{error}"));
    for policy in bundle::POLICIES {
        let name = policy.name;
        let metadata = clone.read(&format!("policies/{name}/metadata.yml"));
        assert!(metadata.contains(&format!("policy.version: {VERSION}\n")), "{name}");
        let package = clone.read(&format!("artifacthub/{name}/{VERSION}/artifacthub-pkg.yml"));
        assert!(package.contains(&format!("/{name}:v{VERSION}\n")), "{name}");
        let earlier = format!("artifacthub/{name}/{before}/artifacthub-pkg.yml");
        assert_eq!(clone.read(&earlier), fs::read_to_string(root().join(&earlier)).expect("a package"));
        let module = fs::read(clone.path().join(&out).join(format!("{name}.wasm"))).expect("a module");
        let folder = clone.path().to_string_lossy().into_owned();
        assert!(!module.windows(folder.len()).any(|part| part == folder.as_bytes()), "{name} names a folder");
        let bom: serde_json::Value =
            serde_json::from_str(&clone.read(&format!("{out}/{name}.cdx.json"))).expect("JSON");
        assert_eq!(bom["metadata"]["component"]["version"], VERSION);
        let components = bom["components"].as_array().expect("components");
        assert!(components.iter().any(|component| component["name"] == "kubewarden-policy-sdk"), "{name}");
        assert!(!bom.to_string().contains(&folder), "{name}");
    }
    assert!(clone.read("CHANGELOG.md").contains(&format!("## Unreleased\n\n## {VERSION} - ")));
    assert!(clone.read("Cargo.lock").contains(&format!("name = \"bundle\"\nversion = \"{VERSION}\"")));
    let checked = clone.run("sh", &["-c", &format!("cd {out} && sha256sum --check --quiet SHA256SUMS")]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));

    // Published from a commit, by digest.
    let place = format!("{}/policies", registry.host);
    let push = [VERSION, "--push", "--registry", &place, "--insecure"];
    let refused = clone.release(&push).expect_err("changes");
    assert!(refused.contains("there are changes that are not committed"), "{refused}");
    clone.commit("release");
    let sums = clone.read(&format!("{out}/SHA256SUMS"));
    clone.release(&push).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(clone.git(&["status", "--porcelain"]), "", "publishing changes nothing");
    let modules =
        |sums: &str| sums.lines().filter(|line| line.ends_with(".wasm")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(modules(&sums), modules(&clone.read(&format!("{out}/SHA256SUMS"))), "the same source, the same bytes");
    let digests = clone.read(&format!("{out}/digests"));
    assert_eq!(digests.lines().filter(|line| line.contains("@sha256:")).count(), bundle::POLICIES.len(), "{digests}");

    // Pulled back by digest and run: the manifests name nothing else.
    let sources = clone.path().join("sources.yml");
    fs::write(&sources, format!("insecure_sources: [\"{}\"]\n", registry.host)).expect("written");
    let base = clone.read(&format!("{out}/manifests/base/require-if-not-present-pull.yaml"));
    assert!(base.contains(&format!("module: registry://{place}/require-if-not-present-pull@sha256:")), "{base}");
    let sources = sources.to_string_lossy().into_owned();
    let checked = clone.run(
        "cargo",
        &[
            "run",
            "-q",
            "--",
            "check",
            "examples/shop/checkout.yaml",
            "--world",
            "examples/world.yaml",
            "-p",
            &format!("{out}/manifests/base/require-if-not-present-pull.yaml"),
            "--sources-path",
            &sources,
        ],
    );
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        text.contains("would be rejected: spec.template.spec.containers[0] \"checkout\""),
        "{text}{}",
        String::from_utf8_lossy(&checked.stderr)
    );

    // What is released stays as it is.
    clone.git(&["tag", &format!("v{VERSION}")]);
    let refused = clone.release(&[VERSION]).expect_err("a tag");
    assert!(refused.contains(&format!("v{VERSION} is released: name a newer version")), "{refused}");
}
