//! Programs whose presence means that an image is not distroless.

/// Shells, and the tool boxes that are one.
const SHELLS: &[&str] = &[
    "sh",
    "bash",
    "rbash",
    "dash",
    "ash",
    "zsh",
    "ksh",
    "mksh",
    "oksh",
    "csh",
    "tcsh",
    "fish",
    "busybox",
    "toybox",
    "powershell",
    "pwsh",
    "cmd",
];

/// Package managers; each comes with a shell or brings one in.
const PACKAGE_MANAGERS: &[&str] =
    &["apk", "apt", "apt-get", "dpkg", "yum", "dnf", "microdnf", "tdnf", "rpm", "zypper", "pacman", "opkg"];

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

/// Whether a program is a shell, wherever it lies.
pub(crate) fn is_shell(program: &str) -> bool {
    contains(SHELLS, base_name(program))
}

/// Whether a program is a shell or a package manager, wherever it lies.
pub(crate) fn is_out_of_place(program: &str) -> bool {
    is_shell(program) || contains(PACKAGE_MANAGERS, base_name(program))
}

/// Whether a program is a script by its name.
pub(crate) fn is_script(program: &str) -> bool {
    let name = base_name(program).to_ascii_lowercase();
    SCRIPTS.iter().any(|extension| name.ends_with(extension))
}

/// Whether the path of a file is that of a shell: the name of one, where programs lie.
pub(crate) fn is_path_of_shell(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').is_some_and(|(folder, name)| {
        is_shell(name) && (folder.is_empty() || folder.ends_with("bin") || folder.ends_with("/busybox"))
    })
}

/// Whether a Nix store path is that of a shell: `/nix/store/<hash>-bash-interactive-5.2p15`, not `…-bash-completion-2.11`.
pub(crate) fn is_store_path_of_shell(path: &str) -> bool {
    let Some(name) = path.rsplit('/').next().and_then(|name| name.split_once('-')).map(|(_, name)| name) else {
        return false;
    };
    SHELLS.iter().any(|shell| {
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
        for program in
            ["sh", "/bin/sh", "/busybox/sh", "/usr/bin/bash", "\"/bin/ash\"", "C:\\Windows\\cmd.exe", "CMD.EXE"]
        {
            assert!(is_shell(program), "{program}");
        }
        for program in ["", "/", "/app", "/bin/shell", "ssh", "/sh/app", "a.exe", "\u{fc}.exe"] {
            assert!(!is_shell(program), "{program}");
        }
        assert!(is_out_of_place("/sbin/apk") && !is_out_of_place("/usr/bin/python3"));
        assert!(is_script("/docker-entrypoint.SH") && !is_script("/app") && !is_script("/sh"));
    }

    #[test]
    fn a_file_is_a_shell_only_where_programs_lie() {
        for path in ["/bin/sh", "/usr/bin/bash", "/sh", "/busybox", "/busybox/", "/busybox/sh", "/usr/local/bin/dash"] {
            assert!(is_path_of_shell(path), "{path}");
        }
        for path in ["sh", "scripts/sh", "/app/bash", "/bin/app", "", "/", "/opt/fish"] {
            assert!(!is_path_of_shell(path), "{path}");
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
