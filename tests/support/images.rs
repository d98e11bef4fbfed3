//! Images as builders make them, for a registry or a world.

use std::collections::BTreeMap;

use host_runner::world;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An image: one platform, or an index of several.
#[derive(Debug, Clone)]
pub struct Image {
    /// The path below the registry.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The images of the platforms.
    pub platforms: Vec<Platform>,
    /// Whether there is an index even of one.
    pub is_index: bool,
}

/// The image of one platform.
#[derive(Debug, Clone)]
pub struct Platform {
    /// `linux/arm64`.
    pub name: String,
    /// What the layers hold, from the base up. The same text is the same layer.
    pub layers: Vec<String>,
    /// The `config` of the configuration: `Entrypoint`, `Cmd`, `Labels`.
    pub config: Value,
    /// What made each layer, as its builder writes it.
    pub history: Vec<String>,
}

impl Platform {
    /// An image of layers that were copied in.
    pub fn new(name: &str, layers: &[&str], config: Value) -> Self {
        Platform {
            name: name.to_owned(),
            layers: layers.iter().map(|layer| (*layer).to_owned()).collect(),
            config,
            history: layers.iter().map(|layer| format!("COPY {layer} / # buildkit")).collect(),
        }
    }

    /// With what made the last layer.
    #[must_use]
    pub fn made_by(mut self, command: &str) -> Self {
        if let Some(last) = self.history.last_mut() {
            command.clone_into(last);
        }
        self
    }

    fn configuration(&self) -> Vec<u8> {
        let (os, architecture) = self.name.split_once('/').expect("os/architecture");
        let diff_ids: Vec<String> = self.layers.iter().map(|layer| sha256(layer.as_bytes())).collect();
        let history: Vec<Value> = self.history.iter().map(|command| json!({ "created_by": command })).collect();
        json!({
            "os": os,
            "architecture": architecture,
            "config": self.config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": history,
        })
        .to_string()
        .into_bytes()
    }

    fn manifest(&self) -> Vec<u8> {
        let configuration = self.configuration();
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|layer| descriptor("application/vnd.oci.image.layer.v1.tar", layer.as_bytes()))
            .collect();
        json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &configuration),
            "layers": layers,
        })
        .to_string()
        .into_bytes()
    }
}

impl Image {
    /// An image for one platform, without an index.
    pub fn single(name: &str, platform: Platform) -> Self {
        let (repository, tag) = name.rsplit_once(':').expect("a tag");
        Image { repository: repository.to_owned(), tag: tag.to_owned(), platforms: vec![platform], is_index: false }
    }

    /// An index.
    pub fn index(name: &str, platforms: Vec<Platform>) -> Self {
        Image { platforms, is_index: true, ..Image::single(name, Platform::new("linux/amd64", &[], json!({}))) }
    }

    /// All that the manifests name.
    pub fn blobs(&self) -> Vec<Vec<u8>> {
        let layers =
            self.platforms.iter().flat_map(|platform| &platform.layers).map(|layer| layer.clone().into_bytes());
        layers.chain(self.platforms.iter().map(Platform::configuration)).collect()
    }

    /// Name, media type and bytes of each manifest, the children first.
    pub fn manifests(&self) -> Vec<(String, &'static str, Vec<u8>)> {
        let tagged = format!("{}:{}", self.repository, self.tag);
        if !self.is_index {
            return vec![(tagged, MANIFEST, self.platforms[0].manifest())];
        }
        let mut children = Vec::new();
        let mut manifests = Vec::new();
        for platform in &self.platforms {
            let body = platform.manifest();
            let (os, architecture) = platform.name.split_once('/').expect("os/architecture");
            let mut child = descriptor(MANIFEST, &body);
            child["platform"] = json!({ "os": os, "architecture": architecture });
            manifests.push((format!("{}@{}", self.repository, sha256(&body)), MANIFEST, body));
            children.push(child);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children });
        manifests.push((tagged, INDEX, index.to_string().into_bytes()));
        manifests
    }

    /// The digest of the image: of the index, if there is one.
    pub fn digest(&self) -> String {
        self.manifests().last().map(|(_, _, body)| sha256(body)).expect("a manifest")
    }

    /// The same image as entries of a world file.
    pub fn in_world(&self, registry: &str, signatures: &[Value]) -> BTreeMap<String, Value> {
        let mut entries = BTreeMap::new();
        let configurations = self.platforms.iter().map(Platform::configuration).map(Some).chain([None]);
        for ((name, media_type, body), configuration) in self.manifests().into_iter().zip(configurations) {
            let body_json: Value = serde_json::from_slice(&body).expect("JSON");
            let is_tagged = !name.contains('@');
            // The bytes are compact JSON with sorted keys, so the world computes the digest that a registry does.
            let mut entry = json!({});
            entry[if media_type == INDEX { "index" } else { "manifest" }] = body_json;
            if let Some(configuration) = configuration {
                entry["config"] = serde_json::from_slice(&configuration).expect("JSON");
            }
            if is_tagged && !signatures.is_empty() {
                entry["signatures"] = signatures.into();
            }
            entries.insert(format!("{registry}/{name}"), entry);
        }
        entries
    }

    /// The entries as the world's own type.
    pub fn in_typed_world(&self, registry: &str, signatures: &[Value]) -> BTreeMap<String, world::Image> {
        let entries = self.in_world(registry, signatures);
        entries.into_iter().map(|(name, entry)| (name, serde_json::from_value(entry).expect("an image"))).collect()
    }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(bytes), "size": bytes.len() })
}

/// The digest of some bytes, as registries write it.
pub fn sha256(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
