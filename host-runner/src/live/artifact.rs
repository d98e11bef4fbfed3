//! Policies as artifacts in registries: one layer, which is the module.

use std::collections::BTreeMap;

use http::HeaderValue;
use oci_client::Client;
use oci_client::manifest::OciManifest;
use serde_json::json;

use super::bounded::Bounded;
use super::registry::{Asked, Registries};
use crate::capabilities::CapabilityError;
use crate::digest::sha256;
use crate::modules::LARGEST_MODULE;

/// The media types under which registries hold WebAssembly: Kubewarden's, and that of the OCI working group.
const LAYER_TYPES: [&str; 2] = ["application/vnd.wasm.content.layer.v1+wasm", "application/wasm"];

/// The media type of a manifest.
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The configuration of an artifact that has none.
const CONFIG: &[u8] = b"{}";

impl Registries {
    /// The bytes of a policy: the layer of an artifact that is WebAssembly.
    pub(super) async fn module(&self, reference: &str) -> Result<Vec<u8>, CapabilityError> {
        let asked = self.asked(reference).await?;
        let (manifest, _) = self
            .ask(&asked, async |client: Client, asked: &Asked| {
                client.pull_manifest(&asked.reference, &asked.auth).await
            })
            .await?;
        let layer = match manifest {
            OciManifest::Image(manifest) => {
                manifest.layers.into_iter().find(|layer| LAYER_TYPES.contains(&layer.media_type.as_str()))
            }
            OciManifest::ImageIndex(_) => None,
        };
        let failed = |cause: &str| CapabilityError::Failed(format!("{reference}: {cause}"));
        let layer = layer.ok_or_else(|| failed("the artifact has no WebAssembly layer, so it is no policy"))?;
        if usize::try_from(layer.size).unwrap_or(usize::MAX) > LARGEST_MODULE {
            return Err(failed("the module is larger than any policy"));
        }
        self.ask(&asked, async |client: Client, asked: &Asked| {
            let mut bounded = Bounded::of_size(layer.size, LARGEST_MODULE);
            client.pull_blob(&asked.reference, &layer, &mut bounded).await.map(|()| bounded.bytes)
        })
        .await
    }

    /// Pushes a policy, and gives the name by which it will always be found: `host/repository@sha256:…`.
    pub(super) async fn push(
        &self,
        reference: &str,
        module: &[u8],
        annotations: &[(String, String)],
    ) -> Result<String, CapabilityError> {
        let asked = self.asked(reference).await?;
        let manifest = manifest(module, annotations);
        self.ask(&asked, async |client: Client, asked: &Asked| {
            client.store_auth_if_needed(asked.reference.resolve_registry(), &asked.auth).await;
            client.push_blob(&asked.reference, module.to_vec(), &sha256(module)).await?;
            client.push_blob(&asked.reference, CONFIG.to_vec(), &sha256(CONFIG)).await?;
            let media_type = HeaderValue::from_static(MANIFEST_TYPE);
            client.push_manifest_raw(&asked.reference, manifest.clone(), media_type).await
        })
        .await?;
        let (registry, repository) = (asked.reference.registry(), asked.reference.repository());
        Ok(format!("{registry}/{repository}@{}", sha256(&manifest)))
    }
}

/// The manifest that Kubewarden gives to a policy, as compact JSON with sorted keys.
fn manifest(module: &[u8], annotations: &[(String, String)]) -> Vec<u8> {
    let mut manifest = json!({
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.wasm.config.v1+json", "digest": sha256(CONFIG), "size": CONFIG.len(),
        },
        "layers": [{ "mediaType": LAYER_TYPES[0], "digest": sha256(module), "size": module.len() }],
    });
    if !annotations.is_empty() {
        let annotations: BTreeMap<&str, &str> =
            annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        manifest["annotations"] = json!(annotations);
    }
    manifest.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_the_one_that_kubewarden_pushes() {
        let manifest = manifest(b"\0asm", &[("io.kubewarden.policy.title".to_owned(), "a".to_owned())]);
        let expected = concat!(
            r#"{"annotations":{"io.kubewarden.policy.title":"a"},"#,
            r#""config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","mediaType":"application/vnd.wasm.config.v1+json","size":2},"#,
            r#""layers":[{"digest":"sha256:cd5d4935a48c0672cb06407bb443bc0087aff947c6b864bac886982c73b3027f","mediaType":"application/vnd.wasm.content.layer.v1+wasm","size":4}],"#,
            r#""schemaVersion":2}"#,
        );
        assert_eq!(String::from_utf8(manifest).expect("text"), expected);
    }
}
