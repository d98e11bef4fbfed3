//! Images as registries hold them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use oci_spec::distribution::Reference;
use serde::Deserialize;
use serde_json::Value;

use super::signatures::Signature;
use crate::digest::sha256;

/// An image in a world file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
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
    pub signatures: Vec<Signature>,
}

/// An image, ready to answer with.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) digest: String,
    pub(super) body: Value,
    pub(super) is_index: bool,
    pub(super) config: Option<Value>,
    pub(super) signatures: Vec<Signature>,
}

/// Images by normalised reference: with a tag, and each with its digest too.
#[derive(Debug, Default)]
pub(super) struct Images(HashMap<String, Arc<Known>>);

impl Images {
    /// Sorts out what is known, whatever the order in which it was given.
    pub(super) fn new(images: &BTreeMap<String, Image>) -> Result<Self, String> {
        let mut by_digest: HashMap<String, (Known, &str)> = HashMap::new();
        let mut tags = Vec::new();
        for (name, image) in images {
            let refused = |message: String| format!("images.{name}: {message}");
            let reference = parse(name).map_err(refused)?;
            let repository = repository(&reference);
            let known = image.known().map_err(refused)?;
            if let (Some(stated), Some(name)) = (&image.digest, reference.digest())
                && stated != name
            {
                return Err(refused(format!("says that its digest is {stated}, and is named after {name}")));
            }
            let digest = reference.digest().unwrap_or(&known.digest).to_owned();
            let known = Known { digest: digest.clone(), ..known };
            let by_digest_key = format!("{repository}@{digest}");
            if reference.digest().is_none() {
                let tag = format!("{repository}:{}", reference.tag().unwrap_or("latest"));
                tags.push((tag, by_digest_key.clone(), name));
            }
            match by_digest.remove(&by_digest_key) {
                None => by_digest.insert(by_digest_key, (known, name)),
                Some((other, first)) => {
                    let merged = other.merge(known).ok_or_else(|| {
                        refused(format!("has the digest of images.{first} and is not the same; state a digest for one"))
                    })?;
                    by_digest.insert(by_digest_key, (merged, first))
                }
            };
        }
        let mut known: HashMap<String, Arc<Known>> =
            by_digest.into_iter().map(|(key, (image, _))| (key, Arc::new(image))).collect();
        for (tag, digest, name) in tags {
            let Some(image) = known.get(&digest).cloned() else { continue };
            if known.get(&tag).is_some_and(|other| other.digest != image.digest) {
                return Err(format!("images.{name}: another entry has another image of this name"));
            }
            known.insert(tag, image);
        }
        Ok(Images(known))
    }

    /// An image by a reference as policies write it. The digest decides where there is one, as it does for runtimes.
    pub(super) fn get(&self, reference: &str) -> Result<Option<&Known>, String> {
        let reference = parse(reference)?;
        let repository = repository(&reference);
        let key = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => format!("{repository}@{digest}"),
            (None, tag) => format!("{repository}:{}", tag.unwrap_or("latest")),
        };
        Ok(self.0.get(&key).map(Arc::as_ref))
    }
}

impl Image {
    fn known(&self) -> Result<Known, String> {
        let (body, is_index) = match (&self.manifest, &self.index) {
            (Some(manifest), None) => (manifest.clone(), false),
            (None, Some(index)) => (index.clone(), true),
            _ => return Err("needs a `manifest` or an `index`, one of them".to_owned()),
        };
        if !body.is_object() || self.config.as_ref().is_some_and(|config| !config.is_object()) {
            return Err("manifests, indexes and configurations are maps".to_owned());
        }
        if is_index && self.config.is_some() {
            return Err("an `index` has no `config`: those of its images have".to_owned());
        }
        if let Some(digest) = self.digest.as_deref().filter(|digest| !is_digest(digest)) {
            return Err(format!("digest: {digest:?} is none: write sha256: and 64 hexadecimal digits"));
        }
        for (index, signature) in self.signatures.iter().enumerate() {
            signature.check().map_err(|message| format!("signatures[{index}]: {message}"))?;
        }
        // serde_json sorts keys.
        let digest = self.digest.clone().unwrap_or_else(|| sha256(body.to_string().as_bytes()));
        Ok(Known { digest, body, is_index, config: self.config.clone(), signatures: self.signatures.clone() })
    }
}

impl Known {
    /// What two entries say of one image; `None` if they contradict each other.
    fn merge(mut self, other: Known) -> Option<Known> {
        let config = match (self.config.take(), other.config) {
            (Some(one), Some(two)) if one != two => return None,
            (one, two) => one.or(two),
        };
        if self.body != other.body {
            return None;
        }
        self.config = config;
        let more = other.signatures.into_iter().filter(|signature| !self.signatures.contains(signature));
        let more: Vec<Signature> = more.collect();
        self.signatures.extend(more);
        Some(self)
    }
}

fn parse(reference: &str) -> Result<Reference, String> {
    reference.parse::<Reference>().map_err(|error| format!("{reference:?} is not an image reference: {error}"))
}

fn repository(reference: &Reference) -> String {
    format!("{}/{}", reference.registry(), reference.repository())
}

/// Whether a text is a digest as registries write them.
fn is_digest(text: &str) -> bool {
    let is_hex = |hex: &str, length| {
        hex.len() == length && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    match text.split_once(':') {
        Some(("sha256", hex)) => is_hex(hex, 64),
        Some(("sha512", hex)) => is_hex(hex, 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn image(manifest: Value, config: Option<Value>) -> Image {
        Image { manifest: Some(manifest), config, ..Image::default() }
    }

    #[test]
    fn an_image_is_found_by_tag_and_by_digest() {
        let images = Images::new(&BTreeMap::from([
            ("nginx".to_owned(), image(json!({ "b": 1, "a": 2 }), None)),
            ("r.io:5000/app:v1".to_owned(), image(json!({}), None)),
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

    #[test]
    fn an_entry_by_digest_is_what_its_name_says() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let name = format!("r.io/app@{digest}");
        let images = Images::new(&BTreeMap::from([(name.clone(), image(json!({}), None))])).expect("images");
        assert_eq!(images.get(&name).expect("a reference").expect("known").digest, digest);
        let lying = Image { digest: Some(format!("sha256:{}", "b".repeat(64))), ..image(json!({}), None) };
        assert!(Images::new(&BTreeMap::from([(name, lying)])).is_err());
    }

    #[test]
    fn entries_of_one_digest_add_up_or_are_refused() {
        let (one, two) = ("r.io/app:v1".to_owned(), "r.io/app:v2".to_owned());
        let config = |os: &str| Some(json!({ "os": os }));
        let both = |first, second| {
            Images::new(&BTreeMap::from([
                (one.clone(), image(json!({}), first)),
                (two.clone(), image(json!({}), second)),
            ]))
        };
        let images = both(None, config("linux")).expect("images");
        assert_eq!(images.get(&one).expect("a reference").expect("known").config, config("linux"));
        let twice = Images::new(&BTreeMap::from([
            ("nginx".to_owned(), image(json!({ "a": 1 }), None)),
            ("docker.io/library/nginx:latest".to_owned(), image(json!({ "a": 2 }), None)),
        ]));
        assert!(twice.expect_err("two of one name").contains("another image of this name"));
        let error = both(config("windows"), config("linux")).expect_err("contradicts itself");
        assert!(error.starts_with("images.r.io/app:v2: has the digest of images.r.io/app:v1 and is not the same"));
    }
}
