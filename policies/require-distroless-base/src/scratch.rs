//! Whether the history explains an image that has no base.
//!
//! `FROM scratch` leaves no trace of its own: what is left is a history that accounts for every layer, and none of its
//! lines brings an operating system. Anything else could be a whole distribution in one layer.

use crate::facts::{About, Facts};
use crate::history::{Line, Step};

/// What the history says an image without a base is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scratch {
    /// Files copied into nothing.
    Files,
    /// The work of a tool that puts packages in, without saying which.
    Packages(&'static str),
}

/// Explains every layer by the history.
///
/// # Errors
///
/// What cannot be explained, as a clause: `its build ran "RUN /bin/sh -c make"`.
pub(crate) fn explain(facts: &Facts<'_>) -> Result<Scratch, String> {
    // Evidence first: it says more than a number that is off.
    if let Some(remark) = facts.remarks().find(|remark| matches!(remark.about, About::Run | About::Shell)) {
        return Err(remark.clause);
    }
    let layers = facts.diff_ids.len();
    let lines = facts.history.iter().filter(|line| !line.is_empty).count();
    if lines == 0 {
        return Err("no history says how it was made".to_owned());
    }
    if lines != layers {
        return Err(format!("its history tells of {} and not of {layers}", counted(lines)));
    }
    if let Some(remark) = facts.remarks().next() {
        return Err(remark.clause);
    }
    let mut made_of = Scratch::Files;
    for line in &facts.history {
        match line.step() {
            Step::Packages(tool) => made_of = Scratch::Packages(tool),
            step if !line.is_empty => explain_layer(line, &step)?,
            _ => {}
        }
    }
    Ok(made_of)
}

fn explain_layer(line: &Line<'_>, step: &Step<'_>) -> Result<(), String> {
    match step {
        Step::Run | Step::Copy(_) | Step::App | Step::Packages(_) | Step::WorkingDirectory(_) => Ok(()),
        // A step that puts nothing in has a layer: those before it were squashed into it.
        Step::Flattened | Step::Metadata => Err(format!("the layer of {} holds several steps in one", line.cited())),
        _ if line.text().is_empty() => Err("nothing says what is in one of its layers".to_owned()),
        _ => Err(format!("{} does not say what is in its layer", line.cited())),
    }
}

fn counted(layers: usize) -> String {
    if layers == 1 { "1 layer".to_owned() } else { format!("{layers} layers") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(layers: usize, lines: &[(&str, &str, bool)]) -> Result<Scratch, String> {
        let history =
            lines.iter().map(|(created_by, comment, is_empty)| Line { created_by, comment, is_empty: *is_empty });
        explain(&Facts {
            platform: String::new(),
            diff_ids: vec!["sha256:0"; layers],
            history: history.collect(),
            shell_start: None,
            is_debug_variant: false,
            claimed_base: "",
            working_directory: "",
        })
    }

    #[test]
    fn a_history_that_accounts_for_every_layer_explains_the_image() {
        let mark = "buildkit.dockerfile.v0";
        for (layers, lines, expected) in [
            (1, vec![("COPY hello / # buildkit", mark, false), (r#"CMD ["/hello"]"#, mark, true)], Scratch::Files),
            (1, vec![("/bin/sh -c #(nop) COPY file:7bf1 in / ", "", false)], Scratch::Files),
            (
                2,
                vec![("WORKDIR /app", mark, false), ("COPY . . # buildkit", mark, false), ("ENV A=b", mark, true)],
                Scratch::Files,
            ),
            (
                2,
                vec![("COPY app / # buildkit", mark, false), ("RUN /app init # buildkit", mark, false)],
                Scratch::Files,
            ),
            (
                2,
                vec![("ko build ko://a/b", "", false), ("ko build ko://a/b", "go build output", false)],
                Scratch::Files,
            ),
            (1, vec![("bazel build ...", "", false)], Scratch::Packages("Bazel")),
            (1, vec![("apko", "This is an apko single-layer image", false)], Scratch::Packages("apko")),
            (1, vec![("", "store paths: ['/nix/store/2f-hello-2.12']", false)], Scratch::Packages("Nix")),
        ] {
            assert_eq!(explained(layers, &lines), Ok(expected), "{lines:?}");
        }
    }

    #[test]
    fn anything_else_is_unexplained() {
        for (layers, lines, expected) in [
            (1, vec![], "no history says how it was made"),
            (1, vec![("CMD [\"/app\"]", "", true)], "no history says how it was made"),
            (5, vec![("COPY a /b", "", false)], "its history tells of 1 layer and not of 5"),
            (1, vec![("COPY a /b", "", false), ("COPY a /c", "", false)], "its history tells of 2 layers and not of 1"),
            (1, vec![("COPY a /b", "", false), ("RUN make", "", true)], "its build ran \"RUN make\""),
            (
                1,
                vec![("COPY a /b", "", false), ("COPY /bin/sh /bin/sh", "", true)],
                "its build copied a shell or a package manager with",
            ),
            (1, vec![("ADD file:1 in / ", "", false)], "\"ADD file:1 in /\" puts a whole file system in"),
            (1, vec![("CMD [\"/app\"]", "", false)], "holds several steps in one"),
            (1, vec![("/bin/sh", "", false)], "holds several steps in one"),
            (1, vec![("", "Imported from -", false)], "holds several steps in one"),
            (1, vec![("", "", false)], "nothing says what is in one of its layers"),
            (1, vec![("# debian.sh --arch 'amd64' out/ 'bookworm'", "debuerreotype 0.15", false)], "does not say what"),
            (
                1,
                vec![("", "store paths: ['/nix/store/2f-bash-5.2p15']", false)],
                "its history lists \"/nix/store/2f-bash-5.2p15\"",
            ),
            (1, vec![("COPY a /b", "", true), ("", "create new from sha256:0", false)], "holds several steps in one"),
            (2, vec![("COPY . .", "", false), ("WORKDIR /app", "", false)], "puts a whole file system in"),
            (2, vec![("WORKDIR /a", "", false), ("COPY /rootfs ..", "", false)], "puts a whole file system in"),
            (
                2,
                vec![("WORKDIR /bin", "", false), ("COPY sh .", "", false)],
                "its build copied a shell or a package manager with \"COPY sh .\"",
            ),
        ] {
            let error = explained(layers, &lines).expect_err(expected);
            assert!(error.contains(expected), "{lines:?}: {error}");
        }
    }
}
