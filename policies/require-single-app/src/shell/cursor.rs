//! The place in the text, and what stands between words: blanks, comments, ends of lines, operators.

use super::syntax::{Part, Span};
use crate::budget::Budget;

/// What is wrong with a text.
pub(super) type Mistake = &'static str;

/// Deeper than anybody nests, and far from the end of the stack of a WebAssembly instance.
const DEEPEST: usize = 24;

pub(super) const TOO_DEEP: Mistake = "it is nested too deeply";

/// Reads a text from its beginning to its end.
pub(super) struct Cursor<'s> {
    pub(super) text: &'s str,
    pub(super) bytes: &'s [u8],
    pub(super) at: usize,
    depth: usize,
    /// Here-documents whose bodies begin on the next line.
    pub(super) pending: Vec<Pending>,
    pub(super) documents: Vec<Vec<Part>>,
    /// How far behind the beginning of the whole text this one begins.
    base: usize,
    /// Where all of this stands in the whole text, if it is not written there like this: what was in back quotes is
    /// read without its backslashes.
    outer: Option<Span>,
    budget: &'s Budget,
}

/// A here-document whose body has not come yet.
#[derive(Clone)]
pub(super) struct Pending {
    pub(super) number: usize,
    pub(super) delimiter: String,
    pub(super) is_quoted: bool,
    pub(super) strips_tabs: bool,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(text: &'s str, budget: &'s Budget) -> Self {
        let bytes = text.as_bytes();
        let (pending, documents) = (Vec::new(), Vec::new());
        Cursor { text, bytes, at: 0, depth: 0, pending, documents, base: 0, outer: None, budget }
    }

    /// Pays for reading this many bytes, some of them once more.
    pub(super) fn spend(&self, bytes: usize) -> Result<(), Mistake> {
        if self.budget.spend(bytes) { Ok(()) } else { Err(TOO_DEEP) }
    }

    /// Reads something that may hold the same again.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Mistake>) -> Result<T, Mistake> {
        if self.depth >= DEEPEST {
            return Err(TOO_DEEP);
        }
        self.depth += 1;
        let done = read(self);
        self.depth -= 1;
        done
    }

    /// Reads a part of the text as a text of its own.
    pub(super) fn part<T>(
        &mut self,
        part: Span,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        let mut inner = Cursor::new(self.slice(part.start, part.end), self.budget);
        inner.base = self.base + part.start;
        inner.outer.clone_from(&self.outer);
        self.within(inner, read)
    }

    /// Reads another text that stands for this part.
    pub(super) fn instead<T>(
        &mut self,
        part: Span,
        text: &str,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        let mut inner = Cursor::new(text, self.budget);
        inner.outer = Some(self.outer.clone().unwrap_or(self.base + part.start..self.base + part.end));
        self.within(inner, read)
    }

    fn within<T>(
        &mut self,
        mut inner: Cursor<'_>,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        self.spend(inner.text.len())?;
        inner.depth = self.depth;
        inner.documents = std::mem::take(&mut self.documents);
        let done = inner.nested(read);
        self.documents = inner.documents;
        done
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// Takes this text if it stands here.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let is_here = self.starts_with(text);
        if is_here {
            self.at += text.len();
        }
        is_here
    }

    /// The text between two places; both stand beside an ASCII character, or at an end.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'s str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(super) fn span_from(&self, start: usize) -> Span {
        match &self.outer {
            Some(outer) => outer.clone(),
            None => self.base + start..self.base + self.at,
        }
    }

    /// Skips blanks, continued lines and a comment.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\\') if self.peek_at(1) == Some(b'\n') => self.at += 2,
                Some(b'#') => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Skips blanks and ends of lines.
    pub(super) fn skip_lines(&mut self) -> Result<(), Mistake> {
        loop {
            self.skip_blanks();
            if !self.take_newline()? {
                return Ok(());
            }
        }
    }

    /// Takes the end of a line, and the bodies of the here-documents that the line began.
    pub(super) fn take_newline(&mut self) -> Result<bool, Mistake> {
        if !self.take("\n") {
            return Ok(false);
        }
        for pending in std::mem::take(&mut self.pending) {
            self.read_document(&pending)?;
        }
        Ok(true)
    }

    fn read_document(&mut self, pending: &Pending) -> Result<(), Mistake> {
        let start = self.at;
        let mut is_continued = false;
        let end = loop {
            let line_start = self.at;
            let rest = self.bytes.get(line_start..).unwrap_or_default();
            // The end of the text ends it too, as shells have it.
            if rest.is_empty() {
                break line_start;
            }
            let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = self.slice(line_start, line_start + length);
            self.at = (line_start + length + 1).min(self.bytes.len());
            let line = if pending.strips_tabs { line.trim_start_matches('\t') } else { line };
            if line == pending.delimiter && !is_continued {
                break line_start;
            }
            let joined = line.trim_end_matches('\\');
            let ends_open = !pending.is_quoted && (line.len() - joined.len()) % 2 == 1;
            if (is_continued && line == pending.delimiter) || (ends_open && pending.delimiter.starts_with(joined)) {
                return Err("a here-document whose end is on a continued line");
            }
            // bash ends it there inside `$(`, dash does not.
            if line.strip_prefix(pending.delimiter.as_str()).is_some_and(|rest| rest.trim_start().starts_with(')')) {
                return Err("a here-document whose end stands before a parenthesis");
            }
            is_continued = ends_open;
        };
        let parts = if pending.is_quoted {
            vec![Part::Text { text: self.slice(start, end).to_owned(), is_quoted: true }]
        } else {
            self.part(start..end, |inner| inner.expanded_text())?
        };
        if let Some(document) = self.documents.get_mut(pending.number) {
            *document = parts;
        }
        Ok(())
    }

    /// Whether a word ends here.
    pub(super) fn is_at_end_of_word(&self) -> bool {
        matches!(self.peek(), None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'))
    }

    /// The reserved word that stands here, where a command may begin.
    pub(super) fn reserved_word(&self) -> Option<&'static str> {
        const WORDS: [&str; 21] = [
            "!", "{", "}", "[[", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if",
            "in", "select", "then", "time", "until", "while",
        ];
        WORDS.into_iter().find(|word| {
            let behind = self.bytes.get(self.at + word.len()).copied();
            self.starts_with(word)
                && matches!(behind, None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'))
        })
    }

    /// Takes a reserved word that must stand here.
    pub(super) fn expect_word(&mut self, word: &'static str, missing: Mistake) -> Result<(), Mistake> {
        self.skip_lines()?;
        if self.reserved_word() == Some(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(missing)
        }
    }
}
