//! Settings, read so that a mistake is answered with its key.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::json::{Json, Object};
use crate::text::Shown;

/// Reads the settings of a policy. `null` means "no settings".
///
/// # Errors
///
/// Names the key and what is wrong with it: ``privateRegistries[0]: "acme" names no registry host…``. A private key
/// is refused wherever it stands, and never repeated: messages are shown, logged and kept in the status of resources.
pub fn read_settings<S: DeserializeOwned>(settings: &Json<'_>) -> Result<S, String> {
    if let Some(place) = place_of_private_key(settings) {
        return Err(if place.is_empty() { PRIVATE_KEY.to_owned() } else { settings_error(&place, PRIVATE_KEY) });
    }
    let read = match settings {
        Json::Null => S::deserialize(&Json::Object(Object::default())),
        Json::Object(_) => S::deserialize(settings),
        _ => return Err("the settings must be a map from key to value".to_owned()),
    };
    read.map_err(|mistake| mistake.to_string())
}

const PRIVATE_KEY: &str = "a private key stands here, and whoever can read the settings has it: make a new pair, and \
                           write no more of it than the public key";

/// PEM (RFC 7468) says it in the label of each sort of private key.
fn is_private_key(text: &str) -> bool {
    text.contains("PRIVATE KEY")
}

/// What a reader says about JSON that it cannot read, unless it repeats a private key.
pub(crate) fn without_private_keys(message: String) -> String {
    if is_private_key(&message) { PRIVATE_KEY.to_owned() } else { message }
}

/// Where a private key stands; where one is a key itself, the map around it.
fn place_of_private_key(value: &Json<'_>) -> Option<String> {
    match value {
        Json::String(text) => is_private_key(text).then(String::new),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| Some(joined(&format!("[{index}]"), &place_of_private_key(item)?))),
        Json::Object(object) => object.members().iter().find_map(|(key, value)| {
            if is_private_key(key) { Some(String::new()) } else { Some(joined(key, &place_of_private_key(value)?)) }
        }),
        _ => None,
    }
}

fn joined(step: &str, below: &str) -> String {
    let joint = if below.is_empty() || below.starts_with('[') { "" } else { "." };
    format!("{}{joint}{below}", Shown(step))
}

/// How a finding is answered: `accept`, `warn` or `reject` in settings, from the mildest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not at all.
    Accept,
    /// With a warning.
    Warn,
    /// With a violation.
    Reject,
}

/// The message for a mistake under `key`.
pub fn settings_error(key: &str, mistake: impl std::fmt::Display) -> String {
    format!("{key}: {mistake}")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{ImagePattern, RegistryPrefix};

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields, rename_all = "camelCase")]
    struct Example {
        private_registries: Vec<RegistryPrefix>,
        exempt_images: Vec<ImagePattern>,
        is_strict: bool,
    }

    #[test]
    fn a_mistake_is_answered_with_its_key() {
        for (json, message) in [
            (r#"{"isStrict":"yes"}"#, r#"isStrict: invalid type: string "yes", expected a boolean"#),
            (
                r#"{"privateRegistries":["r.io","acme"]}"#,
                r#"privateRegistries[1]: "acme" names no registry host: write host[:port] or host[:port]/path, such as registry.corp.example or docker.io/acme"#,
            ),
            (
                r#"{"privateRegistry":[]}"#,
                "privateRegistry: unknown field `privateRegistry`, expected one of `privateRegistries`, `exemptImages`, `isStrict`",
            ),
            ("[]", "the settings must be a map from key to value"),
            ("true", "the settings must be a map from key to value"),
        ] {
            let error = read_settings::<Example>(&Json::parse(json).expect("JSON")).expect_err("a mistake");
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn a_private_key_is_refused_wherever_it_stands_and_not_repeated() {
        let key = "-----BEGIN EC PRIVATE KEY-----MC4CAQAwBQYDK2VwBCIEIHOF";
        for (json, place) in [
            (format!(r#"{{"isStrict":"{key}"}}"#), "isStrict: a private key stands here"),
            (format!(r#"{{"exemptImages":["r.io/a","{key}"]}}"#), "exemptImages[1]: a private key stands here"),
            (format!(r#"{{"isStrict":true,"x":{{"y":[{{"z":"{key}"}}]}}}}"#), "x.y[0].z: a private key stands here"),
            (format!(r#"{{"x":{{"{key}":1}}}}"#), "x: a private key stands here"),
            (format!(r#"{{"a\nb":"{key}"}}"#).replace('\n', "\\n"), r"a\nb: a private key stands here"),
            (format!(r#"{{"{key}":1}}"#), "a private key stands here"),
            (format!(r#""{key}""#), "a private key stands here"),
        ] {
            let error = read_settings::<Example>(&Json::parse(&json).expect("JSON")).expect_err("a mistake");
            assert!(error.starts_with(place) && !error.contains("MC4C"), "{error}");
        }
    }

    #[test]
    fn no_settings_are_the_defaults() {
        for json in ["null", "{}", " {} "] {
            let settings: Example = read_settings(&Json::parse(json).expect("JSON")).expect("defaults");
            assert!(settings.private_registries.is_empty() && settings.exempt_images.is_empty() && !settings.is_strict);
        }
    }
}
