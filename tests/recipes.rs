//! What CONTRIBUTING.md tells people to do, done in clones: a new policy, and a release from beginning to end, with a
//! registry on this machine. They build the modules several times, so they run when they are asked for:
//! `just try-recipes`.

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
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .expect("git");
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        let files = String::from_utf8(listed.stdout).expect("names");
        for file in files.split_terminator('\0').filter(|file| root().join(file).is_file()) {
            let copy = clone.path().join(file);
            fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
            fs::copy(root().join(file), copy).expect(file);
        }
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
        self.told(".ci/release", arguments)
    }

    /// What a program prints, when it succeeds.
    fn told(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let output = self.run(program, arguments);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() { Ok(text) } else { Err(text) }
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

#[test]
#[ignore = "builds the modules several times: just try-recipes"]
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

impl Clone {
    /// Takes another version. Artifacts of two folders with the same packages in the same versions have the same names in
    /// a target folder, and Cargo takes the one for the other.
    fn rename(&self) {
        const OWN: &str = "98.0.0";
        let before = env!("CARGO_PKG_VERSION");
        let mut files = vec!["Cargo.toml".to_owned()];
        files.extend(bundle::POLICIES.iter().map(|policy| format!("policies/{}/metadata.yml", policy.name)));
        for file in files {
            let text = self.read(&file);
            let text = text
                .replace(&format!("\nversion = \"{before}\"\n"), &format!("\nversion = \"{OWN}\"\n"))
                .replace(&format!("policy.version: {before}\n"), &format!("policy.version: {OWN}\n"));
            fs::write(self.path().join(file), text).expect("written");
        }
        self.told("cargo", &["update", "--quiet", "--offline", "--workspace"]).expect("a lock file");
        self.commit("another version");
    }
}

/// As "Add a policy" in CONTRIBUTING.md says it.
#[test]
#[ignore = "builds the modules several times: just try-recipes"]
fn a_new_policy_builds_passes_its_suite_and_fits_in() {
    const NAME: &str = "disallow-latest-tag";
    let clone = Clone::new();
    clone.rename();
    let script = "policies/policy-kit/template/new-policy.sh";
    for name in ["", "Latest", "a_b", "-a", "a-", "a--b", "../a", "a b"] {
        let refused = clone.told(script, &[name]).expect_err(name);
        assert!(refused.contains("is no name for a policy: write lower-case words"), "{refused}");
    }
    let refused = clone.told(script, &["require-fresh-scan"]).expect_err("a policy that exists");
    assert!(refused.contains("policies/require-fresh-scan exists"), "{refused}");
    assert_eq!(clone.git(&["status", "--porcelain"]), "", "what is refused leaves nothing behind");

    clone.told(script, &[NAME]).unwrap_or_else(|error| panic!("{error}"));
    let tested = clone.told("cargo", &["run", "-q", "--", "test", &format!("policies/{NAME}")]);
    let tested = tested.unwrap_or_else(|error| panic!("{error}"));
    assert!(tested.contains("1 suite: 9 passed, 0 failed, 0 not run"), "{tested}");

    // The steps behind: settings for the shop, a row in the README, and what is made from the rest.
    let append = |path: &str, text: &str| {
        fs::write(clone.path().join(path), clone.read(path) + text).expect("written");
    };
    append("examples/settings.yaml", &format!("{NAME}:\n  deniedImages: [docker.io/library/*]\n"));
    let readme = clone.read("README.md");
    let row =
        format!("| Latest tags | [`{NAME}`](policies/{NAME}/README.md) | Rejects them. |\n| Continuous image scanning");
    fs::write(clone.path().join("README.md"), readme.replace("| Continuous image scanning", &row)).expect("written");
    let bless = "export BLESS=1 INSTA_UPDATE=always
        cargo test -q -p bundle-tests --test shop &&
        cargo test -q -p host-runner --test readme --test cli &&
        cargo test -q -p bundle-tests --test settings &&
        cargo test -q -p bundle-tests --test artifacthub";
    clone.told("sh", &["-c", bless]).unwrap_or_else(|error| panic!("{error}"));
    let tests = [
        "test",
        "-q",
        "-p",
        "bundle-tests",
        "--test",
        "settings",
        "--test",
        "artifacthub",
        "--test",
        "bundle",
        "--test",
        "deployment",
        "--test",
        "shop",
    ];
    clone.told("cargo", &tests).unwrap_or_else(|error| panic!("{error}"));
    let table = clone.read(&format!("policies/{NAME}/README.md"));
    assert!(table.contains("| `deniedImages` | required | The images that are rejected: "), "{table}");
    assert!(clone.read(&format!("artifacthub/manifests/base/{NAME}.yaml")).contains("kind: ClusterAdmissionPolicy"));
    let formatted = clone.told("cargo", &["fmt", "--all", "--check"]);
    formatted.unwrap_or_else(|error| panic!("{error}"));
    let linted = clone.told("cargo", &["clippy", "-q", "-p", NAME, "--all-targets", "--", "--deny", "warnings"]);
    linted.unwrap_or_else(|error| panic!("{error}"));
}
