//! What a registry knows about an image, asked through Kubewarden's OCI capability.
//!
//! An index is read child by child: the host cannot choose a platform, and what holds for one says nothing of the
//! others. Whatever cannot be read is an error with its cause, never "none".

use crate::cluster::one_line;
use crate::guest::Host;
use crate::json::{Json, write_text};
use crate::reference::{self, Reference};

/// Real images have a dozen platforms at most; each costs a request to the registry.
const MOST_PLATFORMS: usize = 64;

/// How many features of a system a platform's name tells.
const MOST_FEATURES: usize = 8;

/// The media types of what may hold platforms of its own.
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];

/// One platform of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformImage {
    platform: String,
    reference: String,
}

/// The configuration of one platform's image, to be read with [`ImageConfig::read`].
#[derive(Debug)]
pub struct ImageConfig(Vec<u8>);

/// The digest by which the registry has an image: of its index where it has one. A reference by digest is its own
/// answer, and nobody is asked.
///
/// # Errors
///
/// When the registry cannot be asked, or what it answers is no digest.
pub fn digest(host: &dyn Host, image: &Reference<'_>) -> Result<String, String> {
    if let Some(digest) = image.digest() {
        return Ok(digest.to_owned());
    }
    let answer = ask(host, "v1/manifest_digest", &image.pinned())?;
    let answer = Json::parse_bytes(&answer).map_err(|error| format!("its digest cannot be read: {error}"))?;
    let digest = reference::read_digest(answer.get("digest").text());
    digest.map(str::to_owned).map_err(|error| format!("its digest cannot be read: {error}"))
}

/// The platforms of an image: those of its index, or the only one.
///
/// The image is asked for by digest where it has one, as runtimes do; the tag beside it is decoration.
///
/// # Errors
///
/// When the registry cannot be asked, or what it answers is no image.
pub fn platforms(host: &dyn Host, image: &Reference<'_>) -> Result<Vec<PlatformImage>, String> {
    let pinned = image.pinned();
    let answer = ask(host, "v1/oci_manifest", &pinned)?;
    let manifest = read(&answer)?;
    check_manifest(&manifest)?;
    let is_manifest = !manifest.get("config").is_null() || !manifest.get("layers").is_null();
    match manifest.get("manifests") {
        // Clients choose by media type which of the two it is, so a document that is both is two images.
        Json::Array(_) if is_manifest => Err("it is a manifest and an index at once".to_owned()),
        Json::Array(children) => children_of(image, children),
        Json::Null if is_manifest => Ok(vec![PlatformImage { platform: String::new(), reference: pinned }]),
        _ => Err("it is neither an image manifest nor an image index".to_owned()),
    }
}

fn children_of(image: &Reference<'_>, children: &[Json<'_>]) -> Result<Vec<PlatformImage>, String> {
    let mut found = Vec::new();
    for child in children {
        check_keys("index", child, &["mediaType", "digest", "platform", "artifactType"])?;
        let platform = child.get("platform");
        check_keys("index", platform, &["os", "architecture", "variant", "os.version", "os.features"])?;
        let (os, architecture) = (platform.get("os").text(), platform.get("architecture").text());
        // BuildKit's attestations: no node is of an unknown platform, so none runs them.
        if os == "unknown" && architecture == "unknown" {
            continue;
        }
        // Runtimes go down into it and choose again, so what they run would not be what was looked at.
        if INDEXES.contains(&child.get("mediaType").text()) {
            return Err("it holds an index in an index, of which nobody knows what would run".to_owned());
        }
        let digest = reference::read_digest(child.get("digest").text())
            .map_err(|error| format!("its index cannot be read: {error}"))?;
        let name = name_of(platform);
        let reference = format!("{}/{}@{digest}", image.host(), image.path());
        found.push(PlatformImage { platform: if name == "/" { digest.to_owned() } else { name }, reference });
    }
    match found.len() {
        0 => Err("its index names no image".to_owned()),
        count if count > MOST_PLATFORMS => Err(format!("its index names more than {MOST_PLATFORMS} images")),
        _ => Ok(found),
    }
}

/// `os/architecture[/variant]`; what it asks of the system besides stands in parentheses, as containerd writes it.
fn name_of(platform: &Json<'_>) -> String {
    let (os, architecture) = (platform.get("os").text(), platform.get("architecture").text());
    let mut name = os.to_owned();
    let (version, features) = (platform.get("os.version").text(), platform.get("os.features").items());
    if !version.is_empty() || !features.is_empty() {
        name.push('(');
        name.push_str(version);
        for feature in features.iter().take(MOST_FEATURES) {
            name.push('+');
            name.push_str(feature.text());
        }
        name.push(')');
    }
    name.push('/');
    name.push_str(architecture);
    match platform.get("variant").text() {
        "" => {}
        variant => {
            name.push('/');
            name.push_str(variant);
        }
    }
    name
}

