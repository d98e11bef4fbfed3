//! Images as registries hold them.

use std::collections::{BTreeMap, HashMap};

use oci_spec::distribution::Reference;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// An image in a world file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The OCI image manifest; this or an index.
    #[serde(default)]
    pub manifest: Option<Value>,
    /// The OCI image index. Its children are entries of their own, under `repository@digest`.
    #[serde(default)]
    pub index: Option<Value>,
    /// The OCI image configuration.
    #[serde(default)]
    pub config: Option<Value>,
    /// The digest; without one, the sha256 of the manifest as compact JSON with sorted keys.
    #[serde(default)]
    pub digest: Option<String>,
    /// Who signed it.
    #[serde(default)]
    pub signatures: Vec<Value>,
}

/// An image, ready to answer with.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) digest: String,
    pub(super) body: Value,
    pub(super) is_index: bool,
    pub(super) config: Option<Value>,
}

/// Images by normalised reference, with a tag or a digest and never both.
#[derive(Debug, Default)]
pub(super) struct Images(HashMap<String, Known>);

impl Images {
    pub(super) fn new(images: BTreeMap<String, Image>) -> Result<Self, String> {
        let mut known = HashMap::new();
        for (reference, image) in images {
            let key = key(&reference).map_err(|error| format!("images.{reference}: {error}"))?;
            let (body, is_index) = match (image.manifest, image.index) {
                (Some(manifest), None) => (manifest, false),
                (None, Some(index)) => (index, true),
                _ => return Err(format!("images.{reference}: needs a `manifest` or an `index`, one of them")),
            };
            // serde_json sorts keys.
            let digest = image.digest.unwrap_or_else(|| sha256(body.to_string().as_bytes()));
            known.insert(key, Known { digest, body, is_index, config: image.config });
        }
        Ok(Images(known))
    }

    pub(super) fn get(&self, reference: &str) -> Result<Option<&Known>, String> {
        let parsed = parse(reference)?;
        let found = self.0.get(&key(reference)?);
        // What is known by tag can be asked for by digest too.
        Ok(found.or_else(|| {
            let digest = parsed.digest()?;
            let repository = format!("{}/{}", parsed.registry(), parsed.repository());
            self.0.iter().find_map(|(key, image)| {
                let is_here = key.strip_prefix(&repository).is_some_and(|rest| rest.starts_with([':', '@']));
                (is_here && image.digest == digest).then_some(image)
            })
        }))
    }
}

fn parse(reference: &str) -> Result<Reference, String> {
    reference.parse::<Reference>().map_err(|error| format!("{reference:?} is not an image reference: {error}"))
}

fn key(reference: &str) -> Result<String, String> {
    let parsed = parse(reference)?;
    let repository = format!("{}/{}", parsed.registry(), parsed.repository());
    Ok(match (parsed.digest(), parsed.tag()) {
        (Some(digest), _) => format!("{repository}@{digest}"),
        (None, tag) => format!("{repository}:{}", tag.unwrap_or("latest")),
    })
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_is_found_by_tag_and_by_digest() {
        let image = |manifest: Value| Image {
            manifest: Some(manifest),
            index: None,
            config: None,
            digest: None,
            signatures: Vec::new(),
        };
        let images = Images::new(BTreeMap::from([
            ("nginx".to_owned(), image(json!({ "b": 1, "a": 2 }))),
            ("r.io:5000/app:v1".to_owned(), image(json!({}))),
        ]))
        .expect("images");
        let nginx = images.get("docker.io/library/nginx:latest").expect("a reference").expect("known");
        // printf '{"a":2,"b":1}' | sha256sum
        assert_eq!(nginx.digest, "sha256:d3626ac30a87e6f7a6428233b3c68299976865fa5508e4267c5415c76af7a772");
        let by_digest = format!("docker.io/nginx:1.27@{}", nginx.digest);
        assert!(images.get(&by_digest).expect("a reference").is_some());
        assert!(images.get(&format!("docker.io/other@{}", nginx.digest)).expect("a reference").is_none());
        assert!(images.get("r.io:5000/app").expect("a reference").is_none());
    }
}
