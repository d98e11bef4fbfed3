//! From text to [`Json`], by the grammar of RFC 8259.

use std::borrow::Cow;
use std::fmt;

use super::{Json, Object};

/// As deep as serde_json goes, so that nothing reaches a policy that Kubewarden's own host could not have read.
const DEEPEST: usize = 128;

/// Why a text is no JSON that a policy could judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    what: String,
    /// In bytes from the beginning of the text.
    offset: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (at byte {})", self.what, self.offset)
    }
}

impl std::error::Error for Malformed {}

impl<'a> Json<'a> {
    /// Reads JSON text.
    ///
    /// # Errors
    ///
    /// When it is none, or an object has a key twice: readers disagree on which of the two counts.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
        let value = reader.value(0)?;
        reader.skip_blanks();
        if reader.at < text.len() { Err(reader.malformed("there is something behind the end")) } else { Ok(value) }
    }

    /// Reads JSON from bytes.
    ///
    /// # Errors
    ///
    /// As [`Json::parse`], and when the bytes are no UTF-8.
    pub fn parse_bytes(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Json::parse(text),
            Err(error) => Err(Malformed { what: "it is not UTF-8".to_owned(), offset: error.valid_up_to() }),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn malformed(&self, what: impl Into<String>) -> Malformed {
        Malformed { what: what.into(), offset: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Takes one byte if it is the one that is wanted.
    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        self.skip_blanks();
        match self.peek() {
            Some(b'{' | b'[') if depth + 1 >= DEEPEST => Err(self.malformed("it is nested too deeply")),
            Some(b'"') => self.string().map(Json::String),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.malformed("expected a value")),
            None => Err(self.malformed("it ends too early")),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Malformed> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.malformed("expected a value"))
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err(self.malformed("expected `,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, Malformed> {
        self.at += 1;
        let mut members: Vec<(Cow<'a, str>, Json<'a>)> = Vec::new();
        let mut is_sorted = true;
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Json::Object(Object(members)));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.malformed("expected a key"));
            }
            let key = self.string()?;
            // Kubewarden sorts the keys, which makes the first comparison the only one.
            is_sorted = is_sorted && members.last().is_none_or(|(last, _)| *last < key);
            if !is_sorted && members.iter().any(|(name, _)| *name == key) {
                return Err(self.malformed(format!("the key {key:?} stands twice in one object")));
            }
            self.skip_blanks();
            if !self.take(b':') {
                return Err(self.malformed("expected `:`"));
            }
            let value = self.value(depth + 1)?;
            members.push((key, value));
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Json::Object(Object(members)));
            }
            if !self.take(b',') {
                return Err(self.malformed("expected `,` or `}`"));
            }
        }
    }

    fn number(&mut self) -> Result<Json<'a>, Malformed> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') && !self.digits() {
            return Err(self.malformed("expected a digit"));
        }
        if self.take(b'.') && !self.digits() {
            return Err(self.malformed("expected a digit"));
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if !self.take(b'+') {
                self.take(b'-');
            }
            if !self.digits() {
                return Err(self.malformed("expected a digit"));
            }
        }
        // `01` is no number.
        if matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.malformed("a number begins with 0"));
        }
        Ok(Json::Number(&self.text[start..self.at]))
    }

    /// Skips digits; false when there is none.
    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    /// A string, at its opening quote. Borrowed unless it holds an escape.
    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let mut start = self.at;
        let mut unescaped = String::new();
        loop {
            let rest = &self.bytes[self.at..];
            // Most of a payload is inside strings, so this loop is most of the reading.
            let Some(length) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) else {
                self.at = self.bytes.len();
                return Err(self.malformed("a string without an end"));
            };
            self.at += length;
            let plain = &self.text[start..self.at];
            match rest[length] {
                b'"' => {
                    self.at += 1;
                    if unescaped.is_empty() {
                        return Ok(Cow::Borrowed(plain));
                    }
                    unescaped.push_str(plain);
                    return Ok(Cow::Owned(unescaped));
                }
                b'\\' => {
                    unescaped.push_str(plain);
                    self.at += 1;
                    unescaped.push(self.escape()?);
                    start = self.at;
                }
                _ => return Err(self.malformed("a control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.code_point();
            }
            _ => return Err(self.malformed("an escape that there is not")),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// The four digits behind `\u`, and the second half of a surrogate pair.
    fn code_point(&mut self) -> Result<char, Malformed> {
        let first = self.four_digits()?;
        let code = match first {
            0xd800..=0xdbff => {
                if !(self.take(b'\\') && self.take(b'u')) {
                    return Err(self.malformed("half of a surrogate pair"));
                }
                let second = self.four_digits()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.malformed("half of a surrogate pair"));
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.malformed("half of a surrogate pair"))
    }

    fn four_digits(&mut self) -> Result<u32, Malformed> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.malformed("expected four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// serde_json as the yardstick: the same texts are JSON, and they mean the same.
    fn agrees_with_serde_json(text: &str) -> Result<(), TestCaseError> {
        match (Json::parse(text), serde_json::from_str::<Value>(text)) {
            (Ok(ours), Ok(theirs)) => {
                let ours: Value = serde_json::from_str(&ours.to_string()).expect("what we write is JSON");
                prop_assert_eq!(ours, theirs);
            }
            (Err(_), Err(_)) => {}
            // What serde_json calls out of range, we keep as it is written. And we refuse duplicate keys.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{text}: {error}"),
            (Err(error), Ok(_)) => prop_assert!(error.what.contains("stands twice"), "{text}: {error}"),
        }
        Ok(())
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "{1:2}",
            "nul",
            "nulll",
            "tru",
            "TRUE",
            "01",
            "-",
            "-01",
            "1.",
            ".5",
            "+1",
            "1e",
            "1e+",
            "0x1",
            "NaN",
            "\"",
            "\"a",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\u{1}\"",
            "\"\n\"",
            "'a'",
            "1 2",
            "{} x",
            "[1 2]",
            "{\"a\" 1}",
            "/**/1",
            "\u{feff}1",
        ] {
            assert!(Json::parse(text).is_err(), "{text:?}");
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text:?}");
        }
        assert!(Json::parse_bytes(b"\"\xff\"").is_err());
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        for (depth, is_fine) in [(127, true), (128, false), (100_000, false)] {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(Json::parse(&text).is_ok(), is_fine, "{depth}");
        }
    }

    #[test]
    fn escapes_are_read() {
        let text = r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00é""#;
        assert_eq!(Json::parse(text).expect("JSON").text(), "\"\\/\u{8}\u{c}\n\r\tAé😀é");
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert!(matches!(Json::parse("\"é\""), Ok(Json::String(Cow::Borrowed("é")))));
        assert!(matches!(Json::parse("\"\""), Ok(Json::String(Cow::Borrowed("")))));
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_json_reads_it(text in "\\PC{0,40}") {
            agrees_with_serde_json(&text)?;
        }

        #[test]
        fn json_like_text_is_read_as_serde_json_reads_it(text in r#"[\[\]{}:,"\\ntrufalse0-9.eE+u \x00-]{0,30}"#) {
            agrees_with_serde_json(&text)?;
        }

        #[test]
        fn json_is_read_as_serde_json_reads_it(value in any_json()) {
            agrees_with_serde_json(&value.to_string())?;
            agrees_with_serde_json(&serde_json::to_string_pretty(&value).expect("JSON"))?;
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
