//! The text of a document as a tree whose nodes know where they stand. It is read with the parser under serde-saphyr,
//! so that what is edited is what was read.

use std::ops::Range;

use granit_parser::{Event, ScalarStyle, StructureStyle};

/// A value in the text. All places are bytes from the beginning of the file.
#[derive(Debug)]
pub(super) struct Node {
    /// Of a block scalar, its `|`; of a block sequence, its first dash.
    pub(super) start: usize,
    /// Behind the last character that is not space.
    pub(super) end: usize,
    pub(super) content: Content,
    /// The anchor through which an alias may stand for it elsewhere.
    pub(super) anchor: Option<usize>,
    /// Whether an anchor or a tag stands in front of it.
    pub(super) has_properties: bool,
}

#[derive(Debug)]
pub(super) enum Content {
    /// With the quote or `|` that it begins with; nothing stands for `null`, which has no text at all.
    Scalar(Quoting),
    Alias,
    Sequence {
        is_flow: bool,
        items: Vec<Item>,
    },
    Mapping {
        is_flow: bool,
        entries: Vec<Entry>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Nothing,
    Plain,
    Single,
    Double,
    Block,
}

#[derive(Debug)]
pub(super) struct Item {
    /// Its dash, or where it begins in a flow sequence.
    pub(super) start: usize,
    pub(super) value: Node,
}

#[derive(Debug)]
pub(super) struct Entry {
    /// Unset where it is no scalar.
    pub(super) key: Option<String>,
    pub(super) is_quoted: bool,
    pub(super) start: usize,
    /// Behind the colon.
    pub(super) colon: usize,
    pub(super) value: Node,
}

impl Entry {
    pub(super) fn end(&self) -> usize {
        self.value.end.max(self.colon)
    }
}

impl Node {
    /// The value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let Content::Mapping { entries, .. } = &self.content else { return None };
        entries.iter().find(|entry| entry.key.as_deref() == Some(key)).map(|entry| &entry.value)
    }

    /// Whether it is written with brackets.
    pub(super) fn is_flow(&self) -> bool {
        matches!(self.content, Content::Sequence { is_flow: true, .. } | Content::Mapping { is_flow: true, .. })
    }
}

/// A document that this module cannot follow.
#[derive(Debug)]
pub(super) struct Untraceable;

/// Reads the document at `base` of a file, and notes where its comments are.
pub(super) fn read(document: &str, base: usize, comments: &mut Vec<Range<usize>>) -> Result<Node, Untraceable> {
    let parser = granit_parser::Parser::new_from_str(document);
    let mut builder = Builder { text: document, parser, cursor: 0, base, comments };
    loop {
        match builder.next()? {
            (Event::StreamStart, _) => {}
            (Event::DocumentStart(..), place) => builder.cursor = place.end,
            (Event::StreamEnd | Event::DocumentEnd, _) => return Err(Untraceable),
            (event, place) => return builder.node(event, place),
        }
    }
}

struct Builder<'t, 'c> {
    text: &'t str,
    parser: granit_parser::Parser<'t, granit_parser::StrInput<'t>>,
    /// Everything in front of it belongs to what was read before.
    cursor: usize,
    base: usize,
    comments: &'c mut Vec<Range<usize>>,
}

