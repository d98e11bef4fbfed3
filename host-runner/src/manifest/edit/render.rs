//! Values as text, in the style of what stands around them.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::tree::Quoting;

/// How a document is written.
#[derive(Debug, Clone)]
pub(super) struct Style {
    pub(super) newline: &'static str,
    /// By how much a mapping below a key is indented.
    pub(super) step: usize,
    /// By how much the dashes of a sequence below a key are indented.
    pub(super) dash: usize,
    /// Whether it is JSON.
    pub(super) is_json: bool,
    /// Whether a space follows the colon, which only JSON may leave out.
    pub(super) is_spaced: bool,
}

impl Style {
    fn line(&self, column: usize) -> String {
        format!("{}{}", self.newline, " ".repeat(column))
    }

    /// `key: value` of a block mapping whose keys are in this column.
    pub(super) fn block_entry(&self, key: &str, value: &Value, column: usize) -> String {
        let key = string(key, Quoting::Plain, true);
        match value {
            Value::Object(map) if !map.is_empty() => {
                let inner = column + self.step;
                format!("{key}:{}{}", self.line(inner), self.block(value, inner))
            }
            Value::Array(items) if !items.is_empty() => {
                let inner = column + self.dash;
                format!("{key}:{}{}", self.line(inner), self.block(value, inner))
            }
            _ => format!("{key}: {}", self.inline(value, column)),
        }
    }

    /// A value that begins in this column, for a block mapping or sequence.
    pub(super) fn block(&self, value: &Value, column: usize) -> String {
        let lines: Vec<String> = match value {
            Value::Object(map) if !map.is_empty() => {
                map.iter().map(|(key, value)| self.block_entry(key, value, column)).collect()
            }
            Value::Array(items) if !items.is_empty() => {
                items.iter().map(|item| format!("- {}", self.block(item, column + 2))).collect()
            }
            // The text of a block scalar must be deeper than the dash in front of it.
            _ => return self.inline(value, column.saturating_sub(2)),
        };
        lines.join(&self.line(column))
    }

    /// A scalar, or an empty mapping or sequence, behind a key in this column.
    pub(super) fn inline(&self, value: &Value, column: usize) -> String {
        match value {
            Value::String(text) if may_be_literal(text) => {
                let (content, chomping) = match text.strip_suffix('\n') {
                    Some(content) => (content, ""),
                    None => (text.as_str(), "-"),
                };
                let mut literal = format!("|{chomping}");
                for line in content.split('\n') {
                    literal += &if line.is_empty() { self.newline.to_owned() } else { self.line(column + 2) };
                    literal += line;
                }
                literal
            }
            _ => self.flow(value, Quoting::Plain, false),
        }
    }

    /// A value for a flow mapping or sequence, on one line. In JSON, and where keys are quoted, all strings are.
    pub(super) fn flow(&self, value: &Value, quoting: Quoting, is_in_flow: bool) -> String {
        let inner = |value: &Value| self.flow(value, quoting, true);
        let comma = if self.is_spaced { ", " } else { "," };
        match value {
            Value::String(text) => string(text, quoting, is_in_flow),
            Value::Array(items) => format!("[{}]", items.iter().map(inner).collect::<Vec<_>>().join(comma)),
            Value::Object(map) => {
                let entries: Vec<String> =
                    map.iter().map(|(key, value)| self.flow_entry(key, value, quoting)).collect();
                format!("{{{}}}", entries.join(comma))
            }
            _ => value.to_string(),
        }
    }

    /// `key: value` of a flow mapping.
    pub(super) fn flow_entry(&self, key: &str, value: &Value, quoting: Quoting) -> String {
        let colon = if self.is_spaced { ": " } else { ":" };
        format!("{}{colon}{}", string(key, quoting, true), self.flow(value, quoting, true))
    }

    /// JSON over several lines, where what stands around it is.
    pub(super) fn pretty(&self, value: &Value, indentation: &str, step: &str) -> String {
        let inner = format!("{indentation}{step}");
        let (open, close, lines): (_, _, Vec<String>) = match value {
            Value::Array(items) if !items.is_empty() => {
                ('[', ']', items.iter().map(|item| self.pretty(item, &inner, step)).collect())
            }
            Value::Object(map) if !map.is_empty() => ('{', '}', self.pretty_entries(map, &inner, step)),
            _ => return self.flow(value, Quoting::Double, true),
        };
        let line = format!("{}{inner}", self.newline);
        format!("{open}{line}{}{}{indentation}{close}", lines.join(&format!(",{line}")), self.newline)
    }

    fn pretty_entries(&self, map: &Map<String, Value>, indentation: &str, step: &str) -> Vec<String> {
        let colon = if self.is_spaced { ": " } else { ":" };
        let entry = |(key, value): (&String, &Value)| {
            format!("{}{colon}{}", double(key), self.pretty(value, indentation, step))
        };
        map.iter().map(entry).collect()
    }
}

/// A string in quotes like those asked for, if they can hold it. Plain ones are quoted where a reader, kubectl among
/// them, could take them for something else.
pub(super) fn string(text: &str, quoting: Quoting, is_in_flow: bool) -> String {
    let is_printable =
        !text.chars().any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}'));
    match quoting {
        Quoting::Plain | Quoting::Nothing | Quoting::Block if is_plain(text, is_in_flow) => text.to_owned(),
        Quoting::Double => double(text),
        _ if is_printable => format!("'{}'", text.replace('\'', "''")),
        _ => double(text),
    }
}

fn double(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a literal block says the same on every reader: several lines, none of them with space at an end.
fn may_be_literal(text: &str) -> bool {
    let content = text.strip_suffix('\n').unwrap_or(text);
    let is_fine =
        |line: &str| !line.ends_with([' ', '\t']) && !line.chars().any(|letter| letter.is_control() && letter != '\t');
    text.contains('\n')
        && !content.is_empty()
        && !content.starts_with([' ', '\t', '\n'])
        && !content.ends_with('\n')
        && !text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'])
        && content.split('\n').all(is_fine)
}

/// Whether a text without quotes is this text, in YAML 1.1 as in 1.2.
fn is_plain(text: &str, is_in_flow: bool) -> bool {
    const WORDS: &[&str] = &[
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", ".inf", ".nan", "-", "---", "...",
    ];
    let Some(first) = text.chars().next() else { return false };
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    // Numbers with underscores, of base 2, 8, 16 and 60, and times.
    let is_number_like = first.is_ascii_digit() || matches!(first, '+' | '-' | '.');
    let is_number =
        is_number_like && text.chars().all(|letter| letter.is_ascii_hexdigit() || "_xXoO.:+-TtZz in".contains(letter));
    let begins_plainly = first.is_alphanumeric() || "/._$+-<=~^;()\\".contains(first);
    let is_safe = |letter: char| {
        letter.is_alphanumeric()
            || " /.:_-$+=@~^;()<>\\*&!%'\"#|".contains(letter)
            // The question mark for kubectl, whose parser wants no such text between brackets.
            || (!is_in_flow && ",[]{}?".contains(letter))
    };
    begins_plainly
        && !is_word
        && !is_number
        && text.chars().all(is_safe)
        && !text.starts_with("- ")
        && !text.starts_with("---")
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !(is_in_flow && text.contains(':') && text.contains(['\'', '"']))
}
