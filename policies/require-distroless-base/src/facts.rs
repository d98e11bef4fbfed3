//! What one image, for one platform, says of itself in its manifest and its configuration.

use policy_kit::{Json, is_digest};

use crate::directory::Directory;
use crate::history::{Line, Step};
use crate::start::{ShellStart, shell_start};

/// Runtimes stop at a few hundred; a list beyond this is no image's.
pub(crate) const MOST_LAYERS: usize = 1024;

/// Layers with nothing in them, by the sha256 of the archive: the two closing blocks of tar, 1024 zeros; the same filled up
/// to tar's usual record, 10240 zeros; and nothing at all. They say nothing of where an image comes from.
const EMPTY_LAYERS: [&str; 3] = [
    "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    "sha256:84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

/// Whether there is nothing in a layer.
pub(crate) fn is_empty_layer(diff_id: &str) -> bool {
    EMPTY_LAYERS.contains(&diff_id)
}

/// The configurations that runtimes take for that of an image.
const IMAGE_CONFIGURATIONS: &[&str] =
    &["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

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
    /// Where it starts.
    pub(crate) working_directory: &'j str,
}

/// Why there are no facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoFacts {
    /// It has no layers to unpack, nor does it say that it is an image: the index of a snapshotter, an attestation.
    NoImage(String),
    /// It is no image that a runtime could unpack, or nobody can tell.
    Unreadable(String),
}

impl From<String> for NoFacts {
    fn from(error: String) -> Self {
        NoFacts::Unreadable(error)
    }
}

impl NoFacts {
    pub(crate) fn into_text(self) -> String {
        match self {
            NoFacts::NoImage(error) | NoFacts::Unreadable(error) => error,
        }
    }
}

/// Something in the history that distroless images do not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remark<'j> {
    pub(crate) line: Line<'j>,
    /// How many layers were there before it.
    pub(crate) layers_before: usize,
    pub(crate) about: About,
    /// What is remarkable, as a clause.
    pub(crate) clause: String,
}

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// A shell or a package manager ran.
    Run,
    /// One was put in.
    Shell,
    /// A whole file system was put in.
    FileSystem,
    /// Something was copied to the root that could be all of it, and as well the app alone.
    Unknown,
}

impl<'j> Facts<'j> {
    /// Reads a manifest and the configuration that came with it.
    ///
    /// # Errors
    ///
    /// When they are not those of an image that a runtime could unpack.
    pub(crate) fn read(manifest: &'j Json<'_>, config: &'j Json<'_>) -> Result<Self, NoFacts> {
        let rootfs = config.get("rootfs");
        if matches!(rootfs, Json::Null | Json::Object(_)) && rootfs.get("diff_ids").is_null() {
            let error = "its configuration has no rootfs.diff_ids, so it is no image that runs".to_owned();
            let kind = manifest.get("config").get("mediaType").text();
            let is_image = IMAGE_CONFIGURATIONS.contains(&kind);
            return Err(if is_image { NoFacts::Unreadable(error) } else { NoFacts::NoImage(error) });
        }
        let diff_ids = read_diff_ids(rootfs)?;
        // Runtimes pair the two lists and give up on an image in which they differ.
        match manifest.get("layers") {
            Json::Array(layers) if layers.len() == diff_ids.len() => {}
            Json::Array(layers) => {
                return Err(format!(
                    "its manifest and its configuration differ in how many layers there are, {} and {}, so nothing can unpack it",
                    layers.len(),
                    diff_ids.len()
                )
                .into());
            }
            other => {
                let found = other.kind();
                return Err(format!("its manifest cannot be read: layers: expected a list, found {found}").into());
            }
        }
        let history = match config.get("history") {
            Json::Null => Vec::new(),
            Json::Array(lines) => lines.iter().map(Line::read).collect::<Result<_, _>>()?,
            other => return Err(format!("its history cannot be read: expected a list, found {}", other.kind()).into()),
        };
        let run = config.get("config");
        if !matches!(run, Json::Null | Json::Object(_)) {
            return Err(unreadable("config", "an object", run).into());
        }
        let (os, architecture) = (read_text(config, "os")?, read_text(config, "architecture")?);
        let annotation = manifest.get("annotations").get(BASE_NAME).text();
        Ok(Facts {
            platform: format!("{os}/{architecture}"),
            diff_ids,
            history,
            shell_start: shell_start(run, os.eq_ignore_ascii_case("windows"))?,
            is_debug_variant: has_busybox_on_path(&read_env(run.get("Env"))?),
            claimed_base: if annotation.is_empty() { run.get("Labels").get(BASE_NAME).text() } else { annotation },
            working_directory: read_text(run, "WorkingDir")?,
        })
    }