impl<'t> Builder<'t, '_> {
    fn next(&mut self) -> Result<(Event<'t>, Range<usize>), Untraceable> {
        loop {
            let (event, span) = self.parser.next_event().and_then(Result::ok).ok_or(Untraceable)?;
            let place = span.byte_range().ok_or(Untraceable)?;
            if let Event::Comment(..) = event {
                self.comments.push(self.base + place.start..self.base + place.end);
            } else {
                return Ok((event, place));
            }
        }
    }

    fn node(&mut self, event: Event<'t>, place: Range<usize>) -> Result<Node, Untraceable> {
        let (anchor, is_tagged) = match &event {
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(_, anchor, tag)
            | Event::MappingStart(_, anchor, tag) => (*anchor > 0, tag.is_some()),
            _ => (false, false),
        };
        let anchor = if anchor { Some(self.base + self.find(&['&'])?) } else { None };
        let (place, content) = match event {
            Event::Scalar(text, style, ..) => self.scalar(&text, style, place)?,
            Event::Alias(_) => (place, Content::Alias),
            Event::SequenceStart(style, ..) => self.sequence(style == StructureStyle::Flow, place)?,
            Event::MappingStart(style, ..) => self.mapping(style == StructureStyle::Flow, place)?,
            _ => return Err(Untraceable),
        };
        self.cursor = self.cursor.max(place.end);
        let (start, end) = (self.base + place.start, self.base + place.end);
        Ok(Node { start, end, content, anchor, has_properties: anchor.is_some() || is_tagged })
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        place: Range<usize>,
    ) -> Result<(Range<usize>, Content), Untraceable> {
        let quoting = match style {
            ScalarStyle::SingleQuoted => Quoting::Single,
            ScalarStyle::DoubleQuoted => Quoting::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let header = self.find(&['|', '>'])?;
                // `|+` keeps the empty lines at the end, which are content then.
                let is_kept = text.ends_with("\n\n") || (!text.is_empty() && text.trim_matches('\n').is_empty());
                let whole = &self.text[header..place.end.max(header)];
                let content = match whole.rfind('\n') {
                    Some(last) if is_kept => whole[..last].trim_end_matches('\r'),
                    _ => whole.trim_end(),
                };
                let marks = whole.len() - whole.trim_start_matches(|mark: char| "|>+-0123456789".contains(mark)).len();
                let end = header + content.len().max(marks);
                return Ok((header..end, Content::Scalar(Quoting::Block)));
            }
            _ if place.is_empty() => return Ok((self.cursor..self.cursor, Content::Scalar(Quoting::Nothing))),
            _ => Quoting::Plain,
        };
        Ok((place, Content::Scalar(quoting)))
    }

    fn sequence(&mut self, is_flow: bool, place: Range<usize>) -> Result<(Range<usize>, Content), Untraceable> {
        let mut items = Vec::new();
        if is_flow {
            self.cursor = place.end;
        }
        loop {
            let (event, inner) = self.next()?;
            if event == Event::SequenceEnd {
                let first = items.first().map(|item: &Item| item.start - self.base);
                let last = items.last().map(|item| item.value.end - self.base);
                let place = match (is_flow, first, last) {
                    (false, Some(first), Some(last)) => first..last,
                    (true, ..) => place.start..inner.end,
                    _ => return Err(Untraceable),
                };
                return Ok((place, Content::Sequence { is_flow, items }));
            }
            let mut dash = None;
            if !is_flow {
                let found = self.find(&['-'])?;
                self.cursor = found + 1;
                dash = Some(self.base + found);
            }
            let value = self.node(event, inner)?;
            items.push(Item { start: dash.unwrap_or(value.start), value });
        }
    }

    fn mapping(&mut self, is_flow: bool, place: Range<usize>) -> Result<(Range<usize>, Content), Untraceable> {
        let mut entries = Vec::new();
        if is_flow {
            self.cursor = self.cursor.max(place.end);
        }
        loop {
            let (event, inner) = self.next()?;
            if event == Event::MappingEnd {
                let first = entries.first().map(|entry: &Entry| entry.start - self.base);
                let last = entries.last().map(|entry| entry.end() - self.base);
                let place = match (is_flow, first, last) {
                    (false, Some(first), Some(last)) => first..last,
                    (true, ..) => place.start..inner.end,
                    _ => return Err(Untraceable),
                };
                return Ok((place, Content::Mapping { is_flow, entries }));
            }
            let (key, is_quoted) = match &event {
                Event::Scalar(text, style, ..) => (Some(text.to_string()), *style == ScalarStyle::DoubleQuoted),
                _ => (None, false),
            };
            let key_node = self.node(event, inner)?;
            // `{a, b}`: a key without a value, and without a colon to put one behind.
            let colon = match self.find(&[':']) {
                Ok(colon) => colon + 1,
                Err(Untraceable) if is_flow => self.cursor,
                Err(error) => return Err(error),
            };
            self.cursor = colon;
            let (event, inner) = self.next()?;
            let value = self.node(event, inner)?;
            entries.push(Entry { key, is_quoted, start: key_node.start, colon: self.base + colon, value });
        }
    }

    /// The next of some characters, in front of which there are only space, comments, anchors and tags.
    fn find(&self, wanted: &[char]) -> Result<usize, Untraceable> {
        let mut place = self.cursor;
        loop {
            let rest = &self.text[place..];
            let next = rest.chars().next().ok_or(Untraceable)?;
            place += match next {
                _ if wanted.contains(&next) => return Ok(place),
                '#' => rest.find('\n').ok_or(Untraceable)?,
                '&' | '!' => rest.find([' ', '\t', '\r', '\n']).ok_or(Untraceable)?,
                _ if next.is_whitespace() => next.len_utf8(),
                _ => return Err(Untraceable),
            };
        }
    }
}
