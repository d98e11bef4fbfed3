//! Texts of a registry in messages: whoever pushes an image writes them, as long and as odd as they like.

/// How many characters of one text a message tells.
const LONGEST: usize = 100;

/// A text in quotes, short, on one line, and without characters that a terminal would obey. Its words are joined by blanks.
pub(crate) fn quoted<'t>(words: impl IntoIterator<Item = &'t str>) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        let left = LONGEST.saturating_sub(text.chars().count());
        match word.char_indices().nth(left) {
            Some((end, _)) => {
                text.push_str(word.get(..end).unwrap_or_default());
                return format!("{:?}", format!("{}…", text.trim_end()));
            }
            None => text.push_str(word),
        }
    }
    format!("{text:?}")
}

/// The same without the quotes.
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_short_and_on_one_line() {
        assert_eq!(quoted("a\t b \n c\u{1b}".split_whitespace()), r#""a b c\u{1b}""#);
        assert_eq!(quoted(["a\"b"]), r#""a\"b""#);
        assert_eq!(quoted([]), "\"\"");
        let long = "\u{fc}".repeat(101);
        assert_eq!(quoted([long.as_str()]), format!("\"{}…\"", "\u{fc}".repeat(100)));
        assert_eq!(quoted([&long[2..]]), format!("\"{}\"", "\u{fc}".repeat(100)));
        assert_eq!(quoted("a ".repeat(100_000).split_whitespace()).chars().count(), 102);
        assert_eq!(short("linux/am\nd64"), "linux/am\\nd64");
        assert_eq!(short(&long), format!("{}…", "\u{fc}".repeat(100)));
    }
}
