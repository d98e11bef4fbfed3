//! Programs that are known by name.

use crate::arg::Arg;

/// Programs whose purpose is to run several others and start them again.
const SUPERVISORS: &[&str] = &[
    "bluepill",
    "chaperone",
    "circusd",
    "concurrently",
    "dinit",
    "foreman",
    "forego",
    "forever",
    "goreman",
    "hivemind",
    "honcho",
    "horust",
    "immortal",
    "immortaldir",
    "mprocs",
    "monit",
    "multirun",
    "my_init",
    "npm-run-all",
    "npm-run-all2",
    "openrc",
    "openrc-init",
    "overmind",
    "pm2",
    "pm2-dev",
    "pm2-docker",
    "pm2-runtime",
    "process-compose",
    "procodile",
    "run-p",
    "runit",
    "runit-init",
    "runsv",
    "runsvdir",
    "runsvdir-start",
    "s6-overlay",
    "s6-overlay-suexec",
    "s6-rc-init",
    "s6-supervise",
    "s6-svscan",
    "s6-linux-init",
    "supervise",
    "supervisord",
    "svscan",
    "svscanboot",
    "systemd",
    "upstart",
];

/// Paths at which an init system lives. s6-overlay's is `/init`.
const INITS: &[&str] = &[
    "/init",
    "init",
    "/sbin/init",
    "/usr/sbin/init",
    "/bin/init",
    "/usr/bin/init",
    "/etc/init",
    "/linuxrc",
    "/sbin/runit-init",
    "/lib/systemd/systemd",
    "/usr/lib/systemd/systemd",
];

/// Interpreters whose first argument may be one of the above.
const INTERPRETERS: &[&str] = &["python", "ruby", "node", "nodejs", "perl", "bun", "deno"];

/// Shells that read the language that this policy reads.
const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "bash-static",
    "dash",
    "hush",
    "ksh",
    "ksh93",
    "lksh",
    "mksh",
    "oksh",
    "osh",
    "posh",
    "rbash",
    "rksh",
    "sh",
    "yash",
    "zsh",
];

/// Shells with a language of their own.
const OTHER_SHELLS: &[&str] =
    &["cmd", "csh", "elvish", "fish", "nu", "oil", "powershell", "pwsh", "tclsh", "tcsh", "xonsh", "ysh"];

/// Programs that run the app as their child and are no supervisors: they do their own work, and take the signals.
const RUNNERS: &[&str] = &[
    "gradle", "gradlew", "just", "lerna", "make", "mvn", "mvnw", "nodemon", "npm", "nx", "pnpm", "rake", "turbo",
    "yarn", "yarnpkg",
];

/// Programs that fetch another one, or find it among the project's, and run it as their child.
const PACKAGE_RUNNERS: &[&str] = &["bunx", "npx", "pnpx", "uvx"];

/// Programs that start other ones by the clock.
const SCHEDULERS: &[&str] =
    &["anacron", "cron", "crond", "dcron", "fcron", "go-cron", "go-crond", "ofelia", "supercronic", "yacron"];

/// Programs that leave processes behind in ways that no shell operator shows.
const DETACHERS: &[&str] = &["nohup", "setsid"];

/// What a shell offers for its processes in the background.
const JOB_CONTROL: &[&str] = &["bg", "disown", "fg", "wait"];

/// Commands that come to their end by themselves and are no app.
const SHORT: &[&str] = &[
    ".", ":", "[", "addgroup", "adduser", "alias", "awk", "basename", "cd", "chgrp", "chmod", "chown", "cp", "cut",
    "date", "df", "dirname", "echo", "egrep", "envsubst", "exit", "export", "false", "fgrep", "find", "getent", "grep",
    "head", "hash", "hostname", "id", "install", "kill", "killall", "ldconfig", "let", "ln", "local", "ls", "mkdir",
    "mkfifo", "mktemp", "mount", "mv", "printenv", "printf", "ps", "pwd", "read", "readlink", "readonly", "realpath",
    "return", "rm", "rmdir", "sed", "set", "shift", "shopt", "sort", "source", "stat", "stty", "sync", "sysctl",
    "test", "touch", "tr", "trap", "true", "type", "typeset", "declare", "ulimit", "umask", "umount", "unalias",
    "uname", "unset", "which", "whoami",
];

