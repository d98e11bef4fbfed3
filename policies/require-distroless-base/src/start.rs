//! What an image starts with.

use policy_kit::Json;

use crate::programs::{base_name, is_script, is_shell};

/// Why an image cannot start without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShellStart {
    /// It starts one.
    Shell(String),
    /// It starts a script, which one has to run.
    Script(String),
}

/// How many programs that only start another are looked through.
const MOST_LAUNCHERS: usize = 8;

/// Looks at ENTRYPOINT and CMD of a configuration's `config`: the first word of the two is the program, unless it only
/// starts another.
///
/// # Errors
///
/// When either is neither a list of strings, nor a string, nor absent.
pub(crate) fn shell_start(config: &Json<'_>) -> Result<Option<ShellStart>, String> {
    let mut words = words_of(config, "Entrypoint")?;
    words.extend(words_of(config, "Cmd")?);
    let mut words: &[String] = &words;
    for _ in 0..MOST_LAUNCHERS {
        let Some((program, rest)) = words.split_first() else { return Ok(None) };
        match skip_launcher(program, rest) {
            Launched::Nothing => break,
            Launched::Words(inner) => words = inner,
            // `env -S "sh -c …"`: one word that is several.
            Launched::Text(text) => {
                return Ok(text.split_whitespace().find(|word| !word.contains('=')).and_then(named));
            }
        }
    }
    Ok(words.first().and_then(|program| named(program)))
}

fn named(program: &str) -> Option<ShellStart> {
    if is_shell(program) {
        Some(ShellStart::Shell(program.to_owned()))
    } else if is_script(program) {
        Some(ShellStart::Script(program.to_owned()))
    } else {
        None
    }
}

/// A string is one word to a runtime that takes it at all (Docker's `StrSlice`); it is split nevertheless, as those who
/// write it mean a command line.
fn words_of(config: &Json<'_>, key: &str) -> Result<Vec<String>, String> {
    let unreadable =
        |found: &Json<'_>| format!("its {key} cannot be read: expected a list of strings, found {}", found.kind());
    match config.get(key) {
        Json::Null => Ok(Vec::new()),
        Json::String(text) => Ok(text.split_whitespace().map(str::to_owned).collect()),
        Json::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(|| unreadable(item))).collect()
        }
        other => Err(unreadable(other)),
    }
}

enum Launched<'w> {
    /// This program starts no other.
    Nothing,
    /// What it starts.
    Words(&'w [String]),
    /// What it starts, as one text.
    Text(&'w str),
}

/// Looks through programs that do nothing but start another.
fn skip_launcher<'w>(program: &str, mut rest: &'w [String]) -> Launched<'w> {
    let (has_variables, with_value): (bool, &[&str]) = match base_name(program) {
        "env" => (true, &["-u", "--unset", "-C", "--chdir"]),
        "tini" | "tini-static" | "docker-init" | "catatonit" => (false, &["-e", "-p"]),
        "dumb-init" => (false, &["-r", "--rewrite"]),
        _ => return Launched::Nothing,
    };
    while let Some((word, after)) = rest.split_first() {
        if has_variables && let Some(text) = split_string(word, after) {
            return Launched::Text(text);
        }
        if word == "--" {
            return Launched::Words(after);
        } else if with_value.contains(&word.as_str()) {
            rest = after.get(1..).unwrap_or_default();
        } else if word.starts_with('-') || (has_variables && word.contains('=')) {
            rest = after;
        } else {
            break;
        }
    }
    Launched::Words(rest)
}

/// The text behind `-S` or `--split-string`, in one word or in two.
fn split_string<'w>(word: &'w str, after: &'w [String]) -> Option<&'w str> {
    match word {
        "-S" | "-vS" | "--split-string" => Some(after.first().map_or("", String::as_str)),
        _ => word.strip_prefix("-S").or_else(|| word.strip_prefix("--split-string=")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(config: &str) -> Result<Option<ShellStart>, String> {
        shell_start(&Json::parse(config).expect("JSON"))
    }

    #[test]
    fn the_program_is_found_behind_what_only_starts_it() {
        let shell = |name: &str| Some(ShellStart::Shell(name.to_owned()));
        let script = |name: &str| Some(ShellStart::Script(name.to_owned()));
        for (config, expected) in [
            ("{}", None),
            ("null", None),
            (r#"{"Entrypoint":["/app"],"Cmd":["sh"]}"#, None),
            (r#"{"Entrypoint":[],"Cmd":["bash"]}"#, shell("bash")),
            (r#"{"Entrypoint":null,"Cmd":["/bin/sh","-c","exec /app"]}"#, shell("/bin/sh")),
            (r#"{"Entrypoint":["/busybox/sh"]}"#, shell("/busybox/sh")),
            (r#"{"Entrypoint":["/docker-entrypoint.sh"],"Cmd":["nginx"]}"#, script("/docker-entrypoint.sh")),
            (r#"{"Entrypoint":["tini","-g","-e","143","--"],"Cmd":["sh","/run"]}"#, shell("sh")),
            (r#"{"Entrypoint":["/usr/bin/dumb-init","-r","15:30","/app"]}"#, None),
            (r#"{"Entrypoint":["/usr/bin/env","-i","A=b","-u","X","bash"]}"#, shell("bash")),
            (r#"{"Entrypoint":["env","-S","A=b sh -c x"]}"#, shell("sh")),
            (r#"{"Entrypoint":["env","-Ssh -c x"]}"#, shell("sh")),
            (r#"{"Entrypoint":["env","--split-string=/app sh"]}"#, None),
            (r#"{"Entrypoint":["env","-S"]}"#, None),
            (r#"{"Entrypoint":["tini"],"Cmd":["--","env","tini","sh"]}"#, shell("sh")),
            (r#"{"Entrypoint":["tini","--"]}"#, None),
            (r#"{"Entrypoint":["tini","-e"]}"#, None),
            // P1-18
            (r#"{"Entrypoint":"/bin/sh -c app"}"#, shell("/bin/sh")),
            (r#"{"Entrypoint":"/app --shell sh"}"#, None),
            (r#"{"Entrypoint":"","Cmd":"sh"}"#, shell("sh")),
        ] {
            assert_eq!(start(config), Ok(expected), "{config}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for config in [r#"{"Entrypoint":{}}"#, r#"{"Cmd":[1]}"#, r#"{"Cmd":true}"#, r#"{"Entrypoint":[null]}"#] {
            assert!(start(config).expect_err(config).contains("expected a list of strings"), "{config}");
        }
    }
}
