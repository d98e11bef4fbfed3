//! Commands: what is a part of the shell, functions, and programs.

use super::text;
use super::walk::Walk;
use super::words::joined;
use crate::arg::{Arg, quote, quote_line};
use crate::judge::{Input, Judge, Place, Role};
use crate::programs;
use crate::shell::{Command, Part, Redirect, RedirectKind, Word};

/// The most calls of functions that are followed for one process.
const MOST_CALLS: usize = 500;

impl<'t> Walk<'t> {
    /// Judges a command without any other in it but those of its expansions.
    pub(super) fn simple(
        &mut self,
        judge: &mut Judge<'_>,
        command: &'t Command,
        words: &'t [Word],
        place: Place,
        is_shell: bool,
        input: &Input,
    ) {
        let is_split = |redirect: &Redirect| {
            redirect.kind == RedirectKind::AmpersandFirst
                && words.iter().any(|word| word.span.start >= redirect.target.span.end)
        };
        if self.is_posix() && command.redirects.iter().any(is_split) {
            let shown = self.shown(&command.span);
            judge.unreadable(format!("{shown} is one command in bash and two in sh; write >file 2>&1 behind it"));
        }
        self.words(judge, words, place);
        let line: Vec<Arg> = words.iter().flat_map(|word| self.arguments_of(word)).collect();
        if self.arguments.is_none() && words.iter().any(uses_arguments) {
            let originals = std::mem::take(&mut self.originals);
            judge.anywhere(&originals, place);
        }
        let mut line = line.as_slice();
        let mut becomes = false;
        loop {
            let name = line.first().and_then(Arg::text);
            let rest = line.get(1..).unwrap_or_default();
            match name {
                Some("exec") => {
                    becomes = true;
                    line = behind_options(rest, &["-a"]);
                }
                // `command -v app` only asks where it is.
                Some("command") if rest.first().and_then(Arg::text).is_some_and(|text| matches!(text, "-v" | "-V")) => {
                    return;
                }
                Some("command" | "builtin" | "nocorrect" | "noglob") => line = behind_options(rest, &[]),
                _ => break,
            }
        }
        let Some(first) = line.first() else { return };
        if first.text().is_none() && !becomes {
            // It may be `set`.
            self.arguments = None;
        }
        let name = first.text().unwrap_or_default();
        let found = judge.count();
        if self.builtin(judge, name, line, place, input) || self.call(judge, name, line, place, is_shell) {
            return;
        }
        let is_becoming = becomes && is_shell;
        let place = if is_becoming { main(place, judge.role) } else { place };
        judge.command(line, place, input);
        let is_app = place == Place::Last && judge.role == Role::App && judge.count() == found;
        let program = first.program().unwrap_or_default();
        if is_app && !programs::is_short(program, line) {
            judge.advise(format!(
                "{} runs as a child of {}, which passes no signals on; write exec before it",
                self.shown(&command.span),
                self.shell
            ));
        }
    }

