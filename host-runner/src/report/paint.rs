//! Colours, where a terminal shows them.

use anstyle::{AnsiColor, Style};

/// What a word says of what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shade {
    Heading,
    Good,
    Attention,
    Bad,
    /// No verdict.
    Trouble,
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    pub(super) fn apply(self, shade: Shade, text: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let style = match shade {
            Shade::Heading => Style::new().bold(),
            Shade::Good => AnsiColor::Green.on_default(),
            Shade::Attention => AnsiColor::Yellow.on_default(),
            Shade::Bad => AnsiColor::Red.on_default().bold(),
            Shade::Trouble => AnsiColor::Magenta.on_default().bold(),
        };
        format!("{style}{text}{style:#}")
    }
}
