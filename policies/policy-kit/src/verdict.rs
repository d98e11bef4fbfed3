//! What a policy decides, and how it is said.

use std::borrow::Cow;
use std::fmt::{self, Display};

use crate::json::Json;
use crate::template::{Path, Segment};

/// One broken rule: where, and what must hold there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    text: String,
    /// Not about one place of many.
    is_general: bool,
}

impl Violation {
    /// A violation in one place of the object.
    pub fn at(place: &impl Display, must_hold: impl Display) -> Self {
        Violation { text: format!("{place}: {must_hold}"), is_general: false }
    }

    /// A violation of the request as a whole.
    pub fn general(must_hold: impl Into<String>) -> Self {
        Violation { text: must_hold.into(), is_general: true }
    }
}

impl Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// One field to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    path: Vec<Step>,
    value: String,
    /// What the requester is told, should it come to this edit.
    pub(crate) note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Edit {
    /// Writes the string `value` at `path`.
    pub fn new(path: &Path<'_>, value: String) -> Self {
        let path = path
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => Step::Key((*key).to_owned()),
                Segment::Item(index, _) => Step::Index(*index),
            })
            .collect();
        Edit { path, value, note: None }
    }

    /// With what the requester is told, should it come to this edit.
    #[must_use]
    pub fn with_note(mut self, note: String) -> Self {
        self.note = Some(note);
        self
    }

    /// Changes this one field and nothing else. False when the path does not exist.
    pub(crate) fn apply(&self, object: &mut Json<'_>) -> bool {
        let mut place = object;
        for step in &self.path {
            place = match (step, place) {
                (Step::Key(key), Json::Object(object)) => object.entry(key),
                (Step::Index(index), Json::Array(items)) => match items.get_mut(*index) {
                    Some(item) => item,
                    None => return false,
                },
                _ => return false,
            };
        }
        *place = Json::String(self.value.clone().into());
        true
    }
}

/// What a policy decides: rejected if there is a violation, mutated if there is an edit, accepted otherwise.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Everything that is broken, not only the first.
    pub violations: Vec<Violation>,
    /// The fields to write. Without effect beside a violation.
    pub edits: Vec<Edit>,
    /// What the requester is told, whatever the verdict.
    pub warnings: Vec<String>,
    /// What the API server's audit log keeps, as key and value.
    pub audit_annotations: Vec<(&'static str, String)>,
}

