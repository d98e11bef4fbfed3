use super::*;

fn lays(instruction: &str) -> bool {
    let (name, rest) = instruction.split_once(' ').expect("an instruction");
    Copied::read(rest, name == "ADD").lays_file_system(&Directory::starting_at("/"))
}

fn has_shell(text: &str) -> bool {
    Copied::read(text, false).has_shell(&Directory::starting_at("/"))
}

#[test]
fn a_file_system_is_laid_down_where_the_history_says_so() {
    for text in [
        "ADD file:8e81116368669ed3dd361bc898d61bff249f524139a239fdaf3ec46869a39921 in /",
        "ADD multi:8e81 in / ",
        "ADD dir:8e81 in /",
        "COPY dir:8e81 in /",
        "ADD rootfs.tar.xz /",
        "ADD alpine-minirootfs-3.21.0-aarch64.tar.gz /",
        "ADD out.tar .",
        "COPY / /",
        "COPY /. /",
        "COPY . .",
        "COPY ./ ./",
        "COPY /* /",
        "COPY out/ /",
        "COPY /mnt/rootfs /",
        "COPY --from=build /rootfs /",
        r#"COPY ["/", "/"]"#,
        "COPY a /rootfs /",
        "COPY /usr /usr",
        "COPY /usr/bin/ /usr/bin/",
        "COPY /bin /bin",
        "COPY /bin/. /bin",
        // Programs, wherever they go.
        "COPY / /tools",
        "COPY /bin /tools",
        "COPY /bin /",
        "COPY /sbin/ /opt/",
        "COPY a /usr /opt/",
        "COPY /usr/bin /tools",
        "COPY /x/../bin/* /tools/",
        // Of a file system that lies elsewhere.
        "COPY /install_root /",
        "COPY /target /",
        "COPY staging /",
        "COPY /newroot/ /",
        "COPY /alpine-rootfs /",
        "COPY rootfs-amd64 /",
        "COPY rootfs_$ARCH /",
        "COPY /rootfs/bin /bin",
        "COPY /alpine/bin /bin",
        "COPY rootfs/usr/bin /usr/bin/",
        "COPY /alpine/usr/. /usr",
        // What cannot be told.
        "COPY / $ROOT",
        "COPY --from=build / ${ROOT}/",
        "COPY . $ROOT",
        "COPY $ROOT /",
        "COPY /${ROOT}/. /",
        "COPY /rootfs /x/..",
    ] {
        assert!(lays(text), "{text}");
    }
    for text in [
        "COPY hello /",
        "COPY file:7bf12aab75c3867a023fe3b8bd6d113d43a4fcc415f3cc27cbcf0fff37b65a02 in / ",
        "COPY multi:7bf1 in /",
        "COPY dir:7bf1 in /app",
        "ADD file:7bf1 in /app",
        "ADD https://example.com/app.tar.gz /",
        "ADD app.tar.gz /opt/app/",
        // Only ADD unpacks it.
        "COPY rootfs.tar /",
        "COPY . /app",
        "COPY /usr/bin/app /usr/bin/app",
        "COPY bin/ /usr/bin/",
        "COPY bin /bin",
        "COPY /go/bin /usr/bin",
        "COPY /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/",
        "COPY .. /app",
        "COPY /usr/local /usr/local",
        "COPY mntr /",
        "COPY rootfs-exporter /",
        "COPY /src/target/release/app /",
        "COPY app $HOME/app",
        "COPY $JAR app.jar",
        "COPY $APP/dist /app/dist",
        "COPY ",
        "ADD /",
    ] {
        assert!(!lays(text), "{text}");
    }
}

#[test]
fn a_relative_target_is_below_the_working_directory() {
    let copied = Copied::read(". .", false);
    let up = Copied::read("/rootfs ..", false);
    for (directories, here, above) in [
        (vec![], true, true),
        (vec!["/"], true, true),
        (vec!["/app"], false, true),
        (vec!["app"], false, true),
        (vec!["/app/b"], false, false),
        (vec!["/app", "/"], true, true),
        (vec!["/app", "."], false, true),
        (vec!["$HOME"], true, true),
    ] {
        let mut directory = Directory::starting_at("/");
        directories.iter().for_each(|path| directory.follow(path));
        assert_eq!(copied.lays_file_system(&directory), here, "{directories:?}");
        assert_eq!(up.lays_file_system(&directory), above, "{directories:?}");
    }
}

#[test]
fn a_shell_is_copied_where_the_history_says_so() {
    for text in [
        "/bin/sh /bin/sh",
        "/bin/busybox /bin/",
        "--from=busybox /bin/sh /app/tool",
        "busybox /bin/sh",
        "/busybox /busybox",
        "/busybox/ /busybox/",
        "sh ash /usr/bin/",
        "file:7bf1 in /bin/sh",
        "/app /bin/bash /opt/",
        "busybox /bin",
        "busybox /usr/local/bin",
        "dash /bin",
        "/bin/bash-static /bash",
        "/bin/ksh93 /k",
        "/bin/busybox.static /bin/bb",
        "busybox-x86_64 /bin/",
        "/sbin/apk /opt/tool",
        "tool /sbin/apk",
        "https://busybox.net/downloads/binaries/1.35.0-x86_64-linux-musl/busybox /tool",
        "https://busybox.net/downloads/binaries/1.35.0-x86_64-linux-musl/busybox_ASH /tool",
        "tool $ROOT/bin/sh",
    ] {
        assert!(has_shell(text), "{text}");
    }
    for text in [
        "app /bin/app",
        "sh /scripts/",
        "dash /app/dash",
        "dash /usr/local/bin/dash",
        "/app/bin/app /app",
        "file:7bf1 in /app",
        "",
        "/",
        "in",
        "/out/cmd /cmd",
        "/go/bin/cmd /app",
        "cmd /",
        "app /bin",
        "/apk /app",
        "pacman /usr/local/bin/",
    ] {
        assert!(!has_shell(text), "{text}");
    }
    let mut directory = Directory::starting_at("/bin");
    assert!(Copied::read("sh .", false).has_shell(&directory));
    directory.follow("/scripts");
    assert!(!Copied::read("sh .", false).has_shell(&directory));
}

#[test]
fn a_line_of_any_length_is_read_in_passing() {
    let text = format!("{}/{}", "a ".repeat(300_000), "b".repeat(1_000_000));
    let started = std::time::Instant::now();
    let copied = Copied::read(&text, false);
    let directory = Directory::starting_at("/");
    assert!(!copied.has_shell(&directory) && !copied.lays_file_system(&directory));
    assert!(started.elapsed().as_secs() < 10);
}

/// Behind a proven base only what says so itself counts.
#[test]
fn what_could_be_an_app_as_well_is_told_from_a_file_system() {
    let surely = |instruction: &str| {
        let (name, rest) = instruction.split_once(' ').expect("an instruction");
        Copied::read(rest, name == "ADD").surely_lays_file_system(&Directory::starting_at("/"))
    };
    for text in
        ["COPY out/ /", "COPY /out/* /", "COPY . .", "COPY --from=build /out/. /", "COPY $APP /", "COPY . $APP_HOME"]
    {
        assert!(!surely(text) && lays(text), "{text}");
    }
    for text in
        ["COPY / /", "COPY /. /", "COPY /rootfs/ /", "ADD alpine-minirootfs-3.21.0-x86_64.tar.gz /", "COPY /bin /tools"]
    {
        assert!(surely(text), "{text}");
    }
}
