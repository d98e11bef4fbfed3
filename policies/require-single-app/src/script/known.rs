//! What is known of a text's variables and arguments, and whether it stays so.

use std::collections::BTreeMap;

use super::walk::Walk;
use crate::arg::Arg;
use crate::shell::{Command, Item, Kind, Part, Script, Word};

/// The most variables whose values are learnt from one text.
const MOST_VALUES: usize = 64;

/// Words with which a text changes variables whose names it need not spell, or how values are read. `exec` starts
/// programs alone, and those change nothing.
const SPOILERS: &[&str] = &[
    "IFS",
    "alias",
    "declare",
    "eval",
    "export",
    "getopts",
    "let",
    "local",
    "mapfile",
    "read",
    "readarray",
    "readonly",
    "source",
    "typeset",
    "unset",
];

/// Variables that a shell sets by itself.
const OF_THE_SHELL: &[&str] = &[
    "BASHPID",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "LINENO",
    "OLDPWD",
    "OPTARG",
    "OPTIND",
    "PPID",
    "PWD",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SRANDOM",
    "_",
];

/// Words with which a text changes its arguments.
const CHANGERS: &[&str] = &["set", "shift", "eval", ".", "source"];

impl<'t> Walk<'t> {
    /// Notes the variables that the text sets once, whatever happens, and that nothing else in it names but to read
    /// them: `APP=web; exec "$APP"`. Answers whether they surely keep these values.
    pub(super) fn learn_values(&mut self) -> bool {
        let mut mentions = None;
        for item in &self.script.list {
            let Some((assignments, [])) = lone(item) else { continue };
            if assignments.is_empty() || !self.budget.spend(if mentions.is_none() { self.text.len() } else { 0 }) {
                continue;
            }
            let mentions = mentions.get_or_insert_with(|| mentions_in(self.text));
            for assignment in assignments.iter().take(MOST_VALUES.saturating_sub(self.values.len())) {
                let arg = self.arguments_of(assignment);
                let Some((name, value)) = arg.first().and_then(Arg::text).and_then(|text| text.split_once('=')) else {
                    continue;
                };
                if mentions.get(name) == Some(&1) && !OF_THE_SHELL.contains(&name) {
                    self.values.insert(name.to_owned(), (assignment.span.end, Arg::known(value)));
                }
            }
        }
        self.values.is_empty() || mentions.is_none_or(|mentions| self.keeps_values(&mentions))
    }

    fn keeps_values(&self, mentions: &BTreeMap<String, usize>) -> bool {
        let is_spelt = |word: &str| mentions.contains_key(word);
        let is_one = |(_, value): &(usize, Arg)| value.text().is_none_or(|text| SPOILERS.contains(&text));
        if SPOILERS.iter().any(|word| is_spelt(word))
            || (is_spelt("printf") && self.text.contains("-v"))
            || self.text.contains("$'")
            || self.values.values().any(is_one)
        {
            return false;
        }
        let mut keeps = true;
        each_simple(self.script, &mut |words, _| {
            let Some(first) = words.first() else { return };
            keeps = keeps
                && match literal(first) {
                    Some(name) => name != ".",
                    None => lone_parameter(first).is_some_and(|name| self.values.contains_key(name)),
                };
        });
        keeps
    }
}

/// Whether the arguments of a text are changed nowhere but by commands that are run one after the other.
pub(super) fn keeps_arguments(script: &Script) -> bool {
    let mut keeps = true;
    each_simple(script, &mut |words, is_plain| keeps = keeps && (is_plain || !changes_arguments(words)));
    keeps
}

/// Whether a command may change the arguments of the shell.
fn changes_arguments(words: &[Word]) -> bool {
    match words.first().map(literal) {
        Some(None) => return true,
        Some(Some(name)) if name == "exec" => return false,
        _ => {}
    }
    words.iter().take(4).enumerate().any(|(place, word)| {
        let Some(name) = literal(word) else { return false };
        if name != "set" {
            return CHANGERS.contains(&name.as_str());
        }
        // `set -euo pipefail` changes none.
        let mut takes_value = false;
        !words.iter().skip(place + 1).all(|word| {
            let Some(text) = word.plain() else { return false };
            let is_option = text.len() > 1 && text.starts_with(['-', '+']) && text != "--";
            let is_fine = is_option || takes_value;
            takes_value = is_option && text.ends_with('o');
            is_fine
        })
    })
}

