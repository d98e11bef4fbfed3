//! Two texts as a unified diff that `patch` and `git apply` take.

use std::fmt::Write;

use similar::{Algorithm, ChangeTag, TextDiff};

/// Lines around a change.
const CONTEXT: usize = 3;

/// How much is compared at once.
const BLOCK: usize = 4096;

/// The difference between two states of a file; empty if there is none. Ends of lines are part of the lines.
pub fn unified_diff<'t>(file: &str, before: &'t str, after: &'t str) -> String {
    if before == after {
        return String::new();
    }
    // Most of a file is the same, and a file may hold thousands of objects, for each of which it is compared once.
    let same = common(before.as_bytes().chunks(BLOCK), after.as_bytes().chunks(BLOCK), |bytes| bytes.iter());
    let start = context_start(before, same);
    let rest = before.len().min(after.len()) - same;
    let ends = |text: &'t str| text.as_bytes()[text.len() - rest..].rchunks(BLOCK);
    let same = common(ends(before), ends(after), |bytes| bytes.iter().rev());
    let end = context_end(before, before.len() - same);
    let lines =
        |text: &'t str| text[start..text.len() - (before.len() - end)].split_inclusive('\n').collect::<Vec<_>>();
    let (old, new) = (lines(before), lines(after));
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
            write_line(change.tag(), change.value(), &mut text);
        }
    }
    text
}

fn write_line(tag: ChangeTag, line: &str, text: &mut String) {
    text.push(match tag {
        ChangeTag::Equal => ' ',
        ChangeTag::Delete => '-',
        ChangeTag::Insert => '+',
    });
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push_str("\n\\ No newline at end of file\n");
    }
}

/// How many bytes are the same, counted along blocks.
fn common<'t, I: Iterator<Item = &'t u8>>(
    one: impl Iterator<Item = &'t [u8]>,
    other: impl Iterator<Item = &'t [u8]>,
    along: impl Fn(&'t [u8]) -> I,
) -> usize {
    let mut same = 0;
    for (one, other) in one.zip(other) {
        if one != other {
            return same + along(one).zip(along(other)).take_while(|(one, other)| one == other).count();
        }
        same += one.len();
    }
    same
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
