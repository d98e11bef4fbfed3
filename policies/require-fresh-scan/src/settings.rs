//! What the cluster operator may configure.

use policy_kit::{ImagePattern, Level, Platform, settings_error};
use serde::Deserialize;

use crate::exception::Exception;
use crate::max_age::MaxAge;
use crate::severity::MaxSeverity;
use crate::source::Source;

/// Whose reports count, how old they may be and what they may find.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The scanners whose reports count.
    pub(crate) reports: Vec<Source>,
    /// The namespaces whose reports count; empty: the object's own.
    pub(crate) report_namespaces: Vec<String>,
    /// How old a report may be.
    pub(crate) max_age: MaxAge,
    /// How many vulnerabilities an image may have.
    pub(crate) max_severity: MaxSeverity,
    /// Whether vulnerabilities without a fix do not count.
    pub(crate) ignore_unfixed: bool,
    /// Vulnerabilities that do not count for some images, for some time.
    pub(crate) exceptions: Vec<Exception>,
    /// What happens to images that nobody has scanned.
    pub(crate) missing_report: Level,
    /// The platforms that must be scanned; empty: all that an image has.
    pub(crate) platforms: Vec<Platform>,
    /// Images that need no report.
    pub(crate) exempt_images: Vec<ImagePattern>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            reports: vec![Source::TrivyOperator, Source::Sbomscanner],
            report_namespaces: Vec::new(),
            max_age: MaxAge::default(),
            max_severity: MaxSeverity::default(),
            ignore_unfixed: false,
            exceptions: Vec::new(),
            missing_report: Level::Reject,
            platforms: Vec::new(),
            exempt_images: Vec::new(),
        }
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.reports.is_empty() {
            return Err(settings_error("reports", "names no scanner: write trivy-operator, sbomscanner or both"));
        }
        if let Some((index, source)) = repeated(&self.reports) {
            return Err(settings_error(&format!("reports[{index}]"), format!("{source} stands twice")));
        }
        for (index, namespace) in self.report_namespaces.iter().enumerate() {
            if !is_namespace(namespace) {
                return Err(settings_error(
                    &format!("reportNamespaces[{index}]"),
                    format!("{namespace:?} is not the name of a namespace: write whole names, such as trivy-reports"),
                ));
            }
        }
        if let Some((index, namespace)) = repeated(&self.report_namespaces) {
            return Err(settings_error(&format!("reportNamespaces[{index}]"), format!("{namespace} stands twice")));
        }
        if self.max_severity.is_unlimited() {
            return Err(settings_error(
                "maxSeverity",
                "limits nothing: write at least one of critical, high, medium, low and unknown, such as {critical: 0}",
            ));
        }
        if let Some((limited, open)) = self.max_severity.hole() {
            let (limited, open) = (limited.name(), open.name());
            return Err(settings_error(
                "maxSeverity",
                format!("limits {limited} and not {open}, which is worse: write {open}: 0, or how many there may be"),
            ));
        }
        self.exceptions
            .iter()
            .enumerate()
            .try_for_each(|(index, exception)| exception.check(&format!("exceptions[{index}]")))
    }

    /// The scanners whose reports count, for messages.
    pub(crate) fn sources(&self) -> String {
        let names: Vec<&str> = self.reports.iter().map(|source| source.name()).collect();
        names.join(" or ")
    }

    /// Whether the reports of this scanner count.
    pub(crate) fn reads(&self, source: Source) -> bool {
        self.reports.contains(&source)
    }
}

fn repeated<T: PartialEq>(items: &[T]) -> Option<(usize, &T)> {
    items.iter().enumerate().find(|(index, item)| items[..*index].contains(item))
}

