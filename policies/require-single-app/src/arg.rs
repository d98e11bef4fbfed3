//! One word of a command line, of which a part may not be known.

/// Stands around what is not known. No argument of a process can hold it.
const UNKNOWN: char = '\0';

/// The most characters of a command line that a message shows.
const MOST_SHOWN: usize = 60;

/// A word of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arg(String);

impl Arg {
    /// A word that is known.
    pub(crate) fn known(text: &str) -> Self {
        // The mark itself would hide what stands behind it. No process can be started with it.
        Arg(text.replace(UNKNOWN, "\u{fffd}"))
    }

    /// A word without anything in it yet.
    pub(crate) fn empty() -> Self {
        Arg(String::new())
    }

    pub(crate) fn push(&mut self, text: &str) {
        if text.contains(UNKNOWN) {
            self.0.push_str(&text.replace(UNKNOWN, "\u{fffd}"));
        } else {
            self.0.push_str(text);
        }
    }

    /// Appends another word.
    pub(crate) fn append(&mut self, other: &Arg) {
        self.0.push_str(&other.0);
    }

    /// Appends a part that is not known, as it is written.
    pub(crate) fn push_unknown(&mut self, written: &str) {
        self.0.push(UNKNOWN);
        self.push(written);
        self.0.push(UNKNOWN);
    }

    /// What it costs to build it once more, in bytes.
    pub(crate) fn cost(&self) -> usize {
        size_of::<Self>() + self.0.len()
    }

    /// The text, if all of it is known.
    pub(crate) fn text(&self) -> Option<&str> {
        (!self.0.contains(UNKNOWN)).then_some(&self.0)
    }

    /// The text, with what is not known as it is written.
    pub(crate) fn shown(&self) -> String {
        self.0.replace(UNKNOWN, "")
    }

    /// The name of the program behind the last slash, if that much is known; Windows' way of writing it, too.
    pub(crate) fn program(&self) -> Option<&str> {
        let name = self.0.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.strip_suffix(".exe").unwrap_or(name);
        (!name.contains(UNKNOWN) && self.0.matches(UNKNOWN).count().is_multiple_of(2)).then_some(name)
    }

    /// The text as shell text: what is not known becomes a variable, which a shell does not read as commands.
    pub(crate) fn as_script(&self) -> String {
        let mut script = String::new();
        for (index, piece) in self.0.split(UNKNOWN).enumerate() {
            if index % 2 == 0 {
                script.push_str(piece);
                continue;
            }
            let name = piece.trim_start_matches("$(").trim_end_matches(')');
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            script.push_str("${");
            script.push_str(if is_name { name } else { "_" });
            script.push('}');
        }
        script
    }
}

/// Words that are known.
#[cfg(test)]
pub(crate) fn args(words: &[&str]) -> Vec<Arg> {
    words.iter().map(|word| Arg::known(word)).collect()
}

/// A command line for a message: one line, escaped and bounded, in quotes.
pub(crate) fn quote_line(line: &[Arg]) -> String {
    let mut shown = String::new();
    for arg in line {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(&arg.shown());
        if shown.len() > 4 * MOST_SHOWN {
            break;
        }
    }
    quote(&shown)
}

/// A piece of a text for a message: one line, escaped and bounded, in quotes.
pub(crate) fn quote(text: &str) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split_ascii_whitespace() {
        if count > 0 {
            line.push(' ');
            count += 1;
        }
        for letter in word.chars() {
            if count >= MOST_SHOWN {
                line.push('…');
                return format!("\"{line}\"");
            }
            count += 1;
            match letter {
                // Plain enough, and `\"` would not be what people wrote.
                '"' | '\'' | '\\' => line.push(letter),
                letter => line.extend(letter.escape_debug()),
            }
        }
    }
    format!("\"{line}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partly(before: &str, unknown: &str, behind: &str) -> Arg {
        let mut arg = Arg::known(before);
        arg.push_unknown(unknown);
        arg.push(behind);
        arg
    }

    #[test]
    fn the_program_is_known_if_all_behind_the_last_slash_is() {
        for (arg, expected) in [
            (Arg::known("/usr/bin/java"), Some("java")),
            (Arg::known("java"), Some("java")),
            (Arg::known(r"C:\app\web.exe"), Some("web")),
            (partly("", "$JAVA_HOME", "/bin/java"), Some("java")),
            (partly("/bin/", "$APP", ""), None),
            (partly("/bin/", "$APP", "d"), None),
            (partly("", "$(A/b)", ""), None),
            (Arg::known("a\0b"), Some("a\u{fffd}b")),
            (Arg::known(""), Some("")),
        ] {
            assert_eq!(arg.program(), expected, "{arg:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_no_command_in_a_script() {
        assert_eq!(partly("exec app ", "$(PORT)", " &").as_script(), "exec app ${PORT} &");
    }

    #[test]
    fn a_zero_hides_nothing() {
        assert_eq!(Arg::known("a \0 & b").as_script(), "a \u{fffd} & b");
    }

    #[test]
    fn a_quotation_is_short_and_on_one_line() {
        assert_eq!(quote("a  \n b\u{7}\u{202e} \"c\""), r#""a b\u{7}\u{202e} "c"""#);
        let long = quote(&"x".repeat(1000));
        assert_eq!(long, format!("\"{}…\"", "x".repeat(60)));
        assert_eq!(quote_line(&args(&["a", "", "b c"])), "\"a b c\"");
    }
}
