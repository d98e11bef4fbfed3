//! What one image, for one platform, says of itself in its manifest and its configuration.

use policy_kit::{Json, is_digest};

use crate::history::Line;
use crate::start::{ShellStart, shell_start};

/// Runtimes stop at a few hundred; a list beyond this is no image's.
pub(crate) const MOST_LAYERS: usize = 1024;

/// A layer with nothing in it: the sha256 of a tar archive's two closing blocks, 1024 zeros. It says nothing of where
/// an image comes from.
pub(crate) const EMPTY_LAYER: &str = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

const BASE_NAME: &str = "org.opencontainers.image.base.name";

/// The configuration of an image, as far as it matters here.
#[derive(Debug)]
pub(crate) struct Facts<'j> {
    /// `os/architecture`; either may be missing.
    pub(crate) platform: String,
    /// The digests of the layers as they are unpacked, the base's first. Runtimes compare them with what they unpack
    /// (OCI image specification, `config.md`, `rootfs.diff_ids`), so unlike all else here they are no mere claim.
    pub(crate) diff_ids: Vec<&'j str>,
    /// What its builder wrote down, in order.
    pub(crate) history: Vec<Line<'j>>,
    /// Why it cannot start without a shell.
    pub(crate) shell_start: Option<ShellStart>,
    /// Whether `/busybox` is on its PATH, as in the debug variants of gcr.io/distroless and whatever is built on them.
    pub(crate) is_debug_variant: bool,
    /// The base that it says it has.
    pub(crate) claimed_base: &'j str,
}

impl<'j> Facts<'j> {
    /// Reads a manifest and the configuration that came with it.
    ///
    /// # Errors
    ///
    /// When they are not those of an image that a runtime could unpack.
    pub(crate) fn read(manifest: &'j Json<'_>, config: &'j Json<'_>) -> Result<Self, String> {
        let diff_ids = read_diff_ids(config.get("rootfs"))?;
        // Runtimes pair the two lists and give up on an image in which they differ.
        match manifest.get("layers") {
            Json::Array(layers) if layers.len() == diff_ids.len() => {}
            Json::Array(layers) => {
                return Err(format!(
                    "its manifest and its configuration differ in how many layers there are, {} and {}, so nothing can unpack it",
                    layers.len(),
                    diff_ids.len()
                ));
            }
            other => {
                return Err(format!("its manifest cannot be read: layers: expected a list, found {}", other.kind()));
            }
        }
        let history = match config.get("history") {
            Json::Null => Vec::new(),
            Json::Array(lines) => lines.iter().map(Line::read).collect::<Result<_, _>>()?,
            other => return Err(format!("its history cannot be read: expected a list, found {}", other.kind())),
        };
        let run = config.get("config");
        let annotation = manifest.get("annotations").get(BASE_NAME).text();
        Ok(Facts {
            platform: format!("{}/{}", config.get("os").text(), config.get("architecture").text()),
            diff_ids,
            history,
            shell_start: shell_start(run)?,
            is_debug_variant: has_busybox_on_path(run.get("Env")),
            claimed_base: if annotation.is_empty() { run.get("Labels").get(BASE_NAME).text() } else { annotation },
        })
    }
}

fn read_diff_ids<'j>(rootfs: &'j Json<'_>) -> Result<Vec<&'j str>, String> {
    let list = match rootfs.get("diff_ids") {
        Json::Array(list) => list,
        Json::Null => return Err("its configuration has no rootfs.diff_ids, so it is no image that runs".to_owned()),
        other => {
            return Err(format!(
                "its configuration cannot be read: rootfs.diff_ids: expected a list, found {}",
                other.kind()
            ));
        }
    };
    if list.is_empty() {
        return Err("it has no layers, so there is nothing in it that could run".to_owned());
    }
    if list.len() > MOST_LAYERS {
        return Err(format!("it has {} layers, more than any runtime takes", list.len()));
    }
    let digest = |item: &'j Json<'_>| match item {
        Json::String(text) if is_digest(text) => Ok(text.as_ref()),
        Json::String(_) => Err("its configuration cannot be read: one of rootfs.diff_ids is no digest".to_owned()),
        other => {
            Err(format!("its configuration cannot be read: one of rootfs.diff_ids is {} and no digest", other.kind()))
        }
    };
    list.iter().map(digest).collect()
}