    /// All that is remarkable in the history, line by line.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = Remark<'j>> {
        let mut directory = self.first_directory();
        let mut layers = 0;
        self.history.iter().filter_map(move |line| {
            let layers_before = layers;
            layers += usize::from(!line.is_empty);
            let step = line.step();
            if let Step::WorkingDirectory(path) = step {
                directory.follow(path);
                return None;
            }
            let about = if step == Step::Shell { About::Run } else { About::Shell };
            let (about, clause) = match step.evidence(line, &directory) {
                Some(clause) => (about, clause),
                None => {
                    let about = if step.is_unknown(&directory) { About::Unknown } else { About::FileSystem };
                    (about, step.file_system(line, &directory)?)
                }
            };
            Some(Remark { line: *line, layers_before, about, clause })
        })
    }

    /// The directory in which the first step worked: that of the base, of which only the end is known, and only if no step
    /// went elsewhere.
    fn first_directory(&self) -> Directory {
        let is_moved = self.history.iter().any(|line| matches!(line.step(), Step::WorkingDirectory(_)));
        Directory::starting_at(if is_moved { "/" } else { self.working_directory })
    }

    /// Whether the first lines of the history are those of the first layers. Where a base has no history, BuildKit makes up
    /// lines for its layers behind all others (`buildkit.exporter.image.v0`), and other builders leave them out.
    pub(crate) fn history_is_in_order(&self) -> bool {
        let lines = self.history.iter().filter(|line| !line.is_empty).count();
        lines == self.diff_ids.len() && !self.history.iter().any(|line| line.comment.starts_with("buildkit.exporter."))
    }
}

fn unreadable(key: &str, expected: &str, found: &Json<'_>) -> String {
    format!("its configuration cannot be read: {key}: expected {expected}, found {}", found.kind())
}

fn read_text<'j>(object: &'j Json<'_>, key: &str) -> Result<&'j str, String> {
    match object.get(key) {
        Json::Null => Ok(""),
        Json::String(text) => Ok(text.as_ref()),
        other => Err(unreadable(key, "a string", other)),
    }
}

fn read_env<'j>(env: &'j Json<'_>) -> Result<Vec<&'j str>, String> {
    match env {
        Json::Null => Ok(Vec::new()),
        Json::Array(items) => {
            items.iter().map(|item| item.as_str().ok_or_else(|| unreadable("Env", "a list of strings", item))).collect()
        }
        other => Err(unreadable("Env", "a list of strings", other)),
    }
}

fn read_diff_ids<'j>(rootfs: &'j Json<'_>) -> Result<Vec<&'j str>, String> {
    if rootfs.as_object().is_none() {
        return Err(unreadable("rootfs", "an object", rootfs));
    }
    let list = match rootfs.get("diff_ids") {
        Json::Array(list) => list,
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

fn has_busybox_on_path(env: &[&str]) -> bool {
    let paths = env.iter().filter_map(|variable| variable.strip_prefix("PATH="));
    paths.flat_map(|path| path.split(':')).any(|directory| directory.trim_end_matches('/') == "/busybox")
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
