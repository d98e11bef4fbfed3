//! Vulnerabilities that do not count, for some images, until some day.

use policy_kit::{ImagePattern, Reference, clock, is_exempt, settings_error};
use serde::Deserialize;

/// One accepted risk. It ends: whoever accepts a risk for ever has forgotten it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// The vulnerability, as the scanner names it: `CVE-2026-1234`, `GHSA-…`. Compared without regard to case.
    pub(crate) id: String,
    /// The images for which it does not count.
    pub(crate) images: Vec<ImagePattern>,
    /// Until when.
    pub(crate) expires: Expiry,
    /// Why, for those who come after.
    pub(crate) reason: String,
}

/// The end of an exception: a day, which counts whole and in UTC, or a moment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Expiry {
    text: String,
    /// The first second at which it has ended.
    end: i64,
}

const DAY: i64 = 86_400;

/// A leap year and the day that counts whole.
const YEAR: i64 = 367 * DAY;

impl TryFrom<String> for Expiry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_day = text.len() == "2026-12-01".len();
        match clock::seconds_since_epoch(&text) {
            Some(begin) if is_day => Ok(Expiry { text, end: begin + DAY }),
            Some(end) => Ok(Expiry { text, end }),
            None => Err(format!(
                "{text:?} is no day: write it as 2026-12-01, to the end of which the exception holds, or a moment \
                 as 2026-12-01T12:00:00Z"
            )),
        }
    }
}

impl Expiry {
    /// The end as it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the end is so far away that nobody will have looked at the risk again before it comes.
    pub(crate) fn is_far(&self, now: i64) -> bool {
        self.end.saturating_sub(now) > YEAR
    }

    /// Whether the end has come.
    pub(crate) fn is_over(&self, now: i64) -> bool {
        now >= self.end
    }
}

impl Exception {
    pub(crate) fn check(&self, key: &str) -> Result<(), String> {
        let mistake = |member: &str, mistake: String| Err(settings_error(&format!("{key}.{member}"), mistake));
        let is_id = self.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
        if self.id.is_empty() || !is_id {
            return mistake("id", format!("{:?} is not the name of one vulnerability, such as CVE-2026-1234", self.id));
        }
        if self.images.is_empty() {
            return mistake("images", "say for which, such as [registry.corp.example/shop/**]".to_owned());
        }
        if self.reason.trim().is_empty() {
            return mistake("reason", "say why, for those who come after".to_owned());
        }
        Ok(())
    }
}

/// The exceptions for one image, by lower-case ID. There are few.
#[derive(Debug, Default)]
pub(crate) struct Exceptions<'s>(Vec<(String, &'s Expiry)>);

impl<'s> Exceptions<'s> {
    /// Those of `all` that mean the image. Of several for one vulnerability the one that ends last counts.
    pub(crate) fn of(image: &Reference<'_>, all: &'s [Exception]) -> Self {
        let mut found: Vec<(String, &Expiry)> = Vec::new();
        for exception in all.iter().filter(|exception| is_exempt(&exception.images, image)) {
            let id = exception.id.to_ascii_lowercase();
            match found.iter_mut().find(|(known, _)| *known == id) {
                None => found.push((id, &exception.expires)),
                Some((_, expiry)) if expiry.end < exception.expires.end => *expiry = &exception.expires,
                Some(_) => {}
            }
        }
        Exceptions(found)
    }

    /// The end of the exception for a vulnerability, past or to come.
    pub(crate) fn expiry(&self, id: &str) -> Option<&'s Expiry> {
        // Most images have none, and reports have thousands of IDs.
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, expiry)| *expiry)
    }
}

#[cfg(test)]
mod tests {
    use policy_kit::{Json, read_settings};

    use super::*;

    fn expiry(text: &str) -> Expiry {
        Expiry::try_from(text.to_owned()).expect("an expiry")
    }

    #[test]
    fn a_day_counts_whole() {
        let midnight = clock::seconds_since_epoch("2026-12-02T00:00:00Z").expect("a time");
        assert!(!expiry("2026-12-01").is_over(midnight - 1));
        assert!(expiry("2026-12-01").is_over(midnight));
        let noon = clock::seconds_since_epoch("2026-12-01T12:00:00Z").expect("a time");
        assert!(!expiry("2026-12-01T12:00:00Z").is_over(noon - 1));
        assert!(expiry("2026-12-01T12:00:00Z").is_over(noon));
        assert!(!expiry("2027-12-03").is_far(midnight));
        assert!(expiry("2027-12-04").is_far(midnight));
        assert!(!expiry("2020-01-01").is_far(midnight));
        assert!(Expiry::try_from("2026-12-32".to_owned()).is_err());
        assert!(Expiry::try_from("never".to_owned()).is_err());
    }

    #[test]
    fn the_last_exception_for_an_image_counts() {
        #[derive(Deserialize)]
        struct Holder {
            exceptions: Vec<Exception>,
        }
        let json = r#"{"exceptions":[
            {"id":"CVE-2026-1","images":["r.io/a"],"expires":"2026-12-01","reason":"x"},
            {"id":"cve-2026-1","images":["r.io/**"],"expires":"2026-12-03","reason":"x"},
            {"id":"CVE-2026-1","images":["r.io/a"],"expires":"2026-12-02","reason":"x"}]}"#;
        let holder: Holder = read_settings(&Json::parse(json).expect("JSON")).expect("exceptions");
        let on = |image: &str| {
            let exceptions = Exceptions::of(&Reference::parse(image).expect("a reference"), &holder.exceptions);
            exceptions.expiry("Cve-2026-1").map(Expiry::text)
        };
        assert_eq!(on("r.io/a:1"), Some("2026-12-03"));
        assert_eq!(on("evil.io/a:1"), None);
        let exceptions = Exceptions::of(&Reference::parse("r.io/a").expect("a reference"), &holder.exceptions);
        assert_eq!(exceptions.expiry("CVE-2026-12"), None);
    }

    #[test]
    fn an_exception_is_for_one_vulnerability_of_some_images() {
        let checked = |id: &str, images: &str, reason: &str| {
            let json = format!(r#"{{"id":"{id}","images":[{images}],"expires":"2026-12-01","reason":"{reason}"}}"#);
            let exception: Exception = read_settings(&Json::parse(&json).expect("JSON")).expect("an exception");
            exception.check("exceptions[0]")
        };
        assert_eq!(checked("GHSA-aaaa-bbbb-cccc", "\"r.io/a\"", "x"), Ok(()));
        for (id, images, reason, key) in [
            ("", "\"r.io/a\"", "x", "id"),
            ("*", "\"r.io/a\"", "x", "id"),
            ("CVE-2026-*", "\"r.io/a\"", "x", "id"),
            ("CVE-2026-1", "", "x", "images"),
            ("CVE-2026-1", "\"r.io/a\"", "", "reason"),
        ] {
            let error = checked(id, images, reason).expect_err(id);
            assert!(error.starts_with(&format!("exceptions[0].{key}: ")), "{error}");
        }
    }
}
