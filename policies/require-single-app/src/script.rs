//! What a shell starts that is given a text.

use std::collections::BTreeSet;

use crate::arg::{Arg, quote, quote_line};
use crate::judge::{Input, Judge, Place, Role};
use crate::programs;
use crate::shell::{self, Command, Item, Kind, Part, Pipeline, Redirect, RedirectKind, Script, Span, Word};

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
        Reads::Text(script, arguments) => text(judge, name, script, arguments, place),
        Reads::Unknown => opaque(judge, place, format!("{} is not known before it is started", quote_line(line))),
        Reads::File(file) => {
            opaque(judge, place, format!("{} is a script whose text is not seen here", quote_line(line)));
            judge.given(file.get(1..).unwrap_or_default());
        }
        Reads::Input => match input {
            Input::Text(script) => text(judge, name, script, &[], place),
            Input::Unknown => {
                opaque(judge, place, format!("what {} reads is not seen here", quote_line(line)));
            }
            Input::Inherited => {
                if matches!(place, Place::First | Place::Last) && matches!(judge.role, Role::App | Role::Task) {
                    judge.reject(format!(
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
                has_text = has_text || (text.starts_with('-') && text.contains('c'));
                reads_input = reads_input || (text.starts_with('-') && text.contains('s'));
                // `-eo pipefail`
                at += usize::from(text.ends_with(['o', 'O']));
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
pub(crate) fn text(judge: &mut Judge<'_>, shell: &str, text: &Arg, arguments: &[Arg], place: Place) {
    let is_known = text.text().is_some();
    if !is_known {
        let shown = quote(&text.shown());
        opaque(
            judge,
            place,
            format!("a part of {shown} is filled in before the shell reads it; write ${{NAME}} for $(NAME)"),
        );
    }
    let text = text.as_script();
    match shell::read(&text) {
        // What is filled in may be what makes it complete.
        Err(_) if !is_known => {}
        Err(mistake) => judge.unreadable(format!("{} cannot be read as shell text: {mistake}", quote(&text))),
        Ok(script) => {
            let place = if place == Place::First { Place::Last } else { place };
            let walk = Walk {
                shell,
                text: &text,
                script: &script,
                arguments: Some(arguments.to_vec()),
                functions: Vec::new(),
                called: BTreeSet::new(),
            };
            walk.whole(judge, place);
        }
    }
}

/// The walk over one text.
struct Walk<'t> {
    shell: &'t str,
    text: &'t str,
    script: &'t Script,
    /// `$0`, `$1` and so on, where they are known.
    arguments: Option<Vec<Arg>>,
    /// The functions of the text so far.
    functions: Vec<(&'t str, &'t Command)>,
    /// The functions that were walked as what stands in the place of their call, and the place.
    called: BTreeSet<(&'t str, u8)>,
}

impl<'t> Walk<'t> {
    fn whole(mut self, judge: &mut Judge<'_>, place: Place) {
        self.list(judge, &self.script.list, place, true);
    }

    fn shown(&self, span: &Span) -> String {
        quote(self.text.get(span.clone()).unwrap_or_default())
    }

    /// Walks commands. `is_shell` tells whether it is the shell itself that runs them, and not a copy of it.
    fn list(&mut self, judge: &mut Judge<'_>, list: &'t [Item], place: Place, is_shell: bool) {
        // What ends by itself and is no app does not take the place of the one before it: `app; echo done`.
        let last = list.iter().rposition(|item| !item_is_short(item)).unwrap_or(list.len().saturating_sub(1));
        for (index, item) in list.iter().enumerate() {
            let place = if index == last || place == Place::Given { place } else { Place::Before };
            self.item(judge, item, place, is_shell);
        }
    }

    fn item(&mut self, judge: &mut Judge<'_>, item: &'t Item, place: Place, is_shell: bool) {
        if item.is_background {
            judge.reject(format!("{} runs in the background; give it a container of its own", self.shown(&item.span)));
        }
        let is_shell = is_shell && !item.is_background;
        let (place, is_background) = if item.is_background { (Place::Before, true) } else { (place, false) };
        let pipelines = &item.pipelines;
        let last = pipelines
            .iter()
            .rposition(|pipeline| !pipeline_is_short(pipeline))
            .unwrap_or(pipelines.len().saturating_sub(1));
        for (index, pipeline) in pipelines.iter().enumerate() {
            let is_last = index == last && !is_background;
            self.pipeline(
                judge,
                pipeline,
                if is_last || place == Place::Given { place } else { Place::Before },
                is_shell,
            );
        }
    }

    fn pipeline(&mut self, judge: &mut Judge<'_>, pipeline: &'t Pipeline, place: Place, is_shell: bool) {
        match pipeline.commands.as_slice() {
            [command] => self.one(judge, command, place, is_shell, Input::Inherited),
            commands => {
                if place == Place::Last && judge.role == Role::App {
                    judge.reject(format!(
                        "{} is several processes, none of which is process 1; run one, with exec",
                        self.shown(&pipeline.span)
                    ));
                }
                for (index, command) in commands.iter().enumerate() {
                    let place = if place == Place::Given { place } else { Place::Before };
                    let input = if index == 0 { Input::Inherited } else { Input::Unknown };
                    self.one(judge, command, place, false, input);
                }
            }
        }
    }

    fn one(&mut self, judge: &mut Judge<'_>, command: &'t Command, place: Place, is_shell: bool, input: Input) {
        // `exec > >(tee log)` is for all that follows.
        let is_for_all = is_shell && is_exec_alone(&command.kind);
        let input = self.redirects(judge, &command.redirects, if is_for_all { Place::Last } else { place }, input);
        match &command.kind {
            Kind::Simple { assignments, words } => {
                self.words(judge, assignments, Place::Before);
                self.simple(judge, command, words, place, is_shell, &input);
            }
            Kind::Group(list) => self.list(judge, list, place, is_shell),
            Kind::Subshell(list) => self.list(judge, list, place, false),
            Kind::If { conditions, bodies } => {
                self.lists(judge, conditions, before(place), is_shell);
                self.lists(judge, bodies, place, is_shell);
            }
            Kind::Case { words, bodies } => {
                self.words(judge, words, Place::Before);
                self.lists(judge, bodies, place, is_shell);
            }
            Kind::For { words, body, is_endless } => {
                self.words(judge, words, Place::Before);
                if *is_endless {
                    self.looping(judge, command, true, body, place);
                }
                self.list(judge, body, place, is_shell);
            }
            Kind::While { condition, body, is_until } => {
                self.looping(judge, command, is_always(condition, *is_until), body, place);
                self.list(judge, condition, before(place), is_shell);
                self.list(judge, body, before(place), is_shell);
            }
            Kind::Function { name, body } => {
                // Whoever calls it, and by whatever trick, it leaves nothing behind.
                self.functions.push((name, body));
                let arguments = self.arguments.take();
                self.one(judge, body, before(place), is_shell, Input::Inherited);
                self.arguments = arguments;
            }
            Kind::Coprocess(body) => {
                judge.reject(format!(
                    "{} runs in the background; give it a container of its own",
                    self.shown(&command.span)
                ));
                self.one(judge, body, Place::Before, false, Input::Unknown);
            }
            Kind::Test(words) => self.words(judge, words, Place::Before),
        }
    }

    fn lists(&mut self, judge: &mut Judge<'_>, lists: &'t [Vec<Item>], place: Place, is_shell: bool) {
        for list in lists {
            self.list(judge, list, place, is_shell);
        }
    }

    fn looping(&mut self, judge: &mut Judge<'_>, command: &Command, is_always: bool, body: &[Item], place: Place) {
        let calls = |names: &[&str]| calls_any(body, names);
        let is_last = place == Place::Last;
        let is_broken = match judge.role {
            // Behind a loop that ends, the app may begin.
            Role::App => (is_last && !calls(&["exec"])) || (is_always && !calls(&["exec", "break"])),
            Role::Task => is_always && !calls(&["exec", "break", "exit", "return"]),
            Role::Step | Role::Hook => false,
        };
        if is_broken && place != Place::Given {
            judge.reject(format!("{} is a loop in a shell and no app; use a CronJob", self.shown(&command.span)));
        }
    }

    fn simple(
        &mut self,
        judge: &mut Judge<'_>,
        command: &'t Command,
        words: &'t [Word],
        place: Place,
        is_shell: bool,
        input: &Input,
    ) {
        self.words(judge, words, place);
        let line: Vec<Arg> = words.iter().flat_map(|word| self.arguments_of(word)).collect();
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
        let name = first.text().unwrap_or_default();
        let rest = line.get(1..).unwrap_or_default();
        let found = judge.count();
        match name {
            "eval" => {
                let joined = joined(rest);
                let arguments = self.arguments.clone().unwrap_or_default();
                judge.nested(|judge| text(judge, self.shell, &joined, &arguments, place));
                return;
            }
            "." | "source" => {
                if !rest.is_empty() {
                    opaque(judge, place, format!("{} is a script whose text is not seen here", quote_line(line)));
                }
                return;
            }
            "trap" => {
                if let [handler, _, ..] = behind_options(rest, &[]) {
                    judge.nested(|judge| text(judge, self.shell, handler, &[], before(place)));
                }
                return;
            }
            "alias" => {
                for alias in rest {
                    let shown = alias.shown();
                    if let Some((_, value)) = shown.split_once('=') {
                        judge.nested(|judge| text(judge, self.shell, &Arg::known(value), &[], before(place)));
                    }
                }
                return;
            }
            "set" => {
                if let Some(options) = rest.iter().position(|arg| arg.text() == Some("--")) {
                    let values = rest.get(options + 1..).unwrap_or_default();
                    self.arguments = Some(line.iter().take(1).chain(values).cloned().collect());
                } else if rest.iter().any(|arg| arg.text().is_none_or(|text| !text.starts_with(['-', '+']))) {
                    // `set -o pipefail` reads like it, and costs no more than what is known of `$1`.
                    self.arguments = None;
                }
                return;
            }
            "shift" => {
                match &mut self.arguments {
                    Some(arguments) if rest.is_empty() && arguments.len() > 1 => drop(arguments.remove(1)),
                    arguments => *arguments = None,
                }
                return;
            }
            name if programs::is_job_control(name) => {
                judge.reject(format!(
                    "{} is for processes in the background; run one in the foreground",
                    quote_line(line)
                ));
                return;
            }
            _ => {}
        }
        if let Some((name, body)) = self.functions.iter().rev().find(|(known, _)| *known == name).copied() {
            // Once per function, as functions may call each other without end.
            if self.called.insert((name, place as u8)) {
                let arguments = self.arguments.replace(line.to_vec());
                judge.nested(|judge| self.one(judge, body, place, is_shell, Input::Inherited));
                self.arguments = arguments;
            }
            return;
        }
        let is_becoming = becomes && is_shell;
        let place = if is_becoming && place != Place::Given { main(place, judge.role) } else { place };
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

    /// Judges what the expansions of words run.
    fn words(&mut self, judge: &mut Judge<'_>, words: &'t [Word], place: Place) {
        for word in words {
            self.parts(judge, &word.parts, &word.span, place);
        }
    }

    fn parts(&mut self, judge: &mut Judge<'_>, parts: &'t [Part], span: &Span, place: Place) {
        for part in parts {
            match part {
                Part::Command(list) => self.list(judge, list, before(place), false),
                Part::Process(list) => {
                    if place == Place::Last && judge.role == Role::App {
                        judge.reject(format!(
                            "{} runs beside the app; give it a container of its own",
                            self.shown(span)
                        ));
                    }
                    self.list(judge, list, before(place), false);
                }
                Part::Parameter { inside, .. } | Part::Arithmetic(inside) => self.parts(judge, inside, span, place),
                Part::Text { .. } | Part::Pattern => {}
            }
        }
    }

    /// Judges redirects, and answers with what the command reads.
    fn redirects(&mut self, judge: &mut Judge<'_>, redirects: &'t [Redirect], place: Place, input: Input) -> Input {
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
                    self.parts(judge, parts, &redirect.target.span, before(place));
                    let mut text = Arg::empty();
                    parts.iter().for_each(|part| self.append(part, &mut text));
                    input = Input::Text(text);
                }
            }
        }
        input
    }

    /// The arguments that a word becomes.
    fn arguments_of(&self, word: &Word) -> Vec<Arg> {
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
        let mut arg = Arg::empty();
        for part in &word.parts {
            self.append(part, &mut arg);
        }
        vec![arg]
    }

    fn append(&self, part: &Part, arg: &mut Arg) {
        match part {
            Part::Text { text, .. } => arg.push(text),
            Part::Parameter { name, inside } => {
                let position = name.parse::<usize>().ok().filter(|_| inside.is_empty());
                let arguments = self.arguments.as_deref().unwrap_or_default();
                match position.and_then(|position| arguments.get(position)).and_then(Arg::text) {
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
}

fn unknown(written: &str) -> Arg {
    let mut arg = Arg::empty();
    arg.push_unknown(written);
    arg
}

fn before(place: Place) -> Place {
    if place == Place::Given { place } else { Place::Before }
}

/// Where a command stands that takes the place of its shell.
fn main(place: Place, role: Role) -> Place {
    if role == Role::Hook { place } else { Place::First }
}

/// Words as one text, as `eval` joins them.
fn joined(words: &[Arg]) -> Arg {
    let mut joined = Arg::empty();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            joined.push(" ");
        }
        joined.append(word);
    }
    joined
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
        at += 1 + usize::from(with_value.contains(&text));
    }
    line.get(at..).unwrap_or_default()
}

fn item_is_short(item: &Item) -> bool {
    item.pipelines.iter().all(pipeline_is_short)
}

fn pipeline_is_short(pipeline: &Pipeline) -> bool {
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
            let line: Vec<Arg> = words.iter().map(|word| Arg::known(word.plain().unwrap_or("-"))).collect();
            line.first().is_none_or(|first| programs::is_short(first.text().unwrap_or_default(), &line))
        }
        Kind::Group(list) | Kind::Subshell(list) => all(list),
        Kind::If { bodies, .. } | Kind::Case { bodies, .. } => bodies.iter().all(all),
        Kind::Function { .. } | Kind::Test(_) => true,
        Kind::For { .. } | Kind::While { .. } | Kind::Coprocess(_) => false,
    }
}

fn is_exec_alone(kind: &Kind) -> bool {
    matches!(kind, Kind::Simple { words, .. } if matches!(words.as_slice(), [word] if word.plain() == Some("exec")))
}

/// Whether the condition of a loop always holds.
fn is_always(condition: &[Item], is_until: bool) -> bool {
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
fn calls_any(list: &[Item], names: &[&str]) -> bool {
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
