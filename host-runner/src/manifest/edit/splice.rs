//! Pieces of text in the place of others, and the lines that they stand on.

use std::ops::Range;

/// What stands in a place of the text afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) place: Range<usize>,
    pub(super) text: String,
}

/// The text with all splices made; nothing if two are about the same place. Of several that add to one place, the
/// first stands in front.
pub(super) fn apply<'s>(text: &str, splices: impl Iterator<Item = &'s Splice>) -> Option<String> {
    let mut sorted: Vec<&Splice> = splices.collect();
    sorted.sort_by_key(|splice| (splice.place.start, !splice.place.is_empty()));
    let mut edited = String::with_capacity(text.len() + sorted.iter().map(|splice| splice.text.len()).sum::<usize>());
    let mut done = 0;
    for splice in sorted {
        edited.push_str(text.get(done..splice.place.start)?);
        edited.push_str(&splice.text);
        done = splice.place.end;
    }
    edited.push_str(text.get(done..)?);
    Some(edited)
}

/// Where the line begins on which a place is.
pub(super) fn line_start(text: &str, place: usize) -> usize {
    text[..place].rfind('\n').map_or(0, |end| end + 1)
}

/// Where the line ends on which a place is, in front of what ends it.
pub(super) fn line_end(text: &str, place: usize) -> usize {
    let end = text[place..].find('\n').map_or(text.len(), |end| place + end);
    if end > place && text[..end].ends_with('\r') { end - 1 } else { end }
}

/// Whole lines with the end of the line in front of them: where the last of them ends, something may be added.
pub(super) fn whole_lines(text: &str, place: Range<usize>) -> Range<usize> {
    let end = line_end(text, place.end);
    match line_start(text, place.start).checked_sub(1) {
        Some(newline) => {
            let before = text[..newline].strip_suffix('\r').map_or(newline, str::len);
            before..end
        }
        None => place.start..text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1),
    }
}

/// In which column something stands, from 0.
pub(super) fn column(text: &str, place: usize) -> usize {
    let line = &text[line_start(text, place)..place];
    line.trim_start_matches('\u{feff}').chars().count()
}

/// Whether there is nothing but space between the beginning of the line and a place.
pub(super) fn begins_its_line(text: &str, place: usize) -> bool {
    text[line_start(text, place)..place].trim_start_matches('\u{feff}').trim().is_empty()
}

/// Whether there is nothing but space, or a comment, behind a place on its line.
pub(super) fn ends_its_line(text: &str, place: usize) -> bool {
    let rest = text[place..line_end(text, place)].trim_start();
    rest.is_empty() || rest.starts_with('#')
}
