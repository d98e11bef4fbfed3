//! Suites: the cases that a policy must pass, run through its real module.

mod format;
mod result;
mod run;

use std::path::{Path, PathBuf};

pub use format::{Case, Expectation, Object, Suite, WorldSource};
pub use result::{CaseResult, CaseStatus, SuiteResult};
pub use run::LoadedSuite;

use crate::manifest::{Problem, problem};

/// The name that a suite has inside a folder.
pub const FILE_NAME: &str = "suite.yaml";

/// The suites that paths stand for: files as they are, folders by the `suite.yaml` files in them; sorted, each once.
///
/// # Errors
///
/// When a path does not exist, or a folder holds no suite.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        let file = path.display().to_string();
        if path.is_file() {
            found.push(path.clone());
        } else if path.is_dir() {
            let before = found.len();
            walk(path, &mut found);
            if found.len() == before {
                problems.push(problem(&file, None, format!("holds no {FILE_NAME}")));
            }
        } else {
            problems.push(problem(&file, None, "does not exist"));
        }
    }
    found.sort();
    found.dedup();
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Build folders hold copies, hidden ones what nobody wrote.
        let is_kept = !name.starts_with('.') && name != "target" && name != "node_modules";
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && is_kept => walk(&entry.path(), found),
            Ok(_) if name == FILE_NAME => found.push(entry.path()),
            _ => {}
        }
    }
}
