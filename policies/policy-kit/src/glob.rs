//! `*` within one word.

/// Whether `text` as a whole matches `pattern`, in which `*` stands for any run of bytes.
///
/// Linear in practice and never exponential: on a mismatch only the last `*` is retried.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    star_matches(pattern.as_bytes(), text.as_bytes(), |p| *p == b'*', |p, t| p == t)
}

/// Matches `items` against `pattern`, where `is_star` patterns stand for any run of items.
///
/// Shared by globs over bytes and image patterns over path segments.
pub(crate) fn star_matches<P, T>(
    pattern: &[P],
    items: &[T],
    is_star: impl Fn(&P) -> bool,
    matches: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut p, mut i) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while i < items.len() {
        if p < pattern.len() && is_star(&pattern[p]) {
            retry = Some((p, i));
            p += 1;
        } else if p < pattern.len() && matches(&pattern[p], &items[i]) {
            p += 1;
            i += 1;
        } else if let Some((star, start)) = retry {
            retry = Some((star, start + 1));
            p = star + 1;
            i = start + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(is_star)
}

#[cfg(test)]
mod tests {
    use super::glob_matches;

    #[test]
    fn a_glob_matches_the_whole_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "prod", true),
            ("prod-*", "prod-eu", true),
            ("prod-*", "prod", false),
            ("prod-*", "nonprod-eu", false),
            ("*-prod", "eu-prod", true),
            ("*-prod", "eu-prod-2", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("prod", "PROD", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_stay_fast() {
        assert!(!glob_matches(&"*a".repeat(64), &"a".repeat(4096).replace("aa", "ab")[..4000].replace('a', "b")));
    }
}
