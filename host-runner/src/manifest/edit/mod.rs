//! Objects changed in the text of their file, in which everything else stays byte for byte: comments, order, quotes,
//! indentation, ends of lines.
//!
//! What comes out is read again before anybody sees it. It must hold the same objects as before, the changed ones as
//! they were to be; an edit that does not is refused.

mod block;
mod change;
mod diff;
mod flow;
mod json;
mod render;
mod replace;
mod splice;
mod tree;

use std::ops::Range;

use serde_json::Value;

use self::render::Style;
use self::splice::{Splice, apply};
use self::tree::{Content, Node, Untraceable};
use super::document::{self, is_list};
use super::split::documents;

pub use self::diff::unified_diff;

/// An object that is to be something else.
#[derive(Debug, Clone, Copy)]
pub struct Change<'v> {
    /// Which of the file's objects it is, from 0.
    pub position: usize,
    /// What it is in the text.
    pub before: &'v Value,
    /// What it is to be.
    pub after: &'v Value,
}

/// Why a text cannot be changed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line of the file, from 1.
    pub line: usize,
    /// The reason.
    pub reason: String,
}

/// A file whose objects can be changed.
#[derive(Debug)]
pub struct Editor<'t> {
    text: &'t str,
    documents: Vec<Document>,
    places: Vec<Place>,
    objects: Vec<Value>,
    /// The line of what is no object.
    unreadable: Option<usize>,
}

#[derive(Debug)]
struct Document {
    root: Option<Node>,
    first: usize,
    comments: Vec<Range<usize>>,
    style: Style,
}

/// The document of an object, and its way through the items of Lists.
#[derive(Debug)]
struct Place {
    document: usize,
    items: Vec<usize>,
}

/// A change as it is made in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit(Vec<Splice>);

impl<'t> Editor<'t> {
    /// Reads the text once, for any number of changes.
    pub fn new(text: &'t str) -> Self {
        let (objects, unreadable) = match objects(text) {
            Ok(objects) => (objects, None),
            Err(line) => (Vec::new(), Some(line)),
        };
        let mut editor = Editor { text, documents: Vec::new(), places: Vec::new(), objects, unreadable };
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let content = text.strip_prefix('\u{feff}').unwrap_or(text);
        let skipped = text.len() - content.len();
        if let Some(values) = document::json_values(content) {
            for raw in values {
                let first = raw.get().as_ptr() as usize - text.as_ptr() as usize;
                let value = serde_json::from_str(raw.get()).unwrap_or_default();
                let style = Style { newline, step: 2, dash: 2, is_json: true, is_spaced: true };
                editor.add(first, json::read(text, first), &value, Vec::new(), style);
            }
            return editor;
        }
        for document in documents(content) {
            let first = skipped + (document.text.as_ptr() as usize - content.as_ptr() as usize);
            let mut comments = Vec::new();
            let root = tree::read(document.text, first, &mut comments);
            let value = document::parse(document.text).unwrap_or_default();
            let style = Style { newline, step: 2, dash: 2, is_json: false, is_spaced: true };
            editor.add(first, root, &value, comments, style);
        }
        editor
    }

    fn add(
        &mut self,
        first: usize,
        root: Result<Node, Untraceable>,
        value: &Value,
        comments: Vec<Range<usize>>,
        mut style: Style,
    ) {
        let root = root.ok();
        if let Some(root) = &root {
            learn(root, self.text, &mut style);
        }
        self.documents.push(Document { root, first, comments, style });
        find(value, self.documents.len() - 1, &mut Vec::new(), &mut self.places);
    }

