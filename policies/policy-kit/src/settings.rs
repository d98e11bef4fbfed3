//! Settings, read so that a mistake is answered with its key.

use serde::de::DeserializeOwned;

use crate::json::{Json, Object};

/// Reads the settings of a policy. `null` means "no settings".
///
/// # Errors
///
/// Names the key and what is wrong with it: ``privateRegistries[0]: "acme" names no registry host…``.
pub fn read_settings<S: DeserializeOwned>(settings: &Json<'_>) -> Result<S, String> {
    let read = match settings {
        Json::Null => S::deserialize(&Json::Object(Object::default())),
        Json::Object(_) => S::deserialize(settings),
        _ => return Err("the settings must be a map from key to value".to_owned()),
    };
    read.map_err(|mistake| mistake.to_string())
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
    fn a_private_key_is_not_repeated() {
        let key = "-----BEGIN PRIVATE KEY-----MC4CAQAwBQYDK2VwBCIEIHOF";
        for json in [format!(r#"{{"isStrict":"{key}"}}"#), format!(r#"{{"exemptImages":["{key}"]}}"#)] {
            let error = read_settings::<Example>(&Json::parse(&json).expect("JSON")).expect_err("a mistake");
            assert!(error.contains(": a private key stands here") && !error.contains("MC4C"), "{error}");
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
