//! The rule, free of Kubewarden's wire format.

use std::cell::Cell;
use std::fmt::Display;

use policy_kit::{Host, ImageUse, Level, Policy, Reference, Request, Verdict, Violation, readable_images};

use crate::arg::{Arg, quote};
use crate::budget::{OF_A_PROCESS, OF_A_REQUEST};
use crate::inspect::Images;
use crate::judge::{Input, Judge, Place, Role};
use crate::pod;
use crate::process::{Processes, Words};
use crate::programs;
use crate::script;
use crate::settings::Settings;

/// See the crate's documentation.
#[derive(Debug)]
pub struct RequireSingleApp;

impl Policy for RequireSingleApp {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, host: &dyn Host) -> Verdict {
        let is_built_in = request.is_built_in_workload();
        let mut images = Images::new(host);
        let work = Cell::new(OF_A_REQUEST);
        let mut verdict = readable_images(
            request,
            &settings.exempt_images,
            |old, new| Processes::of(old, is_built_in) == Processes::of(new, is_built_in),
            |used, image, verdict| {
                if !used.is_volume() {
                    let container = Container { used, image, settings, work: &work };
                    container.judge(&Processes::of(used, is_built_in), &mut images, verdict);
                }
            },
        );
        pod::judge(request, &settings.exempt_images, &mut verdict);
        verdict
    }
}

/// One container.
struct Container<'c, 'o> {
    used: &'c ImageUse<'o>,
    image: &'c Reference<'o>,
    settings: &'c Settings,
    /// The work that is left for the request.
    work: &'c Cell<usize>,
}

impl Container<'_, '_> {
    fn judge(&self, processes: &Processes, images: &mut Images<'_>, verdict: &mut Verdict) {
        let args: &[Arg] = match &processes.args {
            Words::Line(args) => args,
            Words::Unset => &[],
            Words::Unreadable(found) => return self.unreadable("args", found, verdict),
        };
        match (&processes.command, &processes.script) {
            (Words::Unreadable(found), _) => return self.unreadable("command", found, verdict),
            (command, Some(text)) => {
                // The command is the interpreter: `command: [python]`, or the first line of the text.
                let written = match command {
                    Words::Line(line) => line.first().and_then(Arg::program).map(str::to_owned),
                    _ => interpreter(&text.shown()),
                };
                if written.as_deref().is_none_or(programs::is_shell) {
                    let mut judge = self.new_judge(processes.role);
                    let shell = written.as_deref().unwrap_or("sh");
                    script::text(&mut judge, shell, text, &[], Place::First, &Input::Inherited);
                    self.tell("script", judge, verdict);
                }
            }
            (Words::Line(command), None) => {
                let line: Vec<Arg> = command.iter().chain(args).cloned().collect();
                self.process("command", &line, processes, verdict);
            }
            (Words::Unset, None) => self.image_process(processes, args, images, verdict),
        }
        for (place, words) in &processes.hooks {
            match words {
                Words::Line(line) => {
                    let mut judge = self.new_judge(Role::Hook);
                    judge.command(line, Place::Before, &Input::Inherited);
                    self.tell(place, judge, verdict);
                }
                Words::Unset => {}
                Words::Unreadable(found) => self.unreadable(place, found, verdict),
            }
        }
    }

