//! Programs that do one thing and then become, or run, the command in their arguments.

use crate::arg::Arg;
use crate::launcher_table::{LAUNCHERS, Launcher, WITH_DASHES, WITH_WORDS, launcher};

/// What a launcher runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// Its arguments from here on, or other words.
    Command(Vec<Arg>),
    /// This shell text.
    Script(Arg),
    /// Nothing else.
    Nothing,
    /// Something that cannot be read from its arguments.
    Unknown,
}

/// What this command runs, if it is a launcher.
pub(crate) fn run_by(name: &str, line: &[Arg]) -> Option<Run> {
    let args = line.get(1..).unwrap_or_default();
    let path = line.first().map(Arg::shown).unwrap_or_default();
    // What stands behind `--` is the command's own.
    let own: Vec<Arg> = args.iter().take_while(|arg| arg.text() != Some("--")).cloned().collect();
    match name {
        "pause" => return Some(Run::Nothing),
        "catatonit" if own.iter().any(|arg| arg.text() == Some("-P")) => return Some(Run::Nothing),
        "env" if has_split_string(args) => return Some(split_string(args)),
        "su" | "runuser" => return Some(substitute_user(args)),
        // Tekton: `-entrypoint program … -- arguments`.
        "entrypoint" => return tekton(args),
        "launcher" if path.contains("/cnb/") => return Some(cloud_native_buildpack(args)),
        "doppler" if option_value(&own, "--command").is_some() => {
            return option_value(&own, "--command").map(Run::Script);
        }
        "sops" => {
            return Some(
                ["exec-env", "exec-file"]
                    .iter()
                    .find_map(|word| option_behind(args, word))
                    .map_or(Run::Nothing, Run::Script),
            );
        }
        "consul-template" if option_value(&own, "-exec").is_some() => {
            return option_value(&own, "-exec").map(Run::Script);
        }
        "npx" | "npm" => {
            return option_value(&own, "-c").or_else(|| option_value(&own, "--call")).map(Run::Script);
        }
        "flock" | "script" => {
            let is_command = |text: &str| {
                text == "--command" || (text.starts_with('-') && !text.starts_with("--") && text.ends_with('c'))
            };
            let place = args.iter().position(|arg| arg.text().is_some_and(is_command))?;
            return args.get(place + 1).cloned().map(Run::Script);
        }
        // A compiler's or package manager's own work.
        "uv" | "bundle" | "poetry" if args.is_empty() => return Some(Run::Nothing),
        _ => {}
    }
    if WITH_DASHES.contains(&name) {
        return Some(behind_dashes(args).unwrap_or(match name {
            // They do other work, too.
            "argoexec" | "consul-template" | "op" => Run::Nothing,
            _ => Run::Unknown,
        }));
    }
    if let Some((_, words)) = WITH_WORDS.iter().find(|(known, _)| *known == name) {
        let place = args.iter().position(|arg| arg.text().is_some_and(|text| words.contains(&text)))?;
        let rest = args.get(place + 1..).unwrap_or_default();
        return Some(behind_dashes(rest).unwrap_or_else(|| first_argument(rest)));
    }
    let run = LAUNCHERS.iter().find(|launcher| launcher.names.contains(&name))?.run(args);
    Some(match run {
        // Python's dotenv has a word for it.
        Run::Command(line) if name == "dotenv" && line.first().and_then(Arg::text) == Some("run") => {
            command(line.get(1..).unwrap_or_default())
        }
        run => run,
    })
}

/// What a launcher runs of which nothing is known: what stands behind `--`, or else from the first argument on that is
/// no option.
pub(crate) fn run_by_allowed(args: &[Arg]) -> Run {
    behind_dashes(args).unwrap_or_else(|| first_argument(args))
}

fn first_argument(args: &[Arg]) -> Run {
    let begin = args.iter().position(|arg| arg.text().is_none_or(|text| !text.starts_with('-')));
    command(begin.and_then(|begin| args.get(begin..)).unwrap_or_default())
}

fn command(line: &[Arg]) -> Run {
    if line.is_empty() { Run::Nothing } else { Run::Command(line.to_vec()) }
}

fn behind_dashes(args: &[Arg]) -> Option<Run> {
    let place = args.iter().position(|arg| arg.text() == Some("--"))?;
    Some(command(args.get(place + 1..).unwrap_or_default()))
}

impl Launcher {
    fn run(&self, args: &[Arg]) -> Run {
        let mut before = self.before;
        let mut at = 0;
        let mut is_behind_options = false;
        while let Some(arg) = args.get(at) {
            let Some(text) = arg.text() else {
                // It may be an option, or the program.
                return if before == 0 {
                    behind_dashes(args).unwrap_or(Run::Unknown)
                } else {
                    self.skip(args, at, before)
                };
            };
            if !is_behind_options && text == "--" {
                is_behind_options = true;
            } else if !is_behind_options && text.len() > 1 && text.starts_with('-') {
                at += usize::from(self.takes_value(text));
            } else if self.assigns && text.contains('=') {
            } else if before > 0 {
                before -= 1;
            } else {
                return command(args.get(at..).unwrap_or_default());
            }
            at += 1;
        }
        Run::Nothing
    }

