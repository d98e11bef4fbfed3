//! What begins with a dollar sign or a back quote.

use super::cursor::{Cursor, Mistake};
use super::syntax::{Item, Part};
use super::word::Parts;

impl Cursor<'_> {
    pub(super) fn back_quoted(&mut self, parts: &mut Parts, is_quoted: bool) -> Result<(), Mistake> {
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
    pub(super) fn dollar(&mut self, parts: &mut Parts, is_quoted: bool) -> Result<(), Mistake> {
        self.at += 1;
        match self.peek() {
            Some(b'\\') if self.peek_at(1) == Some(b'\n') => return Err("a `$` at the end of a continued line"),
            Some(b'[') => return Err("`$[`, which is arithmetic to one shell and text to another"),
            Some(b'(') => {
                if self.peek_at(1) == Some(b'(')
                    && let Some(end) = self.end_of_arithmetic(self.at)?
                {
                    let written = self.slice(self.at + 2, end - 2);
                    let is_odd = !written.matches('"').count().is_multiple_of(2);
                    if is_odd
                        || written.contains('\'')
                        || (written.contains('"') && written.contains(['&', '|', ';', '\n']))
                    {
                        return Err("quotes in `$((`, which shells read differently");
                    }
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
                parts.0.push(Part::Parameter { name, inside: Vec::new(), is_quoted });
            }
            Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => {
                self.at += 1;
                let name = self.slice(self.at - 1, self.at).to_owned();
                parts.0.push(Part::Parameter { name, inside: Vec::new(), is_quoted });
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
    pub(super) fn substituted(&mut self) -> Result<Vec<Item>, Mistake> {
        let pending = self.pending.len();
        let list = self.nested(Cursor::list)?;
        self.skip_lines()?;
        if self.pending.len() != pending {
            return Err("a here-document that ends elsewhere than its command");
        }
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
        let is_pattern = is_quoted && matches!(self.peek(), Some(b'#' | b'%' | b'/'));
        let mut inside = Parts::default();
        loop {
            match self.peek() {
                Some(b'\'') if is_pattern => return Err("a quote in a pattern, which shells read differently"),
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
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    let special = rest.iter().position(|byte| b"}'\"\\<>`$".contains(byte)).unwrap_or(rest.len());
                    if rest.get(special..).is_some_and(|rest| rest.starts_with(b"$'")) {
                        return Err("`$'` in braces, which shells read differently");
                    }
                    self.quoted_part(&mut inside, b"}'\"\\<>")?;
                    let is_process = !is_quoted && self.peek_at(1) == Some(b'(');
                    if (matches!(self.peek(), Some(b'<' | b'>')) && !is_process)
                        || (is_quoted && !is_pattern && self.peek() == Some(b'\''))
                    {
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
        Ok(Part::Parameter { name, inside: inside.0, is_quoted })
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
    pub(super) fn end_of_arithmetic(&self, start: usize) -> Result<Option<usize>, Mistake> {
        let mut open = 0usize;
        let mut at = start;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 1,
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 1 {
                        self.spend(at - start)?;
                        return Ok((self.bytes.get(at + 1) == Some(&b')')).then_some(at + 2));
                    }
                }
                _ => {}
            }
            at += 1;
        }
        self.spend(at - start)?;
        Ok(None)
    }
}
