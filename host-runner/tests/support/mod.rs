//! Drives the built binary in a folder of its own.
#![expect(dead_code, reason = "each test target uses a part of it")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// One run of host-runner.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    stdin: String,
    variables: Vec<(String, String)>,
}

/// What a run printed, and how it ended.
pub(crate) struct Finished {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) folder: tempfile::TempDir,
}

impl Run {
    pub(crate) fn new() -> Self {
        Run { folder: tempfile::tempdir().expect("a folder"), stdin: String::new(), variables: Vec::new() }
    }

    /// A file in the folder of the run.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
        self
    }

    /// One of the misbehaving policies, compiled.
    pub(crate) fn guest(self, name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name).with_extension("wat");
        let wasm = wat::parse_file(path).expect("valid WAT");
        self.file(&format!("{name}.wasm"), wasm)
    }

    /// A link in the folder of the run.
    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        std::os::unix::fs::symlink(target, self.folder.path().join(name)).expect("a link");
        self
    }

    /// A variable of the environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.to_owned();
        self
    }

    /// Runs with the arguments of a command line, split at spaces.
    pub(crate) fn run(self, arguments: &str) -> Finished {
        self.spawn(Path::new(env!("CARGO_BIN_EXE_host-runner")), arguments)
    }

    /// The same through a link of another name.
    pub(crate) fn run_as(self, name: &str, arguments: &str) -> Finished {
        let links = tempfile::tempdir().expect("a folder");
        let link = links.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_host-runner"), &link).expect("a link");
        self.spawn(&link, arguments)
    }

    fn spawn(self, program: &Path, arguments: &str) -> Finished {
        let mut child = Command::new(program)
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env_remove("CLICOLOR_FORCE")
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .env("XDG_CONFIG_HOME", env!("CARGO_TARGET_TMPDIR"))
            .env("COLUMNS", "100")
            .envs(self.variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("host-runner runs");
        // A run that reads no stdin may be gone already.
        let _ = child.stdin.take().expect("piped").write_all(self.stdin.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        Finished {
            status: output.status.code().expect("an exit status"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
            folder: self.folder,
        }
    }
}

impl Finished {
    /// Everything that a user would see.
    pub(crate) fn seen(&self) -> String {
        let mut text = format!("exit status: {}\n", self.status);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                let _ = write!(text, "----- {name}\n{stream}");
            }
        }
        text
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).expect("one JSON document on stdout")
    }
}
