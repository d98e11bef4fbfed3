//! What a COPY or an ADD in the history puts where.

use crate::directory::Directory;
use crate::programs::{is_path_of_shell, is_shell_in, is_url_of_shell};

/// A COPY or an ADD, as builders write it down: `a b /c`, or docker's `file:<hash> in /c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied<'h> {
    sources: Vec<&'h str>,
    target: &'h str,
    /// Whether archives among the sources are unpacked.
    is_add: bool,
}

/// Names under which people keep a whole file system until they copy it, whole or behind another word: `alpine-rootfs`.
const FILE_SYSTEMS: &[&str] = &[
    "rootfs",
    "minirootfs",
    "root-fs",
    "root_fs",
    "sysroot",
    "chroot",
    "install-root",
    "install_root",
    "installroot",
    "newroot",
    "new-root",
    "new_root",
    "target",
    "staging",
    "mnt",
];

/// What may stand behind such a name: the machine that it is for.
const MACHINES: &[&str] = &["amd64", "arm64", "x86", "64", "x86_64", "aarch64", "armv7", "armhf", "386"];

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

    /// Whether one of the files is a shell or a package manager, by where it comes from or where it goes.
    pub(crate) fn has_shell(&self, directory: &Directory) -> bool {
        // The target is looked at once: both it and the list of sources may be of any length.
        let resolved = directory.resolve(self.target);
        let target = resolved.as_deref().unwrap_or(self.target).trim_end_matches('/');
        let takes_files = self.sources.len() > 1
            || self.target.ends_with(['/', '.'])
            || PROGRAM_DIRECTORIES.contains(&target)
            || target.ends_with("/bin");
        let is_shell_itself = !takes_files && !self.sources.is_empty() && is_path_of_shell(target);
        is_shell_itself
            || self.sources.iter().any(|source| {
                let name = without_end(source).rsplit('/').next().unwrap_or_default();
                is_path_of_shell(source) || is_url_of_shell(source) || (takes_files && is_shell_in(target, name))
            })
    }

    /// Whether this puts a root file system in place, or the programs of one, for all that can be told.
    pub(crate) fn lays_file_system(&self, directory: &Directory) -> bool {
        self.surely_lays_file_system(directory) || {
            // A target that nobody can tell could be the root.
            let is_root = directory.resolve(self.target).as_deref().is_none_or(|target| target == "/");
            is_root && self.sources.iter().any(|source| could_be_all(source))
        }
    }

    /// The same, where a name or a path says so.
    pub(crate) fn surely_lays_file_system(&self, directory: &Directory) -> bool {
        let target = directory.resolve(self.target);
        // A target that nobody can tell could be the root.
        let is_root = target.as_deref().is_none_or(|target| target == "/");
        let programs = PROGRAM_DIRECTORIES.iter().copied().find(|known| target.as_deref() == Some(known));
        self.sources.iter().any(|source| {
            is_all_of_it(source)
                || (is_root && self.could_be_file_system(source))
                || programs.is_some_and(|programs| is_directory_of(source, programs))
        })
    }

    /// Whether what is copied to the root could be all of it. A plain name could be a file as well as a directory; the
    /// history does not tell, and `COPY app /` is how most images from scratch are built.
    fn could_be_file_system(&self, source: &str) -> bool {
        // docker's names: what they hash is a file, a directory, or several of either.
        if let Some((kind, _)) = source.split_once(':').filter(|(kind, _)| ["file", "dir", "multi"].contains(kind)) {
            return self.is_add || kind == "dir";
        }
        let name = without_end(source).rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let is_url = source.contains("://");
        let is_archive = self.is_add && !is_url && ARCHIVES.iter().any(|extension| name.ends_with(extension));
        is_archive || is_name_of_file_system(&name)
    }
}

/// Whether a source is all that is in a directory, or a variable: it could be a file system, or an app.
fn could_be_all(source: &str) -> bool {
    is_here(source) || source.ends_with(['/', '*']) || source.ends_with("/.") || is_variable(source)
}

/// Whether a source is the root or a distribution's programs, wherever it goes.
fn is_all_of_it(source: &str) -> bool {
    const EVERYTHING: &[&str] = &["/", "/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin"];
    let path = || Directory::absolute(source.trim_end_matches('*'));
    source.starts_with('/') && path().is_some_and(|path| EVERYTHING.contains(&path.as_str()))
}

/// Whether a source is the program directory of a file system that lies elsewhere: `/alpine/bin` for `/bin`.
fn is_directory_of(source: &str, programs: &str) -> bool {
    let source = without_end(source);
    let is_elsewhere = source.starts_with('/') || source.split('/').any(is_name_of_file_system);
    is_elsewhere && source.ends_with(programs)
}

/// Whether all of a source is a variable that its builder wrote down as it stood: it could be the root.
fn is_variable(source: &str) -> bool {
    let name = without_end(source).trim_start_matches('/');
    name.starts_with('$') && !name.contains('/')
}

fn is_name_of_file_system(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut name = name.as_str();
    while let Some((before, machine)) = name.rsplit_once(['-', '_', '.']) {
        if !MACHINES.contains(&machine) && !machine.starts_with('$') {
            break;
        }
        name = before;
    }
    FILE_SYSTEMS.iter().any(|known| {
        name.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with(['-', '_', '.']))
    })
}

/// `/`, `.`, `./`, `//`, `/.`: nothing but the directory itself.
fn is_here(path: &str) -> bool {
    !path.is_empty() && path.bytes().all(|b| matches!(b, b'/' | b'.')) && !path.contains("..")
}

fn without_end(path: &str) -> &str {
    let trimmed = path.trim_end_matches(['/', '*']);
    trimmed.strip_suffix("/.").unwrap_or(trimmed)
}

#[cfg(test)]
#[path = "copied_tests.rs"]
mod tests;
