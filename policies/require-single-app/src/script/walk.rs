//! The walk over a text: lists, pipelines and compounds.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::known::keeps_arguments;
use super::questions::{calls_any, is_always, is_exec_alone, item_is_short, pipeline_is_short};
use crate::arg::{Arg, quote};
use crate::budget::Budget;
use crate::judge::{Input, Judge, Place, Role};
use crate::shell::{Command, Item, Kind, Pipeline, Script, Span};

/// The walk over one text.
pub(super) struct Walk<'t> {
    pub(super) shell: &'t str,
    pub(super) text: &'t str,
    pub(super) script: &'t Script,
    /// `$0`, `$1` and so on, where they are known.
    pub(super) arguments: Option<Vec<Arg>>,
    /// The arguments of the text, which may be what `$@` is where that is not known.
    pub(super) originals: Vec<Arg>,
    /// Whether functions may not change their arguments in a way that cannot be followed.
    pub(super) keeps_arguments: bool,
    /// The functions of the text so far.
    pub(super) functions: Vec<(&'t str, &'t Command)>,
    /// The calls of functions that were walked: the command line, and where it stands.
    pub(super) called: BTreeSet<(String, u8)>,
    /// Variables that are set once, and nowhere else: from where in the text on, and to what.
    pub(super) values: BTreeMap<String, (usize, Arg)>,
    /// The work that is left.
    pub(super) budget: Rc<Budget>,
    /// What the commands read that say nothing else.
    pub(super) input: Input,
}

impl<'t> Walk<'t> {
    pub(super) fn new(
        shell: &'t str,
        text: &'t str,
        script: &'t Script,
        arguments: &[Arg],
        budget: Rc<Budget>,
        input: Input,
    ) -> Self {
        let (functions, called, values) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        let originals = arguments.get(1..).unwrap_or_default().to_vec();
        let arguments = Some(arguments.to_vec());
        Walk {
            shell,
            text,
            script,
            arguments,
            originals,
            keeps_arguments: true,
            functions,
            called,
            values,
            budget,
            input,
        }
    }

    /// Judges the whole text.
    pub(super) fn whole(mut self, judge: &mut Judge<'_>, place: Place) {
        let keeps_values = self.learn_values();
        let keeps_arguments = keeps_arguments(self.script);
        if !keeps_values || !keeps_arguments {
            // Who knows what they are: once without them, and once as they seem to be.
            let arguments = self.arguments.clone().unwrap_or_default();
            let mut careful =
                Walk::new(self.shell, self.text, self.script, &arguments, Rc::clone(&self.budget), self.input.clone());
            if keeps_values {
                careful.values.clone_from(&self.values);
            }
            if !keeps_arguments {
                careful.arguments = None;
                careful.keeps_arguments = false;
            }
            careful.list(judge, &self.script.list, place, true);
        }
        self.list(judge, &self.script.list, place, true);
    }

    /// Walks what a copy of the shell runs: it keeps its arguments to itself.
    pub(super) fn copy(&mut self, walk: impl FnOnce(&mut Self)) {
        self.budget.spend(self.arguments.iter().flatten().map(Arg::cost).sum());
        let arguments = self.arguments.clone();
        walk(self);
        self.arguments = arguments;
    }

    /// Whether the shell may know nothing but what POSIX says.
    pub(super) fn is_posix(&self) -> bool {
        matches!(self.shell, "sh" | "dash" | "ash" | "posh")
    }

    pub(super) fn shown(&self, span: &Span) -> String {
        quote(self.text.get(span.clone()).unwrap_or_default())
    }

    /// Walks commands. `is_shell` tells whether it is the shell itself that runs them, and not a copy of it.
    pub(super) fn list(&mut self, judge: &mut Judge<'_>, list: &'t [Item], place: Place, is_shell: bool) {
        // What ends by itself and is no app does not take the place of the one before it: `app; echo done`.
        let last = list.iter().rposition(|item| !item_is_short(item)).unwrap_or(list.len().saturating_sub(1));
        for (index, item) in list.iter().enumerate() {
            let place = if index == last { place } else { Place::Before };
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
            self.pipeline(judge, pipeline, if is_last { place } else { Place::Before }, is_shell);
        }
    }

    fn pipeline(&mut self, judge: &mut Judge<'_>, pipeline: &'t Pipeline, place: Place, is_shell: bool) {
        match pipeline.commands.as_slice() {
            [command] => self.one(judge, command, place, is_shell, self.input.clone()),
            commands => {
                if place == Place::Last && judge.role == Role::App {
                    judge.reject(format!(
                        "{} is several processes, none of which is process 1; run one, with exec",
                        self.shown(&pipeline.span)
                    ));
                }
                for (index, command) in commands.iter().enumerate() {
                    let input = if index == 0 { self.input.clone() } else { Input::Unknown };
                    self.one(judge, command, Place::Before, false, input);
                }
            }
        }
    }

    pub(super) fn one(
        &mut self,
        judge: &mut Judge<'_>,
        command: &'t Command,
        place: Place,
        is_shell: bool,
        input: Input,
    ) {
        if !self.budget.spend(0) {
            return;
        }
        // `exec > >(tee log)` is for all that follows.
        let is_for_all = is_shell && is_exec_alone(&command.kind);
        let input = self.redirects(judge, &command.redirects, if is_for_all { Place::Last } else { place }, input);
        if is_for_all {
            self.input = input.clone();
        }
        let outer = std::mem::replace(&mut self.input, input.clone());
        match &command.kind {
            Kind::Simple { assignments, words } => {
                self.words(judge, assignments, Place::Before);
                for assignment in assignments {
                    let shown = self.shown(&assignment.span);
                    // What a shell runs by itself: when it starts, before each command, and to show one.
                    let runs = ["BASH_ENV=", "ENV=", "PS4=", "PROMPT_COMMAND="];
                    if runs.iter().any(|name| shown.trim_start_matches('"').starts_with(name)) {
                        judge.opaque(format!("{shown} makes a shell run what is not seen here"));
                    }
                }
                self.simple(judge, command, words, place, is_shell, &input);
            }
            Kind::Group(list) => self.list(judge, list, place, is_shell),
            Kind::Subshell(list) => self.copy(|walk| walk.list(judge, list, place, false)),
            Kind::If { conditions, bodies } => {
                self.lists(judge, conditions, Place::Before, is_shell);
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
                self.list(judge, condition, Place::Before, is_shell);
                self.list(judge, body, Place::Before, is_shell);
            }
            Kind::Function { name, body } => {
                // Whoever calls it, and by whatever trick, it leaves nothing behind.
                self.functions.push((name, body));
                let (arguments, originals) = (self.arguments.take(), std::mem::take(&mut self.originals));
                self.one(judge, body, Place::Before, is_shell, Input::Unknown);
                (self.arguments, self.originals) = (arguments, originals);
            }
            Kind::Coprocess(body) => {
                judge.reject(format!(
                    "{} runs in the background; give it a container of its own",
                    self.shown(&command.span)
                ));
                self.one(judge, body, Place::Before, false, Input::Unknown);
            }
            Kind::Test(words) => {
                self.words(judge, words, Place::Before);
                if self.is_posix() {
                    // There `[[` is a command like any other, and what follows `||` in it, too.
                    let line: Vec<Arg> = words.iter().flat_map(|word| self.arguments_of(word)).collect();
                    judge.anywhere(&line, Place::Given);
                }
            }
        }
        self.input = outer;
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
        if is_broken {
            judge.reject(format!("{} is a loop in a shell and no app; use a CronJob", self.shown(&command.span)));
        }
    }
}
