//! What a syntax tree is about.

use super::words::unknown;
use crate::arg::Arg;
use crate::programs;
use crate::shell::{Command, Item, Kind, Pipeline, Word};

/// Whether commands are no app by themselves.
pub(super) fn item_is_short(item: &Item) -> bool {
    item.pipelines.iter().all(pipeline_is_short)
}

/// Whether a pipeline is no app by itself.
pub(super) fn pipeline_is_short(pipeline: &Pipeline) -> bool {
    match pipeline.commands.as_slice() {
        [command] => command_is_short(command),
        _ => false,
    }
}

/// Whether a command is no app by itself: it tests, prints, or prepares something.
fn command_is_short(command: &Command) -> bool {
    let all = |list: &Vec<Item>| list.iter().all(item_is_short);
    match &command.kind {
        Kind::Simple { words, .. } => {
            let line: Vec<Arg> =
                words.iter().map(|word| word.plain().map_or_else(|| unknown("…"), Arg::known)).collect();
            line.first().is_none_or(|first| programs::is_short(first.program().unwrap_or_default(), &line))
        }
        Kind::Group(list) | Kind::Subshell(list) => all(list),
        Kind::If { bodies, .. } | Kind::Case { bodies, .. } => bodies.iter().all(all),
        Kind::Function { .. } | Kind::Test(_) => true,
        Kind::For { .. } | Kind::While { .. } | Kind::Coprocess(_) => false,
    }
}

/// `exec` with redirects and without a command, which is for all that follows.
pub(super) fn is_exec_alone(kind: &Kind) -> bool {
    matches!(kind, Kind::Simple { words, .. } if matches!(words.as_slice(), [word] if word.plain() == Some("exec")))
}

/// Whether the condition of a loop always holds.
pub(super) fn is_always(condition: &[Item], is_until: bool) -> bool {
    let [item] = condition else { return false };
    let [pipeline] = item.pipelines.as_slice() else { return false };
    let [command] = pipeline.commands.as_slice() else { return false };
    let words: Vec<&str> = match &command.kind {
        Kind::Simple { words, .. } => words.iter().filter_map(Word::plain).collect(),
        Kind::Test(words) => return !is_until && words.len() == 1,
        _ => return false,
    };
    match words.as_slice() {
        ["false" | "/bin/false"] => is_until,
        ["true" | "/bin/true" | "/usr/bin/true" | ":" | "sleep", ..] | ["[", _, "]"] | ["test", _] => !is_until,
        _ => false,
    }
}

/// Whether one of these is called anywhere in the commands.
pub(super) fn calls_any(list: &[Item], names: &[&str]) -> bool {
    let any = |lists: &Vec<Vec<Item>>| lists.iter().any(|list| calls_any(list, names));
    let commands = list.iter().flat_map(|item| &item.pipelines).flat_map(|pipeline| &pipeline.commands);
    commands.into_iter().any(|command| match &command.kind {
        Kind::Simple { words, .. } => words.first().and_then(Word::plain).is_some_and(|word| names.contains(&word)),
        Kind::Group(list) | Kind::Subshell(list) | Kind::For { body: list, .. } => calls_any(list, names),
        Kind::If { conditions, bodies } => any(conditions) || any(bodies),
        Kind::Case { bodies, .. } => any(bodies),
        Kind::While { condition, body, .. } => calls_any(condition, names) || calls_any(body, names),
        Kind::Function { .. } | Kind::Coprocess(_) | Kind::Test(_) => false,
    })
}
