//! Programs whose presence means that an image is not distroless.

/// Shells, and the tool boxes that are one.
const SHELLS: &[&str] = &[
    "sh",
    "bash",
    "rbash",
    "ash",
    "zsh",
    "ksh",
    "mksh",
    "oksh",
    "csh",
    "tcsh",
    "busybox",
    "toybox",
    "powershell",
    "pwsh",
];

/// Shells that share their name with other programs: only where a distribution puts its programs is it the shell.
const AMBIGUOUS_SHELLS: &[&str] = &["dash", "fish"];

/// Shells that are also there under a name with their version: `ksh93`, `zsh-5.9`.
const VERSIONED_SHELLS: &[&str] = &["bash", "zsh", "ksh", "mksh", "csh", "tcsh", "pwsh"];

/// What follows the name of a tool box that was built for some machine, or for one of its tools: `busybox-x86_64`.
const BUILDS: &[&str] = &[
    "static", "musl", "glibc", "uclibc", "x86", "amd64", "i386", "i486", "i586", "i686", "arm", "aarch64", "mips",
    "ppc", "powerpc", "riscv", "s390", "loong", "sparc", "m68k",
];

/// Package managers; each comes with a shell or brings one in.
const PACKAGE_MANAGERS: &[&str] = &[
    "apk",
    "apt",
    "apt-get",
    "aptitude",
    "dpkg",
    "yum",
    "dnf",
    "microdnf",
    "tdnf",
    "rpm",
    "zypper",
    "pacman",
    "opkg",
    "emerge",
    "xbps-install",
    "xbps-reconfigure",
    "xbps-remove",
];

/// Where a distribution puts its programs.
const SYSTEM_DIRECTORIES: &[&str] = &["/bin", "/sbin", "/usr/bin", "/usr/sbin"];

/// What a script is called; it needs a shell to run it.
const SCRIPTS: &[&str] = &[".sh", ".bash", ".ash", ".dash", ".zsh", ".ksh", ".csh", ".ps1", ".bat", ".cmd"];

/// The last component of a path, without quotes and `.exe`; Windows' separators count too.
pub(crate) fn base_name(program: &str) -> &str {
    let program = program.trim_matches(|c| matches!(c, '"' | '\''));
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    match name.len().checked_sub(4).and_then(|end| name.split_at_checked(end)) {
        Some((stem, extension)) if extension.eq_ignore_ascii_case(".exe") => stem,
        _ => name,
    }
}

/// Whether a program is a shell, by its name or its path.
pub(crate) fn is_shell(program: &str) -> bool {
    let bare = program.trim_matches(|c| matches!(c, '"' | '\''));
    let name = base_name(program);
    is_named_like_a_shell(name)
        || (contains(AMBIGUOUS_SHELLS, name) && is_in_system_directory(bare))
        // `cmd` is what many a program of Go is called; that of Windows has its extension, or a path of Windows.
        || (name.eq_ignore_ascii_case("cmd") && (bare.len() > name.len() && !bare.ends_with("/cmd")))
}

/// The same for an image of Windows, where `cmd` alone is enough.
pub(crate) fn is_shell_on(program: &str, is_windows: bool) -> bool {
    is_shell(program) || (is_windows && base_name(program).eq_ignore_ascii_case("cmd"))
}

/// Whether a program that ran in a build is a shell or a package manager; a name alone was looked up on the PATH.
pub(crate) fn is_out_of_place(program: &str) -> bool {
    let name = base_name(program);
    is_shell(program) || is_package_manager(name) || (name == program && contains(AMBIGUOUS_SHELLS, name))
}

fn is_named_like_a_shell(name: &str) -> bool {
    contains(SHELLS, name) || is_build_of_shell(name) || is_version(VERSIONED_SHELLS, name)
}

fn is_package_manager(name: &str) -> bool {
    contains(PACKAGE_MANAGERS, name) || is_version(&["dnf", "yum", "apk"], name)
}

/// `bash-static`, `busybox.static`, `busybox-x86_64`, `busybox_ASH`, `busybox-1.36`.
fn is_build_of_shell(name: &str) -> bool {
    let Some((shell, build)) = name.split_once(['-', '.', '_']) else { return false };
    let is_tool_box = contains(&["busybox", "toybox"], shell);
    let is_known_build = |build: &str| {
        contains(SHELLS, build)
            || BUILDS.iter().any(|known| starts_with(build, known))
            || build.starts_with(|c: char| c.is_ascii_digit())
    };
    if is_tool_box { is_known_build(build) } else { contains(SHELLS, shell) && build.eq_ignore_ascii_case("static") }
}

/// One of these names with a version behind it, and nothing else.
fn is_version(names: &[&str], name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    stem.len() < name.len() && contains(names, stem)
}

fn starts_with(name: &str, start: &str) -> bool {
    name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

fn is_in_system_directory(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folder, _)| contains(SYSTEM_DIRECTORIES, folder))
}

/// Whether a program is a script by its name.
pub(crate) fn is_script(program: &str) -> bool {
    let name = base_name(program).to_ascii_lowercase();
    SCRIPTS.iter().any(|extension| name.ends_with(extension))
}

/// Whether the path of a file is that of a shell or a package manager: the name of one, where programs lie.
pub(crate) fn is_path_of_shell(path: &str) -> bool {
    path.trim_end_matches('/').rsplit_once('/').is_some_and(|(folder, name)| is_shell_in(folder, name))
}

