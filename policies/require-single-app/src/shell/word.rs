//! Words: quotes and expansions.

use super::cursor::{Cursor, Mistake};
use super::syntax::{Part, Word};

/// The parts of a word while it is read.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, more: &str, is_quoted: bool) {
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
        let mut is_several = false;
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        // Longer ones count as such: the word is then not known, which is the safe side.
        for (index, byte) in rest.iter().take(256).enumerate() {
            match byte {
                b'}' => return is_several,
                b',' => is_several = true,
                b'.' if rest.get(index + 1) == Some(&b'.') => is_several = true,
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' => return false,
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

    fn escaped(&mut self, parts: &mut Parts) {
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

    fn single_quoted(&mut self) -> Result<&str, Mistake> {
        let start = self.at + 1;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\'').ok_or("a quote without an end")?;
        self.at = start + length + 1;
        Ok(self.slice(start, start + length))
    }

    /// What stands behind an opening `"`, with its end.
    fn double_quoted(&mut self, parts: &mut Parts) -> Result<(), Mistake> {
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
    fn quoted_part(&mut self, parts: &mut Parts, ends: &[u8]) -> Result<Option<u8>, Mistake> {
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

    fn back_quoted(&mut self, parts: &mut Parts, is_quoted: bool) -> Result<(), Mistake> {
        let start = self.at;
        self.at += 1;
        let mut inner = String::new();
        let mut plain = self.at;
        let mut has_escapes = false;
        loop {
            match self.peek() {
                None => return Err("a back quote without an end"),
                Some(b'`') => break,
                Some(b'\\') => {
                    let is_escape = match self.peek_at(1) {
                        Some(b'\\' | b'`' | b'$') => true,
                        Some(b'"') => is_quoted,
                        _ => false,
                    };
                    has_escapes = has_escapes || is_escape;
                    if is_escape {
                        inner.push_str(self.slice(plain, self.at));
                        plain = self.at + 1;
                        self.at += 1;
                    }
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
        }
        inner.push_str(self.slice(plain, self.at));
        self.at += 1;
        let list = if has_escapes {
            self.instead(start..self.at, &inner, |inner| inner.whole())?
        } else {
            self.part(start + 1..self.at - 1, |inner| inner.whole())?
        };
        parts.0.push(Part::Command(list));
        Ok(())
    }

    /// What begins with a dollar sign.
    fn dollar(&mut self, parts: &mut Parts, is_quoted: bool) -> Result<(), Mistake> {
        self.at += 1;
        match self.peek() {
            Some(b'(') => {
                if self.peek_at(1) == Some(b'(')
                    && let Some(end) = self.end_of_arithmetic(self.at)
                {
                    let inside = self.part(self.at + 2..end - 2, |inner| inner.expanded_text())?;
                    self.at = end;
                    parts.0.push(Part::Arithmetic(inside));
                    return Ok(());
                }
                self.at += 1;
                parts.0.push(Part::Command(self.substituted()?));
            }
            Some(b'{') => {
                self.at += 1;
                let part = self.nested(|inner| inner.braces(is_quoted))?;
                parts.0.push(part);
            }
            Some(b'\'') if !is_quoted => self.c_quoted(parts)?,
            Some(b'"') if !is_quoted => {
                self.at += 1;
                self.double_quoted(parts)?;
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let name = self.name().to_owned();
                parts.0.push(Part::Parameter { name, inside: Vec::new() });
            }
            Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => {
                self.at += 1;
                let name = self.slice(self.at - 1, self.at).to_owned();
                parts.0.push(Part::Parameter { name, inside: Vec::new() });
            }
            _ => parts.text("$", is_quoted),
        }
        Ok(())
    }

    /// A name of a variable or function.
    pub(super) fn name(&mut self) -> &str {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        self.slice(start, self.at)
    }

    /// What stands behind `$(` or `<(`, with its end.
    fn substituted(&mut self) -> Result<Vec<super::Item>, Mistake> {
        let list = self.nested(Cursor::list)?;
        self.skip_lines()?;
        if self.take(")") { Ok(list) } else { Err("a parenthesis without an end") }
    }

    /// What stands behind `${`, with its end.
    fn braces(&mut self, is_quoted: bool) -> Result<Part, Mistake> {
        let length_of = self.peek() == Some(b'#') && self.peek_at(1) != Some(b'}');
        if length_of || self.peek() == Some(b'!') {
            self.at += 1;
        }
        let mut name = self.name().to_owned();
        if name.is_empty() {
            match self.peek() {
                Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => {
                    self.at += 1;
                    name = self.slice(self.at - 1, self.at).to_owned();
                }
                // `${ command; }` and `${| command; }` of the newest shells.
                _ => return Err("`${` without a name"),
            }
        }
        let behind_name = self.at;
        let mut inside = Parts::default();
        loop {
            match self.peek() {
                None => return Err("a brace without an end"),
                Some(b'}') => break,
                Some(b'\'') if !is_quoted => {
                    let text = self.single_quoted()?;
                    inside.text(text, true);
                }
                Some(b'"') => {
                    self.at += 1;
                    self.double_quoted(&mut inside)?;
                }
                Some(b'\\') => self.escaped(&mut inside),
                Some(b'<' | b'>') if self.peek_at(1) == Some(b'(') && !is_quoted => {
                    self.at += 2;
                    inside.0.push(Part::Process(self.substituted()?));
                }
                Some(_) => {
                    self.quoted_part(&mut inside, b"}'\"\\<>")?;
                    if matches!(self.peek(), Some(b'<' | b'>')) || (is_quoted && self.peek() == Some(b'\'')) {
                        self.at += 1;
                        inside.text(self.slice(self.at - 1, self.at), true);
                    }
                }
            }
        }
        // The value alone, and not what is made of it.
        if length_of || self.at > behind_name {
            inside.0.push(Part::Pattern);
        }
        self.at += 1;
        Ok(Part::Parameter { name, inside: inside.0 })
    }

    /// `$'…'`, which only some shells know. To the others the backslashes in it mean nothing.
    fn c_quoted(&mut self, parts: &mut Parts) -> Result<(), Mistake> {
        let text = self.single_quoted()?;
        if text.ends_with('\\') {
            return Err("an escaped quote in $'…', which shells read differently");
        }
        if text.contains('\\') {
            parts.0.push(Part::Pattern);
        }
        let text = text.to_owned();
        parts.text(&text, true);
        Ok(())
    }

    /// Where `((` ends, if it ends with `))`: behind them.
    pub(super) fn end_of_arithmetic(&self, start: usize) -> Option<usize> {
        let mut open = 0usize;
        let mut at = start;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 1,
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 1 {
                        return (self.bytes.get(at + 1) == Some(&b')')).then_some(at + 2);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
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
