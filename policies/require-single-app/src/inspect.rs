//! What an image runs by itself.

use std::collections::BTreeMap;

use policy_kit::{Host, Json, Reference, oci};

use crate::arg::Arg;

/// The most images that are looked up for one request. A Pod has a few containers; each image costs several requests to
/// its registry.
const MOST_IMAGES: usize = 64;

/// ENTRYPOINT and CMD of one platform's image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageProcess {
    /// `linux/arm64`; empty for an image of one platform.
    pub(crate) platform: String,
    pub(crate) entrypoint: Vec<Arg>,
    pub(crate) cmd: Vec<Arg>,
}

/// The images of a request, each looked up once.
pub(crate) struct Images<'h> {
    host: &'h dyn Host,
    known: BTreeMap<String, Result<Vec<ImageProcess>, String>>,
}

impl<'h> Images<'h> {
    pub(crate) fn new(host: &'h dyn Host) -> Self {
        Images { host, known: BTreeMap::new() }
    }

    /// What this image runs, for each platform that differs from those before it.
    ///
    /// # Errors
    ///
    /// When it cannot be told.
    pub(crate) fn processes(&mut self, image: &Reference<'_>) -> Result<&[ImageProcess], &str> {
        let name = image.pinned();
        if !self.known.contains_key(&name) && self.known.len() >= MOST_IMAGES {
            return Err("the object names too many images to look all of them up");
        }
        let host = self.host;
        let known = self.known.entry(name).or_insert_with(|| look_up(host, image));
        known.as_deref().map_err(String::as_str)
    }
}

fn look_up(host: &dyn Host, image: &Reference<'_>) -> Result<Vec<ImageProcess>, String> {
    let mut found: Vec<ImageProcess> = Vec::new();
    for platform in oci::platforms(host, image)? {
        let config = platform.config(host)?;
        let config = config.read()?;
        let own = config.get("config");
        if !matches!(own, Json::Object(_) | Json::Null) {
            return Err(format!("its config cannot be read: expected a map, found {}", own.kind()));
        }
        // Runtimes written in Go read them all the same.
        if ["entrypoint", "entryPoint", "ENTRYPOINT", "cmd", "CMD"].iter().any(|key| !own.get(key).is_null()) {
            return Err("its config cannot be read: write Entrypoint and Cmd with these very letters".to_owned());
        }
        let process = ImageProcess {
            platform: platform.platform().to_owned(),
            entrypoint: words(config.get("config").get("Entrypoint"), "ENTRYPOINT")?,
            cmd: words(config.get("config").get("Cmd"), "CMD")?,
        };
        if !found.iter().any(|other| other.entrypoint == process.entrypoint && other.cmd == process.cmd) {
            found.push(process);
        }
    }
    Ok(found)
}

/// A list of strings; a string alone is one word, as in the oldest images.
fn words(json: &Json<'_>, name: &str) -> Result<Vec<Arg>, String> {
    let unreadable =
        |found: &Json<'_>| format!("its {name} cannot be read: expected a list of strings, found {}", found.kind());
    match json {
        Json::Null => Ok(Vec::new()),
        Json::String(text) => Ok(vec![Arg::known(text)]),
        Json::Array(items) => {
            // Nothing can start with it, and what it was meant to be is not known.
            if items.first().and_then(Json::as_str) == Some("") {
                return Err(format!("its {name} cannot be read: it begins with an empty word"));
            }
            items.iter().map(|item| item.as_str().map(Arg::known).ok_or_else(|| unreadable(item))).collect()
        }
        other => Err(unreadable(other)),
    }
}