/// A shell whose language this policy reads.
pub(crate) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// A shell whose language this policy does not read.
pub(crate) fn is_other_shell(name: &str) -> bool {
    OTHER_SHELLS.iter().any(|shell| shell.eq_ignore_ascii_case(name))
}

/// Whether this is the command line of such a shell: many a program is named `cmd`.
pub(crate) fn starts_other_shell(name: &str, line: &[Arg]) -> bool {
    let is_switch = |arg: &Arg| arg.text().is_some_and(|text| text.len() == 2 && text.starts_with('/'));
    is_other_shell(name) && (!name.eq_ignore_ascii_case("cmd") || line.iter().skip(1).any(is_switch))
}

/// Supervisors whose names mean nothing else.
const UNMISTAKABLE: &[&str] =
    &["circusd", "concurrently", "honcho", "pm2", "pm2-runtime", "runsvdir", "s6-svscan", "supervisord"];

/// Whether an argument is the name or path of a supervisor, whatever it is an argument of.
pub(crate) fn is_unmistakable(arg: &Arg) -> bool {
    arg.program().is_some_and(|name| UNMISTAKABLE.contains(&unversioned(name)))
}

/// Whether a program does nothing with the names of programs but to look at them.
pub(crate) fn only_names(name: &str) -> bool {
    SHORT.contains(&name)
        || matches!(
            name,
            "apk"
                | "apt"
                | "apt-get"
                | "cat"
                | "command"
                | "curl"
                | "dnf"
                | "kill"
                | "microdnf"
                | "pgrep"
                | "pidof"
                | "pip"
                | "pip3"
                | "pkill"
                | "supervisorctl"
                | "tail"
                | "wget"
                | "yum"
        )
}

/// `concurrently` of `concurrently@8`.
fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| if name.is_empty() { "@" } else { name })
}

/// A path without what leads nowhere: `/sbin/init` of `//sbin/./x/../init`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// Whether this command starts a supervisor, itself or as what an interpreter reads.
pub(crate) fn is_supervisor(line: &[Arg]) -> bool {
    let Some(name) = line.first().and_then(Arg::program) else { return false };
    if SUPERVISORS.contains(&unversioned(name)) {
        return true;
    }
    if line.first().and_then(Arg::text).is_some_and(|path| INITS.contains(&normal(path).as_str())) {
        return true;
    }
    // Canonical's service manager; the ACME server of this name knows no such words.
    if name == "pebble" && line.get(1).and_then(Arg::text).is_some_and(|word| matches!(word, "enter" | "run")) {
        return true;
    }
    if !INTERPRETERS.contains(&name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.')) {
        return false;
    }
    let mut args = line.iter().skip(1);
    while let Some(arg) = args.next() {
        let Some(text) = arg.text() else { return false };
        if text == "-m" {
            return args.next().and_then(Arg::text).is_some_and(is_supervisor_module);
        }
        if let Some(module) = text.strip_prefix("-m") {
            return is_supervisor_module(module);
        }
        if matches!(text, "-W" | "-X" | "-r" | "--require" | "--import" | "--loader") {
            args.next();
            continue;
        }
        if !text.starts_with('-') {
            return arg.program().is_some_and(|script| {
                let script = script.rsplit_once('.').map_or(script, |(script, _)| script);
                is_supervisor_module(script)
            });
        }
    }
    false
}

/// `supervisor`, `supervisor.supervisord`, `honcho`, `circus.circusd`
fn is_supervisor_module(module: &str) -> bool {
    // Somebody's own `app.supervisor.main` is none.
    module == "supervisor"
        || module.starts_with("supervisor.")
        || module.split('.').any(|part| SUPERVISORS.contains(&part))
}

/// A name that a setting must not take for a launcher.
pub(crate) fn is_known_to_start_several(name: &str) -> bool {
    SUPERVISORS.contains(&name) || INITS.contains(&name) || DETACHERS.contains(&name) || SCHEDULERS.contains(&name)
}

/// A package manager or build tool that runs the app.
pub(crate) fn is_runner(name: &str) -> bool {
    RUNNERS.contains(&name) || PACKAGE_RUNNERS.contains(&name)
}

