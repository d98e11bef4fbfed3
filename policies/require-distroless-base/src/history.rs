//! What the lines of an image's history tell.
//!
//! Every builder has its own hand (OCI image specification, `config.md`: `created_by` is free text):
//!
//! ```text
//! BuildKit     RUN /bin/sh -c make # buildkit       RUN |1 A=b /bin/sh -c make # buildkit     COPY a /b # buildkit
//! docker       /bin/sh -c make                      |1 A=b /bin/sh -c make                    /bin/sh -c #(nop) COPY file:… in /b
//! buildah      /bin/sh -c make                      /bin/sh -c ["/app", "init"] (exec form)   /bin/sh: several steps in one layer
//! kaniko       RUN make, RUN ["/app", "init"]: the Dockerfile's own line
//! ko, Jib      ko build ko://example.com/app, jib-maven-plugin:3.4.0
//! apko, Bazel  apko, bazel build …
//! Nix          nothing, and the comment store paths: ['/nix/store/…']
//! ```
//!
//! It is the builder's word. It can prove that a shell was there, never that none is.

use policy_kit::Json;

use crate::copied::Copied;
use crate::directory::Directory;
use crate::launchers::started;
use crate::programs::{is_out_of_place, is_shell, is_shell_on, is_store_path_of_shell};
use crate::text::quoted;

/// One line of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'h> {
    pub(crate) created_by: &'h str,
    pub(crate) comment: &'h str,
    /// Whether the step made no layer.
    pub(crate) is_empty: bool,
}

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step<'h> {
    /// A shell or a package manager ran.
    Shell,
    /// A shell is among the store paths that Nix put in.
    StoresShell(&'h str),
    /// A program ran, without a shell.
    Run,
    /// Files were copied.
    Copy(Copied<'h>),
    /// The directory for the steps after it.
    WorkingDirectory(&'h str),
    /// A step that puts nothing into the image: ENV, USER, CMD.
    Metadata,
    /// A builder of one program's image, which puts nothing else in.
    App,
    /// A builder that puts packages in, and its name; the history does not say which.
    Packages(&'static str),
    /// Several steps in one layer, by a builder that tells them line by line nevertheless.
    Flattened,
    /// Another image's file system, or all steps so far, in one layer.
    Imported,
    /// Anything else.
    Unknown,
}

impl<'h> Line<'h> {
    /// Reads one item of a configuration's `history`.
    ///
    /// # Errors
    ///
    /// When it is no object, or its texts are none.
    pub(crate) fn read(line: &'h Json<'_>) -> Result<Self, String> {
        let text = |key: &str| match line.get(key) {
            Json::Null => Ok(""),
            Json::String(text) => Ok(text.as_ref()),
            other => Err(format!("its history cannot be read: {key}: expected a string, found {}", other.kind())),
        };
        if line.as_object().is_none() {
            return Err(format!("its history cannot be read: expected an object, found {}", line.kind()));
        }
        let (created_by, comment) = (text("created_by")?, text("comment")?);
        let is_empty = match line.get("empty_layer") {
            Json::Null => false,
            Json::Bool(is_empty) => *is_empty,
            other => {
                return Err(format!(
                    "its history cannot be read: empty_layer: expected a boolean, found {}",
                    other.kind()
                ));
            }
        };
        Ok(Line { created_by, comment, is_empty })
    }

    /// The line for a message, short and on one line.
    pub(crate) fn cited(&self) -> String {
        quoted(self.text().split_whitespace())
    }

    /// What the builder wrote.
    pub(crate) fn text(&self) -> &'h str {
        let created_by = self.created_by.trim();
        if created_by.is_empty() { self.comment.trim() } else { created_by }
    }

    /// What the line tells.
    pub(crate) fn step(&self) -> Step<'h> {
        let text = self.created_by.trim();
        if text.is_empty() {
            return commented(self.comment.trim());
        }
        let without_mark = text.strip_suffix("# buildkit");
        let is_buildkit = without_mark.is_some() || self.comment.starts_with("buildkit.");
        let text = without_mark.unwrap_or(text).trim();
        // What BuildKit fills in where it has no line of a Dockerfile.
        if let Some(command) = text.strip_prefix("mount / from exec ") {
            return ran(command);
        }
        if let Some(instruction) = not_run(text) {
            return self::instruction(instruction, true);
        }
        let first = text.split_whitespace().next().unwrap_or_default();
        if is_instruction(first) {
            return self::instruction(text, is_buildkit);
        }
        match first {
            "ko" if text.starts_with("ko build ") => Step::App,
            "bazel" if text.starts_with("bazel build") => Step::Packages("Bazel"),
            "apko" => Step::Packages("apko"),
            _ if text.starts_with("jib-") => Step::App,
            // buildah's word for a layer that is no step of its own; no proof that there is such a program.
            "/bin/sh" if text == "/bin/sh" => Step::Flattened,
            _ if first.starts_with('|') || is_shell(first) || first.starts_with('/') || is_cmd(text) => ran(text),
            _ if is_out_of_place(first) => Step::Shell,
            _ => Step::Unknown,
        }
    }
}

/// A line without a command. Nix writes the paths of its store as Python writes a list.
fn commented(comment: &str) -> Step<'_> {
    if let Some(paths) = comment.strip_prefix("store paths:") {
        let mut paths = paths.split(['\'', '"', ',', ' ', '[', ']']);
        return paths.find(|path| is_store_path_of_shell(path)).map_or(Step::Packages("Nix"), Step::StoresShell);
    }
    // `docker import`, and `docker build --squash` with and without a base.
    let is_imported =
        ["Imported from", "merge sha256:", "create new from"].iter().any(|note| comment.starts_with(note));
    if is_imported { Step::Imported } else { Step::Unknown }
}

