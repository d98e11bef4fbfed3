//! Any document, written in any style, changed in any way: what cannot be refused for a good reason must be right.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// Texts that a reader would take for something else without quotes, or that need care inside brackets and lines.
const TEXTS: &[&str] = &[
    "a",
    "nginx:1.25",
    "yes",
    "on",
    "y",
    "0755",
    "1_000",
    "12:30:45",
    "1e3",
    "0x1f",
    "~",
    "",
    " x ",
    "a: b",
    "a #b",
    "- x",
    "a, b",
    "[x]",
    "{x}",
    "it's",
    "say \"x\"",
    "one\ntwo\n",
    "one\n\ntwo",
    "\n",
    "tab\tbed",
    "é",
    "\u{1F980}",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "|",
    ">",
    "?",
    "-",
    "---",
    "null",
    "2001-01-01",
    ".inf",
    "=",
    "<<",
    "a:",
    "#a",
    "\u{85}",
    "x\\y",
    "100m",
    "sha256:0b7f3c91",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => proptest::sample::select(TEXTS).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => (-5..99_i64).prop_map(Value::from),
        1 => Just(json!(1.5)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let keys = proptest::sample::select(&["a", "b/c", "d.e~f", "name", "on", "0755", "g h", "x: y"][..]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..4).prop_map(|map| {
                Value::from(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

/// Another value, most often one that has something in common with the first.
fn changed(value: &Value, with: &Value, choices: &mut Choices) -> Value {
    match value {
        Value::Object(map) if !map.is_empty() && choices.below(5) > 0 => {
            let mut map = map.clone();
            let key = map.keys().nth(choices.below(map.len())).cloned().unwrap_or_default();
            match choices.below(4) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert("added".to_owned(), with.clone())),
                _ => {
                    let inner = changed(&map[&key], with, choices);
                    map.insert(key, inner);
                }
            }
            Value::Object(map)
        }
        Value::Array(items) if !items.is_empty() && choices.below(5) > 0 => {
            let mut items = items.clone();
            let index = choices.below(items.len());
            match choices.below(4) {
                0 => drop(items.remove(index)),
                1 => items.insert(index + choices.below(2), with.clone()),
                _ => items[index] = changed(&items[index], with, choices),
            }
            Value::Array(items)
        }
        _ => with.clone(),
    }
}

/// Decisions, taken from a list of numbers for as long as it lasts.
struct Choices {
    numbers: Vec<usize>,
    next: usize,
}

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        self.next += 1;
        self.numbers[self.next % self.numbers.len()] % limit.max(1)
    }
}

/// Writes YAML as many people would.
struct Writer {
    choices: Choices,
    comments: usize,
    text: String,
}

impl Writer {
    fn comment(&mut self) -> String {
        if self.choices.below(4) > 0 {
            return String::new();
        }
        self.comments += 1;
        format!("# comment {}", self.comments)
    }

    fn end_of_line(&mut self) {
        let comment = self.comment();
        if !comment.is_empty() {
            self.text += &format!(" {comment}");
        }
        self.text.push('\n');
    }

    fn lines_between(&mut self, column: usize) {
        let comment = self.comment();
        if !comment.is_empty() {
            self.text += &format!("{}{comment}\n", " ".repeat(column));
        }
        if self.choices.below(9) == 0 {
            self.text.push('\n');
        }
    }

    fn key(&mut self, key: &str) -> String {
        match self.choices.below(3) {
            0 => serde_json::to_string(key).expect("a string"),
            _ => render::string(key, tree::Quoting::Plain, true),
        }
    }

    fn scalar(&mut self, value: &Value) -> String {
        match value {
            Value::String(text) => {
                let quoting =
                    [tree::Quoting::Plain, tree::Quoting::Single, tree::Quoting::Double][self.choices.below(3)];
                render::string(text, quoting, true)
            }
            Value::Null if self.choices.below(2) == 0 => "~".to_owned(),
            _ => value.to_string(),
        }
    }

    fn flow(&mut self, value: &Value, column: usize) -> String {
        let is_long = self.choices.below(3) == 0;
        let line = format!("\n{}", " ".repeat(column + 2));
        let mut parts = Vec::new();
        let (open, close) = match value {
            Value::Array(items) => {
                for item in items {
                    parts.push(self.flow(item, column + 2));
                }
                ('[', ']')
            }
            Value::Object(map) => {
                for (key, value) in map {
                    let key = self.key(key);
                    parts.push(format!("{key}: {}", self.flow(value, column + 2)));
                }
                ('{', '}')
            }
            _ => return self.scalar(value),
        };
        if !is_long || parts.is_empty() {
            return format!("{open}{}{close}", parts.join([", ", ",  "][self.choices.below(2)]));
        }
        let mut text = open.to_string();
        let last = parts.len() - 1;
        for (index, part) in parts.into_iter().enumerate() {
            let comma = if index < last || self.choices.below(2) == 0 { "," } else { "" };
            let comment = self.comment();
            let comment = if comment.is_empty() { comment } else { format!(" {comment}") };
            text += &format!("{line}{part}{comma}{comment}");
        }
        format!("{text}\n{}{close}", " ".repeat(column + 1))
    }

    /// What stands behind a colon or a dash.
    fn value(&mut self, value: &Value, column: usize, is_item: bool) {
        match value {
            Value::Object(map) if !map.is_empty() && self.choices.below(4) > 0 => {
                if is_item {
                    self.mapping(map, column, true);
                } else {
                    self.end_of_line();
                    self.mapping(map, column, false);
                }
            }
            Value::Array(items) if !items.is_empty() && self.choices.below(4) > 0 => {
                if is_item {
                    self.sequence(items, column, true);
                } else {
                    self.end_of_line();
                    let back = if self.choices.below(2) == 0 { 2 } else { 0 };
                    self.sequence(items, column - back, false);
                }
            }
            Value::String(text) if text.ends_with('\n') && text.len() > 1 && self.choices.below(2) == 0 => {
                self.text += "|\n";
                for line in text.lines() {
                    self.text += &format!("{}{line}\n", " ".repeat(column));
                }
            }
            Value::Null if self.choices.below(2) == 0 => self.end_of_line(),
            _ => {
                let flow = self.flow(value, column);
                self.text += &flow;
                self.end_of_line();
            }
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, column: usize, is_inline: bool) {
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 || !is_inline {
                self.lines_between(column);
                self.text += &" ".repeat(column);
            }
            let key = self.key(key);
            self.text += &format!("{key}:");
            if value.is_null() {
                self.text += ["", " ", " null", " ~"][self.choices.below(4)];
                self.end_of_line();
            } else {
                self.text += " ";
                self.value(value, column + 2, false);
            }
        }
    }

    fn sequence(&mut self, items: &[Value], column: usize, is_inline: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 || !is_inline {
                self.lines_between(column);
                self.text += &" ".repeat(column);
            }
            self.text += "- ";
            self.value(item, column + 2, true);
        }
    }
}