/// A DNS label, as Kubernetes has it.
fn is_namespace(name: &str) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.len() <= 63
        && is_end(name.bytes().next())
        && is_end(name.bytes().last())
        && name.bytes().all(|byte| byte == b'-' || is_end(Some(byte)))
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
        let exception =
            |members: &str| format!(r#"{{"exceptions":[{{"id":"CVE-2026-1","images":["r.io/a"],{members}}}]}}"#);
        let without_reason = exception(r#""expires":"2026-12-01","reason":" ""#);
        let without_end = exception(r#""reason":"x""#);
        let no_time = exception(r#""expires":"soon","reason":"x""#);
        for (json, expected) in [
            (r#"{"reports":[]}"#, "reports: names no scanner"),
            (r#"{"reports":["trivy"]}"#, "reports[0]: unknown variant `trivy`"),
            (r#"{"reports":["sbomscanner","sbomscanner"]}"#, "reports[1]: sbomscanner stands twice"),
            (r#"{"reportNamespaces":["*"]}"#, "reportNamespaces[0]: \"*\" is not the name of a namespace"),
            (r#"{"reportNamespaces":["a","-a"]}"#, "reportNamespaces[1]: \"-a\" is not the name of a namespace"),
            (r#"{"reportNamespaces":["a","a"]}"#, "reportNamespaces[1]: a stands twice"),
            (r#"{"maxAge":"0h"}"#, "maxAge: \"0h\" is out of range"),
            (r#"{"maxAge":24}"#, "maxAge: invalid type: integer `24`, expected a string"),
            (r#"{"maxSeverity":{}}"#, "maxSeverity: limits nothing"),
            (r#"{"maxSeverity":{"critical":null}}"#, "maxSeverity: limits nothing"),
            (r#"{"maxSeverity":{"critical":-1}}"#, "maxSeverity.critical: invalid value: integer `-1`, expected u32"),
            (
                r#"{"maxSeverity":{"high":0}}"#,
                "maxSeverity: limits high and not critical, which is worse: write critical: 0",
            ),
            (r#"{"maxSeverity":{"unknown":0}}"#, "maxSeverity: limits unknown and not critical"),
            (r#"{"maxSeverity":{"critical":0,"medium":0}}"#, "maxSeverity: limits medium and not high"),
            (
                r#"{"maxSeverity":{"critical":0,"high":0,"low":0,"unknown":1}}"#,
                "maxSeverity: limits low and not medium",
            ),
            (r#"{"maxSeverity":{"severe":0}}"#, "maxSeverity.severe: unknown field `severe`"),
            (r#"{"missingReport":"ignore"}"#, "missingReport: unknown variant `ignore`"),
            (r#"{"platforms":["amd64"]}"#, "platforms[0]: \"amd64\" is no platform"),
            (r#"{"platforms":["linux/*"]}"#, "platforms[0]: \"linux/*\" is no platform"),
            (r#"{"exceptions":[{}]}"#, "exceptions[0]"),
            (without_reason.as_str(), "exceptions[0].reason: say why"),
            (without_end.as_str(), "exceptions[0]: missing field `expires`"),
            (no_time.as_str(), "exceptions[0].expires: \"soon\" is no day"),
            (r#"{"exemptImages":["ghcr.io/**"]}"#, "exemptImages[0]: \"ghcr.io/**\" covers ghcr.io"),
            (r#"{"maximumAge":"1h"}"#, "maximumAge: unknown field `maximumAge`"),
        ] {
            let error = checked(json).expect_err(json);
            assert!(error.starts_with(expected), "{json}: {error}");
        }
    }

    #[test]
    fn the_defaults_are_strict() {
        let settings = checked("{}").expect("settings");
        assert_eq!(settings.max_age.to_string(), "24h");
        assert_eq!((settings.max_severity.critical, settings.max_severity.high), (Some(0), Some(10)));
        assert_eq!(settings.missing_report, Level::Reject);
        assert_eq!(settings.sources(), "trivy-operator or sbomscanner");
        // Whoever writes limits means these and no others.
        let settings = checked(r#"{"maxSeverity":{"critical":3,"unknown":0}}"#).expect("settings");
        assert_eq!((settings.max_severity.critical, settings.max_severity.high), (Some(3), None));
    }
}
