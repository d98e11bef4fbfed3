//! Two texts as a unified diff that `patch` and `git apply` take.

use std::fmt::Write;

use similar::{Algorithm, ChangeTag, TextDiff};

/// Lines around a change.
const CONTEXT: usize = 3;

/// The difference between two states of a file; empty if there is none. Ends of lines are part of the lines.
pub fn unified_diff(file: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    // Most of a file is the same, and a file may hold thousands of objects of which each is compared once.
    let same = before.bytes().zip(after.bytes()).take_while(|(before, after)| before == after).count();
    let start = context_start(before, same);
    let rest = before.len().min(after.len()) - same;
    let same =
        before.bytes().rev().zip(after.bytes().rev()).take(rest).take_while(|(before, after)| before == after).count();
    let end = context_end(before, before.len() - same);
    let shown = |text: &str| -> String { text[start..text.len() - (before.len() - end)].to_owned() };
    let (old, new) = (shown(before), shown(after));
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let skipped = before[..start].bytes().filter(|byte| *byte == b'\n').count();
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_slices(&old, &new);
    // Behind a name with spaces, a tab says where it ends.
    let name: String = file.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    let name = if name.contains(' ') { name + "\t" } else { name };
    let mut text = format!("--- {name}\n+++ {name}\n");
    for group in diff.grouped_ops(CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let range = |start: usize, end: usize| match (end - start, skipped + start) {
            (1, start) => format!("{}", start + 1),
            (0, start) => format!("{start},0"),
            (length, start) => format!("{},{length}", start + 1),
        };
        let old = range(first.old_range().start, last.old_range().end);
        let new = range(first.new_range().start, last.new_range().end);
        let _ = writeln!(text, "@@ -{old} +{new} @@");
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let line = change.value();
            text.push(sign);
            text.push_str(line);
            if !line.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    text
}

/// Some lines in front of a place.
fn context_start(text: &str, place: usize) -> usize {
    let ends = text.as_bytes()[..place].iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(end, _)| end + 1).nth(CONTEXT).unwrap_or(0)
}

/// Some lines behind a place.
fn context_end(text: &str, place: usize) -> usize {
    let ends = text.as_bytes()[place..].iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(end, _)| place + end + 1).nth(CONTEXT).unwrap_or(text.len())
}
