//! Lists, pipelines and simple commands.

use super::cursor::{Cursor, Mistake};
use super::syntax::{Command, Item, Kind, List, Part, Pipeline, Redirect, Word};

impl Cursor<'_> {
    /// The text from here to its end.
    pub(super) fn whole(&mut self) -> Result<List, Mistake> {
        let list = self.list()?;
        self.skip_lines()?;
        match self.peek() {
            None => Ok(list),
            Some(b')') => Err("a `)` that closes nothing"),
            Some(_) => Err("a word that closes nothing"),
        }
    }

    /// Commands up to something that closes them.
    pub(super) fn list(&mut self) -> Result<List, Mistake> {
        let mut items = Vec::new();
        loop {
            self.skip_lines()?;
            if self.is_at_end_of_list() {
                return Ok(items);
            }
            let mut item = self.and_or()?;
            self.skip_blanks();
            if self.peek() == Some(b'&') {
                self.at += 1;
                item.is_background = true;
                item.span.end = self.span_from(item.span.start).end;
            } else if self.peek() == Some(b';') && !matches!(self.peek_at(1), Some(b';' | b'&')) {
                self.at += 1;
            } else if self.peek() != Some(b'\n') {
                items.push(item);
                return Ok(items);
            }
            items.push(item);
        }
    }

    fn is_at_end_of_list(&self) -> bool {
        const CLOSING: [&str; 8] = ["then", "else", "elif", "fi", "do", "done", "esac", "}"];
        match self.peek() {
            None | Some(b')') => true,
            Some(b';') => matches!(self.peek_at(1), Some(b';' | b'&')),
            Some(_) => self.reserved_word().is_some_and(|word| CLOSING.contains(&word)),
        }
    }

    fn and_or(&mut self) -> Result<Item, Mistake> {
        let start = self.at;
        let mut pipelines = vec![self.pipeline()?];
        loop {
            let end = self.at;
            self.skip_blanks();
            if !self.take("&&") && !self.take("||") {
                self.at = end;
                return Ok(Item { pipelines, is_background: false, span: self.span_from(start) });
            }
            self.skip_lines()?;
            pipelines.push(self.pipeline()?);
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, Mistake> {
        let start = self.at;
        while let Some(word @ ("!" | "time")) = self.reserved_word() {
            self.at += word.len();
            self.skip_blanks();
            if word == "time" && self.starts_with("-p") && matches!(self.peek_at(2), Some(b' ' | b'\t')) {
                self.at += 2;
                self.skip_blanks();
            }
            if word == "time" && self.starts_with("--") && matches!(self.peek_at(2), Some(b' ' | b'\t')) {
                self.at += 2;
                self.skip_blanks();
            }
        }
        let mut commands = vec![self.command()?];
        loop {
            let end = self.at;
            self.skip_blanks();
            if self.peek() != Some(b'|') || self.peek_at(1) == Some(b'|') {
                self.at = end;
                return Ok(Pipeline { commands, span: self.span_from(start) });
            }
            self.at += 1;
            self.take("&");
            self.skip_lines()?;
            commands.push(self.command()?);
        }
    }

    pub(super) fn command(&mut self) -> Result<Command, Mistake> {
        let start = self.at;
        let mut redirects = Vec::new();
        let kind = match (self.peek(), self.reserved_word()) {
            (Some(b'('), _) => self.parentheses()?,
            (_, Some(word)) => self.nested(|inner| inner.compound(word))?,
            _ => self.simple(&mut redirects)?,
        };
        if !matches!(kind, Kind::Simple { .. } | Kind::Function { .. } | Kind::Coprocess(_)) {
            loop {
                let end = self.at;
                self.skip_blanks();
                if !self.redirect(&mut redirects)? {
                    self.at = end;
                    break;
                }
            }
        }
        Ok(Command { kind, redirects, span: self.span_from(start) })
    }

    /// The index of an array may hold blanks, behind which `#` is no comment to bash; nobody writes that.
    fn expect_whole_index(&self, word: &Word) -> Result<(), Mistake> {
        let start = word.parts.iter().position(|part| matches!(part, Part::Pattern));
        let opens = start.and_then(|start| word.parts.get(start + 1)).is_some_and(
            |part| matches!(part, Part::Text { text, is_quoted: false } if text.starts_with('[') && !text.contains(']')),
        );
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let behind = rest.trim_ascii_start();
        if opens && word.parts.len() <= 3 && behind.len() < rest.len() && behind.starts_with(b"#") {
            return Err("a `#` in an index");
        }
        Ok(())
    }

    fn simple(&mut self, redirects: &mut Vec<Redirect>) -> Result<Kind, Mistake> {
        let (mut assignments, mut words): (Vec<Word>, Vec<Word>) = (Vec::new(), Vec::new());
        let count = redirects.len();
        loop {
            let end = self.at;
            self.skip_blanks();
            if self.redirect(redirects)? {
                continue;
            }
            let word = self.word()?;
            if word.parts.is_empty() {
                self.at = end;
                break;
            }
            self.expect_whole_index(&word)?;
            if matches!(self.peek(), Some(b'<' | b'>'))
                && self.peek_at(1) != Some(b'(')
                && self.bytes.get(self.at - 1) == Some(&b'}')
                && self.bytes.get(end..self.at).is_some_and(|written| written.trim_ascii().starts_with(b"{"))
            {
                return Err("a descriptor in braces, which is a word to another shell");
            }
            if self.peek() == Some(b'(') && is_assignment(&word) {
                self.at += 1;
                assignments.push(word);
                loop {
                    self.skip_lines()?;
                    let element = self.word()?;
                    if element.parts.is_empty() {
                        break;
                    }
                    self.expect_whole_index(&element)?;
                    assignments.push(element);
                }
                // `x=()#y` is one word, and no comment.
                if !self.take(")") || !self.is_at_end_of_word() {
                    return Err("a parenthesis without an end");
                }
            } else if words.is_empty() && is_assignment(&word) {
                assignments.push(word);
            } else {
                words.push(word);
            }
            if let ([name], true) = (words.as_slice(), assignments.is_empty() && redirects.len() == count) {
                let end = self.at;
                self.skip_blanks();
                if self.take("(") {
                    self.skip_blanks();
                    let name = name.plain().filter(|_| self.take(")")).ok_or("a `(` that opens nothing")?.to_owned();
                    return self.function(name);
                }
                self.at = end;
            }
        }
        if words.is_empty() && assignments.is_empty() && redirects.len() == count {
            return Err("a command that is not there");
        }
        Ok(Kind::Simple { assignments, words })
    }
}

/// `name=`, `name+=` or `name[…]=` at the beginning.
fn is_assignment(word: &Word) -> bool {
    let Some(Part::Text { text, is_quoted: false }) = word.parts.first() else { return false };
    let length = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let rest = text.get(length..).unwrap_or_default();
    let is_name = length > 0 && !text.starts_with(|first: char| first.is_ascii_digit());
    // The index of an array is read as a pattern, and what is behind it as another part.
    let is_element = rest.is_empty() && matches!(word.parts.get(1), Some(Part::Pattern)) && word_has_index(word);
    is_name && (rest.starts_with('=') || rest.starts_with("+=") || is_element)
}

fn word_has_index(word: &Word) -> bool {
    word.parts.iter().any(
        |part| matches!(part, Part::Text { text, is_quoted: false } if text.contains("]=") || text.contains("]+=")),
    )
}