/// The assignments and words of an item that is one command, run by the shell itself.
fn lone(item: &Item) -> Option<(&[Word], &[Word])> {
    match (item.pipelines.as_slice(), item.is_background) {
        ([pipeline], false) => match pipeline.commands.as_slice() {
            [Command { kind: Kind::Simple { assignments, words }, .. }] => Some((assignments, words)),
            _ => None,
        },
        _ => None,
    }
}

/// The text of a word in which nothing is expanded, without its quotes.
fn literal(word: &Word) -> Option<String> {
    word.parts
        .iter()
        .map(|part| match part {
            Part::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn lone_parameter(word: &Word) -> Option<&str> {
    let is_empty = |part: &&Part| matches!(part, Part::Text { text, .. } if text.is_empty());
    let mut parts = word.parts.iter().filter(|part| !is_empty(part));
    match (parts.next(), parts.next()) {
        (Some(Part::Parameter { name, inside, .. }), None) if inside.is_empty() => Some(name),
        _ => None,
    }
}

/// Hands over the words of each simple command, wherever it stands, and whether that is the plain sequence of the text.
fn each_simple(script: &Script, see: &mut dyn FnMut(&[Word], bool)) {
    in_list(&script.list, true, see);
    script.documents.iter().for_each(|parts| in_parts(parts, see));
}

fn in_list(list: &[Item], is_top: bool, see: &mut dyn FnMut(&[Word], bool)) {
    for item in list {
        let is_plain = is_top && lone(item).is_some();
        for command in item.pipelines.iter().flat_map(|pipeline| &pipeline.commands) {
            in_command(command, is_plain, see);
        }
    }
}

fn in_command(command: &Command, is_plain: bool, see: &mut dyn FnMut(&[Word], bool)) {
    command.redirects.iter().for_each(|redirect| in_parts(&redirect.target.parts, see));
    match &command.kind {
        Kind::Simple { assignments, words } => {
            assignments.iter().chain(words).for_each(|word| in_parts(&word.parts, see));
            see(words, is_plain);
        }
        Kind::Group(list) | Kind::Subshell(list) => in_list(list, false, see),
        Kind::If { conditions, bodies } => {
            conditions.iter().chain(bodies).for_each(|list| in_list(list, false, see));
        }
        Kind::Case { words, bodies } => {
            words.iter().for_each(|word| in_parts(&word.parts, see));
            bodies.iter().for_each(|list| in_list(list, false, see));
        }
        Kind::For { words, body, .. } => {
            words.iter().for_each(|word| in_parts(&word.parts, see));
            in_list(body, false, see);
        }
        Kind::While { condition, body, .. } => {
            in_list(condition, false, see);
            in_list(body, false, see);
        }
        Kind::Function { body, .. } | Kind::Coprocess(body) => in_command(body, false, see),
        Kind::Test(words) => words.iter().for_each(|word| in_parts(&word.parts, see)),
    }
}

fn in_parts(parts: &[Part], see: &mut dyn FnMut(&[Word], bool)) {
    for part in parts {
        match part {
            Part::Command(list) | Part::Process(list) => in_list(list, false, see),
            Part::Parameter { inside, .. } | Part::Arithmetic(inside) => in_parts(inside, see),
            Part::Text { .. } | Part::Pattern => {}
        }
    }
}

/// How often each name stands in a text apart from `$name` and `${name}`, however it is quoted.
fn mentions_in(text: &str) -> BTreeMap<String, usize> {
    let text: String = text.replace("\\\n", "").chars().filter(|letter| !matches!(letter, '\'' | '"' | '\\')).collect();
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut mentions = BTreeMap::new();
    let mut at = 0;
    while let Some(begin) = text.get(at..).and_then(|rest| rest.find(is_of_name)).map(|offset| at + offset) {
        let rest = text.get(begin..).unwrap_or_default();
        let length = rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(length);
        let before = text.get(..begin).unwrap_or_default();
        let is_read = before.ends_with('$') || (before.ends_with("${") && behind.starts_with('}'));
        if !is_read {
            *mentions.entry(name.to_owned()).or_insert(0) += 1;
        }
        at = begin + length;
    }
    mentions
}
