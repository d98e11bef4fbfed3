//! Every console block of every README, run as written. `BLESS=1` writes down what the commands say now.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Commands that CI runs, that another test runs, or that only install what this very test needed to be built.
const RUN_ELSEWHERE: &[&str] = &[
    "cargo test --workspace",
    "cargo run -q -p bundle-tests --bin check-shop-live | tail -n 1",
    "cargo run -q -p bundle --bin lay-out-policies -- target/policies",
    "rustup target add wasm32-wasip1",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent")
}

fn readmes() -> Vec<PathBuf> {
    let mut found = ["README.md", "CONTRIBUTING.md", "host-runner/README.md"].map(|name| root().join(name)).to_vec();
    for entry in fs::read_dir(root().join("policies")).expect("policies").flatten() {
        found.push(entry.path().join("README.md"));
    }
    found.retain(|path| path.is_file());
    found
}

/// The text with each console block as its commands make it.
fn replayed(text: &str) -> String {
    let mut replayed = String::new();
    let mut is_console = false;
    let mut last_status = 0;
    // Whoever runs a command elsewhere compares its output there.
    let mut is_kept = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_end();
        if trimmed.starts_with("```") {
            is_console = trimmed == "```console";
            is_kept = false;
            replayed.push_str(line);
        } else if !is_console || (is_kept && !trimmed.starts_with("$ ")) {
            replayed.push_str(line);
        } else if let Some(command) = trimmed.strip_prefix("$ ") {
            replayed.push_str(line);
            is_kept = command.split(" && ").all(|part| RUN_ELSEWHERE.contains(&part));
            if command == "echo $?" {
                replayed.push_str(&format!("{last_status}\n"));
            } else {
                let (output, status) = run(command);
                replayed.push_str(&output);
                last_status = status;
            }
        }
    }
    replayed
}

fn run(command: &str) -> (String, i32) {
    let (mut output, mut status) = (String::new(), 0);
    for part in command.split(" && ") {
        if RUN_ELSEWHERE.contains(&part) {
            continue;
        }
        let arguments = part.strip_prefix("host-runner ").or_else(|| part.strip_prefix("cargo run -q -- "));
        let arguments =
            arguments.unwrap_or_else(|| panic!("{part:?}: a README may only show commands that a test runs"));
        let shell = format!("\"$HOST_RUNNER\" {arguments}");
        let finished = Command::new("sh")
            .args(["-c", &shell])
            .env("HOST_RUNNER", env!("CARGO_BIN_EXE_host-runner"))
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .current_dir(root())
            .output()
            .expect("a shell");
        output.push_str(&String::from_utf8(finished.stdout).expect("text"));
        output.push_str(&String::from_utf8(finished.stderr).expect("text"));
        status = finished.status.code().expect("an exit status");
    }
    (output, status)
}

/// The lines of blocks in these languages that are commands of host-runner, with those around them in the same block.
fn commands(text: &str, languages: &[&str]) -> Vec<Vec<String>> {
    let mut blocks: Vec<Vec<String>> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            is_open = languages.contains(&language);
            if is_open {
                blocks.push(Vec::new());
            }
        } else if let Some(block) = blocks.last_mut().filter(|_| is_open) {
            block.push(line.trim().to_owned());
        }
    }
    blocks
}

fn sh(command: &str, folder: &Path) -> (String, i32) {
    let program = Path::new(env!("CARGO_BIN_EXE_host-runner"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = program.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&path));
    let finished = Command::new("sh")
        .args(["-c", command])
        .env("PATH", env::join_paths(folders).expect("folders"))
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .current_dir(folder)
        .output()
        .expect("a shell");
    (String::from_utf8_lossy(&finished.stderr).into_owned(), finished.status.code().expect("an exit status"))
}

/// What is for a cluster, up to the line where the cluster comes in: that is given a file which is there. Commands of
/// others, such as cosign, are theirs.
#[test]
fn every_shell_block_does_what_the_next_line_needs() {
    let mut applied = 0;
    for path in readmes() {
        let folder = tempfile::tempdir().expect("a folder");
        let digests = folder.path().join("target/release-0.1.0");
        fs::create_dir_all(&digests).expect("a folder");
        // What a release leaves behind is tried with a registry, by `just try-release`.
        fs::write(digests.join("digests"), "require-single-app\nrequire-if-not-present-pull\n").expect("written");
        fs::write(folder.path().join("settings.yaml"), "require-single-app: { idle: warn }\n").expect("written");
        for line in commands(&fs::read_to_string(&path).expect("a README"), &["sh"]).concat() {
            let command = line.split(" # ").next().unwrap_or_default().trim();
            if let Some(arguments) = command.strip_prefix("kubectl apply ") {
                let (flag, file) = arguments.split_once(' ').expect("a flag and a file");
                let file = folder.path().join(file);
                let is_there = match flag {
                    "-k" => file.join("kustomization.yaml").is_file(),
                    _ => fs::read_to_string(&file).is_ok_and(|text| text.contains("kind: ClusterAdmissionPolicy")),
                };
                assert!(is_there, "{}: {line}", path.display());
                applied += 1;
            } else if command.contains("host-runner ") {
                let (errors, status) = sh(command, folder.path());
                assert_eq!(status, 0, "{}: {line}: {errors}", path.display());
            }
        }
    }
    assert!(applied > 8, "{applied}");
}

/// The jobs for CI systems find what is wrong with the example shop, and leave the report where the next step reads it.
#[test]
fn every_job_for_ci_ends_with_the_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = format!(
        "cp -r '{0}/examples/shop' deploy && mkdir policies && cp '{0}/examples/settings.yaml' policies/",
        root().display()
    );
    assert_eq!(sh(&copy, folder.path()).1, 0);
    let mut reports = Vec::new();
    for block in commands(&fs::read_to_string(root().join("README.md")).expect("a README"), &["yaml"]) {
        for line in &block {
            let command = line.trim_start_matches("- ").trim_start_matches("run: ");
            if !command.starts_with("host-runner ") {
                continue;
            }
            // The world stands for the registry and the cluster that a job can ask.
            let world = root().join("examples/world.yaml");
            let (errors, status) = sh(&format!("{command} --offline --world '{}'", world.display()), folder.path());
            assert_eq!(status, 1, "{line}: {errors}");
            let report = command.split(" --output-file ").nth(1).expect("a report");
            assert!(block.iter().filter(|line| line.contains(report)).count() == 2, "{report} is read by no step");
            assert!(fs::read_to_string(folder.path().join(report)).expect("a report").contains("shop/checkout"));
            reports.push(report.to_owned());
        }
    }
    assert_eq!(reports, ["policies.sarif", "policies.xml"]);
}

#[test]
fn every_console_block_is_true() {
    for path in readmes() {
        let text = fs::read_to_string(&path).expect("a README");
        let replayed = replayed(&text);
        if env::var_os("BLESS").is_some() {
            fs::write(&path, replayed).expect("written");
        } else {
            assert_same_lines(&path, &text, &replayed);
        }
    }
}

fn assert_same_lines(path: &Path, written: &str, replayed: &str) {
    for (index, (written, replayed)) in written.lines().zip(replayed.lines()).enumerate() {
        assert_eq!(written, replayed, "{}:{}", path.display(), index + 1);
    }
    assert_eq!(written.lines().count(), replayed.lines().count(), "{}", path.display());
}
