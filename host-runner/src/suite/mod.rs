//! Suites: the cases that a policy must pass, run through its real module.

mod format;
mod result;
mod run;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

pub use format::{Case, Expectation, Object, Suite, WorldSource};
pub use result::{CaseResult, CaseStatus, SuiteResult};
pub use run::LoadedSuite;

use crate::manifest::{Problem, problem};

/// The name that a suite has inside a folder.
pub const FILE_NAME: &str = "suite.yaml";

/// The suites that paths stand for, and the paths that stand for none: files as they are, folders by the `suite.yaml`
/// and `suite.yml` files in them; sorted, each once.
pub fn discover(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Problem>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        let file = path.display().to_string();
        if path.is_file() {
            found.push(path.clone());
        } else if path.is_dir() {
            let before = (found.len(), problems.len());
            walk(path, &mut found, &mut problems, &mut HashSet::new());
            if (found.len(), problems.len()) == before {
                problems.push(problem(&file, None, format!("holds no {FILE_NAME}")));
            }
        } else {
            problems.push(problem(&file, None, "does not exist"));
        }
    }
    found.sort();
    found.dedup();
    (found, problems)
}

/// Links are followed, and each folder is read once: a link to a folder above would lead in circles.
fn walk(folder: &Path, found: &mut Vec<PathBuf>, problems: &mut Vec<Problem>, seen: &mut HashSet<PathBuf>) {
    let entries =
        folder.canonicalize().and_then(|real| if seen.insert(real) { folder.read_dir().map(Some) } else { Ok(None) });
    let entries: io::Result<Vec<fs::DirEntry>> = match entries {
        Ok(None) => return,
        Ok(Some(entries)) => entries.collect(),
        Err(error) => Err(error),
    };
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(problem(&folder.display().to_string(), None, format!("cannot be read: {error}")));
            return;
        }
    };
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // Build folders hold copies, hidden ones what nobody wrote.
        let is_kept = !name.starts_with('.') && name != "target" && name != "node_modules";
        if path.is_dir() && is_kept {
            walk(&path, found, problems, seen);
        } else if name == FILE_NAME || name == "suite.yml" {
            found.push(path);
        }
    }
}
