//! The directory in which a step of a build works.

/// The working directory, as far as the history tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directory {
    /// Absolute, without `.` and `..`; none where it cannot be told.
    path: Option<String>,
}

/// Linux takes no longer path.
const LONGEST: usize = 4096;

impl Directory {
    /// Where a build begins: the working directory of its base.
    pub(crate) fn starting_at(path: &str) -> Self {
        let mut directory = Directory { path: Some("/".to_owned()) };
        directory.follow(path);
        directory
    }

    /// An absolute path without `.` and `..`; `None` for any other.
    pub(crate) fn absolute(path: &str) -> Option<String> {
        Directory { path: None }.resolve(path)
    }

    /// Follows a WORKDIR.
    pub(crate) fn follow(&mut self, path: &str) {
        self.path = self.resolve(path);
    }

    /// A path of a step in this directory, absolute and without `.` and `..`. `None` where it cannot be told: builders that
    /// write variables down as they stand, or more of a path than there can be.
    pub(crate) fn resolve(&self, path: &str) -> Option<String> {
        if path.len() > LONGEST || path.contains('$') {
            return None;
        }
        let start = if path.starts_with('/') { "/" } else { self.path.as_deref()? };
        let mut parts: Vec<&str> = Vec::new();
        for part in start.split('/').chain(path.split('/')) {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let resolved = format!("/{}", parts.join("/"));
        (resolved.len() <= LONGEST).then_some(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_the_working_directory() {
        for (directories, path, expected) in [
            (vec![], ".", Some("/")),
            (vec![], "", Some("/")),
            (vec!["/app"], ".", Some("/app")),
            (vec!["/app"], "bin/", Some("/app/bin")),
            (vec!["/app", "b"], "..", Some("/app")),
            (vec!["/a"], "../..", Some("/")),
            (vec!["/a"], "/x/..", Some("/")),
            (vec!["/app", "/"], ".", Some("/")),
            (vec!["$HOME"], ".", None),
            (vec!["$HOME"], "/app", Some("/app")),
            (vec!["$HOME", "/app"], "b", Some("/app/b")),
            (vec![], "/$HOME", None),
        ] {
            let mut directory = Directory::starting_at("");
            directories.iter().for_each(|path| directory.follow(path));
            assert_eq!(directory.resolve(path).as_deref(), expected, "{directories:?} {path}");
        }
        let mut directory = Directory::starting_at("/a");
        (0..10_000).for_each(|_| directory.follow("abc"));
        assert_eq!(directory.resolve("."), None);
    }
}
