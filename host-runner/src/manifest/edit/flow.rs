//! Additions to flow mappings and sequences, and to JSON: on one line, or on lines of their own where the others are.

use std::ops::Range;

use serde_json::Value;

use super::change::{Changes, Refused};
use super::splice::{Splice, begins_its_line, ends_its_line, line_end, line_start};
use super::tree::{Entry, Node, Quoting};

impl Changes<'_> {
    /// Adds keys behind the last entry that stays.
    pub(super) fn add_to_flow_mapping(
        &mut self,
        node: &Node,
        entries: &[Entry],
        is_removed: &[bool],
        added: &[(&String, &Value)],
        quoting: Quoting,
    ) -> Result<(), Refused> {
        if !self.text[node.start..].starts_with('{') {
            return Err((node.start, "a mapping without braces cannot get another key"));
        }
        let places: Vec<Range<usize>> = entries.iter().map(|entry| entry.start..entry.end()).collect();
        let style = &self.document.style;
        let colon = if style.is_spaced { ": " } else { ":" };
        let texts: Vec<String> = added
            .iter()
            .map(|(key, value)| {
                let key = super::render::string(key, quoting, true);
                format!("{key}{colon}{}", self.flow_value(&places, value, quoting))
            })
            .collect();
        self.add_to_flow(node, &places, is_removed, places.len(), &texts);
        Ok(())
    }

    /// A value as its neighbours are: in JSON over several lines if each of them has its own.
    pub(super) fn flow_value(&self, neighbours: &[Range<usize>], value: &Value, quoting: Quoting) -> String {
        let style = &self.document.style;
        match neighbours.first() {
            Some(first) if style.is_json => match self.line_of_its_own(first.start) {
                Some((indentation, step)) => style.pretty(value, indentation, step),
                None => style.flow(value, quoting, true),
            },
            _ => style.flow(value, quoting, true),
        }
    }

    /// The indentation of the line, and the step that it is made of, if the file has several lines.
    fn line_of_its_own(&self, place: usize) -> Option<(&str, &str)> {
        let line = &self.text[line_start(self.text, place)..place];
        let indentation = &line[..line.len() - line.trim_start().len()];
        let first = self.text.lines().skip(1).map(|line| &line[..line.len() - line.trim_start().len()]);
        let step = first.into_iter().find(|step| !step.is_empty())?;
        (begins_its_line(self.text, place) || line.trim_start().starts_with('"')).then_some((indentation, step))
    }

    /// Adds elements in front of the one with this index, or behind the last; of those that stay.
    pub(super) fn add_to_flow(
        &mut self,
        node: &Node,
        places: &[Range<usize>],
        is_removed: &[bool],
        index: usize,
        texts: &[String],
    ) {
        let separator = self.separator(node, places);
        let joined = texts.join(&separator);
        if let Some(next) = is_removed[index..].iter().position(|is_removed| !is_removed) {
            return self.splice(places[index + next].start, format!("{joined}{separator}"));
        }
        let last = is_removed.iter().rposition(|is_removed| !is_removed).unwrap_or_default();
        let end = places[last].end;
        if last + 1 < places.len() {
            return self.splice(end, format!("{separator}{joined}"));
        }
        let bracket = node.end - 1;
        let gap = &self.text[end..bracket];
        let comma = gap.find(',').filter(|comma| gap[..*comma].trim().is_empty()).map(|comma| end + comma + 1);
        let behind = comma.unwrap_or(end);
        let line = line_end(self.text, behind);
        // A comment behind the last element stays with it.
        if separator.contains('\n') && line < bracket && ends_its_line(self.text, behind) {
            let lead = &separator[1..];
            match comma {
                Some(_) => self.splice(line, format!("{lead}{joined},")),
                None => {
                    self.splice(end, ",".to_owned());
                    self.splice(line, format!("{lead}{joined}"));
                }
            }
        } else {
            self.splice(end, format!("{separator}{joined}"));
        }
    }

    /// What stands between two elements, or would.
    fn separator(&self, node: &Node, places: &[Range<usize>]) -> String {
        if let [first, second, ..] = places {
            let between = &self.text[first.end..second.start];
            if let Some(space) = between.strip_prefix(',').filter(|space| space.trim().is_empty()) {
                return format!(",{space}");
            }
        }
        let lead = &self.text[node.start + 1..places[0].start];
        match lead {
            _ if lead.contains('\n') => {
                let line = line_start(self.text, places[0].start);
                let space = &self.text[line..places[0].start];
                let indentation = &space[..space.len() - space.trim_start().len()];
                format!(",{}{indentation}", self.document.style.newline)
            }
            _ if self.document.style.is_spaced => ", ".to_owned(),
            _ => ",".to_owned(),
        }
    }

    fn splice(&mut self, place: usize, text: String) {
        self.splices.push(Splice { place: place..place, text });
    }
}
