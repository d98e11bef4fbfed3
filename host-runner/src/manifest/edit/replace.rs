//! Whole values in the place of others.

use serde_json::Value;

use super::change::{Changes, Refused, Slot};
use super::render::string;
use super::splice::{column, line_end};
use super::tree::{Content, Node, Quoting};

impl Changes<'_> {
    /// Another value in the place of a whole one.
    pub(super) fn replace(&mut self, slot: Slot<'_>, node: &Node, after: &Value) -> Result<(), Refused> {
        let (is_in_flow, quoting, start, from) = match slot {
            Slot::Root => return Err((node.start, "the whole object would have to be written anew")),
            Slot::Entry { entry, is_in_flow, quoting } => (is_in_flow, quoting, entry.start, entry.colon),
            Slot::Item { item, is_in_flow, quoting } => {
                (is_in_flow, quoting, item.start, item.start + usize::from(!is_in_flow))
            }
        };
        let is_nothing = matches!(node.content, Content::Scalar(Quoting::Nothing));
        let is_block =
            matches!(node.content, Content::Sequence { is_flow: false, .. } | Content::Mapping { is_flow: false, .. });
        if node.has_properties && (is_nothing || is_block) {
            return Err((node.start, "there is an anchor or a tag on this"));
        }
        let is_collection = matches!(after, Value::Object(map) if !map.is_empty())
            || matches!(after, Value::Array(items) if !items.is_empty());
        if is_collection && !is_in_flow && !node.is_flow() {
            return self.replace_by_block(slot, node, after);
        }
        let text = if self.document.style.is_json {
            self.flow_value(std::slice::from_ref(&(node.start..node.end)), after, Quoting::Double)
        } else {
            self.inline(node, after, quoting, (!is_in_flow).then(|| column(self.text, start)))
        };
        let place = if is_nothing {
            from..from
        } else if is_block && matches!(slot, Slot::Entry { .. }) {
            from..node.end
        } else {
            node.start..node.end
        };
        let place = place.start..self.blank_end(place.end);
        let needs_space = place.start == from && !is_in_flow || (is_nothing && !self.document.style.is_json);
        self.put(place, if needs_space { format!(" {text}") } else { text })
    }

    /// A value on the line of its key, with the quotes of the one that was there. In a block the column is known.
    fn inline(&self, node: &Node, after: &Value, quoting: Quoting, column: Option<usize>) -> String {
        let style = &self.document.style;
        let is_in_flow = column.is_none();
        let Value::String(text) = after else { return style.flow(after, quoting, is_in_flow) };
        match node.content {
            Content::Scalar(quoting @ (Quoting::Single | Quoting::Double)) => string(text, quoting, is_in_flow),
            _ => match column {
                // Behind a block scalar there may be no comment on the line.
                Some(column) if self.blank_end(node.end) == line_end(self.text, node.end) => {
                    style.inline(after, column)
                }
                _ => string(text, quoting, is_in_flow),
            },
        }
    }

    /// The end of the line where only space is left on it, which would become a part of a block scalar.
    fn blank_end(&self, place: usize) -> usize {
        let end = line_end(self.text, place);
        if self.text[place..end].trim().is_empty() { end } else { place }
    }

    /// A mapping or sequence in the place of what is no flow mapping or sequence.
    fn replace_by_block(&mut self, slot: Slot<'_>, node: &Node, after: &Value) -> Result<(), Refused> {
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
}
