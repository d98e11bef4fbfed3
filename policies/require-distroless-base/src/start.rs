//! What an image starts with.

use policy_kit::Json;

use crate::launchers::started;
use crate::programs::{is_script, is_shell_on};
use crate::text::quoted;

/// Why an image cannot start without a shell, and the program in quotes, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShellStart {
    /// It starts one.
    Shell(String),
    /// It starts a script, which one has to run.
    Script(String),
}

/// Looks at ENTRYPOINT and CMD of a configuration's `config`: the first word of the two is the program, unless it only
/// starts another.
///
/// # Errors
///
/// When either is neither a list of strings, nor a string, nor absent.
pub(crate) fn shell_start(config: &Json<'_>, is_windows: bool) -> Result<Option<ShellStart>, String> {
    let mut words = words_of(config, "Entrypoint")?;
    words.extend(words_of(config, "Cmd")?);
    Ok(started(words).and_then(|program| named(program, is_windows)))
}

fn named(program: &str, is_windows: bool) -> Option<ShellStart> {
    if is_shell_on(program, is_windows) {
        Some(ShellStart::Shell(quoted([program])))
    } else if is_script(program) {
        Some(ShellStart::Script(quoted([program])))
    } else {
        None
    }
}

/// A string is one word to a runtime that takes it at all (Docker's `StrSlice`); it is split nevertheless, as those who
/// write it mean a command line.
fn words_of<'j>(config: &'j Json<'_>, key: &str) -> Result<Vec<&'j str>, String> {
    let unreadable =
        |found: &Json<'_>| format!("its {key} cannot be read: expected a list of strings, found {}", found.kind());
    match config.get(key) {
        Json::Null => Ok(Vec::new()),
        Json::String(text) => Ok(text.split_whitespace().collect()),
        Json::Array(items) => items.iter().map(|item| item.as_str().ok_or_else(|| unreadable(item))).collect(),
        other => Err(unreadable(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(config: &str) -> Result<Option<ShellStart>, String> {
        shell_start(&Json::parse(config).expect("JSON"), false)
    }

    #[test]
    fn the_program_is_found_behind_what_only_starts_it() {
        let shell = |name: &str| Some(ShellStart::Shell(format!("{name:?}")));
        let script = |name: &str| Some(ShellStart::Script(format!("{name:?}")));
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
            (r#"{"Entrypoint":["env","-iS","sh -c id"]}"#, shell("sh")),
            (r#"{"Entrypoint":["/gosu","nobody","sh","-c","x"]}"#, shell("sh")),
            (r#"{"Entrypoint":["timeout","1d","/bin/sh","-c","x"]}"#, shell("/bin/sh")),
            (r#"{"Entrypoint":["/cmd"]}"#, None),
            (r#"{"Entrypoint":["cmd","/S"]}"#, None),
            (r#"{"Entrypoint":["cmd.exe"]}"#, shell("cmd.exe")),
            (r#"{"Entrypoint":["/usr/local/bin/dash"]}"#, None),
            (r#"{"Entrypoint":["/bin/dash"]}"#, shell("/bin/dash")),
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

    #[test]
    fn the_shell_of_windows_is_one_on_windows() {
        let config = Json::parse(r#"{"Entrypoint":["cmd","/S"]}"#).expect("JSON");
        assert_eq!(shell_start(&config, true), Ok(Some(ShellStart::Shell("\"cmd\"".to_owned()))));
    }
}
