use proptest::prelude::*;

use super::*;

fn step<'h>(created_by: &'h str, comment: &'h str) -> Step<'h> {
    Line { created_by, comment, is_empty: false }.step()
}

const BUILDKIT: &str = "buildkit.dockerfile.v0";

#[test]
fn a_shell_that_ran_is_seen_in_every_hand() {
    for (created_by, comment) in [
        ("RUN /bin/sh -c apk add curl # buildkit", BUILDKIT),
        ("RUN |1 A=b /bin/sh -c make # buildkit", BUILDKIT),
        ("RUN |2 A=b c d B= /bin/bash -o pipefail -c make # buildkit", BUILDKIT),
        ("RUN /busybox/sh -c make # buildkit", BUILDKIT),
        ("RUN busybox sh -c make # buildkit", BUILDKIT),
        ("RUN /bin/busybox --install # buildkit", BUILDKIT),
        ("RUN env A=b sh -c make # buildkit", BUILDKIT),
        ("RUN /sbin/apk add curl # buildkit", BUILDKIT),
        ("RUN powershell -Command Write-Host # buildkit", BUILDKIT),
        ("RUN cmd /S /C dir # buildkit", BUILDKIT),
        ("RUN C:\\Windows\\System32\\cmd.exe # buildkit", BUILDKIT),
        ("RUN timeout 5 /bin/sh -c id # buildkit", BUILDKIT),
        ("RUN env -u X sh -c id # buildkit", BUILDKIT),
        ("RUN env -iS sh # buildkit", BUILDKIT),
        ("RUN gosu nobody nice dash /x # buildkit", BUILDKIT),
        ("RUN xbps-install -y bash # buildkit", BUILDKIT),
        ("RUN /usr/bin/dnf5 install bash # buildkit", BUILDKIT),
        (r#"RUN ["chroot","/x","sh"]"#, ""),
        ("mount / from exec /bin/sh -c make", "buildkit.exporter.image.v0"),
        ("/bin/sh -c apt-get update", ""),
        ("/bin/bash -o pipefail -c make", ""),
        ("|1 A=b /bin/sh -c make", ""),
        ("/bin/sh -c --mount=type=cache,target=/x make", ""),
        ("/bin/sh -c [ -f /x ] && make", ""),
        ("/bin/sh -c echo #(nop) COPY a b", ""),
        ("bash", ""),
        ("/bin/bash", ""),
        ("apk add curl", ""),
        ("RUN make", ""),
        ("RUN --mount=type=cache,target=/x make", ""),
        ("run make", ""),
        (r#"RUN ["/bin/sh","-c","make"]"#, ""),
        (r#"/bin/sh -c ["/busybox/sh", "-c", "make"]"#, ""),
    ] {
        assert_eq!(step(created_by, comment), Step::Shell, "{created_by}");
    }
}

#[test]
fn a_program_that_ran_without_one_is_no_proof() {
    for (created_by, comment) in [
        ("RUN /app init # buildkit", BUILDKIT),
        ("RUN |1 A=b /app init # buildkit", BUILDKIT),
        ("RUN /app --shell sh # buildkit", BUILDKIT),
        (r#"RUN ["/app","init"]"#, ""),
        (r#"RUN --network=none ["/app","init"]"#, ""),
        (r#"/bin/sh -c ["/app", "init"]"#, ""),
        (r#"|1 A=b /bin/sh -c ["/app", "init"]"#, ""),
        ("/app init", ""),
        ("RUN cmd serve # buildkit", BUILDKIT),
        ("RUN /usr/local/bin/dash # buildkit", BUILDKIT),
        ("RUN timeout 5 /app # buildkit", BUILDKIT),
        ("RUN  # buildkit", BUILDKIT),
    ] {
        assert_eq!(step(created_by, comment), Step::Run, "{created_by}");
    }
}

#[test]
fn what_ran_nothing_is_told_from_what_did() {
    for (created_by, expected) in [
        (r#"/bin/sh -c #(nop)  CMD ["/bin/sh"]"#, Step::Metadata),
        ("/bin/sh -c #(nop)  ENV A=b", Step::Metadata),
        ("/bin/bash -o pipefail -c #(nop) USER 1", Step::Metadata),
        ("cmd /S /C #(nop) USER 1", Step::Metadata),
        (r#"ENTRYPOINT ["/bin/sh"]"#, Step::Metadata),
        ("/bin/sh -c #(nop) WORKDIR /app", Step::WorkingDirectory("/app")),
        ("WORKDIR /app", Step::WorkingDirectory("/app")),
        ("/bin/sh", Step::Flattened),
        ("ko build ko://example.com/app", Step::App),
        ("jib-maven-plugin:3.4.0", Step::App),
        ("bazel build //app:image", Step::Packages("Bazel")),
        ("apko", Step::Packages("apko")),
        ("kodata", Step::Unknown),
        ("# debian.sh --arch 'amd64' out/ 'bookworm'", Step::Unknown),
        ("Buildpacks Launcher Config", Step::Unknown),
        ("", Step::Unknown),
        ("/bin/sh -c #(nop) \u{fc}", Step::Unknown),
    ] {
        assert_eq!(step(created_by, ""), expected, "{created_by}");
    }
    assert_eq!(step("", "Imported from -"), Step::Imported);
    assert_eq!(step("", "store paths: ['/nix/store/2f-hello-2.12']"), Step::Packages("Nix"));
    assert!(matches!(step("/bin/sh -c #(nop) COPY file:1 in /app ", ""), Step::Copy(_)));
    assert!(matches!(step("COPY /app /app # buildkit", BUILDKIT), Step::Copy(_)));
    let paths = "store paths: ['/nix/store/2f-glibc-2.38', '/nix/store/3a-bash-interactive-5.2p15']";
    assert_eq!(step("", paths), Step::StoresShell("/nix/store/3a-bash-interactive-5.2p15"));
    for note in ["merge sha256:0 to sha256:1", "create new from sha256:0"] {
        assert_eq!(step("", note), Step::Imported);
    }
}

#[test]
fn what_shows_a_shell_is_said() {
    let evidence = |created_by: &str, comment: &str| {
        let line = Line { created_by, comment, is_empty: true };
        line.step().evidence(&line, &Directory::starting_at("/"))
    };
    let store = format!("store paths: ['/nix/store/{}-bash-5.2']", "a".repeat(1_000_000));
    let listed = format!("its history lists \"/nix/store/{}…\"", "a".repeat(89));
    for (created_by, comment, expected) in [
        ("RUN make", "", Some(r#"its build ran "RUN make""#)),
        (
            "COPY /bin/sh /bin/sh",
            "",
            Some(r#"its build copied a shell or a package manager with "COPY /bin/sh /bin/sh""#),
        ),
        ("", "store paths: ['/nix/store/3a-bash-5.2']", Some(r#"its history lists "/nix/store/3a-bash-5.2""#)),
        ("", &store, Some(&listed)),
        ("COPY app /app", "", None),
        ("", "", None),
    ] {
        assert_eq!(evidence(created_by, comment).as_deref(), expected, "{created_by}");
    }
}

#[test]
fn a_citation_is_short_and_on_one_line() {
    let cited = |created_by: &str, comment: &str| Line { created_by, comment, is_empty: false }.cited();
    assert_eq!(cited("RUN  /bin/sh -c\t a \n b", ""), r#""RUN /bin/sh -c a b""#);
    assert_eq!(cited("", "Imported from -"), r#""Imported from -""#);
    assert_eq!(cited(r#"CMD ["/app"]"#, "x"), r#""CMD [\"/app\"]""#);
    assert_eq!(cited(&"\u{fc}".repeat(101), ""), format!("\"{}…\"", "\u{fc}".repeat(100)));
    assert_eq!(cited(&"a ".repeat(100_000), "").chars().count(), 102);
}

proptest! {
    /// Whatever a builder writes, reading it is neither a crash nor for ever.
    #[test]
    fn any_line_has_a_step(created_by in ".{0,60}", comment in ".{0,20}") {
        let line = Line { created_by: &created_by, comment: &comment, is_empty: false };
        let step = line.step();
        step.evidence(&line, &Directory::starting_at("/"));
        step.file_system(&line, &Directory::starting_at("/"));
        line.cited();
    }

    /// The same for what looks like the real thing.
    #[test]
    fn any_mixture_of_real_words_has_a_step(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "RUN", "COPY", "ADD", "/bin/sh", "-c", "#(nop)", "|1", "|", "A=b", "[", "]", "[\"/app\"]", "in", "file:1",
                "dir:", "/", ".", "--", "--mount=x", "# buildkit", "env", "\u{fc}", "\"", "WORKDIR",
            ]),
            0..9,
        ),
    ) {
        let created_by = words.join(" ");
        let line = Line { created_by: &created_by, comment: "", is_empty: false };
        let step = line.step();
        step.evidence(&line, &Directory::starting_at("/"));
        step.file_system(&line, &Directory::starting_at("/"));
        // A shell with a command behind it is never taken for harmless when nothing stands before it.
        if created_by.starts_with("/bin/sh -c A=b") {
            prop_assert_eq!(step, Step::Shell);
        }
    }
}
