//! Additions to block mappings and sequences, each on lines of its own.

use std::ops::Range;

use serde_json::Value;

use super::change::Changes;
use super::splice::{Splice, column, line_end};
use super::tree::{Entry, Item};

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

    pub(super) fn add(&mut self, place: usize, text: String) {
        self.splices.push(Splice { place: place..place, text });
    }
}
