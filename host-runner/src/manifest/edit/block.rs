//! Additions to block mappings and sequences, each on lines of its own.

use serde_json::Value;

use super::change::{Changes, Refused, Slot};
use super::splice::{Splice, column, line_end};
use super::tree::{Content, Entry, Item, Node};
use std::ops::Range;

impl Changes<'_> {
    /// Adds keys behind the entry that ends at `end`.
    pub(super) fn add_to_block_mapping(&mut self, first: &Entry, end: usize, added: &[(&String, &Value)]) {
        let style = &self.document.style;
        let column = column(self.text, first.start);
        let mut text = String::new();
        for (key, value) in added {
            text += &format!("{}{}{}", style.newline, " ".repeat(column), style.block_entry(key, value, column));
        }
        self.add(line_end(self.text, end), text);
    }

    /// Adds items in front of the item with this index: behind the one that stays before it, if there is one.
    pub(super) fn add_to_block_sequence(
        &mut self,
        items: &[Item],
        places: &[Range<usize>],
        is_removed: &[bool],
        index: usize,
        values: &[Value],
    ) {
        let style = &self.document.style;
        let column = column(self.text, items[0].start);
        let line = format!("{}{}", style.newline, " ".repeat(column));
        let gap = match items[0].value.start - items[0].start {
            gap @ 2..=8 if !self.text[items[0].start..items[0].value.start].contains('\n') => gap,
            _ => 2,
        };
        let dash = format!("{:<gap$}", "-");
        let lines: Vec<String> =
            values.iter().map(|value| format!("{dash}{}", style.block(value, column + gap))).collect();
        match is_removed[..index].iter().rposition(|is_removed| !is_removed) {
            Some(before) => {
                let text = lines.iter().map(|item| format!("{line}{item}")).collect();
                self.add(line_end(self.text, places[before].end), text);
            }
            None => self.add(
                items[is_removed.iter().position(|is_removed| !is_removed).unwrap_or_default()].start,
                lines.iter().map(|item| format!("{item}{line}")).collect(),
            ),
        }
    }

    /// A mapping or sequence in the place of what is no flow mapping or sequence.
    pub(super) fn replace_by_block(&mut self, slot: Slot<'_>, node: &Node, after: &Value) -> Result<(), Refused> {
        let style = &self.document.style;
        match slot {
            Slot::Entry { entry, .. } => {
                if node.has_properties {
                    return Err((node.start, "there is an anchor or a tag on this"));
                }
                let by = if after.is_array() { style.dash } else { style.step };
                let column = column(self.text, entry.start) + by;
                let text = format!("{}{}{}", style.newline, " ".repeat(column), style.block(after, column));
                let is_block = matches!(node.content, Content::Mapping { .. } | Content::Sequence { .. });
                if is_block {
                    return self.put(line_end(self.text, entry.colon)..line_end(self.text, node.end), text);
                }
                // The comment behind the old value stays on the line of the key.
                self.put(entry.colon..node.end.max(entry.colon), String::new())?;
                self.add(line_end(self.text, node.end.max(entry.colon)), text);
                Ok(())
            }
            Slot::Item { item, .. } => {
                let is_empty = node.start == node.end;
                let start = if is_empty { item.start + 1 } else { node.start };
                let column = column(self.text, start) + usize::from(is_empty);
                let end = self.blank_end(node.end.max(start));
                let line = line_end(self.text, end);
                if end < line {
                    // Behind the last line of what comes, the comment might become a part of it.
                    self.put(item.start + 1..end, String::new())?;
                    self.add(line, format!("{}{}{}", style.newline, " ".repeat(column), style.block(after, column)));
                    return Ok(());
                }
                let text = format!("{}{}", if is_empty { " " } else { "" }, style.block(after, column));
                self.put(start..end, text)
            }
            Slot::Root => Err((node.start, "the whole object would have to be written anew")),
        }
    }

    fn add(&mut self, place: usize, text: String) {
        self.splices.push(Splice { place: place..place, text });
    }
}