fn has_busybox_on_path(env: &Json<'_>) -> bool {
    let paths = env.items().iter().filter_map(|variable| variable.text().strip_prefix("PATH="));
    paths.flat_map(|path| path.split(':')).any(|directory| directory.trim_end_matches('/') == "/busybox")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(manifest: &str, config: &str) -> Result<(String, usize, bool, String), String> {
        let (manifest, config) = (Json::parse(manifest).expect("JSON"), Json::parse(config).expect("JSON"));
        let facts = Facts::read(&manifest, &config)?;
        Ok((facts.platform, facts.history.len(), facts.is_debug_variant, facts.claimed_base.to_owned()))
    }

    fn rootfs(layers: usize) -> String {
        let ids = vec![format!("\"{EMPTY_LAYER}\""); layers];
        format!(r#""rootfs":{{"type":"layers","diff_ids":[{}]}}"#, ids.join(","))
    }

    #[test]
    fn an_image_is_read_as_far_as_it_goes() {
        let manifest = r#"{"layers":[{}],"annotations":{"org.opencontainers.image.base.name":"a"}}"#;
        let config = format!(
            r#"{{"os":"linux","architecture":"arm64","config":{{"Env":["PATH=/bin:/busybox","A"],
                "Labels":{{"org.opencontainers.image.base.name":"b"}}}},"history":[{{}}],{}}}"#,
            rootfs(1)
        );
        assert_eq!(read(manifest, &config), Ok(("linux/arm64".to_owned(), 1, true, "a".to_owned())));
        assert_eq!(read(r#"{"layers":[{}]}"#, &config).map(|(_, _, _, base)| base), Ok("b".to_owned()));
        let bare = format!("{{{},\"config\":{{\"Env\":[\"PATH=/busybox2\"]}}}}", rootfs(1));
        assert_eq!(read(r#"{"layers":[1]}"#, &bare), Ok(("/".to_owned(), 0, false, String::new())));
    }

    #[test]
    fn what_no_runtime_could_unpack_is_an_error() {
        let many = rootfs(MOST_LAYERS + 1);
        for (manifest, config, expected) in [
            ("{}", "{}", "has no rootfs.diff_ids"),
            ("{}", r#"{"rootfs":{"diff_ids":{}}}"#, "expected a list, found an object"),
            ("{}", r#"{"rootfs":{"diff_ids":[]}}"#, "it has no layers"),
            ("{}", r#"{"rootfs":{"diff_ids":[1]}}"#, "one of rootfs.diff_ids is a number"),
            ("{}", r#"{"rootfs":{"diff_ids":["sha256:0"]}}"#, "one of rootfs.diff_ids is no digest"),
            ("{}", &format!("{{{many}}}"), "it has 1025 layers"),
            ("null", &format!("{{{}}}", rootfs(1)), "layers: expected a list, found null"),
            (r#"{"layers":[]}"#, &format!("{{{}}}", rootfs(1)), "0 and 1, so nothing can unpack it"),
            (r#"{"layers":[1]}"#, &format!("{{\"history\":{{}},{}}}", rootfs(1)), "expected a list, found an object"),
            (r#"{"layers":[1]}"#, &format!("{{\"history\":[1],{}}}", rootfs(1)), "expected an object, found a number"),
            (
                r#"{"layers":[1]}"#,
                &format!("{{\"history\":[{{\"created_by\":[]}}],{}}}", rootfs(1)),
                "created_by: expected a string, found a list",
            ),
            (r#"{"layers":[1]}"#, &format!("{{\"config\":{{\"Cmd\":1}},{}}}", rootfs(1)), "its Cmd cannot be read"),
        ] {
            let error = read(manifest, config).expect_err(config);
            assert!(error.contains(expected), "{config}: {error}");
        }
    }
}
