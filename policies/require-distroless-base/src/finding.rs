//! What is wrong with an image, in words, once for all platforms of which it holds.

use crate::text::short;

/// How many platforms a message names.
const MOST_NAMED: usize = 6;

/// The kinds of findings. Two platforms with the same are one finding, whatever differs in its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It cannot be read.
    Unreadable,
    /// It is built on a denied base, or has a layer of one.
    Denied,
    /// Nothing proves what it is built on.
    Unproven,
    /// A shell ran after the base, or was copied in.
    Shell,
    /// It is a debug variant.
    Debug,
    /// It starts with a shell.
    Start,
}

/// All that is wrong with one image.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

#[derive(Debug)]
struct Finding {
    kind: Kind,
    what: String,
    fix: String,
    platforms: Vec<String>,
}

impl Findings {
    /// Notes a finding; `platform` is empty for an image without an index. The fix stands behind the platforms.
    pub(crate) fn add(&mut self, kind: Kind, platform: &str, what: String, fix: String) {
        match self.0.iter_mut().find(|finding| finding.kind == kind) {
            Some(finding) => finding.platforms.push(short(platform)),
            None => self.0.push(Finding { kind, what, fix, platforms: vec![short(platform)] }),
        }
    }

    /// Whether a finding is about bases, so that more bases could have helped.
    pub(crate) fn is_about_bases(&self) -> bool {
        self.0.iter().any(|finding| matches!(finding.kind, Kind::Denied | Kind::Unproven | Kind::Shell))
    }

    /// The findings as messages, to stand behind the image.
    pub(crate) fn messages(self) -> Vec<String> {
        self.0.into_iter().map(Finding::message).collect()
    }
}

impl Finding {
    fn message(self) -> String {
        let named: Vec<&str> =
            self.platforms.iter().map(String::as_str).filter(|name| !name.is_empty()).take(MOST_NAMED).collect();
        let more = match self.platforms.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let on = if named.is_empty() { String::new() } else { format!(" on {}{more}", named.join(", ")) };
        format!("{}{on}{}", self.what, self.fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_of_several_platforms_is_said_once() {
        let mut findings = Findings::default();
        for number in 0..8 {
            findings.add(Kind::Shell, &format!("linux/{number}"), format!("a{number}"), "; b".to_owned());
        }
        findings.add(Kind::Start, "", "c".to_owned(), String::new());
        assert!(findings.is_about_bases());
        let platforms = "linux/0, linux/1, linux/2, linux/3, linux/4, linux/5 and 2 more";
        assert_eq!(findings.messages(), [format!("a0 on {platforms}; b"), "c".to_owned()]);
        assert!(!Findings::default().is_about_bases());
    }
}
