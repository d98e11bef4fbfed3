//! Where modules are: in the bundle, in files, in kwctl's store, in registries and on web servers.

mod store;
mod uri;

use std::fs;
use std::path::Path;
use std::sync::Arc;

pub use store::Store;
pub use uri::ModuleUri;

/// The most bytes of a module.
pub const LARGEST_MODULE: usize = 128 << 20;

/// Downloads modules.
pub trait Fetch: Send + Sync {
    /// The bytes of a module.
    ///
    /// # Errors
    ///
    /// Why there are none.
    fn fetch(&self, uri: &ModuleUri) -> Result<Vec<u8>, String>;
}

/// Finds modules.
#[derive(Clone, Default)]
pub struct Modules {
    /// What has been pulled before. Without one, nothing is kept.
    pub store: Option<Store>,
    /// Who downloads; nobody when offline.
    pub network: Option<Arc<dyn Fetch>>,
}

impl Modules {
    /// The bytes of a module. What is pulled is kept in the store, and what has a tag other than `latest` is not pulled
    /// again, as kwctl does it.
    ///
    /// # Errors
    ///
    /// Why there are none, and what to do.
    pub fn bytes(&self, uri: &ModuleUri) -> Result<Vec<u8>, String> {
        match uri {
            ModuleUri::Bundled(name) => match bundle::policy(name) {
                Some(policy) => Ok(policy.wasm.to_vec()),
                None => Err(unknown(name)),
            },
            ModuleUri::File(path) => read(path),
            ModuleUri::Registry(_) | ModuleUri::Http(_) => {
                let stored = self.store.as_ref().and_then(|store| store.read(uri));
                match (stored, &self.network) {
                    (Some(bytes), None) => Ok(bytes),
                    (Some(bytes), Some(_)) if uri.is_kept() => Ok(bytes),
                    (_, Some(network)) => {
                        let bytes = network.fetch(uri)?;
                        check(&bytes).map_err(|mistake| format!("{uri}: {mistake}"))?;
                        if let Some(store) = &self.store {
                            // A store that cannot be written to costs time, nothing else.
                            let _ = store.write(uri, &bytes);
                        }
                        Ok(bytes)
                    }
                    (None, None) => Err(format!("{uri} has not been pulled before, and nothing is pulled offline")),
                }
            }
        }
    }

    /// Pulls a module, whether it is in the store or not.
    ///
    /// # Errors
    ///
    /// Why it cannot be pulled.
    pub fn pull(&self, uri: &ModuleUri) -> Result<Vec<u8>, String> {
        match (uri, &self.network) {
            (ModuleUri::Registry(_) | ModuleUri::Http(_), Some(network)) => {
                let bytes = network.fetch(uri)?;
                check(&bytes).map_err(|mistake| format!("{uri}: {mistake}"))?;
                Ok(bytes)
            }
            _ => self.bytes(uri),
        }
    }
}

/// The module that a suite names: one of the bundle, or a file relative to `folder`.
///
/// # Errors
///
/// Says what to write instead.
pub fn local(reference: &str, folder: &Path) -> Result<Vec<u8>, String> {
    if let Some(bundled) = bundle::policy(reference) {
        return Ok(bundled.wasm.to_vec());
    }
    let path = reference.strip_prefix("file://").unwrap_or(reference);
    if path.ends_with(".wasm") { read(&folder.join(path)) } else { Err(unknown(reference)) }
}

/// What to tell somebody who names a module that is nowhere.
pub fn unknown(reference: &str) -> String {
    let names: Vec<&str> = bundle::POLICIES.iter().map(|policy| policy.name).collect();
    format!("{reference:?} is neither a .wasm file nor a policy of the bundle ({})", names.join(", "))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// Whether these bytes look like a module, so that the page of a proxy is not kept for one.
fn check(bytes: &[u8]) -> Result<(), &'static str> {
    if bytes.starts_with(b"\0asm") { Ok(()) } else { Err("what is there is no WebAssembly module") }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counting(AtomicUsize, &'static [u8]);

    impl Fetch for Counting {
        fn fetch(&self, _: &ModuleUri) -> Result<Vec<u8>, String> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(self.1.to_vec())
        }
    }

    #[test]
    fn a_tag_is_pulled_once_and_latest_always() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Some(Store::at(folder.path().to_owned()));
        let network = Arc::new(Counting(AtomicUsize::new(0), b"\0asm"));
        let modules = Modules { store: store.clone(), network: Some(network.clone()) };
        let pulls = |uri: &str| {
            let uri = ModuleUri::parse(uri).expect("a URI");
            for _ in 0..2 {
                assert_eq!(modules.bytes(&uri), Ok(b"\0asm".to_vec()));
            }
            network.0.swap(0, Ordering::Relaxed)
        };
        assert_eq!(pulls("registry://r.io/a:v1"), 1);
        assert_eq!(pulls("registry://r.io/b"), 2);
        assert_eq!(pulls(&format!("registry://r.io/b@sha256:{}", "a".repeat(64))), 2);
        assert_eq!(pulls("https://r.io/b.wasm"), 1);
        // Offline, what has been pulled is still there.
        let offline = Modules { store, network: None };
        assert!(offline.bytes(&ModuleUri::parse("registry://r.io/b").expect("a URI")).is_ok());
        let error = offline.bytes(&ModuleUri::parse("registry://r.io/c:v1").expect("a URI")).expect_err("unknown");
        assert_eq!(error, "registry://r.io/c:v1 has not been pulled before, and nothing is pulled offline");
    }

    #[test]
    fn what_is_no_module_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::at(folder.path().to_owned());
        let network = Arc::new(Counting(AtomicUsize::new(0), b"<html>"));
        let modules = Modules { store: Some(store.clone()), network: Some(network) };
        let uri = ModuleUri::parse("registry://r.io/a:v1").expect("a URI");
        let error = modules.bytes(&uri).expect_err("no module");
        assert_eq!(error, "registry://r.io/a:v1: what is there is no WebAssembly module");
        assert_eq!(store.read(&uri), None);
    }
}
