//! What a command line starts.

use std::rc::Rc;

use policy_kit::Level;

use crate::arg::{Arg, quote_line};
use crate::budget::Budget;
use crate::daemons::{daemonises, daemonises_by_default};
use crate::launchers::{self, Run};
use crate::programs;
use crate::script;
use crate::settings::Settings;

/// What the process is for, which decides how much is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is to run for ever, and to become process 1.
    App,
    /// It is to end: the container of a Pod that is not started again.
    Task,
    /// It is to end before or beside the apps: an init container, a debug container.
    Step,
    /// It is run inside a container for a moment: a probe, a lifecycle hook.
    Hook,
}

/// Where a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is process 1, or what that becomes.
    First,
    /// It is what the shell runs last, and process 1 stays the shell.
    Last,
    /// Something follows, or waits for it.
    Before,
    /// It stands in the arguments of something that cannot be read, and may be started by it.
    Given,
}

/// What a shell without a script in its arguments reads.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// What the container is given, which is nothing unless somebody attaches.
    Inherited,
    /// This text.
    Text(Arg),
    /// A file, or what another command writes.
    Unknown,
}

/// The most of each sort that are told of one process; nobody reads more.
const MOST_FINDINGS: usize = 16;

/// Programs that start a command which stands somewhere in their arguments.
const STARTERS: &[&str] = &["entr", "flock", "inotifyd", "script", "watch", "watchexec", "xargs"];

/// How deep launchers and shells may start each other.
const DEEPEST: usize = 16;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What is against the rule.
    pub(crate) broken: Vec<String>,
    /// What cannot be read because it is no text that a shell could.
    pub(crate) unreadable: Vec<String>,
    /// What cannot be read because it is not here.
    pub(crate) opaque: Vec<String>,
    /// Advice.
    pub(crate) advice: Vec<String>,
}

/// Judges the processes of one container.
pub(crate) struct Judge<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) role: Role,
    pub(crate) findings: Findings,
    /// The work that is left, for all texts and launchers in each other.
    pub(crate) budget: Rc<Budget>,
    /// The calls of functions that were followed.
    pub(crate) calls: usize,
    depth: usize,
}

fn add(to: &mut Vec<String>, finding: String) {
    if to.len() < MOST_FINDINGS && !to.contains(&finding) {
        to.push(finding);
    }
}

impl<'s> Judge<'s> {
    pub(crate) fn new(settings: &'s Settings, role: Role, work: usize) -> Self {
        let budget = Rc::new(Budget::new(work));
        Judge { settings, role, findings: Findings::default(), budget, calls: 0, depth: 0 }
    }

    pub(crate) fn reject(&mut self, finding: String) {
        add(&mut self.findings.broken, finding);
    }

    pub(crate) fn unreadable(&mut self, finding: String) {
        add(&mut self.findings.unreadable, finding);
    }

    pub(crate) fn opaque(&mut self, finding: String) {
        add(&mut self.findings.opaque, finding);
    }

    pub(crate) fn advise(&mut self, finding: String) {
        add(&mut self.findings.advice, finding);
    }

    /// How much was found so far that rejects.
    pub(crate) fn count(&self) -> usize {
        self.findings.broken.len() + self.findings.unreadable.len()
    }

    /// Goes one level deeper, if it may.
    pub(crate) fn nested(&mut self, judge: impl FnOnce(&mut Self)) {
        if self.depth >= DEEPEST {
            self.unreadable("it starts shells and launchers in each other too deeply".to_owned());
            return;
        }
        self.depth += 1;
        judge(self);
        self.depth -= 1;
    }

    /// Whether something must hold of the process itself, and not only of what it leaves behind.
    fn is_main(&self, place: Place) -> bool {
        matches!(place, Place::First | Place::Last) && self.role != Role::Hook
    }

    /// Judges a command line.
    pub(crate) fn command(&mut self, line: &[Arg], place: Place, input: &Input) {
        let Some(first) = line.first() else { return };
        if !self.budget.spend(line.iter().map(Arg::cost).sum()) {
            return;
        }
        let Some(name) = first.program() else {
            if place != Place::Given {
                self.opaque(format!("{} is not known before it is started", quote_line(line)));
            }
            return;
        };
        let args = line.get(1..).unwrap_or_default();
        if self.settings.is_allowed_launcher(first) {
            // Without `--` nobody knows which options take a value.
            if !args.iter().any(|arg| arg.text() == Some("--")) {
                self.anywhere(args, place);
            }
            return self.run(launchers::run_by_allowed(args), line, place, input);
        }
        if programs::is_shell(name) {
            return self.nested(|judge| script::shell(judge, name, line, place, input));
        }
        if programs::starts_other_shell(name, line) {
            if place != Place::Given {
                self.opaque(format!("{} is in a language that is not read here", quote_line(line)));
            }
            return;
        }
        if programs::is_supervisor(line) && !(place == Place::Given && first.text() == Some("init")) {
            self.reject(format!(
                "{} is a supervisor, which runs several; give each program a container of its own",
                quote_line(line)
            ));
            return;
        }
        if programs::is_detacher(name, line) && place != Place::Given {
            self.reject(format!("{} detaches the process; start it without {name}", quote_line(line)));
            self.nested(|judge| judge.run(launchers::run_by_allowed(args), line, Place::Before, input));
            return;
        }
        if programs::runs_in_parallel(name, line) {
            self.reject(format!("{} runs several at once; start one of them per container", quote_line(line)));
            return;
        }
        if let Some(run) = launchers::run_by(name, line) {
            return self.run(run, line, place, input);
        }
        self.program(name, line, place);
    }

