//! Regular expressions that a user wrote in the settings. The project's own rules need none.

use std::fmt;

use regex_lite::Regex;
use serde::de::{Deserialize, Deserializer, Error};

/// A regular expression that matches whole texts only; its classes are ASCII.
#[derive(Clone)]
pub struct Expression {
    text: String,
    whole: Regex,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Checked alone first: `a)|(b` would otherwise become valid by the wrapping.
        Regex::new(text).map_err(|error| format!("{text:?} is not a regular expression: {error}"))?;
        let whole = Regex::new(&format!(r"^(?:{text})$"))
            .map_err(|error| format!("{text:?} is not a regular expression: {error}"))?;
        Ok(Expression { text: text.to_owned(), whole })
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// The texts that named groups took, if the whole text matches; `None` for a group that took no part.
    pub fn groups<'t, const N: usize>(&self, names: [&str; N], text: &'t str) -> Option<[Option<&'t str>; N]> {
        let captures = self.whole.captures(text)?;
        Some(names.map(|name| captures.name(name).map(|found| found.as_str())))
    }

    /// Whether there is a group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        self.whole.capture_names().any(|group| group == Some(name))
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}/", self.text)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Expression::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Expression;

    #[test]
    fn groups_are_taken_from_whole_texts() {
        let name = Expression::parse("(?<team>[a-z]+)(-(?<app>[a-z]+))?").expect("an expression");
        assert_eq!(name.groups(["team", "app"], "a-b"), Some([Some("a"), Some("b")]));
        assert_eq!(name.groups(["app", "none"], "a"), Some([None, None]));
        assert_eq!(name.groups(["team"], "a-b-c"), None);
        assert!(name.has_group("app") && !name.has_group("none"));
    }

    #[test]
    fn an_expression_matches_whole_texts_in_ascii() {
        let hex = Expression::parse("[0-9a-f]{3}|v[0-9]+").expect("an expression");
        for (text, expected) in [("abc", true), ("v12", true), ("xabc", false), ("abcd", false), ("abc\n", false)] {
            assert_eq!(hex.matches(text), expected, "{text:?}");
        }
        let folded = Expression::parse("(?i)k[0-9]").expect("an expression");
        assert!(folded.matches("K1"));
        assert!(!folded.matches("\u{212a}1"), "the Kelvin sign is no k");
        assert!(!Expression::parse(r"\d").expect("an expression").matches("１"), "full-width digits are no digits");
        assert!(Expression::parse("a)|(b").is_err());
    }
}
