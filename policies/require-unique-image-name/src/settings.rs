//! What the cluster operator may configure.

use policy_kit::{Expression, ImagePattern, RegistryPrefix, settings_error};
use serde::{Deserialize, Deserializer, de::Error};

use crate::naming::GROUPS;
use crate::owners::Owners;
use crate::template::NameTemplate;

/// What an image name must say, and what is compared with it.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The shape of the last component of the path.
    pub(crate) template: NameTemplate,
    /// How many characters of the commit SHA, from its end, the tag has.
    pub(crate) commit_length: u8,
    /// The teams that exist, each with its sub-teams.
    pub(crate) teams: Owners,
    /// Where such names may live; directly below one of these.
    pub(crate) registries: Vec<RegistryPrefix>,
    /// The label of a Namespace that names its team.
    pub(crate) owner_label: Option<String>,
    /// Whether the image itself must say that it was built from this commit.
    pub(crate) verify_revision: bool,
    /// An expression that reads name and tag instead of the template.
    #[serde(deserialize_with = "expression")]
    pub(crate) pattern: Option<Expression>,
    /// Images that may have any name.
    pub(crate) exempt_images: Vec<ImagePattern>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            template: NameTemplate::default(),
            commit_length: 15,
            teams: Owners::default(),
            registries: Vec::new(),
            owner_label: None,
            verify_revision: false,
            pattern: None,
            exempt_images: Vec::new(),
        }
    }
}

/// The empty expression is the default and means none.
fn expression<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Expression>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => Expression::parse(text).map(Some).map_err(D::Error::custom),
    }
}

impl Settings {
    /// The length of the part of the SHA that is the tag.
    pub(crate) fn length(&self) -> usize {
        usize::from(self.commit_length)
    }

    /// Where names may live, for messages.
    pub(crate) fn registries(&self) -> String {
        let registries: Vec<String> = self.registries.iter().map(ToString::to_string).collect();
        registries.join(", ")
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if !(7..=64).contains(&self.commit_length) {
            return Err(settings_error(
                "commitLength",
                "write a number from 7, below which commits are mixed up, to 64, the length of a whole SHA-256",
            ));
        }
        if let Some(pattern) = &self.pattern
            && let Some(missing) = GROUPS.iter().find(|group| !pattern.has_group(group))
        {
            return Err(settings_error("pattern", format!("needs the named group {missing}: (?<{missing}>…)")));
        }
        let template = self.pattern.is_none().then_some(&self.template);
        self.teams.check(template).map_err(|(key, mistake)| settings_error(&key, mistake))?;
        for (index, registry) in self.registries.iter().enumerate() {
            registry.check_not_shared().map_err(|mistake| settings_error(&format!("registries[{index}]"), mistake))?;
        }
        match &self.owner_label {
            Some(label) if !is_label_key(label) => Err(settings_error(
                "ownerLabel",
                format!("{label:?} is not the key of a label, such as team or example.com/team"),
            )),
            // `data-platform-ml-api` could be of a team `data`, and the Namespace of either would take it.
            Some(_) if self.teams.is_empty() => Err(settings_error(
                "ownerLabel",
                "needs teams: list the teams that exist, or names with dashes could be of several",
            )),
            _ => Ok(()),
        }
    }
}

/// `name` or `prefix/name`, as Kubernetes has it.
fn is_label_key(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').unwrap_or(("x", key));
    let is_part = |part: &str, inner: &[u8], most: usize| {
        let bytes = part.as_bytes();
        let is_end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let is_inner = |b: &u8| b.is_ascii_alphanumeric() || inner.contains(b);
        bytes.len() <= most && is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(is_inner)
    };
    is_part(prefix, b"-.", 253) && is_part(name, b"-_.", 63)
}

#[cfg(test)]
mod tests {
    use policy_kit::read_settings;

    use super::*;

    fn checked(json: &str) -> Result<Settings, String> {
        let settings: Settings = read_settings(&policy_kit::Json::parse(json).expect("JSON"))?;
        settings.check().map(|()| settings)
    }

    #[test]
    fn settings_that_cannot_work_name_their_key() {
        for (json, expected) in [
            (r#"{"commitLength":6}"#, "commitLength: write a number from 7"),
            (r#"{"commitLength":65}"#, "commitLength: write a number from 7"),
            (r#"{"commitLength":-1}"#, "commitLength: invalid value: integer `-1`, expected u8"),
            (r#"{"template":"[team]"}"#, r#"template: "[team]" must have [team] and [app] once"#),
            (r#"{"pattern":"(?<team>a)(?<subTeam>b)(?<app>c)"}"#, "pattern: needs the named group commit"),
            (r#"{"pattern":"("}"#, r#"pattern: "(" is not a regular expression"#),
            (r#"{"teams":{"payments":[]}}"#, "teams.payments: list its sub-teams"),
            (
                r#"{"template":"[team]-[app]","teams":{"payments":["x"]}}"#,
                "teams.payments: the template has no [sub-team]",
            ),
            (r#"{"registries":["ghcr.io"]}"#, "registries[0]: ghcr.io is shared"),
            (r#"{"ownerLabel":""}"#, "ownerLabel: \"\" is not the key of a label"),
            (r#"{"ownerLabel":"a/b/c"}"#, "ownerLabel: \"a/b/c\" is not the key of a label"),
            (r#"{"team":{}}"#, "team: unknown field `team`"),
        ] {
            let error = checked(json).expect_err(json);
            assert!(error.starts_with(expected), "{json}: {error}");
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_article() {
        let settings = checked(r#"{"pattern":"","ownerLabel":null}"#).expect("settings");
        assert_eq!(settings.template.to_string(), "[team]-[sub-team]-[app]");
        assert_eq!(settings.length(), 15);
        assert!(settings.pattern.is_none() && settings.owner_label.is_none() && !settings.verify_revision);
        assert!(checked(r#"{"ownerLabel":"example.com/team","teams":{"a":["b"]}}"#).is_ok());
    }
}