/// The same for the name of a file and the folder that it lies in, which is empty for the root.
pub(crate) fn is_shell_in(folder: &str, name: &str) -> bool {
    let is_likely = folder.is_empty() || folder.ends_with("bin") || folder.ends_with("/busybox");
    (is_likely && is_named_like_a_shell(name))
        || (contains(SYSTEM_DIRECTORIES, folder) && (contains(AMBIGUOUS_SHELLS, name) || is_package_manager(name)))
}

/// Whether what is fetched from a URL is a shell by its name.
pub(crate) fn is_url_of_shell(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    url.contains("://") && is_named_like_a_shell(path.rsplit('/').next().unwrap_or_default())
}

/// Whether a Nix store path is that of a shell: `/nix/store/<hash>-bash-interactive-5.2p15`, not `…-bash-completion-2.11`.
pub(crate) fn is_store_path_of_shell(path: &str) -> bool {
    let Some(name) = path.rsplit('/').next().and_then(|name| name.split_once('-')).map(|(_, name)| name) else {
        return false;
    };
    SHELLS.iter().chain(AMBIGUOUS_SHELLS).any(|shell| {
        let version = name.strip_prefix(shell).map(|rest| {
            let rest = rest.strip_prefix("-interactive").unwrap_or(rest);
            rest.strip_prefix("-static").unwrap_or(rest)
        });
        version.is_some_and(|version| {
            let number = version.strip_prefix('-').unwrap_or_default();
            version.is_empty() || number.starts_with(|c: char| c.is_ascii_digit())
        })
    })
}

fn contains(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_one_wherever_it_lies() {
        for program in [
            "sh",
            "/bin/sh",
            "/busybox/sh",
            "/usr/bin/bash",
            "\"/bin/ash\"",
            "C:\\Windows\\cmd.exe",
            "C:\\Windows\\System32\\cmd",
            "CMD.EXE",
            "/bin/dash",
            "/usr/bin/fish",
            "bash-static",
            "/bin/ksh93",
            "zsh-5.9",
            "/bin/busybox.static",
            "busybox-x86_64",
            "busybox_ASH",
            "busybox-1.36.1",
        ] {
            assert!(is_shell(program), "{program}");
        }
        for program in [
            "",
            "/",
            "/app",
            "/bin/shell",
            "ssh",
            "/sh/app",
            "a.exe",
            "\u{fc}.exe",
            "cmd",
            "/cmd",
            "/usr/local/bin/cmd",
            "dash",
            "/usr/local/bin/dash",
            "/opt/fish",
            "busybox-exporter",
            "bash-completion",
            "bashful",
            "sh2",
        ] {
            assert!(!is_shell(program), "{program}");
        }
        assert!(is_shell_on("cmd", true) && is_shell_on("/cmd", true) && !is_shell_on("cmd", false));
        for program in ["/sbin/apk", "xbps-install", "/usr/bin/dnf5", "dnf-3", "dash", "fish"] {
            assert!(is_out_of_place(program), "{program}");
        }
        for program in ["/usr/bin/python3", "/usr/local/bin/dash", "cmd", "/app/dnf-plugin"] {
            assert!(!is_out_of_place(program), "{program}");
        }
        assert!(is_script("/docker-entrypoint.SH") && !is_script("/app") && !is_script("/sh"));
    }

    #[test]
    fn a_file_is_a_shell_only_where_programs_lie() {
        for path in [
            "/bin/sh",
            "/usr/bin/bash",
            "/sh",
            "/busybox",
            "/busybox/",
            "/busybox/sh",
            "/usr/local/bin/zsh",
            "/bin/dash",
            "/sbin/apk",
            "/usr/bin/dnf5",
            "/bin/bash-static",
            "/bin/ksh93",
            "/bin/busybox-x86_64",
        ] {
            assert!(is_path_of_shell(path), "{path}");
        }
        for path in [
            "sh",
            "scripts/sh",
            "/app/bash",
            "/bin/app",
            "",
            "/",
            "/opt/fish",
            "/usr/local/bin/dash",
            "/cmd",
            "/go/bin/cmd",
            "/usr/local/bin/pacman",
            "/apt",
        ] {
            assert!(!is_path_of_shell(path), "{path}");
        }
        for (url, expected) in [
            ("https://busybox.net/1.35.0/busybox", true),
            ("https://busybox.net/1.35.0/busybox_ASH?a=/b", true),
            ("https://a.example/app", false),
            ("https://a.example/app?/sh", false),
            ("/busybox", false),
        ] {
            assert_eq!(is_url_of_shell(url), expected, "{url}");
        }
    }

    #[test]
    fn a_store_path_is_a_shell_by_name_and_version() {
        for name in
            ["bash-5.2p15", "bash-interactive-5.2p15", "busybox-1.36.1", "dash-0.5.12", "bash", "busybox-static-1.36"]
        {
            assert!(is_store_path_of_shell(&format!("/nix/store/2f0n2g8x-{name}")), "{name}");
        }
        for name in
            ["bash-completion-2.11", "bashdb-1", "glibc-2.38", "python3.11-dash-2.0", "fishnet-1.0", "openssh-9"]
        {
            assert!(!is_store_path_of_shell(&format!("/nix/store/2f0n2g8x-{name}")), "{name}");
        }
        assert!(!is_store_path_of_shell("") && !is_store_path_of_shell("/nix/store/bash"));
    }
}
