//! Files with Kubernetes objects: YAML with several documents, JSON, Lists. Every object knows its file and line.

mod document;
pub mod edit;
mod split;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One Kubernetes object.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The file as the user named it; `-` is stdin.
    pub file: Arc<str>,
    /// The line on which the object begins, from 1.
    pub line: usize,
    /// Which of the file's objects it is, from 0.
    pub position: usize,
    /// The object.
    pub object: Value,
}

/// Something that was given and could not be used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file as the user named it; `-` is stdin.
    pub file: String,
    /// The line, from 1, where there is one to name.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.file == "-" { "stdin" } else { &self.file };
        match self.line {
            Some(line) => write!(formatter, "{file}:{line}: {}", self.message),
            None => write!(formatter, "{file}: {}", self.message),
        }
    }
}

impl std::error::Error for Problem {}

/// What was found in the files: objects in the order of the files, and what could not be used.
#[derive(Debug, Default)]
pub struct Manifests {
    /// The objects.
    pub objects: Vec<Manifest>,
    /// Whatever is no object. Never passed over in silence.
    pub problems: Vec<Problem>,
    /// What stands in the files, by name, if it was to be kept. Neither stdin nor a pipe is a file.
    pub texts: BTreeMap<Arc<str>, String>,
}

/// Reads files, folders (all `.yaml`, `.yml` and `.json` files in them, sorted) and `-` for stdin.
pub fn read(paths: &[PathBuf]) -> Manifests {
    read_with(paths, read_file)
}

/// The same for those who change files, and so need their texts.
pub fn read_keeping_texts(paths: &[PathBuf]) -> Manifests {
    read_with(paths, read_file_keeping_text)
}

fn read_with(paths: &[PathBuf], read: impl Fn(&Path) -> Manifests + Sync) -> Manifests {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        if let Err(problem) = expand(path, &mut files) {
            problems.push(problem);
        }
    }
    let read: Vec<Manifests> = files.par_iter().map(|path| read(path)).collect();
    let mut manifests = Manifests { problems, ..Manifests::default() };
    for one in read {
        manifests.objects.extend(one.objects);
        manifests.problems.extend(one.problems);
        manifests.texts.extend(one.texts);
    }
    manifests
}

/// Reads the objects in a text.
pub fn read_text(file: &str, text: &str) -> Manifests {
    let mut manifests = Manifests::default();
    document::read(&Arc::from(file), text, &mut manifests);
    if manifests.objects.is_empty() && manifests.problems.is_empty() && !document::holds_an_empty_list(text) {
        manifests.problems.push(problem(file, Some(1), "holds no Kubernetes object"));
    }
    manifests
}

/// Reads a file of the project's own formats (settings, suites, worlds) and refuses what does not fit.
///
/// # Errors
///
/// Names the file and the line.
pub fn read_typed<T: DeserializeOwned>(path: &Path) -> Result<T, Problem> {
    let file = path.display().to_string();
    parse_typed(&file, &read_to_string(path)?)
}

/// The same of a text that stands in a file.
///
/// # Errors
///
/// Names the file and the line.
pub fn parse_typed<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    document::parse(text).map_err(|error| document::yaml_problem(file, 1, &error))
}

/// The bytes of a file, or of stdin for `-`.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    }
}

/// The text of a file, or of stdin for `-`.
///
/// # Errors
///
/// When it cannot be read or is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String, Problem> {
    let file = path.display().to_string();
    let bytes = read_bytes(path).map_err(|error| problem(&file, None, format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count();
        problem(&file, Some(line), "is not UTF-8 text")
    })
}

pub(crate) fn problem(file: &str, line: Option<usize>, message: impl Into<String>) -> Problem {
    Problem { file: file.to_owned(), line, message: message.into() }
}

fn read_file(path: &Path) -> Manifests {
    let file = path.display().to_string();
    match read_to_string(path) {
        Ok(text) => read_text(&file, &text),
        Err(problem) => Manifests { problems: vec![problem], ..Manifests::default() },
    }
}

fn read_file_keeping_text(path: &Path) -> Manifests {
    let file = path.display().to_string();
    match read_to_string(path) {
        Ok(text) => {
            let mut manifests = read_text(&file, &text);
            if path.is_file() {
                manifests.texts.insert(Arc::from(file), text);
            }
            manifests
        }
        Err(problem) => Manifests { problems: vec![problem], ..Manifests::default() },
    }
}

/// The files that a path stands for.
fn expand(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    if path == Path::new("-") || !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let before = files.len();
    walk(path, files, &mut HashSet::new())?;
    if files.len() == before {
        return Err(problem(&path.display().to_string(), None, "holds no .yaml, .yml or .json file"));
    }
    Ok(())
}

/// Links are followed, and each folder is read once: a link to a folder above would lead in circles. What has the
/// name of a manifest is taken, even a link that leads nowhere, so that it is told and not passed over.
fn walk(folder: &Path, files: &mut Vec<PathBuf>, seen: &mut HashSet<PathBuf>) -> Result<(), Problem> {
    let failed = |error: io::Error| problem(&folder.display().to_string(), None, format!("cannot be read: {error}"));
    if !seen.insert(folder.canonicalize().map_err(failed)?) {
        return Ok(());
    }
    let mut entries: Vec<fs::DirEntry> =
        fs::read_dir(folder).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            // `.git` and the like; a folder that a Kubernetes volume keeps its versions in, too.
            if !entry.file_name().to_string_lossy().starts_with('.') {
                walk(&path, files, seen)?;
            }
        } else if has_manifest_extension(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn has_manifest_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

#[cfg(test)]
mod tests;
