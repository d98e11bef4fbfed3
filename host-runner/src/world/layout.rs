//! OCI image layouts: a registry as a folder.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::images::Image;
use crate::digest::sha256;
use crate::manifest::{Problem, problem};

/// Where tools note the name of an image; the first one is whole, the second often only a tag.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// Indexes in indexes are rare and never deep.
const DEEPEST_INDEX: usize = 4;

/// Manifests, indexes and configurations are small; layers are never read.
const LARGEST_BLOB: u64 = 8 << 20;

/// Whether a folder is a layout.
pub(super) fn is_layout(path: &Path) -> bool {
    path.join("oci-layout").is_file()
}

/// The images of a layout, under the names that it gives them.
///
/// # Errors
///
/// Names the file that is missing, broken, or not what its digest says.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<String, Image>, Problem> {
    let layout = Layout { folder };
    let index = folder.join("index.json");
    let refused = |message: String| problem(&index.display().to_string(), None, message);
    let text = fs::read(&index).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let json: Value = serde_json::from_slice(&text).map_err(|error| refused(error.to_string()))?;
    let mut images = BTreeMap::new();
    for (position, descriptor) in json["manifests"].as_array().into_iter().flatten().enumerate() {
        let name = NAMES.iter().find_map(|key| descriptor["annotations"][key].as_str());
        let Some(name) = name.filter(|name| name.contains('/')) else {
            return Err(refused(format!(
                "manifests[{position}] must say which image it is: give it the whole reference as its name, as \
                 `skopeo copy SOURCE oci:FOLDER:registry.corp.example/app:tag` does"
            )));
        };
        let (body, digest) = layout.blob(descriptor)?;
        let repository = repository(name);
        layout.add(name, &repository, body, &digest, 0, &mut images)?;
    }
    Ok(images)
}

/// The reference without its tag and digest.
fn repository(name: &str) -> String {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository.to_owned(),
        _ => name.to_owned(),
    }
}

struct Layout<'f> {
    folder: &'f Path,
}

impl Layout<'_> {
    fn add(
        &self,
        name: &str,
        repository: &str,
        body: Value,
        digest: &str,
        depth: usize,
        images: &mut BTreeMap<String, Image>,
    ) -> Result<(), Problem> {
        let digest_of = Some(digest.to_owned());
        if body.get("manifests").is_some() {
            if depth >= DEEPEST_INDEX {
                return Err(problem(
                    &self.folder.display().to_string(),
                    None,
                    format!("{digest}: indexes nest too deep"),
                ));
            }
            for child in body["manifests"].as_array().into_iter().flatten() {
                // A layout may hold some platforms only; what is not in it is not known.
                if !self.holds(child) {
                    continue;
                }
                let (child_body, child_digest) = self.blob(child)?;
                let child_name = format!("{repository}@{child_digest}");
                self.add(&child_name, repository, child_body, &child_digest, depth + 1, images)?;
            }
            return self.insert(name, Image { index: Some(body), digest: digest_of, ..Image::default() }, images);
        }
        let config = &body["config"];
        // Attestations and artifacts have configurations that are none.
        let config = if self.holds(config) { self.blob(config).ok().map(|(config, _)| config) } else { None };
        let image = Image { manifest: Some(body), digest: digest_of, config, ..Image::default() };
        self.insert(name, image, images)
    }

    fn insert(&self, name: &str, image: Image, images: &mut BTreeMap<String, Image>) -> Result<(), Problem> {
        match images.insert(name.to_owned(), image) {
            Some(other) if other.digest != images[name].digest => {
                Err(problem(&self.folder.display().to_string(), None, format!("{name} names two images")))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, descriptor: &Value) -> Option<std::path::PathBuf> {
        let (algorithm, hex) = descriptor["digest"].as_str()?.split_once(':')?;
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        (is_plain(algorithm) && is_plain(hex)).then(|| self.folder.join("blobs").join(algorithm).join(hex))
    }

    fn holds(&self, descriptor: &Value) -> bool {
        self.path(descriptor).is_some_and(|path| path.is_file())
    }

    /// A blob of JSON and its digest, which it must have.
    fn blob(&self, descriptor: &Value) -> Result<(Value, String), Problem> {
        let digest = descriptor["digest"].as_str().unwrap_or_default();
        let Some(path) = self.path(descriptor) else {
            let folder = self.folder.display().to_string();
            return Err(problem(&folder, None, format!("{digest:?} is not a digest")));
        };
        let refused = |message: String| problem(&path.display().to_string(), None, message);
        let size = fs::metadata(&path).map_err(|error| refused(format!("cannot be read: {error}")))?.len();
        if size > LARGEST_BLOB {
            return Err(refused("is too large for a manifest or a configuration".to_owned()));
        }
        let bytes = fs::read(&path).map_err(|error| refused(format!("cannot be read: {error}")))?;
        if digest.starts_with("sha256:") && sha256(&bytes) != digest {
            return Err(refused("is not what its digest says".to_owned()));
        }
        let json = serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
        Ok((json, digest.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Writes a blob and gives its descriptor.
    fn write(folder: &Path, content: &Value) -> Value {
        let bytes = content.to_string().into_bytes();
        let digest = sha256(&bytes);
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs).expect("a folder");
        fs::write(blobs.join(&digest["sha256:".len()..]), &bytes).expect("written");
        json!({ "digest": digest, "size": bytes.len() })
    }

    fn layout(name: Option<&str>) -> (tempfile::TempDir, Value) {
        let folder = tempfile::tempdir().expect("a folder");
        let config = write(folder.path(), &json!({ "os": "linux" }));
        let manifest = write(folder.path(), &json!({ "config": config, "layers": [] }));
        let index = write(
            folder.path(),
            &json!({ "manifests": [manifest, { "digest": format!("sha256:{}", "a".repeat(64)) }] }),
        );
        let mut entry = index.clone();
        if let Some(name) = name {
            entry["annotations"] = json!({ NAMES[1]: name });
        }
        fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("written");
        fs::write(folder.path().join("index.json"), json!({ "manifests": [entry] }).to_string()).expect("written");
        (folder, manifest)
    }

    #[test]
    fn an_index_and_the_children_that_are_there_are_read() {
        let (folder, manifest) = layout(Some("r.io:5000/app:v1"));
        assert!(is_layout(folder.path()));
        let images = read(folder.path()).expect("a layout");
        let child = format!("r.io:5000/app@{}", manifest["digest"].as_str().expect("a digest"));
        assert_eq!(images.keys().collect::<Vec<_>>(), ["r.io:5000/app:v1", &child]);
        assert_eq!(images[&child].config, Some(json!({ "os": "linux" })));
        assert!(images["r.io:5000/app:v1"].index.is_some());
    }

    #[test]
    fn an_image_without_a_whole_name_is_told() {
        for name in [None, Some("latest")] {
            let (folder, _) = layout(name);
            let error = read(folder.path()).expect_err("nobody knows its name");
            assert!(error.message.starts_with("manifests[0] must say which image it is"), "{error}");
        }
    }

    #[test]
    fn a_blob_must_be_what_its_digest_says() {
        let (folder, manifest) = layout(Some("r.io/app:v1"));
        let digest = manifest["digest"].as_str().expect("a digest").to_owned();
        fs::write(folder.path().join("blobs/sha256").join(&digest["sha256:".len()..]), "{}").expect("written");
        let error = read(folder.path()).expect_err("forged");
        assert_eq!(error.message, "is not what its digest says");
    }
}
