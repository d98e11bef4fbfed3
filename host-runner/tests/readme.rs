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
    let mut found = vec![root().join("README.md"), root().join("host-runner/README.md")];
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