/// The instruction behind `/bin/sh -c #(nop)`, docker's mark for a step that ran nothing. Only where nothing but a shell
/// and its flags stands before it: anybody can write `#(nop)` into a command.
fn not_run(text: &str) -> Option<&str> {
    let (shell, instruction) = text.split_once("#(nop)")?;
    let mut words = shell.split_whitespace();
    let is_bare = words.next().is_some_and(|shell| is_shell_on(shell, true))
        && words.all(|word| word.starts_with(['-', '/']) || word == "pipefail");
    is_bare.then(|| instruction.trim())
}

const INSTRUCTIONS: &[&str] = &[
    "RUN",
    "COPY",
    "ADD",
    "WORKDIR",
    "ENV",
    "ARG",
    "LABEL",
    "USER",
    "CMD",
    "ENTRYPOINT",
    "EXPOSE",
    "VOLUME",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "SHELL",
    "ONBUILD",
    "MAINTAINER",
    "FROM",
];

fn is_instruction(word: &str) -> bool {
    INSTRUCTIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A line of a Dockerfile. BuildKit writes the words that ran, other builders the line as it stands.
fn instruction(text: &str, has_words: bool) -> Step<'_> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match name.to_ascii_uppercase().as_str() {
        "RUN" if has_words => ran(rest),
        "RUN" => match exec_form(without_flags(rest)) {
            Some(words) => ran_words(words.iter().map(String::as_str)),
            None => Step::Shell,
        },
        "COPY" => Step::Copy(Copied::read(rest, false)),
        "ADD" => Step::Copy(Copied::read(rest, true)),
        "WORKDIR" => Step::WorkingDirectory(rest.trim()),
        name if is_instruction(name) => Step::Metadata,
        _ => Step::Unknown,
    }
}

/// A command as it ran, words joined by blanks, with docker's `|<count> <name>=<value>…` for build arguments before it.
fn ran<'h>(command: &str) -> Step<'h> {
    let command = command.trim();
    let words = || command.split_whitespace();
    if words().next().is_some_and(|word| word.starts_with('|')) {
        // Values hold blanks that nobody quotes, so the command begins somewhere behind.
        let pairs = words().zip(words().skip(1));
        for (word, next) in pairs {
            if is_shell(word) && next.starts_with('-') {
                return shell_or_exec_form(command, word);
            }
        }
        let behind = words().skip(1).skip_while(|word| word.contains('='));
        return ran_words(behind);
    }
    match words().next() {
        Some(shell) if is_shell(shell) || is_cmd(command) => shell_or_exec_form(command, shell),
        _ => ran_words(words()),
    }
}

/// buildah writes `/bin/sh -c` before an exec form too: `/bin/sh -c ["/app", "init"]`.
fn shell_or_exec_form<'h>(command: &str, shell: &str) -> Step<'h> {
    let behind = command.split_once(shell).map_or("", |(_, behind)| behind).trim_start();
    let script = behind.strip_prefix("-c").map(str::trim_start).map(without_flags);
    match script.and_then(exec_form) {
        Some(words) => ran_words(words.iter().map(String::as_str)),
        None => Step::Shell,
    }
}

/// The words of `["/app", "init"]`.
fn exec_form(text: &str) -> Option<Vec<String>> {
    if !text.starts_with('[') {
        return None;
    }
    let list = Json::parse(text).ok()?;
    list.items().iter().map(|word| word.as_str().map(str::to_owned)).collect()
}

/// Without `--mount=…` and its like.
fn without_flags(mut text: &str) -> &str {
    text = text.trim_start();
    while text.starts_with("--") {
        text = text.split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim_start();
    }
    text
}

/// Words that ran without a shell around them, unless one of them is it.
fn ran_words<'w, 'h>(words: impl Iterator<Item = &'w str>) -> Step<'h> {
    let words = words.skip_while(|word| word.contains('=') || word.starts_with('-'));
    match started(words) {
        Some(program) if is_out_of_place(program) => Step::Shell,
        _ => Step::Run,
    }
}

/// Whether this is the shell of Windows with a command: programs of that name elsewhere know no `/S` and `/C`.
fn is_cmd(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let is_named = words.next().is_some_and(|first| is_shell_on(first, true) && !is_shell(first));
    is_named && words.next().is_some_and(|flag| flag.eq_ignore_ascii_case("/s") || flag.eq_ignore_ascii_case("/c"))
}

impl Step<'_> {
    /// What shows that a shell or a package manager was in the image after `line`, as a clause; none if nothing does.
    pub(crate) fn evidence(&self, line: &Line<'_>, directory: &Directory) -> Option<String> {
        match self {
            Step::Shell => Some(format!("its build ran {}", line.cited())),
            Step::StoresShell(path) => Some(format!("its history lists {}", quoted([*path]))),
            Step::Copy(copied) if copied.has_shell(directory) => {
                Some(format!("its build copied a shell or a package manager with {}", line.cited()))
            }
            _ => None,
        }
    }

    /// Whether nobody can tell whether what was copied to the root is a file system or an app.
    pub(crate) fn is_unknown(&self, directory: &Directory) -> bool {
        matches!(self, Step::Copy(copied) if !copied.surely_lays_file_system(directory))
    }

    /// What shows that a whole file system came in with `line`, as a clause; none if nothing does.
    pub(crate) fn file_system(&self, line: &Line<'_>, directory: &Directory) -> Option<String> {
        match self {
            Step::Copy(copied) if copied.lays_file_system(directory) => {
                Some(format!("{} puts a whole file system in", line.cited()))
            }
            Step::Imported => Some(format!("the layer of {} holds several steps in one", line.cited())),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
