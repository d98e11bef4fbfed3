//! How bad a vulnerability is, and how many of it are too many.

use serde::Deserialize;

/// The severities that scanners know. Whatever else they write is unknown, which is a severity too and not none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Severity {
    Unknown,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// All of them, the worst first.
    pub(crate) const ALL: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Unknown];

    /// Reads a severity, without regard to case.
    pub(crate) fn read(text: &str) -> Severity {
        let is = |name: &&Severity| text.eq_ignore_ascii_case(name.name());
        Severity::ALL.iter().find(is).copied().unwrap_or(Severity::Unknown)
    }

    /// The place in a table of all severities.
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The name, as settings and messages have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Unknown => "unknown",
        }
    }
}

/// How many vulnerabilities an image may have. What is unset is unlimited.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaxSeverity {
    /// Of severity critical.
    pub(crate) critical: Option<u32>,
    /// Of severity high.
    pub(crate) high: Option<u32>,
    /// Of severity medium.
    pub(crate) medium: Option<u32>,
    /// Of severity low.
    pub(crate) low: Option<u32>,
    /// Of a severity that the scanner does not know.
    pub(crate) unknown: Option<u32>,
}

impl Default for MaxSeverity {
    fn default() -> Self {
        MaxSeverity { critical: Some(0), high: Some(10), medium: None, low: None, unknown: None }
    }
}

impl MaxSeverity {
    /// The limit of one severity.
    pub(crate) fn of(&self, severity: Severity) -> Option<u32> {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Unknown => self.unknown,
        }
    }

    /// A severity that has a limit, and one that is worse and has none. What is unknown may be anything, so it is enough
    /// that critical has one.
    pub(crate) fn hole(&self) -> Option<(Severity, Severity)> {
        let open = Severity::ALL.into_iter().find(|severity| self.of(*severity).is_none())?;
        let limited = Severity::ALL.into_iter().find(|severity| {
            self.of(*severity).is_some()
                && *severity < open
                && (*severity != Severity::Unknown || open == Severity::Critical)
        })?;
        Some((limited, open))
    }

    /// Whether there is no limit at all.
    pub(crate) fn is_unlimited(&self) -> bool {
        Severity::ALL.iter().all(|severity| self.of(*severity).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_read_without_regard_to_case() {
        for (text, expected) in [
            ("CRITICAL", Severity::Critical),
            ("critical", Severity::Critical),
            ("High", Severity::High),
            ("MEDIUM", Severity::Medium),
            ("Low", Severity::Low),
            ("UNKNOWN", Severity::Unknown),
            ("NONE", Severity::Unknown),
            ("", Severity::Unknown),
            // Nothing that is not known is taken for harmless.
            ("Moderate", Severity::Unknown),
            ("CRITICAL ", Severity::Unknown),
        ] {
            assert_eq!(Severity::read(text), expected, "{text:?}");
        }
    }
}
