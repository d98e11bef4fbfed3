//! Commands: lists, pipelines, compounds and redirects.

use super::cursor::{Cursor, Mistake, Pending, TOO_DEEP};
use super::syntax::{Command, Item, Kind, List, Part, Pipeline, Redirect, RedirectKind, Word};

const NO_DONE: Mistake = "a loop without `do` and `done`";
const NO_FI: Mistake = "an `if` without `then` and `fi`";
const NO_ESAC: Mistake = "a `case` without `in` and `esac`";

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

    fn command(&mut self) -> Result<Command, Mistake> {
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

    /// A subshell, or arithmetic where it can be nothing else: `((a))` is a subshell in a subshell in POSIX shells.
    fn parentheses(&mut self) -> Result<Kind, Mistake> {
        let start = self.at;
        let (pending, documents) = (self.pending.clone(), self.documents.len());
        self.at += 1;
        let list = self.nested(Cursor::list).and_then(|list| {
            self.skip_lines()?;
            if self.take(")") { Ok(list) } else { Err("a parenthesis without an end") }
        });
        let is_double = self.bytes.get(start + 1) == Some(&b'(');
        match (list, if is_double { self.end_of_arithmetic(start) } else { None }) {
            (Ok(list), _) => Ok(Kind::Subshell(list)),
            (Err(mistake), None) | (Err(mistake @ TOO_DEEP), _) => Err(mistake),
            (Err(_), Some(end)) => {
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

    fn compound(&mut self, word: &'static str) -> Result<Kind, Mistake> {
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
            let end = self.end_of_arithmetic(self.at).ok_or("a parenthesis without an end")?;
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

    fn function(&mut self, name: String) -> Result<Kind, Mistake> {
        self.skip_lines()?;
        let body = self.nested(Cursor::command)?;
        Ok(Kind::Function { name, body: Box::new(body) })
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
            if self.peek() == Some(b'(') && is_assignment(&word) {
                self.at += 1;
                assignments.push(word);
                loop {
                    self.skip_lines()?;
                    let element = self.word()?;
                    if element.parts.is_empty() {
                        break;
                    }
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

    /// Reads a redirect, if one begins here.
    fn redirect(&mut self, redirects: &mut Vec<Redirect>) -> Result<bool, Mistake> {
        let mut digits = 0;
        while self.peek_at(digits).is_some_and(|byte| byte.is_ascii_digit()) {
            digits += 1;
        }
        let is_both = digits == 0 && self.starts_with("&>");
        let is_process = digits == 0 && self.peek_at(1) == Some(b'(');
        if !is_both && (is_process || !matches!(self.peek_at(digits), Some(b'<' | b'>'))) {
            return Ok(false);
        }
        self.at += digits;
        const OPERATORS: [(&str, RedirectKind); 13] = [
            ("&>>", RedirectKind::AmpersandFirst),
            ("&>", RedirectKind::AmpersandFirst),
            ("<<<", RedirectKind::HereString),
            ("<<-", RedirectKind::HereDocument(1)),
            ("<<", RedirectKind::HereDocument(0)),
            ("<&", RedirectKind::Other),
            ("<>", RedirectKind::Input),
            ("<", RedirectKind::Input),
            (">>", RedirectKind::Other),
            (">&", RedirectKind::Other),
            (">|", RedirectKind::Other),
            (">", RedirectKind::Other),
            ("", RedirectKind::Other),
        ];
        let mut kind = RedirectKind::Other;
        for (operator, its_kind) in OPERATORS {
            if self.take(operator) {
                kind = its_kind;
                break;
            }
        }
        self.skip_blanks();
        let target = self.word()?;
        if target.parts.is_empty() {
            return Err("a redirect without a file");
        }
        if let RedirectKind::HereDocument(strips_tabs) = kind {
            let number = self.documents.len();
            let mut delimiter = String::new();
            let mut is_quoted = false;
            for part in &target.parts {
                match part {
                    Part::Text { text, is_quoted: quoted } => {
                        delimiter.push_str(text);
                        is_quoted = is_quoted || *quoted;
                    }
                    Part::Pattern => {}
                    _ => return Err("a here-document whose end cannot be read"),
                }
            }
            self.documents.push(Vec::new());
            self.pending.push(Pending { number, delimiter, is_quoted, strips_tabs: strips_tabs == 1 });
            kind = RedirectKind::HereDocument(number);
        }
        redirects.push(Redirect { target, kind });
        Ok(true)
    }
}

/// Whether a text would start more than one process, should it be commands and no arithmetic.
fn starts_several(text: &str) -> bool {
    let rest = text.replace("&&", "").replace("||", "");
    rest.contains(['&', '|', ';', '\n', '`'])
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