    fn run(&mut self, run: Run, line: &[Arg], place: Place, input: &Input) {
        match run {
            Run::Command(line) => self.nested(|judge| judge.command(&line, place, input)),
            Run::Script(text) => self.nested(|judge| script::text(judge, "sh", &text, &[], place, input)),
            Run::Nothing => {}
            Run::Unknown if place == Place::Given => {}
            Run::Unknown => self.opaque(format!("what {} starts cannot be read from its arguments", quote_line(line))),
        }
    }

    /// Whether a process of this role is to do something by itself.
    pub(crate) fn is_to_work(&self) -> bool {
        matches!(self.role, Role::App | Role::Task)
    }

    /// Whether a task is only to wait for a while.
    fn ends(&self, name: &str, line: &[Arg]) -> bool {
        self.role == Role::Task && name == "sleep" && programs::is_short(name, line)
    }

    /// Tells of a container that does nothing, as the settings have it.
    pub(crate) fn idle(&mut self, finding: String) {
        match self.settings.idle {
            Level::Accept => {}
            Level::Warn => self.advise(finding),
            Level::Reject => self.reject(finding),
        }
    }

    /// Judges what is no shell and no launcher.
    fn program(&mut self, name: &str, line: &[Arg], place: Place) {
        // What something else is given may be its own word for another thing; what follows decides about the rest.
        let leaves = daemonises(name, line)
            || (daemonises_by_default(name, line)
                && (place == Place::Before || (self.role == Role::Hook && place != Place::Given)));
        if leaves {
            self.reject(format!(
                "{} goes into the background; run it in the foreground, in a container of its own",
                quote_line(line)
            ));
        } else if self.is_main(place) && self.is_to_work() && programs::is_idle(name, line) && !self.ends(name, line) {
            self.idle(format!("{} is no app: the container would do nothing; run the app itself", quote_line(line)));
        } else if self.role == Role::App && self.is_main(place) && programs::is_scheduler(name) {
            self.advise(format!("{} starts further processes by the clock; use CronJobs", quote_line(line)));
        }
        if programs::is_runner(name) {
            if self.role == Role::App && self.is_main(place) {
                self.advise(format!(
                    "{} keeps the app as its child and the signals from it; start the app itself, such as node server.js",
                    quote_line(line)
                ));
            }
            let child = programs::run_by_runner(name, line);
            self.nested(|judge| judge.command(child, Place::Given, &Input::Unknown));
        } else if name == "find" {
            // What it looks for may have any name; what it starts stands behind one of these.
            let starts = |arg: &Arg| matches!(arg.text(), Some("-exec" | "-execdir" | "-ok" | "-okdir"));
            for index in line.iter().enumerate().filter(|(_, arg)| starts(arg)).map(|(index, _)| index) {
                let started = line.get(index + 1..).unwrap_or_default();
                self.nested(|judge| judge.command(started, Place::Given, &Input::Unknown));
            }
        } else if STARTERS.contains(&name) {
            self.anywhere(line.get(1..).unwrap_or_default(), place);
        } else if programs::is_script(name) && place != Place::Given {
            self.opaque(format!("{} is a script whose text is not seen here", quote_line(line)));
            self.given(line.get(1..).unwrap_or_default(), place);
        } else if place != Place::Given
            && !programs::only_names(name)
            && line.iter().skip(1).any(programs::is_unmistakable)
        {
            self.reject(format!(
                "{} names a supervisor, which runs several; give each program a container of its own",
                quote_line(line)
            ));
        }
    }

    /// Judges arguments that are likely a command: entrypoint scripts run what they are given.
    pub(crate) fn given(&mut self, args: &[Arg], place: Place) {
        self.shell_in(args, place);
        // `wait-for-it.sh db:5432 -- app`
        let behind = args.iter().position(|arg| arg.text() == Some("--")).and_then(|dashes| args.get(dashes + 1..));
        for line in [Some(args), behind].into_iter().flatten() {
            if line.first().is_some_and(|first| first.text().is_some_and(|text| !text.starts_with('-'))) {
                self.nested(|judge| judge.command(line, Place::Given, &Input::Unknown));
            }
        }
    }

    /// Judges arguments any of which may begin a command.
    pub(crate) fn anywhere(&mut self, args: &[Arg], place: Place) {
        self.shell_in(args, place);
        for (index, first) in args.iter().enumerate() {
            if first.text().is_some_and(|text| !text.starts_with('-') && !text.is_empty()) {
                let line = args.get(index..).unwrap_or_default();
                self.nested(|judge| judge.command(line, Place::Given, &Input::Unknown));
            }
        }
    }

    /// Judges the shell that stands among arguments, if there is one: `find … -exec sh -c …`.
    fn shell_in(&mut self, args: &[Arg], place: Place) {
        let begin = args.iter().position(|arg| arg.program().is_some_and(programs::is_shell));
        let Some(line) = begin.and_then(|begin| args.get(begin..)) else { return };
        let place = if place == Place::Before { place } else { Place::Given };
        self.nested(|judge| judge.command(line, place, &Input::Inherited));
    }
}
