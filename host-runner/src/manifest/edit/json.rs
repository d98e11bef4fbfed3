//! The text of a JSON value as a tree. YAML's parser would not do: it knows no surrogate pairs, and a key must be short.

use super::tree::{Content, Entry, Item, Node, Quoting, Untraceable};

/// Reads the next value from `place` on. The text is known to be JSON.
pub(super) fn read(text: &str, place: usize) -> Result<Node, Untraceable> {
    Reader { text, place }.value()
}

struct Reader<'t> {
    text: &'t str,
    place: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Node, Untraceable> {
        self.skip_space();
        let start = self.place;
        let content = match self.peek()? {
            b'{' => self.object()?,
            b'[' => self.array()?,
            b'"' => {
                self.string()?;
                Content::Scalar(Quoting::Double)
            }
            _ => {
                let rest = &self.text[start..];
                self.place += rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                Content::Scalar(Quoting::Plain)
            }
        };
        Ok(Node { start, end: self.place, content, anchor: None, has_properties: false })
    }

    fn object(&mut self) -> Result<Content, Untraceable> {
        let mut entries = Vec::new();
        self.place += 1;
        while self.has_more(b'}')? {
            let start = self.place;
            let key = self.string()?;
            self.skip_space();
            if self.peek()? != b':' {
                return Err(Untraceable);
            }
            self.place += 1;
            let colon = self.place;
            let value = self.value()?;
            entries.push(Entry { key: Some(key), is_quoted: true, start, colon, value });
        }
        Ok(Content::Mapping { is_flow: true, entries })
    }

    fn array(&mut self) -> Result<Content, Untraceable> {
        let mut items = Vec::new();
        self.place += 1;
        while self.has_more(b']')? {
            let value = self.value()?;
            items.push(Item { start: value.start, value });
        }
        Ok(Content::Sequence { is_flow: true, items })
    }

    /// Goes to the next element, or behind the bracket.
    fn has_more(&mut self, bracket: u8) -> Result<bool, Untraceable> {
        self.skip_space();
        if self.peek()? == b',' {
            self.place += 1;
            self.skip_space();
        }
        let is_over = self.peek()? == bracket;
        self.place += usize::from(is_over);
        Ok(!is_over)
    }

    fn string(&mut self) -> Result<String, Untraceable> {
        let mut strings = serde_json::Deserializer::from_str(&self.text[self.place..]).into_iter::<String>();
        let string = strings.next().and_then(Result::ok).ok_or(Untraceable)?;
        self.place += strings.byte_offset();
        Ok(string)
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.place..];
        self.place += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn peek(&self) -> Result<u8, Untraceable> {
        self.text.as_bytes().get(self.place).copied().ok_or(Untraceable)
    }
}
