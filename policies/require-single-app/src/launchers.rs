//! Programs that do one thing and then become, or run, the command in their arguments.

use crate::arg::Arg;

/// How the arguments of a launcher are read.
struct Launcher {
    names: &'static [&'static str],
    /// Letters of the options that take a value.
    short: &'static str,
    /// Long options that take a value as the next argument.
    long: &'static [&'static str],
    /// How many arguments stand before the command.
    before: usize,
    /// Whether `NAME=value` may stand before the command.
    assigns: bool,
}

const fn launcher(names: &'static [&'static str], short: &'static str, long: &'static [&'static str]) -> Launcher {
    Launcher { names, short, long, before: 0, assigns: false }
}

const LAUNCHERS: &[Launcher] = &[
    launcher(
        &["tini", "tini-static", "docker-init", "tini-static-amd64", "tini-static-arm64", "tini-amd64"],
        "pe",
        &[],
    ),
    launcher(&["dumb-init"], "r", &["--rewrite"]),
    launcher(
        &["catatonit", "with-contenv", "busybox", "toybox", "catchsegv", "ddtrace-run", "aws-env", "ssm-env"],
        "",
        &[],
    ),
    launcher(&["opentelemetry-instrument", "vault-env", "pidunlimited"], "", &[]),
    launcher(&["time"], "fo", &["--format", "--output"]),
    Launcher { assigns: true, ..launcher(&["env"], "uC", &["--unset", "--chdir"]) },
    launcher(&["nice"], "n", &["--adjustment"]),
    launcher(&["ionice"], "cn", &["--class", "--classdata"]),
    Launcher {
        before: 1,
        ..launcher(&["taskset", "chrt"], "TPD", &["--sched-runtime", "--sched-period", "--sched-deadline"])
    },
    launcher(&["numactl"], "iNCpPmNl", &["--interleave", "--membind", "--cpunodebind", "--physcpubind", "--preferred"]),
    Launcher {
        before: 1,
        ..launcher(&["gosu", "su-exec", "s6-setuidgid", "setuidgid", "s6-envdir", "envdir"], "", &[])
    },
    launcher(&["chpst"], "uUbedmoprtcf012n/", &[]),
    launcher(
        &["setpriv"],
        "",
        &[
            "--reuid",
            "--regid",
            "--ruid",
            "--rgid",
            "--euid",
            "--egid",
            "--groups",
            "--inh-caps",
            "--ambient-caps",
            "--bounding-set",
            "--securebits",
            "--pdeathsig",
            "--selinux-label",
            "--apparmor-profile",
        ],
    ),
    Launcher { before: 1, ..launcher(&["chroot"], "", &["--userspec", "--groups"]) },
    launcher(&["stdbuf"], "ioe", &["--input", "--output", "--error"]),
    launcher(&["prlimit"], "", &[]),
    launcher(&["unshare", "setarch", "linux32", "linux64"], "SG", &["--setuid", "--setgid"]),
    Launcher { before: 1, ..launcher(&["timeout"], "ks", &["--kill-after", "--signal"]) },
    Launcher {
        assigns: true,
        ..launcher(
            &["sudo", "doas"],
            "ugCDRThpUrtc",
            &["--user", "--group", "--close-from", "--chdir", "--host", "--prompt", "--role", "--type"],
        )
    },
    launcher(&["dotenv"], "efpcv", &["--file", "--quote"]),
    launcher(
        &["dockerize"],
        "",
        &["-wait", "-timeout", "-template", "-stdout", "-stderr", "-wait-retry-interval", "-delims", "-env"],
    ),
    launcher(&["envconsul", "summon"], "cfpeD", &["-config", "-prefix", "-secret", "-consul-addr", "-vault-addr"]),
];

/// Programs whose command stands behind `--` and nowhere else.
const WITH_DASHES: &[&str] = &[
    "argoexec",
    "aws-vault",
    "berglas",
    "bws",
    "chamber",
    "consul-template",
    "doppler",
    "infisical",
    "op",
    "phase",
    "secretspec",
    "teller",
];

