//! Where the parts of the bundle are, and what stands in for the outside.

pub mod cluster;
pub mod images;
pub mod registry;
pub mod settings;
pub mod shop;
pub mod signing;

use std::path::{Path, PathBuf};

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(""))
}

/// The folder of a policy.
pub fn policy_folder(name: &str) -> PathBuf {
    root().join("policies").join(name)
}

/// A folder with manifests that others wrote, where there is one: beside the project, and never in it.
pub fn corpus() -> Option<PathBuf> {
    let folder = root().join("../shared/corpus");
    folder.is_dir().then_some(folder)
}
