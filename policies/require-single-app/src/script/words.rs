//! Words: what their expansions run, and what they come to.

use super::walk::Walk;
use crate::arg::{Arg, quote};
use crate::judge::{Input, Judge, Place, Role};
use crate::shell::{Kind, Part, Redirect, RedirectKind, Span, Word};

/// The most variables whose values are learnt from one text.
const MOST_VALUES: usize = 64;

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
                Part::Command(list) => self.list(judge, list, Place::Before, false),
                Part::Process(list) => {
                    if place == Place::Last && judge.role == Role::App {
                        judge.reject(format!(
                            "{} runs beside the app; give it a container of its own",
                            self.shown(span)
                        ));
                    }
                    self.list(judge, list, Place::Before, false);
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
                RedirectKind::AmpersandFirst | RedirectKind::Other => {}
                RedirectKind::Input => input = Input::Unknown,
                RedirectKind::HereString => input = Input::Text(joined(&self.arguments_of(&redirect.target))),
                RedirectKind::HereDocument(number) => {
                    let parts = script.documents.get(number).map(Vec::as_slice).unwrap_or_default();
                    self.parts(judge, parts, &redirect.target.span, Place::Before);
                    let mut text = Arg::empty();
                    parts.iter().for_each(|part| self.append(part, &redirect.target, &mut text));
                    input = Input::Text(text);
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
        if let (Some(Part::Parameter { name, inside }), None) = (parts.next(), parts.next())
            && inside.is_empty()
            && matches!(name.as_str(), "@" | "*")
        {
            return match &self.arguments {
                Some(arguments) => arguments.get(1..).unwrap_or_default().to_vec(),
                None => vec![unknown(&format!("${name}"))],
            };
        }
        // Without quotes a shell makes several words of it.
        if let [Part::Parameter { name, inside }] = word.parts.as_slice()
            && inside.is_empty()
            && let Some(value) = self.value(name, word).and_then(Arg::text)
        {
            return value.split_ascii_whitespace().map(Arg::known).collect();
        }
        let mut arg = Arg::empty();
        for part in &word.parts {
            self.append(part, word, &mut arg);
        }
        vec![arg]
    }

    fn append(&self, part: &Part, word: &Word, arg: &mut Arg) {
        match part {
            Part::Text { text, .. } => arg.push(text),
            Part::Parameter { name, inside } => {
                match self.value(name, word).filter(|_| inside.is_empty()).and_then(Arg::text) {
                    Some(value) => arg.push(value),
                    None => arg.push_unknown(&format!("${name}")),
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

    /// Notes the variables that the text sets once, whatever happens, and that nothing else in it names but to read
    /// them: `APP=web; exec "$APP"`.
    pub(super) fn learn_values(&mut self) {
        for item in &self.script.list {
            let [pipeline] = item.pipelines.as_slice() else { continue };
            let [command] = pipeline.commands.as_slice() else { continue };
            let Kind::Simple { assignments, words } = &command.kind else { continue };
            if !words.is_empty() || item.is_background {
                continue;
            }
            for assignment in assignments.iter().take(MOST_VALUES - self.values.len()) {
                let arg = self.arguments_of(assignment);
                let Some((name, value)) = arg.first().and_then(Arg::text).and_then(|text| text.split_once('=')) else {
                    continue;
                };
                // Each costs a look through the text.
                if self.values.len() < MOST_VALUES
                    && self.budget.spend(self.text.len() / 4)
                    && is_named_once(self.text, name)
                {
                    self.values.insert(name.to_owned(), (assignment.span.end, Arg::known(value)));
                }
            }
        }
    }
}

/// Whether a name stands in a text once, apart from `$name` and `${name}`.
fn is_named_once(text: &str, name: &str) -> bool {
    let is_of_name =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let mut names = text.match_indices(name).filter(|(place, _)| {
        let before = text.get(..*place).unwrap_or_default();
        let behind = text.get(place + name.len()..).unwrap_or_default();
        let is_read = before.ends_with('$') || (before.ends_with("${") && behind.starts_with('}'));
        !is_read && !is_of_name(before.chars().next_back()) && !is_of_name(behind.chars().next())
    });
    names.next().is_some() && names.next().is_none()
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
