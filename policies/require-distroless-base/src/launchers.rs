//! Programs that do nothing but start another.

use std::collections::VecDeque;

use crate::programs::base_name;

/// How the arguments of a launcher go on until the program that it starts.
struct Launcher {
    /// Options that take the next word as their value, unless it stands in the same.
    with_value: &'static [&'static str],
    /// How many words of its own stand before the program: a user, a time, a directory.
    operands: usize,
}

/// The launcher of this name. `env` stands apart, as it takes variables and whole command lines.
fn launcher(name: &str) -> Option<Launcher> {
    let (with_value, operands): (&[&str], usize) = match name {
        "env" => (&["-u", "--unset", "-C", "--chdir", "-a", "--argv0"], 0),
        "tini" | "tini-static" | "docker-init" | "catatonit" => (&["-e", "-p"], 0),
        "dumb-init" => (&["-r", "--rewrite"], 0),
        "gosu" | "su-exec" => (&[], 1),
        "timeout" => (&["-k", "--kill-after", "-s", "--signal"], 1),
        "nice" => (&["-n", "--adjustment"], 0),
        "nohup" | "setsid" => (&[], 0),
        "stdbuf" => (&["-i", "--input", "-o", "--output", "-e", "--error"], 0),
        "chroot" => (&["--userspec", "--groups"], 1),
        "setpriv" => (
            &[
                "--ambient-caps",
                "--apparmor-profile",
                "--bounding-set",
                "--egid",
                "--euid",
                "--groups",
                "--inh-caps",
                "--landlock-access",
                "--landlock-rule",
                "--pdeathsig",
                "--regid",
                "--reuid",
                "--rgid",
                "--ruid",
                "--seccomp-filter",
                "--securebits",
                "--selinux-label",
            ],
            0,
        ),
        // The dynamic linker runs what it is given.
        name if name.starts_with("ld-linux") || name.starts_with("ld-musl") => {
            (&["--library-path", "--preload", "--argv0", "--inhibit-rpath", "--audit"], 0)
        }
        _ => return None,
    };
    Some(Launcher { with_value, operands })
}

/// The program that a command line comes down to, behind all that only starts it; none if there is none.
pub(crate) fn started<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let mut words: VecDeque<&str> = words.into_iter().collect();
    loop {
        let program = words.pop_front()?;
        let name = base_name(program);
        match launcher(name) {
            None => return Some(program),
            Some(launcher) => launcher.skip_own(name == "env", &mut words),
        }
    }
}

impl Launcher {
    /// Takes away what is the launcher's own. Each round takes a word or makes one smaller, so this ends.
    fn skip_own(&self, is_env: bool, words: &mut VecDeque<&str>) {
        while let Some(word) = words.front().copied() {
            if is_env && let Some(text) = split_string(word) {
                words.pop_front();
                // `-S "sh -c …"`: one word that is several, and more of env's own among them.
                let text = if text.is_empty() { words.pop_front().unwrap_or_default() } else { text };
                text.split_whitespace().rev().for_each(|word| words.push_front(word));
            } else if word == "--" {
                words.pop_front();
                break;
            } else if word.starts_with('-') && word.len() > 1 {
                words.pop_front();
                if self.with_value.contains(&word) || (is_env && is_cluster_with_value(word)) {
                    words.pop_front();
                }
            } else if is_env && (word == "-" || word.contains('=')) {
                words.pop_front();
            } else {
                break;
            }
        }
        for _ in 0..self.operands {
            words.pop_front();
        }
        if is_env {
            while words.front().is_some_and(|word| word.contains('=')) {
                words.pop_front();
            }
        }
    }
}

/// The text behind `-S`, also among other letters as in `-iS`; empty where it is the next word.
fn split_string(word: &str) -> Option<&str> {
    if word == "--split-string" {
        return Some("");
    }
    if let Some(text) = word.strip_prefix("--split-string=") {
        return Some(text);
    }
    let letters = word.strip_prefix('-')?;
    letters.trim_start_matches(['i', '0', 'v']).strip_prefix('S')
}

/// `-iu NAME`: the last letter takes the next word.
fn is_cluster_with_value(word: &str) -> bool {
    let letters = word.trim_start_matches('-').trim_start_matches(['i', '0', 'v']);
    !word.starts_with("--") && matches!(letters, "u" | "C" | "a")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_behind_what_only_starts_it() {
        for (command, expected) in [
            ("", None),
            ("/app sh", Some("/app")),
            ("tini -g -e 143 -- sh /run", Some("sh")),
            ("tini --", None),
            ("tini -e", None),
            ("tini -- env tini sh", Some("sh")),
            ("/usr/bin/dumb-init -r 15:30 /app", Some("/app")),
            ("/usr/bin/env -i A=b -u X bash", Some("bash")),
            ("env -u X sh -c id", Some("sh")),
            ("env -iu X sh", Some("sh")),
            ("env - sh", Some("sh")),
            ("env -- A=b sh", Some("sh")),
            ("env -Ssh -c x", Some("sh")),
            ("env -S sh -c id", Some("sh")),
            ("env -S", None),
            ("/gosu nobody sh -c x", Some("sh")),
            ("su-exec app:app /app", Some("/app")),
            ("timeout 1d /bin/sh -c x", Some("/bin/sh")),
            ("timeout -k 5 --signal=9 --foreground 10 sh", Some("sh")),
            ("nice sh", Some("sh")),
            ("nice -n 5 nohup sh", Some("sh")),
            ("nice -10 sh", Some("sh")),
            ("setpriv --reuid 1 --regid=1 --clear-groups -- sh", Some("sh")),
            ("chroot --userspec=1:1 /x /bin/sh", Some("/bin/sh")),
            ("/lib64/ld-linux-x86-64.so.2 --library-path /lib /bin/sh", Some("/bin/sh")),
            ("timeout", None),
        ] {
            assert_eq!(started(command.split_whitespace()), expected, "{command}");
        }
        for (words, expected) in [
            (vec!["env", "-S", "A=b sh -c x"], Some("sh")),
            (vec!["env", "-iS", "sh -c id"], Some("sh")),
            (vec!["env", "-vSsh -c"], Some("sh")),
            (vec!["env", "-S", "-i env -S"], None),
            (vec!["env", "-S", "-i -u X", "sh"], Some("sh")),
            (vec!["env", "--split-string=/app sh"], Some("/app")),
        ] {
            assert_eq!(started(words.clone()), expected, "{words:?}");
        }
        let many = "env -S ".repeat(100_000);
        assert_eq!(started([many.as_str()]), Some(many.as_str()));
        assert_eq!(started(many.split_whitespace()), None);
    }
}
