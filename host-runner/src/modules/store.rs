//! kwctl's store of pulled policies: what either pulls, the other finds.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::ModuleUri;
use crate::digest::sha256;
use crate::files;

/// A folder of policies: `<scheme>/<host[:port]>/<path>:<tag>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// In a folder, which need not exist.
    pub fn at(folder: PathBuf) -> Self {
        Store { folder }
    }

    /// Where a module is kept, if it is one that can be pulled.
    pub fn path(&self, uri: &ModuleUri) -> Option<PathBuf> {
        let (scheme, rest) = match uri {
            ModuleUri::Registry(reference) => ("registry", reference.as_str()),
            ModuleUri::Http(address) => address.split_once("://")?,
            ModuleUri::Bundled(_) | ModuleUri::File(_) => return None,
        };
        let path = rest.split(['?', '#']).next()?;
        Some(self.folder.join(scheme).join(path))
    }

    /// A module that was pulled.
    pub fn read(&self, uri: &ModuleUri) -> Option<Vec<u8>> {
        fs::read(self.path(uri)?).ok()
    }

    /// Keeps a module.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written to.
    pub fn write(&self, uri: &ModuleUri, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.path(uri).ok_or_else(|| io::Error::other("is not pulled"))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        files::write_whole(&path, bytes)?;
        Ok(path)
    }

    /// The policies whose sha256 begins like this.
    pub fn by_digest(&self, prefix: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        if !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            search(&self.folder, &prefix.to_ascii_lowercase(), &mut found);
        }
        found.sort();
        found
    }
}

fn search(folder: &Path, prefix: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => search(&path, prefix, found),
            Ok(kind) if kind.is_file() && has_digest(&path, prefix) => found.push(path),
            _ => {}
        }
    }
}

fn has_digest(path: &Path, prefix: &str) -> bool {
    fs::read(path).is_ok_and(|bytes| sha256(&bytes)["sha256:".len()..].starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_where_kwctl_keeps_them() {
        let store = Store::at(PathBuf::from("/store"));
        for (uri, expected) in [
            ("registry://ghcr.io/acme/a:v1", "/store/registry/ghcr.io/acme/a:v1"),
            ("registry://127.0.0.1:5000/a", "/store/registry/127.0.0.1:5000/a:latest"),
            ("https://acme.example/x/a.wasm?y", "/store/https/acme.example/x/a.wasm"),
        ] {
            let uri = ModuleUri::parse(uri).expect("a URI");
            assert_eq!(store.path(&uri), Some(PathBuf::from(expected)));
        }
    }

    #[test]
    fn a_module_is_found_by_the_beginning_of_its_digest() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::at(folder.path().to_owned());
        let uri = ModuleUri::parse("registry://r.io/x/a:v1").expect("a URI");
        let path = store.write(&uri, b"\0asm").expect("written");
        // sha256 of the four bytes: cd5d4935…
        assert_eq!(store.by_digest("cd5d49"), [path.as_path()]);
        assert_eq!(store.by_digest("CD5D49"), [path]);
        assert!(
            store.by_digest("cd5d48").is_empty() && store.by_digest("").is_empty() && store.by_digest("x").is_empty()
        );
    }
}
