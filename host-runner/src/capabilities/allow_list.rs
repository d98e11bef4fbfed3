//! Which capabilities a policy may use: Kubewarden's `hostCapabilities`.

use std::str::FromStr;

/// Every capability there is, beside `tracing/log`, which is always allowed.
const KNOWN: &[&str] = &[
    "crypto/v1/is_certificate_trusted",
    "kubernetes/can_i",
    "kubernetes/get_resource",
    "kubernetes/list_resources_all",
    "kubernetes/list_resources_by_namespace",
    "net/v1/dns_lookup_host",
    "oci/v1/manifest_digest",
    "oci/v1/oci_manifest",
    "oci/v1/oci_manifest_config",
    "oci/v1/verify",
    "oci/v2/verify",
];

/// A list of patterns: `*`, `oci/*`, `oci/v1/*`, `oci/v1/verify`. An empty one allows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList {
    allows_all: bool,
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// With the slash at its end.
    Below(String),
}

/// A pattern that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid host capabilities pattern: {0:?}: write *, a group such as oci/* or oci/v1/*, or one of {known}", known = KNOWN.join(", "))]
pub struct AllowListError(String);

impl AllowList {
    /// Allows everything, as clusters do for cluster-wide policies.
    pub fn all() -> Self {
        AllowList { allows_all: true, patterns: Vec::new() }
    }

    /// Reads patterns. `*` anywhere allows everything, whatever stands beside it.
    ///
    /// # Errors
    ///
    /// Names the first pattern that means no capability.
    pub fn parse<S: AsRef<str>>(patterns: &[S]) -> Result<Self, AllowListError> {
        if patterns.iter().any(|pattern| pattern.as_ref() == "*") {
            return Ok(AllowList::all());
        }
        let patterns = patterns.iter().map(|pattern| pattern.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(AllowList { allows_all: false, patterns })
    }

    /// Whether a capability may be used; the path is `{namespace}/{operation}`.
    pub(super) fn allows(&self, path: &str) -> bool {
        self.allows_all
            || self.patterns.iter().any(|pattern| match pattern {
                Pattern::Exact(known) => known == path,
                Pattern::Below(prefix) => path.starts_with(prefix.as_str()),
            })
    }
}

impl FromStr for Pattern {
    type Err = AllowListError;

    fn from_str(text: &str) -> Result<Self, AllowListError> {
        let refused = || AllowListError(text.to_owned());
        if let Some(prefix) = text.strip_suffix('*') {
            let means_some = prefix.ends_with('/') && KNOWN.iter().any(|known| known.starts_with(prefix));
            return if means_some { Ok(Pattern::Below(prefix.to_owned())) } else { Err(refused()) };
        }
        if KNOWN.contains(&text) { Ok(Pattern::Exact(text.to_owned())) } else { Err(refused()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_allow_what_they_say() {
        let allows = |patterns: &[&str], path: &str| AllowList::parse(patterns).expect("patterns").allows(path);
        assert!(!allows(&[], "oci/v1/verify"));
        assert!(allows(&["*"], "net/v1/dns_lookup_host"));
        assert!(allows(&["oci/*"], "oci/v2/verify"));
        assert!(allows(&["oci/v1/*"], "oci/v1/verify"));
        assert!(!allows(&["oci/v1/*"], "oci/v2/verify"));
        assert!(allows(&["kubernetes/can_i"], "kubernetes/can_i"));
        assert!(!allows(&["kubernetes/can_i"], "kubernetes/get_resource"));
        // The star wins at once: what else is in the list is not looked at.
        assert!(allows(&["nonsense", "*"], "oci/v1/verify"));
    }

    #[test]
    fn patterns_without_a_meaning_are_refused() {
        for pattern in ["", "oci*", "oci/v1", "oci", "dns/*", "oci/*/verify", "oci/v1/verif*", "/*", "oci/v9/*"] {
            let error = AllowList::parse(&[pattern]).expect_err(pattern);
            assert!(error.to_string().starts_with(&format!("Invalid host capabilities pattern: {pattern:?}: write *")));
        }
    }
}
