//! What one report found, counted.

use std::collections::BTreeMap;

use policy_kit::Json;

use crate::exception::Exceptions;
use crate::settings::Settings;
use crate::severity::Severity;
use crate::shown::shown;
use crate::source::{Source, Vulnerability};

/// How many vulnerabilities of a severity a message names.
const MOST_NAMED: usize = 5;

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
    by_severity: [Tally; Severity::ALL.len()],
    /// The operating system that gets no more advisories.
    pub(crate) dead_system: Option<String>,
    /// What has an exception that has ended: ID and day, sorted and each once.
    pub(crate) expired: Vec<(String, String)>,
    /// What has an exception that ends in more than a year, in the same way.
    pub(crate) put_off: Vec<(String, String)>,
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
        let mut counted: BTreeMap<(&str, &str, u64), Vulnerability<'_>> = BTreeMap::new();
        let mut nameless = 0_u64;
        let mut listed = [0_u64; Severity::ALL.len()];
        source.vulnerabilities(report, |vulnerability| {
            // What VEX takes away is not in the summary either.
            if vulnerability.is_suppressed {
                return;
            }
            listed[vulnerability.severity.index()] += 1;
            if settings.ignore_unfixed && vulnerability.fixed_in.is_empty() {
                return;
            }
            if let Some(expiry) = exceptions.expiry(vulnerability.id).filter(|expiry| !expiry.is_over(now)) {
                if expiry.is_far(now) {
                    let put_off = (shown(vulnerability.id), expiry.text().to_owned());
                    if !findings.put_off.contains(&put_off) {
                        findings.put_off.push(put_off);
                    }
                }
                return;
            }
            // Of those without an ID nobody knows whether they are the same.
            if vulnerability.id.is_empty() {
                nameless += 1;
            }
            let number = if vulnerability.id.is_empty() { nameless } else { 0 };
            let known = counted.entry((vulnerability.id, vulnerability.package, number)).or_insert(vulnerability);
            if known.severity < vulnerability.severity {
                known.severity = vulnerability.severity;
            }
        })?;
        for vulnerability in counted.values() {
            findings.count(vulnerability, exceptions);
        }
        for severity in Severity::ALL {
            let summed_up = source.summed_up(report, severity)?;
            findings.by_severity[severity.index()].unlisted = summed_up.saturating_sub(listed[severity.index()]);
        }
        let system = report.get("report").get("os");
        match system.get("eosl") {
            Json::Null | Json::Bool(false) => {}
            Json::Bool(true) => {
                let name = format!("{} {}", system.get("family").text(), system.get("name").text());
                findings.dead_system = Some(shown(name.trim()));
            }
            other => return Err(format!("its eosl is {}, neither true nor false", other.kind())),
        }
        Ok(findings)
    }

    fn count(&mut self, vulnerability: &Vulnerability<'_>, exceptions: &Exceptions<'_>) {
        let tally = &mut self.by_severity[vulnerability.severity.index()];
        tally.listed += 1;
        if tally.named.len() < MOST_NAMED {
            tally.named.push(name_of(vulnerability));
        }
        if let Some(expiry) = exceptions.expiry(vulnerability.id) {
            let expired = (shown(vulnerability.id), expiry.text().to_owned());
            // The same ID in the next package stands next to it.
            if self.expired.last() != Some(&expired) {
                self.expired.push(expired);
            }
        }
    }

    /// The vulnerabilities of one severity.
    pub(crate) fn tally(&self, severity: Severity) -> &Tally {
        &self.by_severity[severity.index()]
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

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
