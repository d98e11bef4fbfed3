//! What a shell reads in a text: the syntax tree.

use std::ops::Range;

/// Where something stands in the text, in bytes.
pub(crate) type Span = Range<usize>;

/// Commands, one after the other.
pub(crate) type List = Vec<Item>;

/// Pipelines that are joined by `&&` and `||`.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) pipelines: Vec<Pipeline>,
    /// Whether `&` stands behind it.
    pub(crate) is_background: bool,
    pub(crate) span: Span,
}

/// Commands that are joined by `|`, or one alone.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) commands: Vec<Command>,
    pub(crate) span: Span,
}

/// One command of any sort.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) kind: Kind,
    pub(crate) redirects: Vec<Redirect>,
    pub(crate) span: Span,
}

/// The sorts of commands.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Simple {
        /// `name=value` before the first word, and what stands in the parentheses of arrays.
        assignments: Vec<Word>,
        words: Vec<Word>,
    },
    /// `{ …; }`
    Group(List),
    /// `( … )`
    Subshell(List),
    If {
        conditions: Vec<List>,
        bodies: Vec<List>,
    },
    Case {
        /// The value and the patterns.
        words: Vec<Word>,
        bodies: Vec<List>,
    },
    For {
        words: Vec<Word>,
        body: List,
        /// `for ((;;))`
        is_endless: bool,
    },
    While {
        condition: List,
        body: List,
        is_until: bool,
    },
    Function {
        name: String,
        body: Box<Command>,
    },
    Coprocess(Box<Command>),
    /// `[[ … ]]`, and `(( … ))` where it can mean nothing else.
    Test(Vec<Word>),
}

/// `> file`, `<< EOF` and their like.
#[derive(Debug, Clone)]
pub(crate) struct Redirect {
    pub(crate) target: Word,
    pub(crate) kind: RedirectKind,
    /// Whether it is about what the command reads: descriptor 0.
    pub(crate) is_of_input: bool,
}

/// What of redirects makes a difference here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedirectKind {
    /// `&>` and `&>>`: in bash a redirect, in a POSIX shell the background and a redirect.
    AmpersandFirst,
    /// `<` and its like: the file is what the command reads.
    Input,
    /// A here-document; the number of its body.
    HereDocument(usize),
    /// `<<< text`
    HereString,
    Other,
}

/// One word, before anything in it is expanded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Word {
    pub(crate) parts: Vec<Part>,
    pub(crate) span: Span,
}

/// A part of a word.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text {
        text: String,
        is_quoted: bool,
    },
    /// `$name`, `${name…}`, `$1`, `$@`; `inside` is what the braces hold beside the name.
    Parameter {
        name: String,
        inside: Vec<Part>,
        /// Whether it stays one word, as in double quotes.
        is_quoted: bool,
    },
    /// `$( … )`, or the same in back quotes.
    Command(List),
    /// `<( … )` and `>( … )`, which run beside the command.
    Process(List),
    /// `$(( … ))`
    Arithmetic(Vec<Part>),
    /// Something that becomes file names or several words: `*`, `?`, `[…]`, `{a,b}`.
    Pattern,
}

impl Word {
    /// The text, if it is written without any quote or expansion, as reserved words must be.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text { text, is_quoted: false }] => Some(text),
            _ => None,
        }
    }
}

/// A whole text, read.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) list: List,
    /// The bodies of its here-documents.
    pub(crate) documents: Vec<Vec<Part>>,
}
