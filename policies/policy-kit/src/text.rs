//! Texts of others, fit for a line of a message.

use std::fmt;

/// Whether a character is none that a reader sees: a control character, or one of those that direct what is around
/// them (Unicode's Cc, and of Cf and Z those that hide, join or turn text).
pub fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text whose invisible characters are shown as escapes: nobody breaks a line of a message or turns it around.
///
/// ```
/// assert_eq!(policy_kit::Shown("a\nb\u{202e}c").to_string(), r"a\nb\u{202e}c");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Shown<'t>(pub &'t str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, letter)) = rest.char_indices().find(|(_, letter)| is_invisible(*letter)) {
            let (before, after) = rest.split_at(at);
            write!(formatter, "{before}{}", letter.escape_debug())?;
            rest = after.get(letter.len_utf8()..).unwrap_or_default();
        }
        formatter.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_shown_as_an_escape() {
        for (text, expected) in [
            ("", ""),
            ("Worker", "Worker"),
            ("größe \"'\\", "größe \"'\\"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[31m", r"\u{1b}[31m"),
            ("\u{202e}x\u{2066}\u{200d}", r"\u{202e}x\u{2066}\u{200d}"),
            ("x\u{85}\u{2028}", r"x\u{85}\u{2028}"),
        ] {
            assert_eq!(Shown(text).to_string(), expected);
        }
    }
}
