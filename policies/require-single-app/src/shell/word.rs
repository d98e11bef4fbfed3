//! Words and their quotes.

use super::cursor::{Cursor, Mistake};
use super::syntax::{Part, Word};

/// The parts of a word while it is read.
#[derive(Default)]
pub(super) struct Parts(pub(super) Vec<Part>);

impl Parts {
    pub(super) fn text(&mut self, more: &str, is_quoted: bool) {
        match self.0.last_mut() {
            Some(Part::Text { text, is_quoted: same }) if *same == is_quoted => text.push_str(more),
            _ => self.0.push(Part::Text { text: more.to_owned(), is_quoted }),
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Cursor<'_> {
    /// Reads a word. Empty when none begins here.
    pub(super) fn word(&mut self) -> Result<Word, Mistake> {
        let start = self.at;
        let mut parts = Parts::default();
        loop {
            let begin = self.at;
            // Texts are mostly letters.
            while self.peek().is_some_and(|byte| !is_special(byte)) {
                self.at += 1;
            }
            if self.at > begin {
                parts.text(self.slice(begin, self.at), false);
            }
            let Some(byte) = self.peek() else { break };
            match byte {
                b'<' | b'>' if self.peek_at(1) == Some(b'(') => {
                    self.at += 2;
                    parts.0.push(Part::Process(self.substituted()?));
                }
                b'(' if is_extended_pattern(&parts) => self.extended_pattern(&mut parts)?,
                _ if self.is_at_end_of_word() => break,
                b'\\' => self.escaped(&mut parts),
                b'\'' => {
                    let text = self.single_quoted()?;
                    parts.text(text, true);
                }
                b'"' => {
                    self.at += 1;
                    self.double_quoted(&mut parts)?;
                }
                b'`' => self.back_quoted(&mut parts, false)?,
                b'$' => self.dollar(&mut parts, false)?,
                b'[' if parts.is_empty() && self.is_single_bracket() => {
                    self.at += 1;
                    parts.text("[", false);
                }
                b'{' if !self.is_brace_expansion() => {
                    self.at += 1;
                    parts.text("{", false);
                }
                // `*`, `?`, `[`, `{`: the characters stay, as where nothing matches.
                _ => {
                    parts.0.push(Part::Pattern);
                    self.at += 1;
                    parts.text(self.slice(self.at - 1, self.at), false);
                }
            }
        }
        Ok(Word { parts: parts.0, span: self.span_from(start) })
    }

    /// The `[` that is a command.
    fn is_single_bracket(&self) -> bool {
        matches!(self.peek_at(1), None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')'))
    }

    /// Whether bash makes several words of what begins here: `{a,b}` or `{1..3}`.
    fn is_brace_expansion(&self) -> bool {
        let (mut is_several, mut has_quote) = (false, false);
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        // Longer ones count as such: the word is then not known, which is the safe side.
        for (index, byte) in rest.iter().take(256).enumerate() {
            match byte {
                b'}' => return is_several,
                b',' => is_several = true,
                b'.' if rest.get(index + 1) == Some(&b'.') => is_several = true,
                b'\'' | b'"' => has_quote = true,
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' => return has_quote && is_several,
                _ => {}
            }
        }
        rest.len() > 256
    }

    /// `@(a|b)` and its like; only bash knows them, and in other shells they are no text at all.
    fn extended_pattern(&mut self, parts: &mut Parts) -> Result<(), Mistake> {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at += 1,
                b'\'' => {
                    self.single_quoted()?;
                    continue;
                }
                b'(' => open += 1,
                b')' => open -= 1,
                // What these begin would have to be read, and nobody writes it here.
                b'$' | b'`' | b'"' | b'&' | b';' | b'\n' => return Err("a pattern in parentheses that cannot be read"),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                parts.0.push(Part::Pattern);
                return Ok(());
            }
        }
        Err("a parenthesis without an end")
    }

    pub(super) fn escaped(&mut self, parts: &mut Parts) {
        self.at += 1;
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => parts.text("\\", true),
            Some('\n') => self.at += 1,
            Some(letter) => {
                let start = self.at;
                self.at += letter.len_utf8();
                parts.text(self.slice(start, self.at), true);
            }
        }
    }

    pub(super) fn single_quoted(&mut self) -> Result<&str, Mistake> {
        let start = self.at + 1;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\'').ok_or("a quote without an end")?;
        self.at = start + length + 1;
        Ok(self.slice(start, start + length))
    }

    /// What stands behind an opening `"`, with its end.
    pub(super) fn double_quoted(&mut self, parts: &mut Parts) -> Result<(), Mistake> {
        // An empty word is a word, too.
        parts.text("", true);
        loop {
            match self.quoted_part(parts, b"\"")? {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) => {}
                None => return Err("a quote without an end"),
            }
        }
    }

    /// The body of a here-document.
    pub(super) fn expanded_text(&mut self) -> Result<Vec<Part>, Mistake> {
        let mut parts = Parts::default();
        while self.quoted_part(&mut parts, b"")?.is_some() {}
        Ok(parts.0)
    }

    /// Reads on as in double quotes, and answers with the byte at which it stopped: one of `ends`, or any other after
    /// which it goes on.
    pub(super) fn quoted_part(&mut self, parts: &mut Parts, ends: &[u8]) -> Result<Option<u8>, Mistake> {
        let start = self.at;
        while self.peek().is_some_and(|byte| !matches!(byte, b'\\' | b'`' | b'$') && !ends.contains(&byte)) {
            self.at += 1;
        }
        if self.at > start {
            parts.text(self.slice(start, self.at), true);
        }
        let Some(byte) = self.peek() else { return Ok(None) };
        match byte {
            b'`' => self.back_quoted(parts, true)?,
            b'$' => self.dollar(parts, true)?,
            b'\\' => match self.peek_at(1) {
                Some(b'\n') => self.at += 2,
                Some(b'$' | b'`' | b'"' | b'\\') => {
                    self.at += 2;
                    parts.text(self.slice(self.at - 1, self.at), true);
                }
                _ => {
                    self.at += 1;
                    parts.text("\\", true);
                }
            },
            _ => {}
        }
        Ok(Some(byte))
    }
}

/// Whether a pattern such as `@(a|b)` begins behind these.
fn is_extended_pattern(parts: &Parts) -> bool {
    match parts.0.last() {
        Some(Part::Text { text, is_quoted: false }) => text.ends_with(['?', '*', '+', '@', '!']),
        _ => false,
    }
}

fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            | b'\n'
            | b';'
            | b'&'
            | b'|'
            | b'<'
            | b'>'
            | b'('
            | b')'
            | b'\\'
            | b'\''
            | b'"'
            | b'`'
            | b'$'
            | b'*'
            | b'?'
            | b'['
            | b'{'
    )
}
