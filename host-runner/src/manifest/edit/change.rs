//! From the difference between two values to splices of the text that stands for the first.

use std::ops::Range;

use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::Document;
use super::splice::{Splice, begins_its_line, ends_its_line, whole_lines};
use super::tree::{Content, Entry, Item, Node, Quoting};

/// Where, and why not.
pub(super) type Refused = (usize, &'static str);

/// The splices that make a node say something else.
pub(super) fn splices(
    text: &str,
    document: &Document,
    node: &Node,
    before: &Value,
    after: &Value,
) -> Result<Vec<Splice>, Refused> {
    let mut changes = Changes { text, document, splices: Vec::new() };
    changes.value(Slot::Root, node, before, after)?;
    Ok(changes.splices)
}

/// The first anchor or alias among the nodes that a change is about.
pub(super) fn shared(node: &Node, before: &Value, after: &Value) -> Option<usize> {
    if before == after {
        return None;
    }
    if node.anchor.is_some() || matches!(node.content, Content::Alias) {
        return node.anchor.or(Some(node.start));
    }
    match (&node.content, before, after) {
        (Content::Mapping { entries, .. }, Value::Object(before), Value::Object(after)) => {
            entries.iter().find_map(|entry| {
                let key = entry.key.as_deref()?;
                shared(&entry.value, before.get(key)?, after.get(key).unwrap_or(&Value::Null))
            })
        }
        (Content::Sequence { items, .. }, Value::Array(before), Value::Array(after)) => {
            let later = after.iter().chain(std::iter::repeat(&Value::Null));
            items.iter().zip(before).zip(later).find_map(|((item, before), after)| shared(&item.value, before, after))
        }
        _ => None,
    }
}

/// What a value stands in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot<'n> {
    Root,
    Entry { entry: &'n Entry, is_in_flow: bool, quoting: Quoting },
    Item { item: &'n Item, is_in_flow: bool, quoting: Quoting },
}

pub(super) struct Changes<'t> {
    pub(super) text: &'t str,
    pub(super) document: &'t Document,
    pub(super) splices: Vec<Splice>,
}

impl<'t> Changes<'t> {
    /// Children come in front of what is added behind them: where both add to the end of one line, the deeper comes
    /// first.
    fn value(&mut self, slot: Slot<'_>, node: &Node, before: &Value, after: &Value) -> Result<(), Refused> {
        if before == after {
            return Ok(());
        }
        match (&node.content, before, after) {
            // Right if what it stands for changes in the same way, which is proven in the end.
            (Content::Alias, ..) => Ok(()),
            (Content::Mapping { entries, is_flow }, Value::Object(before), Value::Object(after))
                if !entries.is_empty() && !after.is_empty() =>
            {
                let stays = |entry: &Entry| {
                    entry.key.as_ref().is_none_or(|key| after.contains_key(key) || !before.contains_key(key))
                };
                if !entries.iter().any(stays) {
                    return self.replace(slot, node, &Value::Object(after.clone()));
                }
                self.mapping(node, entries, *is_flow, before, after)
            }
            (Content::Sequence { items, is_flow }, Value::Array(before), Value::Array(after))
                if !items.is_empty() && !after.is_empty() =>
            {
                self.sequence(slot, node, items, *is_flow, before, after)
            }
            _ => self.replace(slot, node, after),
        }
    }

    fn mapping(
        &mut self,
        node: &Node,
        entries: &[Entry],
        is_flow: bool,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> Result<(), Refused> {
        let quoting = self.quoting(entries.first().is_some_and(|entry| entry.is_quoted && is_flow));
        let mut is_removed = vec![false; entries.len()];
        for (entry, is_removed) in entries.iter().zip(&mut is_removed) {
            let Some((key, before)) = entry.key.as_ref().and_then(|key| before.get_key_value(key)) else { continue };
            match after.get(key) {
                Some(after) => {
                    self.value(Slot::Entry { entry, is_in_flow: is_flow, quoting }, &entry.value, before, after)?;
                }
                None => *is_removed = true,
            }
        }
        let has = |key: &str| entries.iter().any(|entry| entry.key.as_deref() == Some(key));
        if before.keys().any(|key| !after.contains_key(key) && !has(key)) {
            return Err((node.start, "what is to be removed here comes from elsewhere, as through `<<`"));
        }
        let added: Vec<(&String, &Value)> =
            after.iter().filter(|(key, value)| before.get(*key) != Some(value) && !has(key)).collect();
        let places: Vec<Range<usize>> = entries.iter().map(|entry| entry.start..entry.end()).collect();
        self.remove(&places, &is_removed, is_flow)?;
        if added.is_empty() {
            return Ok(());
        }
        let last = is_removed.iter().rposition(|is_removed| !is_removed);
        let Some(last) = last else { return Err((node.start, "nothing of this would stay")) };
        if is_flow {
            self.add_to_flow_mapping(node, entries, &is_removed, &added, quoting)
        } else {
            self.add_to_block_mapping(&entries[0], entries[last].end(), &added);
            Ok(())
        }
    }

    fn sequence(
        &mut self,
        slot: Slot<'_>,
        node: &Node,
        items: &[Item],
        is_flow: bool,
        before: &[Value],
        after: &[Value],
    ) -> Result<(), Refused> {
        if items.len() != before.len() {
            return Err((node.start, "how this list is written cannot be followed"));
        }
        let is_quoted = |item: &Item| matches!(item.value.content, Content::Scalar(Quoting::Double));
        let quoting = self.quoting(is_flow && items.first().is_some_and(is_quoted));
        let Alignment { same, added } = Alignment::of(before, after);
        if same.is_empty() {
            return self.replace(slot, node, &Value::from(after));
        }
        let mut is_removed = vec![true; items.len()];
        for (index, after) in same {
            let slot = Slot::Item { item: &items[index], is_in_flow: is_flow, quoting };
            self.value(slot, &items[index].value, &before[index], after)?;
            is_removed[index] = false;
        }
        let places: Vec<Range<usize>> =
            items.iter().map(|item| item.start..item.value.end.max(item.start + 1)).collect();
        self.remove(&places, &is_removed, is_flow)?;
        for (index, values) in added {
            if is_flow {
                let values: Vec<String> = values.iter().map(|value| self.flow_value(&places, value, quoting)).collect();
                self.add_to_flow(node, &places, &is_removed, index, &values);
            } else {
                self.add_to_block_sequence(items, &places, &is_removed, index, values);
            }
        }
        Ok(())
    }

    /// What is put in the place of text, unless that is a comment.
    pub(super) fn put(&mut self, place: Range<usize>, text: String) -> Result<(), Refused> {
        let comment = self
            .document
            .comments
            .iter()
            .find(|comment| !place.is_empty() && comment.start < place.end && place.start < comment.end);
        if let Some(comment) = comment {
            return Err((comment.start, "this comment would be lost"));
        }
        self.splices.push(Splice { place, text });
        Ok(())
    }

    /// Removes runs of elements.
    fn remove(&mut self, places: &[Range<usize>], is_removed: &[bool], is_flow: bool) -> Result<(), Refused> {
        let mut index = 0;
        while index < places.len() {
            let first = index;
            while index < places.len() && is_removed[index] {
                index += 1;
            }
            if index > first {
                let run = places[first].start..places[index - 1].end;
                let next = places.get(index).map(|next| next.start);
                let place = match next {
                    _ if !is_flow && begins_its_line(self.text, run.start) && ends_its_line(self.text, run.end) => {
                        whole_lines(self.text, run)
                    }
                    Some(next) => run.start..next,
                    None if first > 0 => places[first - 1].end..run.end,
                    None => return Err((run.start, "nothing of this would stay")),
                };
                self.put(place, String::new())?;
            }
            index += 1;
        }
        Ok(())
    }

    fn quoting(&self, is_quoted: bool) -> Quoting {
        if is_quoted || self.document.style.is_json { Quoting::Double } else { Quoting::Plain }
    }
}

/// Which items of two lists are the same one.
struct Alignment<'v> {
    /// The index in the first list, and what has become of it.
    same: Vec<(usize, &'v Value)>,
    /// What is new, and the index in front of which it stands.
    added: Vec<(usize, &'v [Value])>,
}

impl<'v> Alignment<'v> {
    fn of(before: &[Value], after: &'v [Value]) -> Self {
        let mut alignment = Alignment { same: Vec::new(), added: Vec::new() };
        let names = |values: &[Value]| values.iter().map(name).collect::<Vec<_>>();
        for operation in capture_diff_slices(Algorithm::Myers, &names(before), &names(after)) {
            let (old, new) = (operation.old_range(), operation.new_range());
            // An item in the place of another is that one, changed.
            let is_pairwise = matches!(operation, DiffOp::Equal { .. } | DiffOp::Replace { .. });
            let pairs = if is_pairwise { old.len().min(new.len()) } else { 0 };
            alignment.same.extend((old.start..old.start + pairs).zip(&after[new.clone()]));
            if new.len() > pairs {
                alignment.added.push((old.end, &after[new.start + pairs..new.end]));
            }
        }
        alignment
    }
}

/// What an item is known by: its name, as most items of Kubernetes' lists have one, or all of it.
fn name(value: &Value) -> String {
    match value["name"].as_str() {
        Some(name) => format!("name {name}"),
        None => value.to_string(),
    }
}
