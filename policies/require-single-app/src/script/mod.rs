//! What a shell starts that is given a text.
//!
//! ```text
//! mod, what the shell reads ─► walk, the compounds ─► simple, the commands
//!                                  ├─► words      what expansions run, and what they come to
//!                                  ├─► known      what is known of variables and arguments
//!                                  └─► questions  what a tree is about
//! ```

mod known;
mod questions;
mod simple;
mod walk;
mod words;

use std::rc::Rc;

use crate::arg::{Arg, quote, quote_line};
use crate::judge::{Input, Judge, Place};
use crate::shell;
use walk::Walk;

/// What a shell's arguments say.
enum Reads<'l> {
    /// The text behind `-c`, and what follows it.
    Text(&'l Arg, &'l [Arg]),
    /// A file.
    File(&'l [Arg]),
    /// Its standard input.
    Input,
    /// Something that is not known.
    Unknown,
}

/// Judges a shell by its arguments.
pub(crate) fn shell(judge: &mut Judge<'_>, name: &str, line: &[Arg], place: Place, input: &Input) {
    match reads(line.get(1..).unwrap_or_default()) {
        Reads::Text(script, arguments) => text(judge, name, script, arguments, place, input),
        Reads::Unknown => opaque(judge, place, format!("{} is not known before it is started", quote_line(line))),
        Reads::File(file) => {
            opaque(judge, place, format!("{} is a script whose text is not seen here", quote_line(line)));
            judge.given(file.get(1..).unwrap_or_default(), place);
        }
        Reads::Input => match input {
            // The rest of it, as far as the shell has not read it.
            Input::Text(script) => text(judge, name, script, &[], place, &Input::Unknown),
            Input::Unknown => {
                opaque(judge, place, format!("what {} reads is not seen here", quote_line(line)));
            }
            Input::Inherited => {
                if matches!(place, Place::First | Place::Last) && judge.is_to_work() {
                    judge.idle(format!(
                        "{} is no app: a shell that waits for input; run the app itself",
                        quote_line(line)
                    ));
                }
            }
        },
    }
}

fn opaque(judge: &mut Judge<'_>, place: Place, finding: String) {
    if place != Place::Given {
        judge.opaque(finding);
    }
}

fn reads(args: &[Arg]) -> Reads<'_> {
    let mut at = 0;
    let (mut has_text, mut reads_input) = (false, false);
    while let Some(arg) = args.get(at) {
        let Some(text) = arg.text() else {
            // Behind `-c` it is the script; before, it may be an option.
            return if has_text && !arg.shown().starts_with('-') {
                Reads::Text(arg, args.get(at + 1..).unwrap_or_default())
            } else {
                Reads::Unknown
            };
        };
        at += 1;
        match text {
            "--" | "-" => break,
            "--rcfile" | "--init-file" | "-O" | "+O" | "-o" | "+o" => at += 1,
            _ if text.starts_with("--") => {}
            _ if text.len() > 1 && text.starts_with(['-', '+']) => {
                has_text = has_text || text.contains('c');
                reads_input = reads_input || (text.starts_with('-') && text.contains('s'));
                // `-euo pipefail`
                at += text.matches(['o', 'O']).count();
            }
            _ => {
                at -= 1;
                break;
            }
        }
    }
    let rest = args.get(at..).unwrap_or_default();
    match rest {
        [script, arguments @ ..] if has_text => Reads::Text(script, arguments),
        [file, ..] if !reads_input && !matches!(file.text(), Some("/dev/stdin" | "/proc/self/fd/0")) => {
            Reads::File(rest)
        }
        _ => Reads::Input,
    }
}

/// Judges a shell's text. `arguments` are `$0`, `$1` and so on.
pub(crate) fn text(judge: &mut Judge<'_>, shell: &str, text: &Arg, arguments: &[Arg], place: Place, input: &Input) {
    if !judge.budget.spend(text.cost()) {
        return;
    }
    let is_known = text.text().is_some();
    if !is_known {
        let shown = text.shown();
        // `$(…)` is a command of the text itself.
        let hint = if shown.contains("$(") && !shown.contains("$(…)") { "; write ${NAME} for $(NAME)" } else { "" };
        let shown = quote(&shown);
        opaque(judge, place, format!("a part of {shown} is filled in before the shell reads it{hint}"));
    }
    let text = text.as_script();
    match shell::read(&text, &judge.budget) {
        Err(_) if judge.budget.is_spent() => {}
        Err(mistake) => judge.unreadable(format!("{} cannot be read as shell text: {mistake}", quote(&text))),
        Ok(script) => {
            // A text that is seen is judged as what is run, whoever runs it.
            let place = if place == Place::Before { place } else { Place::Last };
            Walk::new(shell, &text, &script, arguments, Rc::clone(&judge.budget), input.clone()).whole(judge, place);
        }
    }
}