    /// What stands behind a first argument that is not known, such as the user of `gosu`.
    fn skip(&self, args: &[Arg], at: usize, before: usize) -> Run {
        command(args.get(at + before..).unwrap_or_default())
    }

    fn takes_value(&self, option: &str) -> bool {
        if self.long.contains(&option) {
            return true;
        }
        if option.starts_with("--") {
            return false;
        }
        // The value of the last letter of a group is the next argument; that of another one is the rest of the group.
        let letters = option.get(1..).unwrap_or_default();
        letters.find(|letter| self.short.contains(letter)).is_some_and(|place| place + 1 == letters.len())
    }
}

fn is_split_string(text: &str) -> bool {
    text.starts_with("--split-string") || (text.starts_with('-') && !text.starts_with("--") && text.contains('S'))
}

/// Whether `-S` is among the options of `env` itself.
fn has_split_string(args: &[Arg]) -> bool {
    let mut args = args.iter().filter_map(Arg::text);
    while let Some(text) = args.next().filter(|text| text.starts_with('-') && *text != "--") {
        match text {
            "-u" | "--unset" | "-C" | "--chdir" => drop(args.next()),
            _ if text.starts_with("-u") || text.starts_with("-C") => {}
            _ if is_split_string(text) => return true,
            _ => {}
        }
    }
    false
}

/// `env -S 'command with arguments'`
fn split_string(args: &[Arg]) -> Run {
    let Some(place) = args.iter().position(|arg| arg.text().is_some_and(is_split_string)) else { return Run::Unknown };
    let option = args.get(place).and_then(Arg::text).unwrap_or_default();
    let attached = option.strip_prefix("--split-string=").or_else(|| option.split_once('S').map(|(_, rest)| rest));
    let (text, rest) = match attached {
        Some(text) if !text.is_empty() && !option.ends_with("--split-string") => (Some(text), place + 1),
        _ => (args.get(place + 1).and_then(Arg::text), place + 2),
    };
    match text {
        Some(text) if !text.contains(['\'', '"', '\\', '$']) => {
            let words = text.split_ascii_whitespace().skip_while(|word| word.contains('=')).map(Arg::known);
            let line: Vec<Arg> = words.chain(args.iter().skip(rest).cloned()).collect();
            command(&line)
        }
        _ => Run::Unknown,
    }
}

/// `su user -c 'script'`, `runuser -u user -- command`
fn substitute_user(args: &[Arg]) -> Run {
    let attached =
        args.iter().filter_map(Arg::text).find_map(|text| text.strip_prefix("-c").filter(|rest| !rest.is_empty()));
    if let Some(script) = attached {
        return Run::Script(Arg::known(script));
    }
    let script = option_value(args, "-c").or_else(|| option_value(args, "--command"));
    if let Some(script) = script {
        return Run::Script(script);
    }
    let has_user = args.iter().any(|arg| matches!(arg.text(), Some("-u" | "--user")));
    if has_user {
        let runuser = Launcher { ..launcher(&[], "ugGswT", &["--user", "--group", "--supp-group", "--shell"]) };
        return runuser.run(args);
    }
    behind_dashes(args).unwrap_or(Run::Unknown)
}

/// The value of an option, in the next argument or behind `=`.
fn option_value(args: &[Arg], option: &str) -> Option<Arg> {
    let place = args.iter().position(|arg| {
        arg.text().is_some_and(|text| {
            text == option
                || (text.starts_with(option) && text.get(option.len()..).is_some_and(|rest| rest.starts_with('=')))
        })
    })?;
    match args.get(place)?.text()?.split_once('=') {
        Some((_, value)) => Some(Arg::known(value)),
        None => args.get(place + 1).cloned(),
    }
}

/// The second argument behind a word: `sops exec-env file 'script'`.
fn option_behind(args: &[Arg], word: &str) -> Option<Arg> {
    let place = args.iter().position(|arg| arg.text() == Some(word))?;
    args.iter().skip(place + 1).filter(|arg| arg.text().is_none_or(|text| !text.starts_with('-'))).nth(1).cloned()
}

fn tekton(args: &[Arg]) -> Option<Run> {
    let program = option_value(args, "-entrypoint").or_else(|| option_value(args, "--entrypoint"))?;
    let rest = args.iter().position(|arg| arg.text() == Some("--")).and_then(|place| args.get(place + 1..));
    Some(Run::Command(std::iter::once(program).chain(rest.unwrap_or_default().iter().cloned()).collect()))
}

fn cloud_native_buildpack(args: &[Arg]) -> Run {
    match args {
        // The image's own metadata say which process this is.
        [] => Run::Unknown,
        [script] if script.text().is_none_or(|text| text.contains(char::is_whitespace)) => Run::Script(script.clone()),
        _ => behind_dashes(args).unwrap_or_else(|| command(args)),
    }
}

#[cfg(test)]
#[path = "launchers_tests.rs"]
mod tests;
