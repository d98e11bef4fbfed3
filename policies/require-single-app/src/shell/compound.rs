//! Commands that hold others: groups, conditions, loops, functions, tests.

use super::cursor::{Cursor, Mistake, TOO_DEEP};
use super::syntax::{Kind, List, Word};

const NO_DONE: Mistake = "a loop without `do` and `done`";
const NO_FI: Mistake = "an `if` without `then` and `fi`";
const NO_ESAC: Mistake = "a `case` without `in` and `esac`";

impl Cursor<'_> {
    /// A subshell, or arithmetic where it can be nothing else: `((a))` is a subshell in a subshell in POSIX shells.
    pub(super) fn parentheses(&mut self) -> Result<Kind, Mistake> {
        let start = self.at;
        let (pending, documents) = (self.pending.clone(), self.documents.len());
        self.at += 1;
        let list = self.nested(Cursor::list).and_then(|list| {
            self.skip_lines()?;
            if self.take(")") { Ok(list) } else { Err("a parenthesis without an end") }
        });
        let is_double = self.bytes.get(start + 1) == Some(&b'(');
        match (list, if is_double { self.end_of_arithmetic(start)? } else { None }) {
            (Ok(list), _) => Ok(Kind::Subshell(list)),
            (Err(mistake), None) | (Err(mistake @ TOO_DEEP), _) => Err(mistake),
            (Err(_), Some(end)) => {
                // Read once more, as what it is: in each other, twice as often with each.
                self.spend(self.at.abs_diff(start))?;
                self.pending = pending;
                self.documents.truncate(documents);
                let inside = self.slice(start + 2, end - 2);
                if starts_several(inside) {
                    return Err("`((` that is arithmetic to one shell and commands to another");
                }
                let parts = self.part(start + 2..end - 2, |inner| inner.expanded_text())?;
                self.at = end;
                Ok(Kind::Test(vec![Word { parts, span: self.span_from(start) }]))
            }
        }
    }

    pub(super) fn compound(&mut self, word: &'static str) -> Result<Kind, Mistake> {
        self.at += word.len();
        match word {
            "{" => {
                let list = self.list()?;
                self.expect_word("}", "a `{` without a `}`")?;
                Ok(Kind::Group(list))
            }
            "if" => self.if_clause(),
            "while" | "until" => {
                let condition = self.list()?;
                Ok(Kind::While { condition, body: self.do_group()?, is_until: word == "until" })
            }
            "for" | "select" => self.for_clause(),
            "case" => self.case_clause(),
            "[[" => self.test(),
            "function" => {
                self.skip_blanks();
                let name = self.word()?.plain().ok_or("a function without a name")?.to_owned();
                self.skip_blanks();
                if self.take("(") {
                    self.skip_blanks();
                    self.take(")");
                }
                self.function(name)
            }
            "coproc" => {
                self.skip_blanks();
                Ok(Kind::Coprocess(Box::new(self.command()?)))
            }
            _ => Err("a word that closes nothing"),
        }
    }

    fn if_clause(&mut self) -> Result<Kind, Mistake> {
        let (mut conditions, mut bodies) = (Vec::new(), Vec::new());
        loop {
            conditions.push(self.list()?);
            self.expect_word("then", NO_FI)?;
            bodies.push(self.list()?);
            match self.reserved_word() {
                Some("elif") => self.at += "elif".len(),
                Some("else") => {
                    self.at += "else".len();
                    bodies.push(self.list()?);
                    break;
                }
                _ => break,
            }
        }
        self.expect_word("fi", NO_FI)?;
        Ok(Kind::If { conditions, bodies })
    }

    fn do_group(&mut self) -> Result<List, Mistake> {
        self.expect_word("do", NO_DONE)?;
        let list = self.list()?;
        self.expect_word("done", NO_DONE)?;
        Ok(list)
    }

    fn for_clause(&mut self) -> Result<Kind, Mistake> {
        self.skip_blanks();
        let (mut words, mut is_endless) = (Vec::new(), false);
        if self.starts_with("((") {
            let end = self.end_of_arithmetic(self.at)?.ok_or("a parenthesis without an end")?;
            let inside = self.slice(self.at + 2, end - 2);
            let start = self.at;
            is_endless = inside.split(';').nth(1).is_none_or(|condition| condition.trim().is_empty());
            let parts = self.part(start + 2..end - 2, |inner| inner.expanded_text())?;
            self.at = end;
            words.push(Word { parts, span: self.span_from(start) });
        } else {
            if self.name().is_empty() {
                return Err("a `for` without a variable");
            }
            self.skip_lines()?;
            if self.reserved_word() == Some("in") {
                self.at += "in".len();
                words = self.words()?;
            }
        }
        self.skip_blanks();
        self.take(";");
        self.skip_lines()?;
        let body = if self.reserved_word() == Some("{") {
            self.at += 1;
            let list = self.list()?;
            self.expect_word("}", NO_DONE)?;
            list
        } else {
            self.do_group()?
        };
        Ok(Kind::For { words, body, is_endless })
    }

    /// Words up to the end of the command.
    fn words(&mut self) -> Result<Vec<Word>, Mistake> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            let word = self.word()?;
            if word.parts.is_empty() {
                return Ok(words);
            }
            words.push(word);
        }
    }

    fn case_clause(&mut self) -> Result<Kind, Mistake> {
        self.skip_blanks();
        let mut words = vec![self.word()?];
        let mut bodies = Vec::new();
        self.expect_word("in", NO_ESAC)?;
        loop {
            self.skip_lines()?;
            if self.reserved_word() == Some("esac") {
                self.at += "esac".len();
                return Ok(Kind::Case { words, bodies });
            }
            self.take("(");
            loop {
                self.skip_blanks();
                let pattern = self.word()?;
                if pattern.parts.is_empty() {
                    return Err(NO_ESAC);
                }
                words.push(pattern);
                self.skip_blanks();
                if !self.take("|") {
                    break;
                }
            }
            if !self.take(")") {
                return Err("a pattern of a `case` without a `)`");
            }
            bodies.push(self.list()?);
            self.skip_lines()?;
            if !(self.take(";;&") || self.take(";;") || self.take(";&")) && self.reserved_word() != Some("esac") {
                return Err(NO_ESAC);
            }
        }
    }

    /// What stands behind `[[`, with its end.
    fn test(&mut self) -> Result<Kind, Mistake> {
        let mut words = Vec::new();
        let mut is_expression = false;
        loop {
            self.skip_blanks();
            if self.take("]]") {
                let is_whole = self.is_at_end_of_word();
                return if is_whole { Ok(Kind::Test(words)) } else { Err("a `[[` without a `]]`") };
            }
            if is_expression {
                is_expression = false;
                self.skip_expression()?;
                continue;
            }
            if self.take("&&") || self.take("||") || self.take("\n") {
                continue;
            }
            let is_process = matches!(self.peek(), Some(b'<' | b'>')) && self.peek_at(1) == Some(b'(');
            if !is_process && (self.take("(") || self.take(")") || self.take("<") || self.take(">")) {
                continue;
            }
            let word = self.word()?;
            if word.parts.is_empty() {
                return Err("a `[[` without a `]]`");
            }
            is_expression = word.plain() == Some("=~");
            words.push(word);
        }
    }

    /// The regular expression behind `=~`, in which `(` and `|` are letters.
    fn skip_expression(&mut self) -> Result<(), Mistake> {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b'|' => {}
                b' ' | b'\t' if open > 0 => {}
                _ if self.is_at_end_of_word() => return Ok(()),
                _ => {
                    let start = self.at;
                    // Quotes and expansions end where a word would have them end.
                    self.word()?;
                    if self.at > start {
                        continue;
                    }
                }
            }
            self.at += 1;
        }
        Err("a `[[` without a `]]`")
    }

    pub(super) fn function(&mut self, name: String) -> Result<Kind, Mistake> {
        self.skip_lines()?;
        let body = self.nested(Cursor::command)?;
        Ok(Kind::Function { name, body: Box::new(body) })
    }
}

/// Whether a text would start more than one process, should it be commands and no arithmetic.
fn starts_several(text: &str) -> bool {
    let rest = text.replace("&&", "").replace("||", "");
    rest.contains(['&', '|', ';', '\n', '`'])
}