    /// Judges what is a part of the shell; false for everything else.
    fn builtin(&mut self, judge: &mut Judge<'_>, name: &str, line: &[Arg], place: Place, input: &Input) -> bool {
        let rest = line.get(1..).unwrap_or_default();
        match name {
            "eval" => {
                let joined = joined(rest);
                let arguments = self.arguments.clone().unwrap_or_default();
                judge.nested(|judge| text(judge, self.shell, &joined, &arguments, place, input));
                let changes = |text: &str| ["set", "shift", "source", "."].iter().any(|word| text.contains(word));
                if joined.text().is_none_or(changes) {
                    self.arguments = None;
                }
            }
            "." | "source" => {
                self.arguments = None;
                if !rest.is_empty() {
                    judge.opaque(format!("{} is a script whose text is not seen here", quote_line(line)));
                }
            }
            "trap" => {
                if let [handler, _, ..] = behind_options(rest, &[]) {
                    judge.nested(|judge| text(judge, self.shell, handler, &[], Place::Before, &Input::Unknown));
                }
            }
            "alias" => {
                for alias in rest {
                    if let Some((_, value)) = alias.shown().split_once('=') {
                        if value.contains('#') {
                            judge.unreadable(format!("{} may hide what follows it", quote_line(line)));
                        }
                        judge.nested(|judge| {
                            text(judge, self.shell, &Arg::known(value), &[], Place::Before, &Input::Unknown)
                        });
                    }
                }
            }
            "set" => {
                if let Some(options) = rest.iter().position(|arg| arg.text() == Some("--")) {
                    let values = rest.get(options + 1..).unwrap_or_default();
                    judge.anywhere(values, Place::Given);
                    let line = line.iter().take(1).chain(values).cloned().collect();
                    self.arguments = self.keeps_arguments.then_some(line);
                } else if rest.iter().any(|arg| arg.text().is_none_or(|text| !text.starts_with(['-', '+']))) {
                    // `set -o pipefail` reads like it, and costs no more than what is known of `$1`.
                    self.arguments = None;
                }
            }
            "shift" => match &mut self.arguments {
                Some(arguments) if rest.is_empty() && arguments.len() > 1 => drop(arguments.remove(1)),
                arguments => *arguments = None,
            },
            // Options of bash's with which these run a text, or take a program or a library for a name.
            "mapfile" | "readarray" | "compgen" | "complete" | "hash" | "enable" => {
                let option = match name {
                    "hash" => "-p",
                    "enable" => "-f",
                    _ => "-C",
                };
                let has_option = |arg: &Arg| arg.text().is_none_or(|text| text.starts_with(option));
                if rest.iter().any(has_option) {
                    judge.opaque(format!("{} makes a shell run what is not seen here", quote_line(line)));
                }
            }
            name if programs::is_job_control(name) => judge
                .reject(format!("{} is for processes in the background; run one in the foreground", quote_line(line))),
            _ => return false,
        }
        true
    }

    /// Judges the function of this name in the place of its call; false when there is none.
    fn call(&mut self, judge: &mut Judge<'_>, name: &str, line: &[Arg], place: Place, is_shell: bool) -> bool {
        let Some((_, body)) = self.functions.iter().rev().find(|(known, _)| *known == name).copied() else {
            return false;
        };
        if judge.calls >= MOST_CALLS {
            judge.unreadable(format!("{} calls functions too often to be followed", quote(self.text)));
            return true;
        }
        if !judge.budget.spend(2 * line.iter().map(Arg::cost).sum::<usize>()) {
            return true;
        }
        // The same call once, as functions may call each other without end.
        let shown: Vec<String> = line.iter().map(Arg::shown).collect();
        if self.called.insert((shown.join("\0"), place as u8)) {
            judge.calls += 1;
            let arguments = std::mem::replace(&mut self.arguments, self.keeps_arguments.then(|| line.to_vec()));
            judge.nested(|judge| self.one(judge, body, place, is_shell, self.input.clone()));
            self.arguments = arguments;
        }
        true
    }
}

/// Whether a word is made of the arguments.
fn uses_arguments(word: &Word) -> bool {
    word.parts.iter().any(|part| match part {
        Part::Parameter { name, .. } => name.starts_with(['@', '*']) || name.parse::<usize>().is_ok(),
        _ => false,
    })
}

/// Where a command stands that takes the place of its shell.
fn main(place: Place, role: Role) -> Place {
    if role == Role::Hook { place } else { Place::First }
}

/// What stands behind the options, of which some take the next word.
fn behind_options<'l>(line: &'l [Arg], with_value: &[&str]) -> &'l [Arg] {
    let mut at = 0;
    while let Some(text) = line.get(at).and_then(Arg::text) {
        if text == "--" {
            at += 1;
            break;
        }
        if text.len() < 2 || !text.starts_with('-') {
            break;
        }
        at += 1 + usize::from(with_value.iter().any(|option| {
            *option == text || (!text.starts_with("--") && option.get(1..).is_some_and(|letter| text.ends_with(letter)))
        }));
    }
    line.get(at..).unwrap_or_default()
}
