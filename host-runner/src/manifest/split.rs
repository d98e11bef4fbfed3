//! The documents of a YAML stream, told apart before they are parsed: so one broken document does not take the
//! others with it, and each knows its first line.

/// One document: its text, and the line of the file on which the text begins, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Document<'t> {
    pub(super) text: &'t str,
    pub(super) first_line: usize,
}

/// Splits at the lines that begin with `---` or `...`. Inside a block scalar such a line ends the document too,
/// YAML 1.2 §9.1.2 forbids it as content. Documents without content are left out.
pub(super) fn documents(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let mut current = Pending { start: 0, first_line: 1, has_content: false, has_directive: false };
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let end = offset + line.len();
        let trimmed = line.trim_end();
        if is_marker(trimmed, "---") {
            if current.has_content {
                documents.push(current.document(text, offset));
            }
            if current.has_content || !current.has_directive {
                current = Pending { start: offset, first_line: number, has_content: false, has_directive: false };
            }
            // `--- {kind: Pod}` has content on the marker's own line.
            let rest = trimmed[3..].trim_start();
            current.has_content = !rest.is_empty() && !rest.starts_with('#');
        } else if is_marker(trimmed, "...") {
            if current.has_content {
                documents.push(current.document(text, offset));
            }
            current = Pending { start: end, first_line: number + 1, has_content: false, has_directive: false };
        } else {
            let content = trimmed.trim_start();
            if !current.has_content && line.starts_with('%') {
                current.has_directive = true;
            } else if !content.is_empty() && !content.starts_with('#') {
                current.has_content = true;
            }
        }
        offset = end;
    }
    if current.has_content {
        documents.push(current.document(text, text.len()));
    }
    documents
}

struct Pending {
    start: usize,
    first_line: usize,
    has_content: bool,
    has_directive: bool,
}

impl Pending {
    fn document<'t>(&self, text: &'t str, end: usize) -> Document<'t> {
        Document { text: &text[self.start..end], first_line: self.first_line }
    }
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<(usize, &str)> {
        documents(text).into_iter().map(|document| (document.first_line, document.text)).collect()
    }

    #[test]
    fn documents_know_where_they_begin() {
        assert_eq!(split("a: 1\n---\nb: 2\n"), [(1, "a: 1\n"), (2, "---\nb: 2\n")]);
        assert_eq!(split("---\n# only a comment\n---\na: 1"), [(3, "---\na: 1")]);
        assert_eq!(split("# Source: x\n\n---\r\na: 1\r\n"), [(3, "---\r\na: 1\r\n")]);
        assert_eq!(split("--- {a: 1}\n--- # empty\n...\nb: 2\n"), [(1, "--- {a: 1}\n"), (4, "b: 2\n")]);
        assert_eq!(split("%YAML 1.2\n---\na: 1\n"), [(1, "%YAML 1.2\n---\na: 1\n")]);
        assert_eq!(split("a: |\n  ---\n ---\nb: ---x\n"), [(1, "a: |\n  ---\n ---\nb: ---x\n")]);
        assert_eq!(split("---- \n"), [(1, "---- \n")]);
        assert_eq!(split("\n\n# nothing\n"), []);
    }

    proptest! {
        #[test]
        fn no_content_is_lost(lines in proptest::collection::vec("(---|\\.\\.\\.|a: 1|  - b|# c|)", 0..20)) {
            let text = lines.join("\n");
            let kept: usize = split(&text).iter().map(|(_, text)| text.matches("a: 1").count() + text.matches("- b").count()).sum();
            prop_assert_eq!(kept, text.matches("a: 1").count() + text.matches("- b").count());
        }
    }
}
