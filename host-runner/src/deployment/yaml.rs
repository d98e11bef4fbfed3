//! YAML with comments in it, line by line.

use std::collections::BTreeMap;

use policy_metadata::Rule;
use serde::Serialize;
use serde_saphyr::{FlowSeq, ser_options};

/// The width of comments.
const WIDTH: usize = 110;

/// Lines of YAML.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    /// A line as it is.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        self.0.extend(std::iter::repeat_n(' ', indent));
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// A comment, broken where it would be too long.
    pub(super) fn comment(&mut self, indent: usize, text: &str) {
        let mut line = String::from("#");
        for word in text.split_whitespace() {
            if line.len() > 1 && indent + line.len() + 1 + word.len() > WIDTH {
                self.line(indent, &line);
                line.truncate(1);
            }
            line.push(' ');
            line.push_str(word);
        }
        self.line(indent, &line);
    }

    /// A key with a value.
    pub(super) fn entry(&mut self, indent: usize, key: &str, value: &impl Serialize) -> Result<(), String> {
        for line in entry(key, value)?.lines() {
            self.line(indent, line);
        }
        Ok(())
    }

    /// An item of a list.
    pub(super) fn item(&mut self, indent: usize, value: &impl Serialize) -> Result<(), String> {
        for line in written(&[value])?.lines() {
            self.line(indent, line);
        }
        Ok(())
    }

    /// A key with a value that does not hold until somebody takes the marks away.
    pub(super) fn idle_entry(&mut self, indent: usize, key: &str, value: &impl Serialize) -> Result<(), String> {
        for line in entry(key, value)?.lines() {
            self.line(indent, format!("# {line}").trim_end());
        }
        Ok(())
    }

    /// `rules:`, four lines for each.
    pub(super) fn rules<'r>(&mut self, indent: usize, rules: impl Iterator<Item = &'r Rule>) -> Result<(), String> {
        let rules: Vec<FlowRule<'_>> = rules.map(FlowRule::from).collect();
        self.entry(indent, "rules", &rules)
    }

    /// Nothing, to keep things apart.
    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlowRule<'r> {
    api_groups: FlowSeq<&'r [String]>,
    api_versions: FlowSeq<&'r [String]>,
    resources: FlowSeq<&'r [String]>,
    operations: FlowSeq<&'r [String]>,
}

impl<'r> From<&'r Rule> for FlowRule<'r> {
    fn from(rule: &'r Rule) -> Self {
        FlowRule {
            api_groups: FlowSeq(&rule.api_groups),
            api_versions: FlowSeq(&rule.api_versions),
            resources: FlowSeq(&rule.resources),
            operations: FlowSeq(&rule.operations),
        }
    }
}

/// A map of one entry, so that the writer decides where the value begins.
fn entry(key: &str, value: &impl Serialize) -> Result<String, String> {
    written(&BTreeMap::from([(key, value)])).map_err(|message| format!("{key}: {message}"))
}

/// A value as YAML.
pub(super) fn written(value: &impl Serialize) -> Result<String, String> {
    // Names of modules are long, and are looked for by eye and by grep: they stay in one line.
    let options = ser_options! { folded_wrap_chars: 4096 };
    serde_saphyr::to_string_with_options(value, options).map_err(|error| format!("cannot be written as YAML: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_broken_between_words() {
        let mut lines = Lines::default();
        lines.comment(2, &"word ".repeat(40));
        lines.comment(0, "");
        lines.comment(0, &"x".repeat(200));
        let text = lines.into_text();
        assert!(text.lines().filter(|line| !line.contains("xxx")).all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.lines().all(|line| line.trim_start().starts_with('#')), "{text}");
        assert_eq!(text.matches("word").count(), 40);
    }

    #[test]
    fn an_idle_entry_is_a_comment_whatever_is_in_it() {
        let mut lines = Lines::default();
        lines.idle_entry(4, "a", &serde_json::json!({"b": ["c\nd: e\n\nf", "#"], "g": {}})).expect("YAML");
        assert!(lines.into_text().lines().all(|line| line.starts_with("    #")));
    }
}