impl Verdict {
    /// Notes a violation.
    pub fn reject(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    /// Notes a warning, and the same one after itself once. There may be thousands, so no more is compared.
    pub fn warn(&mut self, warning: String) {
        if self.warnings.last() != Some(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Takes over all that another verdict says.
    pub fn add(&mut self, other: Verdict) {
        self.violations.extend(other.violations);
        self.edits.extend(other.edits);
        self.audit_annotations.extend(other.audit_annotations);
        for warning in other.warnings {
            self.warn(warning);
        }
    }

    /// The same as advice: for what an UPDATE leaves as it was.
    #[must_use]
    pub fn tolerated(self) -> Verdict {
        let mut tolerated = Verdict { audit_annotations: self.audit_annotations, ..Verdict::default() };
        for violation in self.violations {
            tolerated.warn(format!("{violation} (accepted, as this update does not change it)"));
        }
        tolerated
    }

    /// All violations as one message.
    pub fn message(&self) -> String {
        let parts: Vec<&str> = self.violations.iter().map(|violation| violation.text.as_str()).collect();
        parts.join("; ")
    }

    /// The message that the requester gets: of many violations the first and those of the request as a whole, then how
    /// many more there are.
    pub(crate) fn told_message(&self) -> String {
        told(&self.violations, |violation| (&violation.text, violation.is_general)).join("; ")
    }

    /// The warnings that the requester is told: of many the first, then how many more there are.
    pub(crate) fn told_warnings(&self) -> Vec<Cow<'_, str>> {
        told(&self.warnings, |warning| (warning, false))
    }
}

/// More are not read by anybody, and an object may have thousands.
const MOST_TOLD: usize = 50;

/// Bytes of a message, or of all warnings. The API server logs them, and clients show them whole.
const LONGEST_TOLD: usize = 32 * 1024;

/// What is told of many texts. Where `text_of` says so, a text is told however many stand before it, as long as there is
/// room.
fn told<T>(items: &[T], text_of: impl Fn(&T) -> (&String, bool)) -> Vec<Cow<'_, str>> {
    let mut told: Vec<Cow<'_, str>> = Vec::new();
    // Some is left for the last words.
    let mut room = LONGEST_TOLD - 64;
    for (text, is_needed) in items.iter().map(text_of) {
        if told.len() >= MOST_TOLD && !is_needed {
            continue;
        }
        if text.len() < room {
            told.push(Cow::Borrowed(text));
        } else if told.is_empty() {
            told.push(Cow::Owned(format!("{}…", &text[..text.floor_char_boundary(room)])));
        } else {
            continue;
        }
        room = room.saturating_sub(text.len() + "; ".len());
    }
    match items.len() - told.len() {
        0 => {}
        more => told.push(Cow::Owned(format!("and {more} more"))),
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_update_leaves_alone_becomes_advice() {
        let mut verdict = Verdict::default();
        verdict.reject(Violation::general("a"));
        verdict.warn("changed to b".to_owned());
        verdict.edits.push(Edit::new(&Path::default().key("image"), "b".to_owned()));
        let tolerated = verdict.tolerated();
        assert!(tolerated.violations.is_empty() && tolerated.edits.is_empty());
        assert_eq!(tolerated.warnings, ["a (accepted, as this update does not change it)"]);
    }

    #[test]
    fn an_edit_that_finds_no_place_says_so() {
        let object = Json::parse(r#"{"a":["x"],"b":{}}"#).expect("valid JSON");
        let nowhere = Path::default().key("a").key("c");
        let beyond = Path::default().key("a").item(1, &Json::Null);
        let fresh = Path::default().key("b").key("c");
        assert!(!Edit::new(&nowhere, String::new()).apply(&mut object.clone()));
        assert!(!Edit::new(&beyond, String::new()).apply(&mut object.clone()));
        let mut changed = object.clone();
        assert!(Edit::new(&fresh, "y".to_owned()).apply(&mut changed));
        assert_eq!(changed.to_string(), r#"{"a":["x"],"b":{"c":"y"}}"#);
    }

    #[test]
    fn of_many_violations_the_first_are_told() {
        let mut verdict = Verdict::default();
        for index in 0..50 {
            verdict.reject(Violation::at(&index, "a"));
            verdict.warn(index.to_string());
        }
        assert!(
            verdict.told_message().starts_with("0: a; 1: a; ") && verdict.told_message().ends_with("; 48: a; 49: a")
        );
        assert_eq!(
            (verdict.told_warnings().len(), verdict.told_warnings().last().map(AsRef::as_ref)),
            (50, Some("49"))
        );
        for index in 50..60 {
            verdict.reject(Violation::at(&index, "a"));
            verdict.warn(index.to_string());
        }
        assert!(verdict.told_message().ends_with("; 48: a; 49: a; and 10 more"), "{}", verdict.told_message());
        assert_eq!(verdict.told_warnings().last().map(AsRef::as_ref), Some("and 10 more"));
        verdict.reject(Violation::general("too many"));
        assert!(verdict.told_message().ends_with("; 49: a; too many; and 10 more"), "{}", verdict.told_message());
    }

    #[test]
    fn no_message_is_longer_than_anybody_takes() {
        let long = "é".repeat(20 * 1024);
        let mut verdict = Verdict::default();
        verdict.reject(Violation::general(long.as_str()));
        assert!(verdict.told_message().len() <= 32 * 1024 && verdict.told_message().ends_with("é…"));
        verdict.reject(Violation::general("b"));
        assert!(verdict.told_message().len() <= 32 * 1024 && verdict.told_message().ends_with("…; and 1 more"));
        let mut verdict = Verdict::default();
        for index in 0..40 {
            verdict.reject(Violation::at(&index, "a".repeat(1024)));
            verdict.warn(format!("{index}{}", "b".repeat(1024)));
        }
        assert!(verdict.told_message().len() <= 32 * 1024 && verdict.told_message().ends_with("aaa; and 9 more"));
        assert_eq!(verdict.told_warnings().len(), 32);
    }
}
