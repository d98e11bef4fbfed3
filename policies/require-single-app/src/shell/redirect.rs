//! Redirects and here-documents.

use super::cursor::{Cursor, Mistake, Pending};
use super::syntax::{Part, Redirect, RedirectKind};

impl Cursor<'_> {
    /// Reads a redirect, if one begins here.
    pub(super) fn redirect(&mut self, redirects: &mut Vec<Redirect>) -> Result<bool, Mistake> {
        let mut digits = 0;
        while self.peek_at(digits).is_some_and(|byte| byte.is_ascii_digit()) {
            digits += 1;
        }
        let is_both = digits == 0 && self.starts_with("&>");
        let is_process = digits == 0 && self.peek_at(1) == Some(b'(');
        if !is_both && (is_process || !matches!(self.peek_at(digits), Some(b'<' | b'>'))) {
            return Ok(false);
        }
        let written = self.slice(self.at, self.at + digits);
        let reads = self.peek_at(digits) == Some(b'<');
        let is_of_input = if digits == 0 { reads } else { written.trim_start_matches('0').is_empty() };
        self.at += digits;
        const OPERATORS: [(&str, RedirectKind); 13] = [
            ("&>>", RedirectKind::AmpersandFirst),
            ("&>", RedirectKind::AmpersandFirst),
            ("<<<", RedirectKind::HereString),
            ("<<-", RedirectKind::HereDocument(1)),
            ("<<", RedirectKind::HereDocument(0)),
            ("<&", RedirectKind::Input),
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
        redirects.push(Redirect { target, kind, is_of_input });
        Ok(true)
    }
}
