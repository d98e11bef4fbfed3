//! Branches and tags, as the certificates of CI name them: `refs/heads/main`.

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
    let literal = if name == "*" { "x" } else { name.strip_suffix("/*").unwrap_or(name) };
    if literal.contains('*') {
        return Err(format!(
            "{text:?}: * stands only for all that follows a slash, such as refs/tags/* or refs/heads/release/*"
        ));
    }
    if literal.split('/').all(is_part) { Ok(()) } else { Err(format!("{text:?} is not a ref that git knows")) }
}

/// One part of a ref. What would be written differently in a URL is left out: it would never match.
fn is_part(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && !part.contains("..")
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
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
            ("refs/heads/main#x", "is not a ref that git knows"),
            ("refs/heads/main@refs/heads/x", "is not a ref that git knows"),
            ("refs/heads/main/", "is not a ref that git knows"),
        ] {
            let error = check(text).expect_err(text);
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