    /// Judges what the image runs by itself, with the Pod's arguments if there are any.
    fn image_process(&self, processes: &Processes, args: &[Arg], images: &mut Images<'_>, verdict: &mut Verdict) {
        // An UPDATE that leaves it alone is worth no look-up, and what a template of steps runs stands in the steps.
        if self.used.is_unchanged() || is_step_template(self.used) {
            return;
        }
        let with = if args.is_empty() { "" } else { " with these args" };
        let image = self.image;
        if !self.settings.inspect_images {
            let mut judge = self.new_judge(processes.role);
            judge.opaque("what it runs by itself is not looked up".to_owned());
            judge.given(args, Place::First);
            return self.tell(&format!("image {image}{with}"), judge, verdict);
        }
        let found = match images.processes(image) {
            Ok(found) => found,
            Err(error) => {
                verdict.reject(Violation::at(
                    &self.used.place,
                    format!("image {image} cannot be looked up, and the Pod states no command: {error}"),
                ));
                return;
            }
        };
        for process in found {
            let on = match process.platform.as_str() {
                platform if found.len() > 1 && !platform.is_empty() => format!(" ({platform})"),
                _ => String::new(),
            };
            let rest = if args.is_empty() { &process.cmd } else { args };
            let line: Vec<Arg> = process.entrypoint.iter().chain(rest).cloned().collect();
            let subject = format!("image {image}{on}{with}");
            if line.is_empty() {
                let place = &self.used.place;
                verdict.warn(format!(
                    "{place}: {subject} has neither ENTRYPOINT nor CMD, so nothing can start; state a command"
                ));
            } else {
                self.process(&subject, &line, processes, verdict);
            }
        }
    }

    fn new_judge(&self, role: Role) -> Judge<'_> {
        Judge::new(self.settings, role, self.work.get().min(OF_A_PROCESS))
    }

    fn process(&self, subject: &str, line: &[Arg], processes: &Processes, verdict: &mut Verdict) {
        let mut judge = self.new_judge(processes.role);
        if line.iter().any(|arg| arg.program().is_some_and(programs::is_shell)) {
            for name in &processes.preloads {
                judge.opaque(format!("the variable {} makes bash run more than this", quote(name)));
            }
        }
        let input = if processes.has_input && judge.is_to_work() { Input::Unknown } else { Input::Inherited };
        judge.command(line, Place::First, &input);
        self.tell(subject, judge, verdict);
    }

    fn unreadable(&self, subject: &str, found: &str, verdict: &mut Verdict) {
        verdict.reject(Violation::at(
            &self.used.place,
            format!("its {subject} cannot be read: expected a list of strings, found {found}"),
        ));
    }

    /// Says what was found.
    fn tell(&self, subject: &str, mut judge: Judge<'_>, verdict: &mut Verdict) {
        let before = self.work.get();
        self.work.set(before.saturating_sub(before.min(OF_A_PROCESS) - judge.budget.left()));
        if judge.budget.is_spent() {
            judge.unreadable("it does too much to be followed; write it into a script of the image".to_owned());
        }
        let place = &self.used.place;
        let mut reject = |must: &str, finding: &dyn Display| {
            verdict.violations.push(Violation::at(place, format!("{subject} {must}: {finding}")));
        };
        let must = if judge.role == Role::Hook { "must start no process beside the app" } else { "must run one app" };
        for finding in &judge.findings.broken {
            reject(must, finding);
        }
        for finding in &judge.findings.unreadable {
            reject("must be readable", finding);
        }
        for finding in &judge.findings.opaque {
            match self.settings.opaque_scripts {
                Level::Accept => {}
                Level::Reject => reject("must be readable", finding),
                Level::Warn => verdict.warnings.push(format!("{place}: {subject} is judged in part: {finding}")),
            }
        }
        // First things first.
        let is_advised = judge.count() == 0;
        for finding in judge.findings.advice.iter().filter(|_| is_advised) {
            verdict.warn(format!("{place}: {subject}: {finding}"));
        }
    }
}

/// Tekton's defaults for the steps beside it.
fn is_step_template(used: &ImageUse<'_>) -> bool {
    used.place.to_string().ends_with("stepTemplate")
}

/// The program in the first line of a script: `#!/usr/bin/env bash`. Without one it is a shell.
fn interpreter(text: &str) -> Option<String> {
    let line = text.trim_start().strip_prefix("#!")?.lines().next()?;
    let words: Vec<Arg> = line.split_ascii_whitespace().map(Arg::known).collect();
    let mut programs = words.iter().filter_map(Arg::program).filter(|name| *name != "env" && !name.starts_with('-'));
    programs.next().map(str::to_owned)
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
