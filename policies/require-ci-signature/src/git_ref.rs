//! Branches and tags, as the certificates of CI name them: `refs/heads/main`.

use policy_kit::is_invisible;

/// Refs of requests that anybody may open: on GitHub, GitLab and Bitbucket.
const REQUESTS: [&str; 3] = ["refs/pull/", "refs/merge-requests/", "refs/pull-requests/"];

/// Checks a ref: `refs/heads/<branch>`, `refs/tags/<tag>`, or all below one of their folders, `refs/tags/*`.
///
/// # Errors
///
/// Says what to write instead.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("write which one signs, such as refs/heads/main or refs/tags/*: \
                    without it any branch and any pull request would do"
            .to_owned());
    }
    if REQUESTS.iter().any(|request| text.starts_with(request)) {
        return Err(format!("{text:?} is a pull request, which is not reviewed yet: write refs/heads/main"));
    }
    let (folder, name) = match (text.strip_prefix("refs/heads/"), text.strip_prefix("refs/tags/")) {
        (Some(name), _) => ("refs/heads", name),
        (_, Some(name)) => ("refs/tags", name),
        _ => {
            return Err(format!(
                "{text:?} is not a whole ref: write refs/heads/main for a branch, refs/tags/* for tags"
            ));
        }
    };
    if folder == "refs/heads" && name == "*" {
        return Err("\"refs/heads/*\" covers every branch, and whoever may push makes a new one: \
                    write refs/heads/main, or a folder such as refs/heads/release/*"
            .to_owned());
    }
    let prefix = if name == "*" { Some("x") } else { name.strip_suffix("/*") };
    if prefix.unwrap_or(name).contains('*') {
        return Err(format!(
            "{text:?}: * stands only for all that follows a slash, such as refs/tags/* or refs/heads/release/*"
        ));
    }
    let is_fine = match prefix {
        Some(prefix) => prefix.split('/').all(is_plain_part),
        // Written out in a subject, a second one would read as the ref.
        None => !text.contains("@refs/") && !name.ends_with('.') && name.split('/').all(is_part),
    };
    if is_fine { Ok(()) } else { Err(format!("{text:?} is not a ref that git knows")) }
}

/// One part of a ref, as git allows it (`git check-ref-format`). What nobody sees is left out.
fn is_part(part: &str) -> bool {
    let is_inner = |letter: char| {
        !is_invisible(letter) && !letter.is_whitespace() && !matches!(letter, '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    };
    let is_odd = part.starts_with('.') || part.ends_with(".lock") || part.contains("..") || part.contains("@{");
    !part.is_empty() && !is_odd && part.chars().all(is_inner)
}

/// One part of a prefix. The host reads that as a URL, so what would be written differently there is left out.
fn is_plain_part(part: &str) -> bool {
    is_part(part) && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn branches_and_tags_are_refs() {
        for text in [
            "refs/heads/main",
            "refs/heads/release/1.2",
            "refs/heads/release/*",
            "refs/heads/team/x/*",
            "refs/tags/*",
            "refs/tags/v1.2.3+build",
            "refs/tags/app/*",
            "refs/heads/dependabot/npm/@types/x",
            "refs/tags/@acme/app@1.2.3",
            "refs/heads/feat#1",
            "refs/heads/größe",
            "refs/heads/機能",
            "refs/heads/a(b)",
            "refs/tags/v1,2",
            "refs/heads/@",
            "refs/heads/lock",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_anybody_can_make_is_refused() {
        for (text, what) in [
            ("", "without it any branch and any pull request would do"),
            ("refs/pull/7/merge", "is a pull request"),
            ("refs/pull/*", "is a pull request"),
            ("refs/merge-requests/1/head", "is a pull request"),
            ("refs/*", "is not a whole ref"),
            ("*", "is not a whole ref"),
            ("main", "is not a whole ref"),
            ("v1.2.3", "is not a whole ref"),
            ("heads/main", "is not a whole ref"),
            ("refs/heads/*", "covers every branch"),
            ("refs/heads/*/x", "* stands only for"),
            ("refs/heads/rel*", "* stands only for"),
            ("refs/tags/v*", "* stands only for"),
            ("refs/tags/**", "* stands only for"),
            ("refs/heads/*/*", "* stands only for"),
            ("refs/heads/", "is not a ref that git knows"),
            ("refs/heads//*", "is not a ref that git knows"),
            ("refs/heads/a/../main", "is not a ref that git knows"),
            ("refs/heads/ma in", "is not a ref that git knows"),
            ("refs/tags/1~rc1", "is not a ref that git knows"),
            ("refs/tags/1^", "is not a ref that git knows"),
            ("refs/heads/a:b", "is not a ref that git knows"),
            ("refs/heads/a?", "is not a ref that git knows"),
            ("refs/heads/a[b", "is not a ref that git knows"),
            ("refs/heads/a\\b", "is not a ref that git knows"),
            ("refs/heads/a@{1}", "is not a ref that git knows"),
            ("refs/heads/main.lock", "is not a ref that git knows"),
            ("refs/heads/a.lock/b", "is not a ref that git knows"),
            ("refs/heads/.a", "is not a ref that git knows"),
            ("refs/heads/a.", "is not a ref that git knows"),
            ("refs/heads/a\nb", "is not a ref that git knows"),
            ("refs/heads/a\u{202e}b", "is not a ref that git knows"),
            ("refs/heads/a\u{a0}b", "is not a ref that git knows"),
            // Prefixes are read as URLs.
            ("refs/heads/@types/*", "is not a ref that git knows"),
            ("refs/heads/feat#1/*", "is not a ref that git knows"),
            ("refs/heads/größe/*", "is not a ref that git knows"),
            ("refs/heads/main@refs/heads/x", "is not a ref that git knows"),
            ("refs/heads/main/", "is not a ref that git knows"),
        ] {
            let error = check(text).expect_err(text);
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