/// What a package manager is to run, if its arguments name a program: `npx app`, `npm exec -- app`.
pub(crate) fn run_by_runner<'l>(name: &str, line: &'l [Arg]) -> &'l [Arg] {
    let mut rest = line.get(1..).unwrap_or_default();
    if !PACKAGE_RUNNERS.contains(&name) {
        match rest.first().and_then(Arg::text) {
            Some("exec" | "x" | "dlx" | "run") => rest = rest.get(1..).unwrap_or_default(),
            // Any other word may be a program of the project's.
            Some(_) if matches!(name, "pnpm" | "yarn" | "yarnpkg") => {}
            _ => return &[],
        }
    }
    let begin = rest.iter().position(|arg| arg.text().is_some_and(|text| !text.starts_with('-')));
    begin.and_then(|begin| rest.get(begin..)).unwrap_or_default()
}

/// A program that starts others by the clock.
pub(crate) fn is_scheduler(name: &str) -> bool {
    SCHEDULERS.contains(&name)
}

/// A command that detaches the process that it starts.
pub(crate) fn is_detacher(name: &str, line: &[Arg]) -> bool {
    let mut options = line.iter().skip(1).filter_map(Arg::text).take_while(|text| text.starts_with('-'));
    DETACHERS.contains(&name) || (name == "sudo" && options.any(|option| matches!(option, "-b" | "--background")))
}

/// A word of a shell that is about processes in the background.
pub(crate) fn is_job_control(name: &str) -> bool {
    JOB_CONTROL.contains(&name)
}

/// Whether `xargs` or `parallel` is to run several at once.
pub(crate) fn runs_in_parallel(name: &str, line: &[Arg]) -> bool {
    match name {
        "parallel" => true,
        // Another's program of this name has a path of its own.
        "sem" => line.first().and_then(Arg::text).is_some_and(|path| !path.contains('/') || path.starts_with("/usr/")),
        "xargs" => {
            let mut options = line.iter().skip(1).filter_map(Arg::text);
            while let Some(option) = options.next().filter(|option| option.starts_with('-')) {
                let count = match option {
                    "-P" | "--max-procs" | "-0P" | "-rP" => options.next().unwrap_or_default(),
                    "-I" | "-n" | "-L" | "-s" | "-d" | "-a" | "-E" | "-J" | "-R" => {
                        options.next();
                        continue;
                    }
                    _ => {
                        let behind =
                            ["-P", "--max-procs=", "-0P", "-rP"].iter().find_map(|way| option.strip_prefix(way));
                        let Some(count) = behind else { continue };
                        count
                    }
                };
                return count != "1";
            }
            false
        }
        _ => false,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this command does nothing but keep the container alive.
pub(crate) fn is_idle(name: &str, line: &[Arg]) -> bool {
    let args = || line.iter().skip(1);
    match name {
        "sleep" => true,
        "tail" => {
            let follows = args().filter_map(Arg::text).any(|arg| {
                arg.starts_with("--follow")
                    || (arg.starts_with('-') && !arg.starts_with("--") && arg.contains(['f', 'F']))
            });
            let mut files =
                args().filter(|arg| arg.text().is_none_or(|text| !text.starts_with('-') && !is_number(text)));
            follows && files.all(|arg| arg.text() == Some("/dev/null"))
        }
        "cat" => args().all(|arg| arg.text().is_some_and(|text| text.starts_with('-'))),
        _ => false,
    }
}

/// Whether this is a command that comes to its end by itself and is no app.
pub(crate) fn is_short(name: &str, line: &[Arg]) -> bool {
    match name {
        "sleep" => line
            .iter()
            .skip(1)
            .all(|arg| arg.text().is_none_or(|text| seconds(text).is_some_and(|seconds| seconds < 300))),
        "cat" | "tail" => {
            !is_idle(name, line) && !line.iter().skip(1).any(|arg| matches!(arg.text(), Some("-f" | "-F")))
        }
        name => SHORT.contains(&name),
    }
}

/// `10`, `10s` or `2m`; nothing for what is longer than a minute or two can tell.
fn seconds(text: &str) -> Option<u32> {
    let (number, factor) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let whole = number.split_once('.').map_or(number, |(whole, _)| if whole.is_empty() { "0" } else { whole });
    whole.parse::<u32>().ok()?.checked_mul(factor)
}

/// Whether this program is a script, by its name: what it starts stands in the image or in a volume.
pub(crate) fn is_script(name: &str) -> bool {
    const ENDINGS: &[&str] = &["ash", "bash", "bat", "cmd", "dash", "ksh", "ps1", "sh", "zsh"];
    let has_ending = name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending));
    has_ending || name.contains("entrypoint")
}

#[cfg(test)]
#[path = "programs_tests.rs"]
mod tests;