    /// How changes are made, each to another object, or why not. Those that are made can all be made together.
    pub fn edits(&self, changes: &[Change<'_>]) -> Vec<Result<Edit, Refusal>> {
        if let Some(line) = self.unreadable {
            let reason = "this cannot be read, and so nothing in its file is written".to_owned();
            return changes.iter().map(|_| Err(Refusal { line, reason: reason.clone() })).collect();
        }
        let mut edits: Vec<Result<Edit, Refusal>> = changes.iter().map(|change| self.edit(change)).collect();
        self.prove(changes, &mut edits);
        if self.is_proven(changes, &edits) {
            return edits;
        }
        changes.iter().map(|change| Err(self.blame(change))).collect()
    }

    /// Finds those to blame by halves: a file may hold thousands of objects, and is read for each proof.
    fn prove(&self, changes: &[Change<'_>], edits: &mut [Result<Edit, Refusal>]) {
        if edits.iter().all(Result::is_err) || self.is_proven(changes, edits) {
            return;
        }
        if let ([change], [edit]) = (changes, &mut *edits) {
            *edit = Err(self.blame(change));
            return;
        }
        let half = changes.len() / 2;
        self.prove(&changes[..half], &mut edits[..half]);
        self.prove(&changes[half..], &mut edits[half..]);
    }

    /// The text with some edits; they must be of different objects.
    pub fn text<'e>(&self, edits: impl IntoIterator<Item = &'e Edit>) -> Option<String> {
        apply(self.text, edits.into_iter().flat_map(|edit| &edit.0))
    }

    /// Whether the text, with those edits that there are, holds what it must.
    fn is_proven(&self, changes: &[Change<'_>], edits: &[Result<Edit, Refusal>]) -> bool {
        let mut wanted: Vec<&Value> = self.objects.iter().collect();
        for (change, edit) in changes.iter().zip(edits) {
            if edit.is_ok()
                && let Some(object) = wanted.get_mut(change.position)
            {
                *object = change.after;
            }
        }
        let text = self.text(edits.iter().flatten());
        text.and_then(|text| objects(&text).ok()).is_some_and(|found| found.iter().eq(wanted))
    }

    fn edit(&self, change: &Change<'_>) -> Result<Edit, Refusal> {
        let untraceable = |first| self.refusal(first, "how this document is written cannot be followed");
        let place = self.places.get(change.position).ok_or_else(|| untraceable(0))?;
        let document = &self.documents[place.document];
        let node = self.node(place).ok_or_else(|| untraceable(document.first))?;
        change::splices(self.text, document, node, change.before, change.after)
            .map(Edit)
            .map_err(|(place, reason)| self.refusal(place, reason))
    }

    fn node(&self, place: &Place) -> Option<&Node> {
        let mut node = self.documents[place.document].root.as_ref()?;
        for index in &place.items {
            let Content::Sequence { items, .. } = &node.get("items")?.content else { return None };
            node = &items.get(*index)?.value;
        }
        Some(node)
    }

    /// Why an edit did not come to what it should: there are aliases, or nobody knows.
    fn blame(&self, change: &Change<'_>) -> Refusal {
        let place = self.places.get(change.position);
        let node = place.and_then(|place| self.node(place));
        let shared = node.and_then(|node| change::shared(node, change.before, change.after));
        let first = node.map_or(0, |node| node.start);
        match shared {
            Some(place) => self.refusal(place, "this is shared through an anchor with what must stay"),
            None => self.refusal(first, "the edited text would not be read as the object that it must be"),
        }
    }

    fn refusal(&self, place: usize, reason: impl Into<String>) -> Refusal {
        let line = 1 + self.text.as_bytes()[..place].iter().filter(|byte| **byte == b'\n').count();
        Refusal { line, reason: reason.into() }
    }
}

/// All objects of a text, if there is nothing else in it; otherwise the line of what is.
fn objects(text: &str) -> Result<Vec<Value>, usize> {
    let manifests = super::read_text("", text);
    match manifests.problems.first() {
        Some(problem) => Err(problem.line.unwrap_or(1)),
        None => Ok(manifests.objects.into_iter().map(|manifest| manifest.object).collect()),
    }
}

/// The objects below a value, in the order in which they are read.
fn find(value: &Value, document: usize, items: &mut Vec<usize>, places: &mut Vec<Place>) {
    if !is_list(value) {
        places.push(Place { document, items: items.clone() });
        return;
    }
    for (index, item) in value["items"].as_array().into_iter().flatten().enumerate() {
        items.push(index);
        find(item, document, items, places);
        items.pop();
    }
}

/// Takes the indentation from what is there: the first of each kind.
fn learn(root: &Node, text: &str, style: &mut Style) {
    let (mut step, mut dash, mut spaced) = (None, None, None);
    look(root, text, &mut step, &mut dash, &mut spaced);
    style.step = step.unwrap_or(style.step);
    style.dash = dash.unwrap_or(style.dash);
    style.is_spaced = !style.is_json || spaced.unwrap_or(style.is_spaced);
}

fn look(node: &Node, text: &str, step: &mut Option<usize>, dash: &mut Option<usize>, spaced: &mut Option<bool>) {
    match &node.content {
        Content::Mapping { entries, is_flow } => {
            for entry in entries {
                spaced.get_or_insert(entry.value.start > entry.colon);
                if !is_flow && !entry.value.is_flow() {
                    let by = splice::column(text, entry.value.start).checked_sub(splice::column(text, entry.start));
                    match (&entry.value.content, by) {
                        (Content::Mapping { .. }, Some(by)) if by > 0 => *step = step.or(Some(by)),
                        (Content::Sequence { .. }, Some(by)) => *dash = dash.or(Some(by)),
                        _ => {}
                    }
                }
                look(&entry.value, text, step, dash, spaced);
            }
        }
        Content::Sequence { items, .. } => {
            for item in items {
                look(&item.value, text, step, dash, spaced);
            }
        }
        Content::Scalar(_) | Content::Alias => {}
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
