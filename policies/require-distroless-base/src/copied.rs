//! What a COPY or an ADD in the history puts where.

use crate::programs::is_path_of_shell;

/// A COPY or an ADD, as builders write it down: `a b /c`, or docker's `file:<hash> in /c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied<'h> {
    sources: Vec<&'h str>,
    target: &'h str,
    /// Whether archives among the sources are unpacked.
    is_add: bool,
}

/// The working directory of a step, as far as it matters: whether it is the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Directory {
    is_root: bool,
}

impl Directory {
    /// Where a build from scratch begins.
    pub(crate) const ROOT: Directory = Directory { is_root: true };

    /// Follows a WORKDIR.
    pub(crate) fn follow(&mut self, path: &str) {
        let is_absolute = path.starts_with('/');
        let is_root = is_root(path);
        self.is_root = if is_absolute { is_root } else { self.is_root && is_root };
    }
}

/// Names under which people keep a whole file system until they copy it.
const FILE_SYSTEMS: &[&str] =
    &["rootfs", "root-fs", "root_fs", "sysroot", "chroot", "install-root", "installroot", "mnt"];

/// Directories that hold a distribution's programs; copied whole they bring its shell along.
const PROGRAM_DIRECTORIES: &[&str] = &["/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin"];

/// What ADD unpacks.
const ARCHIVES: &[&str] =
    &[".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst"];

impl<'h> Copied<'h> {
    /// Reads what stands behind COPY or ADD.
    pub(crate) fn read(text: &'h str, is_add: bool) -> Self {
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | ','));
        let mut words: Vec<&str> = words.filter(|word| !word.is_empty() && !word.starts_with("--")).collect();
        let target = words.pop().unwrap_or_default();
        if words.last() == Some(&"in") && words.len() > 1 {
            words.pop();
        }
        Copied { sources: words, target, is_add }
    }

    /// Whether one of the files is a shell, by where it comes from or where it goes.
    pub(crate) fn has_shell(&self) -> bool {
        self.sources.iter().any(|source| {
            let name = source.rsplit('/').next().unwrap_or_default();
            let is_folder = self.target.ends_with('/');
            is_path_of_shell(source)
                || if is_folder || self.sources.len() > 1 {
                    is_path_of_shell(&format!("{}/{name}", self.target.trim_end_matches('/')))
                } else {
                    is_path_of_shell(self.target)
                }
        })
    }

    /// Whether this puts a root file system in place, or the programs of one.
    pub(crate) fn lays_file_system(&self, directory: Directory) -> bool {
        let target = without_slashes(self.target);
        if PROGRAM_DIRECTORIES.contains(&target) {
            return self.sources.iter().any(|source| without_slashes(source) == target);
        }
        let is_root = is_root(self.target) && (self.target.starts_with('/') || directory.is_root);
        is_root && self.sources.iter().any(|source| self.could_be_file_system(source))
    }

    /// Whether what is copied to the root could be all of it. A plain name could be a file as well as a directory; the
    /// history does not tell, and `COPY app /` is how most images from scratch are built.
    fn could_be_file_system(&self, source: &str) -> bool {
        // docker's names: what they hash is a file, a directory, or several of either.
        if let Some((kind, _)) = source.split_once(':').filter(|(kind, _)| ["file", "dir", "multi"].contains(kind)) {
            return self.is_add || kind == "dir";
        }
        let is_contents = is_root(source) || source.ends_with(['/', '*']) || source.ends_with("/.");
        let name = without_slashes(source).rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let is_url = source.contains("://");
        let is_archive = self.is_add && !is_url && ARCHIVES.iter().any(|extension| name.ends_with(extension));
        is_contents || is_archive || FILE_SYSTEMS.iter().any(|known| name.contains(known))
    }
}

/// `/`, `.`, `./`, `//`, `/.`: nothing but the directory itself.
fn is_root(path: &str) -> bool {
    !path.is_empty() && path.bytes().all(|b| matches!(b, b'/' | b'.')) && !path.contains("..")
}

fn without_slashes(path: &str) -> &str {
    let trimmed = path.trim_end_matches(['/', '*']);
    trimmed.strip_suffix("/.").unwrap_or(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lays(instruction: &str) -> bool {
        let (name, rest) = instruction.split_once(' ').expect("an instruction");
        Copied::read(rest, name == "ADD").lays_file_system(Directory::ROOT)
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
            "COPY rootfs.tar /",
            "COPY . /app",
            "COPY /usr/bin/app /usr/bin/app",
            "COPY bin/ /usr/bin/",
            "COPY /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/",
            "COPY .. /app",
        ] {
            // `rootfs.tar` is only unpacked by ADD, but its name says what it is.
            assert_eq!(lays(text), text.contains("rootfs"), "{text}");
        }
        assert!(!lays("COPY ") && !lays("ADD /"));
    }

    #[test]
    fn a_relative_target_is_below_the_working_directory() {
        let copied = Copied::read(". .", false);
        for (directories, expected) in [
            (vec![], true),
            (vec!["/"], true),
            (vec!["/app"], false),
            (vec!["app"], false),
            (vec!["/app", "/"], true),
            (vec!["/app", "."], false),
        ] {
            let mut directory = Directory::ROOT;
            directories.iter().for_each(|path| directory.follow(path));
            assert_eq!(copied.lays_file_system(directory), expected, "{directories:?}");
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
        ] {
            assert!(Copied::read(text, false).has_shell(), "{text}");
        }
        for text in
            ["app /bin/app", "sh /scripts/", "dash /app/dash", "/app/bin/app /app", "file:7bf1 in /app", "", "/", "in"]
        {
            assert!(!Copied::read(text, false).has_shell(), "{text}");
        }
    }
}
