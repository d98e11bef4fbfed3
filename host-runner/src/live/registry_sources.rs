//! Kubewarden's `sources.yml`: how registries are reached.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::manifest::{self, Problem, problem};

/// The file, with the certificates that it names read.
#[derive(Debug, Clone, Default)]
pub(super) struct RegistrySources {
    pub(super) insecure: BTreeSet<String>,
    /// PEM or DER, by registry.
    pub(super) authorities: BTreeMap<String, Vec<Vec<u8>>>,
    pub(super) proxies: Proxies,
}

/// Proxies; the environment's count where the file names none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Proxies {
    pub(super) http_proxy: Option<String>,
    pub(super) https_proxy: Option<String>,
    pub(super) no_proxy: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct File {
    insecure_sources: BTreeSet<String>,
    source_authorities: BTreeMap<String, Vec<Authority>>,
    proxies: Option<Proxies>,
}

#[derive(Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
enum Authority {
    Path { path: PathBuf },
    Data { data: String },
}

impl RegistrySources {
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let file: File = manifest::read_typed(path)?;
        let mut authorities: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for (registry, given) in file.source_authorities {
            let certificates = authorities.entry(registry.to_ascii_lowercase()).or_default();
            for authority in given {
                certificates.push(match authority {
                    Authority::Data { data } => data.into_bytes(),
                    Authority::Path { path: certificate } => fs::read(&certificate).map_err(|error| {
                        let message = format!("source_authorities.{registry}: {}: {error}", certificate.display());
                        problem(&path.display().to_string(), None, message)
                    })?,
                });
            }
        }
        let insecure = file.insecure_sources.iter().map(|registry| registry.to_ascii_lowercase()).collect();
        Ok(RegistrySources { insecure, authorities, proxies: file.proxies.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RegistrySources, Problem> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sources.yml");
        fs::write(&path, text).expect("written");
        RegistrySources::read(&path)
    }

    #[test]
    fn kubewardens_format_is_read() {
        let sources = read(
            "insecure_sources: [\"Registry.local:5000\"]\nsource_authorities:\n  \"registry.example:5001\":\n    - {type: Data, data: PEM}\nproxies: {http_proxy: null, https_proxy: \"http://p\", no_proxy: null}\n",
        )
        .expect("sources");
        assert!(sources.insecure.contains("registry.local:5000"));
        assert_eq!(sources.authorities["registry.example:5001"], [b"PEM".to_vec()]);
        assert_eq!(sources.proxies.https_proxy.as_deref(), Some("http://p"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let missing =
            read("source_authorities:\n  r:\n    - {type: Path, path: /nowhere/ca.pem}\n").expect_err("missing");
        assert!(missing.message.starts_with("source_authorities.r: /nowhere/ca.pem: "), "{missing}");
        assert!(read("insecure: []\n").is_err());
    }
}