/// Programs that find what they run in a place of their own: the next argument, behind words that belong to them.
const WITH_WORDS: &[(&str, &[&str])] = &[
    ("bundle", &["exec"]),
    ("bundler", &["exec"]),
    ("hatch", &["run"]),
    ("newrelic-admin", &["run-program", "run-python"]),
    ("pdm", &["run"]),
    ("pipenv", &["run"]),
    ("poetry", &["run"]),
    ("rye", &["run"]),
    ("uv", &["run"]),
];

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
    match name {
        "pause" => return Some(Run::Nothing),
        "catatonit" if args.iter().any(|arg| arg.text() == Some("-P")) => return Some(Run::Nothing),
        "env" if args.iter().filter_map(Arg::text).any(is_split_string) => return Some(split_string(args)),
        "su" | "runuser" => return Some(substitute_user(args)),
        // Tekton: `-entrypoint program … -- arguments`.
        "entrypoint" => return tekton(args),
        "launcher" if path.contains("/cnb/") => return Some(cloud_native_buildpack(args)),
        "doppler" if option_value(args, "--command").is_some() => {
            return option_value(args, "--command").map(Run::Script);
        }
        "sops" => return Some(option_behind(args, "exec-env").map_or(Run::Nothing, Run::Script)),
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
    LAUNCHERS.iter().find(|launcher| launcher.names.contains(&name)).map(|launcher| launcher.run(args))
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
            let words = text.split_ascii_whitespace().filter(|word| !word.contains('=')).map(Arg::known);
            Run::Command(words.chain(args.iter().skip(rest).cloned()).collect())
        }
        _ => Run::Unknown,
    }
}

/// `su user -c 'script'`, `runuser -u user -- command`
fn substitute_user(args: &[Arg]) -> Run {
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
    args.get(place + 2).cloned()
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
mod tests {
    use super::*;
    use crate::arg::args;

    fn run(line: &str) -> String {
        let line = args(&line.split(' ').collect::<Vec<_>>());
        let name = line[0].program().unwrap_or_default();
        match run_by(name, &line) {
            None => "no launcher".to_owned(),
            Some(Run::Nothing) => "nothing".to_owned(),
            Some(Run::Unknown) => "unknown".to_owned(),
            Some(Run::Script(text)) => format!("script {}", text.shown()),
            Some(Run::Command(line)) => line.iter().map(Arg::shown).collect::<Vec<_>>().join(" "),
        }
    }

    #[test]
    fn launchers_give_way_to_what_they_run() {
        for (line, expected) in [
            ("tini -- app a", "app a"),
            ("/sbin/tini -sg -p SIGTERM -- app", "app"),
            ("tini -pSIGTERM app", "app"),
            ("tini -e 143 app", "app"),
            ("dumb-init --rewrite 15:3 app", "app"),
            ("dumb-init -r 15:3 -c app", "app"),
            ("catatonit -P", "nothing"),
            ("/pause", "nothing"),
            ("env -i A=b -u C app D=e", "app D=e"),
            ("env -S app", "app"),
            ("env", "nothing"),
            ("nice -n 10 app", "app"),
            ("nice -10 app", "app"),
            ("gosu user:group app -x", "app -x"),
            ("su-exec 1000 app", "app"),
            ("setpriv --reuid=1000 --regid 1000 --clear-groups app", "app"),
            ("chroot --userspec=a /root app", "app"),
            ("stdbuf -oL app", "app"),
            ("stdbuf -o L app", "app"),
            ("timeout -k 5 30 app", "app"),
            ("sudo -E -u app A=b app -u x", "app -u x"),
            ("su app -c app", "script app"),
            ("runuser -u user -- app", "app"),
            ("runuser user -c app", "script app"),
            ("busybox sh -c x", "sh -c x"),
            ("/tekton/bin/entrypoint -wait_file /x -entrypoint app -- a b", "app a b"),
            ("entrypoint --serve", "no launcher"),
            ("/var/run/argo/argoexec emissary --loglevel info -- app a", "app a"),
            ("/cnb/lifecycle/launcher", "unknown"),
            ("/cnb/lifecycle/launcher app a", "app a"),
            ("vault-env app", "app"),
            ("doppler run -- app", "app"),
            ("doppler run --command app", "script app"),
            ("chamber exec service -- app", "app"),
            ("chamber exec service", "unknown"),
            ("aws-vault exec prod -- app", "app"),
            ("dotenv -e .env -- app", "app"),
            ("bundle exec puma", "puma"),
            ("uv run --no-sync app", "app"),
            ("with-contenv app", "app"),
            ("java -jar x", "no launcher"),
        ] {
            assert_eq!(run(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_not_known_may_be_the_program() {
        let mut unknown = Arg::empty();
        unknown.push_unknown("$(OPTIONS)");
        let line = [Arg::known("tini"), unknown.clone(), Arg::known("app")];
        assert_eq!(run_by("tini", &line), Some(Run::Unknown));
        let line = [Arg::known("tini"), unknown.clone(), Arg::known("--"), Arg::known("app")];
        assert_eq!(run_by("tini", &line), Some(Run::Command(args(&["app"]))));
        let line = [Arg::known("gosu"), unknown, Arg::known("app")];
        assert_eq!(run_by("gosu", &line), Some(Run::Command(args(&["app"]))));
    }
}
