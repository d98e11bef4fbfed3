//! What one report found, counted.

use std::collections::{BTreeMap, BTreeSet};

use policy_kit::Json;

use crate::exception::Exceptions;
use crate::settings::Settings;
use crate::severity::Severity;
use crate::source::{Source, Vulnerability};

/// How many vulnerabilities of a severity a message names.
const MOST_NAMED: usize = 5;

/// How long an ID, a package or a version in a message may be.
const LONGEST_NAME: usize = 80;

/// The vulnerabilities of one severity that count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Those that the report lists, each once per package.
    pub(crate) listed: u64,
    /// How many more its summary counts than it lists.
    pub(crate) unlisted: u64,
    /// The first of those that are listed, for messages.
    pub(crate) named: Vec<String>,
}

impl Tally {
    /// All of them.
    pub(crate) fn total(&self) -> u64 {
        self.listed.saturating_add(self.unlisted)
    }
}

/// What one report found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    by_severity: BTreeMap<Severity, Tally>,
    /// The operating system that gets no more advisories.
    pub(crate) dead_system: Option<String>,
    /// The exceptions that would apply and have ended: ID and day.
    pub(crate) expired: BTreeSet<(String, String)>,
}

impl Findings {
    /// Counts what a report found. A vulnerability is one ID in one package: scanners list it once for each file.
    ///
    /// # Errors
    ///
    /// When the report cannot be read.
    pub(crate) fn read(
        report: &Json<'_>,
        source: Source,
        settings: &Settings,
        exceptions: &Exceptions<'_>,
        now: i64,
    ) -> Result<Self, String> {
        if report.get("report").get("summary").as_object().is_none() {
            return Err("it has no summary".to_owned());
        }
        let mut findings = Findings::default();
        let mut counted: BTreeMap<(&str, &str), Vulnerability<'_>> = BTreeMap::new();
        let mut listed: BTreeMap<Severity, u64> = BTreeMap::new();
        source.vulnerabilities(report, |vulnerability| {
            // What VEX takes away is not in the summary either.
            if vulnerability.is_suppressed {
                return;
            }
            *listed.entry(vulnerability.severity).or_default() += 1;
            if settings.ignore_unfixed && vulnerability.fixed_in.is_empty() {
                return;
            }
            match exceptions.expiry(vulnerability.id) {
                Some(expiry) if !expiry.is_over(now) => return,
                Some(expiry) => {
                    findings.expired.insert((shown(vulnerability.id), expiry.text().to_owned()));
                }
                None => {}
            }
            let known = counted.entry((vulnerability.id, vulnerability.package));
            let known = known.or_insert(Vulnerability { severity: vulnerability.severity, ..vulnerability });
            known.severity = known.severity.max(vulnerability.severity);
        })?;
        for vulnerability in counted.values() {
            let tally = findings.by_severity.entry(vulnerability.severity).or_default();
            tally.listed += 1;
            if tally.named.len() < MOST_NAMED {
                tally.named.push(name_of(vulnerability));
            }
        }
        for severity in Severity::ALL {
            let summed_up = source.summed_up(report, severity)?;
            let unlisted = summed_up.saturating_sub(listed.get(&severity).copied().unwrap_or_default());
            if unlisted > 0 {
                findings.by_severity.entry(severity).or_default().unlisted = unlisted;
            }
        }
        let system = report.get("report").get("os");
        if system.get("eosl").is_true() {
            let name = format!("{} {}", system.get("family").text(), system.get("name").text());
            findings.dead_system = Some(shown(name.trim()));
        }
        Ok(findings)
    }

    /// The vulnerabilities of one severity.
    pub(crate) fn tally(&self, severity: Severity) -> Option<&Tally> {
        self.by_severity.get(&severity)
    }
}

fn name_of(vulnerability: &Vulnerability<'_>) -> String {
    let id = if vulnerability.id.is_empty() { "one without an ID".to_owned() } else { shown(vulnerability.id) };
    let package = match vulnerability.package {
        "" => String::new(),
        package => format!(" in {}", shown(package)),
    };
    let fix = match vulnerability.fixed_in {
        "" => ", which has no fix".to_owned(),
        version => format!(", fixed in {}", shown(version)),
    };
    format!("{id}{package}{fix}")
}

/// What others wrote, short and on one line.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST_NAME).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