fn object(spec: Value, name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": spec })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]
    #[test]
    fn an_edit_is_right_or_refused_for_a_reason(
        spec in value(), with in value(), other in value(),
        numbers in proptest::collection::vec(0..60_usize, 40),
        is_crlf in any::<bool>(), is_list in any::<bool>(),
    ) {
        let mut choices = Choices { numbers: numbers.clone(), next: 7 };
        let first = object(spec, "first");
        let once = changed(&first["spec"], &with, &mut choices);
        let twice = changed(&once, &json!("twice"), &mut choices);
        let wanted = object(if choices.below(2) == 0 { once } else { twice }, "first");
        prop_assume!(wanted != first);
        let second = object(other, "second");
        let mut writer = Writer { choices: Choices { numbers, next: 0 }, comments: 0, text: String::new() };
        if is_list {
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": [second, first] });
            writer.mapping(list.as_object().expect("a list"), 0, false);
        } else {
            writer.mapping(second.as_object().expect("an object"), 0, false);
            writer.text += "---\n";
            writer.mapping(first.as_object().expect("an object"), 0, false);
        }
        let text = if is_crlf { writer.text.replace('\n', "\r\n") } else { writer.text };
        prop_assert_eq!(objects(&text), Ok(vec![second.clone(), first.clone()]), "{}", text);
        let editor = Editor::new(&text);
        let change = Change { position: 1, before: &first, after: &wanted };
        match editor.edits(&[change]).swap_remove(0) {
            Err(refusal) => {
                prop_assert_eq!(&refusal.reason, "this comment would be lost", "{}\nto {}", text, wanted);
            }
            Ok(edit) => {
                let edited = editor.text([&edit]).expect("one edit");
                prop_assert_eq!(objects(&edited), Ok(vec![second, wanted]));
                for number in 1..=writer.comments {
                    let comment = format!("# comment {number}");
                    let is_there = edited.lines().any(|line| line.ends_with(&comment));
                    prop_assert!(is_there, "{} is lost:\n{}\n{}", comment, text, edited);
                }
                let is_mixed = edited.replace("\r\n", "").contains('\n');
                prop_assert!(!is_crlf || !is_mixed, "{:?}", edited);
            }
        }
    }
}