impl PlatformImage {
    /// `linux/arm64/v8` as the index says, or `windows(10.0.20348)/amd64` where it asks for a version or features of the
    /// system; the digest where it does not say, and empty for an image without an index.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// The image of this platform, as the registry is asked for it.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The digest of this platform's manifest; `None` for an image without an index that is asked for by tag.
    pub fn digest(&self) -> Option<&str> {
        self.reference.split_once('@').map(|(_, digest)| digest)
    }

    /// Fetches the image's ID: the digest of its configuration, by which container runtimes name what they have
    /// unpacked. The configuration holds the digests of the unpacked layers, so for runtimes that compare those it is the
    /// content's, too.
    ///
    /// # Errors
    ///
    /// When the registry cannot be asked, or what it answers has none.
    pub fn id(&self, host: &dyn Host) -> Result<String, String> {
        let answer = ask(host, "v1/oci_manifest", &self.reference)?;
        let manifest = read(&answer)?;
        check_manifest(&manifest)?;
        let id = reference::read_digest(manifest.get("config").get("digest").text());
        id.map(str::to_owned).map_err(|error| format!("its manifest cannot be read: {error}"))
    }

    /// Fetches the image's configuration: labels, entrypoint, history, layers.
    ///
    /// # Errors
    ///
    /// When the registry cannot be asked.
    pub fn config(&self, host: &dyn Host) -> Result<ImageConfig, String> {
        ask(host, "v1/oci_manifest_config", &self.reference).map(ImageConfig)
    }
}

impl ImageConfig {
    /// The configuration as JSON, an object.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn read(&self) -> Result<Json<'_>, String> {
        self.read_with_manifest().map(|(_, config)| config)
    }

    /// The manifest that the configuration came with, and the configuration, an object.
    ///
    /// # Errors
    ///
    /// When the configuration is none, or either has a key that others read differently. A manifest that is missing is
    /// `null`.
    pub fn read_with_manifest(&self) -> Result<(Json<'_>, Json<'_>), String> {
        let mut answer =
            Json::parse_bytes(&self.0).map_err(|error| format!("its configuration cannot be read: {error}"))?;
        match answer.take("config") {
            config @ Json::Object(_) => {
                let manifest = answer.take("manifest");
                check_manifest(&manifest)?;
                check_config(&config)?;
                Ok((manifest, config))
            }
            other => Err(format!("its configuration cannot be read: expected an object, found {}", other.kind())),
        }
    }
}

fn check_manifest(manifest: &Json<'_>) -> Result<(), String> {
    check_keys("manifest", manifest, &["mediaType", "artifactType", "config", "layers", "manifests", "annotations"])?;
    check_keys("manifest", manifest.get("config"), &["mediaType", "digest"])
}

fn check_config(config: &Json<'_>) -> Result<(), String> {
    const CONFIG: &str = "configuration";
    check_keys(CONFIG, config, &["os", "architecture", "variant", "config", "rootfs", "history"])?;
    check_keys(CONFIG, config.get("rootfs"), &["type", "diff_ids"])?;
    check_keys(
        CONFIG,
        config.get("config"),
        &["Entrypoint", "Cmd", "Env", "Labels", "User", "WorkingDir", "Shell", "Volumes"],
    )?;
    for line in config.get("history").items() {
        check_keys(CONFIG, line, &["created_by", "comment", "empty_layer"])?;
    }
    Ok(())
}

/// Refuses an object with a key that runtimes take for one of `keys`. They are written in Go, whose JSON package reads keys
/// without regard to case (`encoding/json`, `foldName`) and of several the last; `rootFS` beside `rootfs` is another image
/// to them.
fn check_keys(what: &str, object: &Json<'_>, keys: &[&str]) -> Result<(), String> {
    for (name, _) in object.members() {
        let Some(key) = keys.iter().find(|key| *key != name && is_same_to_go(key, name)) else { continue };
        return Err(match object.get(key) {
            Json::Null => format!("its {what} is ambiguous: it has {name:?}, which runtimes read as {key:?}"),
            _ => format!("its {what} is ambiguous: it has both {key:?} and {name:?}"),
        });
    }
    Ok(())
}

/// Whether Go takes `name` for `key`, which is ASCII: two letters beyond it fold to `s` and `k`.
fn is_same_to_go(key: &str, name: &str) -> bool {
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

fn read(answer: &[u8]) -> Result<Json<'_>, String> {
    Json::parse_bytes(answer).map_err(|error| format!("its manifest cannot be read: {error}"))
}

fn ask(host: &dyn Host, operation: &str, image: &str) -> Result<Vec<u8>, String> {
    let mut payload = String::new();
    write_text(image, &mut payload);
    host.call("oci", operation, payload.as_bytes()).map_err(|error| one_line(&error))
}

#[cfg(test)]
#[path = "oci_tests.rs"]
mod tests;
