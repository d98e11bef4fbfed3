//! Words: what their expansions run, and what they come to.

use super::walk::Walk;
use crate::arg::{Arg, quote};
use crate::judge::{Input, Judge, Place, Role};
use crate::shell::{Part, Redirect, RedirectKind, Span, Word};

impl<'t> Walk<'t> {
    /// Judges what the expansions of words run.
    pub(super) fn words(&mut self, judge: &mut Judge<'_>, words: &'t [Word], place: Place) {
        for word in words {
            self.parts(judge, &word.parts, &word.span, place);
        }
    }

    fn parts(&mut self, judge: &mut Judge<'_>, parts: &'t [Part], span: &Span, place: Place) {
        for part in parts {
            match part {
                Part::Command(list) => self.copy(|walk| walk.list(judge, list, Place::Before, false)),
                Part::Process(list) => {
                    if place == Place::Last && judge.role == Role::App {
                        judge.reject(format!(
                            "{} runs beside the app; give it a container of its own",
                            self.shown(span)
                        ));
                    }
                    self.copy(|walk| walk.list(judge, list, Place::Before, false));
                }
                Part::Parameter { inside, .. } | Part::Arithmetic(inside) => self.parts(judge, inside, span, place),
                Part::Text { .. } | Part::Pattern => {}
            }
        }
    }

    /// Judges redirects, and answers with what the command reads.
    pub(super) fn redirects(
        &mut self,
        judge: &mut Judge<'_>,
        redirects: &'t [Redirect],
        place: Place,
        input: Input,
    ) -> Input {
        let mut input = input;
        let script = self.script;
        for redirect in redirects {
            self.parts(judge, &redirect.target.parts, &redirect.target.span, place);
            match redirect.kind {
                RedirectKind::AmpersandFirst if matches!(self.shell, "sh" | "dash" | "ash") => judge.advise(format!(
                    "&> is a redirect in bash; where sh is dash it starts {} in the background; write >file 2>&1",
                    quote(self.text)
                )),
                RedirectKind::Other if redirect.is_of_input => input = Input::Unknown,
                RedirectKind::AmpersandFirst | RedirectKind::Other => {}
                RedirectKind::Input if redirect.is_of_input => input = Input::Unknown,
                RedirectKind::Input => {}
                RedirectKind::HereString if redirect.is_of_input => {
                    input = Input::Text(joined(&self.arguments_of(&redirect.target)));
                }
                RedirectKind::HereString => {}
                RedirectKind::HereDocument(number) => {
                    let parts = script.documents.get(number).map(Vec::as_slice).unwrap_or_default();
                    self.parts(judge, parts, &redirect.target.span, Place::Before);
                    let mut text = Arg::empty();
                    parts.iter().for_each(|part| self.append(part, &redirect.target, &mut text));
                    self.budget.spend(text.cost());
                    if redirect.is_of_input {
                        input = Input::Text(text);
                    }
                }
            }
        }
        input
    }

    /// The arguments that a word becomes.
    pub(super) fn arguments_of(&self, word: &Word) -> Vec<Arg> {
        if self.budget.is_spent() {
            return vec![unknown("…")];
        }
        let line = self.expanded(word);
        self.budget.spend(line.iter().map(Arg::cost).sum());
        line
    }

    fn expanded(&self, word: &Word) -> Vec<Arg> {
        // `"$@"` begins with the empty text of its quotes.
        let is_empty = |part: &&Part| matches!(part, Part::Text { text, .. } if text.is_empty());
        let mut parts = word.parts.iter().filter(|part| !is_empty(part));
        if let (Some(Part::Parameter { name, inside, is_quoted }), None) = (parts.next(), parts.next())
            && inside.is_empty()
            && matches!(name.as_str(), "@" | "*")
        {
            let Some(arguments) = &self.arguments else { return vec![unknown(&format!("${name}"))] };
            let arguments = arguments.get(1..).unwrap_or_default();
            return match (is_quoted, name.as_str()) {
                (true, "@") => arguments.to_vec(),
                (true, _) if self.splits_at_blanks() => vec![joined(arguments)],
                (true, _) => vec![unknown("$*")],
                (false, _) => arguments.iter().flat_map(|argument| self.split(argument, name)).collect(),
            };
        }
        // Without quotes a shell makes several words of it.
        if let [Part::Parameter { name, inside, is_quoted: false }] = word.parts.as_slice()
            && inside.is_empty()
            && let Some(value) = self.value(name, word)
        {
            return self.split(value, name);
        }
        let mut arg = Arg::empty();
        for part in &word.parts {
            self.append(part, word, &mut arg);
        }
        vec![arg]
    }

    /// The words that a shell makes of a value without quotes.
    fn split(&self, value: &Arg, name: &str) -> Vec<Arg> {
        match value.text() {
            Some(text) if is_plain(text) => vec![value.clone()],
            Some(text) if self.splits_at_blanks() && !has_pattern(text) => {
                text.split_ascii_whitespace().map(Arg::known).collect()
            }
            _ => vec![unknown(&format!("${name}"))],
        }
    }

    fn splits_at_blanks(&self) -> bool {
        !self.text.contains("IFS") && !self.text.contains("eval")
    }

    fn append(&self, part: &Part, word: &Word, arg: &mut Arg) {
        match part {
            Part::Text { text, .. } => arg.push(text),
            Part::Parameter { name, inside, is_quoted } => {
                match self.value(name, word).filter(|_| inside.is_empty()).and_then(Arg::text) {
                    Some(value) if *is_quoted || is_plain(value) => arg.push(value),
                    _ => arg.push_unknown(&format!("${name}")),
                }
            }
            Part::Command(_) => arg.push_unknown("$(…)"),
            Part::Process(_) => arg.push_unknown("<(…)"),
            Part::Arithmetic(_) => arg.push_unknown("$((…))"),
            Part::Pattern => arg.push_unknown(""),
        }
    }

    /// What `$name` stands for in a word, where that is known.
    fn value(&self, name: &str, word: &Word) -> Option<&Arg> {
        if let Ok(position) = name.parse::<usize>() {
            return self.arguments.as_ref()?.get(position);
        }
        let (from, value) = self.values.get(name)?;
        (*from <= word.span.start).then_some(value)
    }
}

/// Whether a shell leaves a value as it is, without quotes.
fn is_plain(value: &str) -> bool {
    !value.contains(char::is_whitespace) && !has_pattern(value)
}

/// Whether a value may become names of files.
fn has_pattern(value: &str) -> bool {
    value.contains(['*', '?', '[', '~', '{', '\\'])
}

/// A word of which nothing is known but how it is written.
pub(super) fn unknown(written: &str) -> Arg {
    let mut arg = Arg::empty();
    arg.push_unknown(written);
    arg
}

/// Words as one text, as `eval` joins them.
pub(super) fn joined(words: &[Arg]) -> Arg {
    let mut joined = Arg::empty();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            joined.push(" ");
        }
        joined.append(word);
    }
    joined
}
