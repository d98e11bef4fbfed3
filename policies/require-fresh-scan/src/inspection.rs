//! One image: is it scanned, how fresh is that, and how bad is it.

use policy_kit::{Host, Level, Reference};

use crate::catalog::{Catalog, Entry};
use crate::coverage::{Coverage, Gap, Search};
use crate::findings::{Findings, Tally};
use crate::settings::Settings;
use crate::severity::Severity;
use crate::source::Source;
use crate::subject::{Subject, names};

/// How to have an image scanned that does not run yet.
const SCAN_REGISTRY: &str = "have a Registry of sbomscanner cover it and run a ScanJob";

/// How many platforms of all images of one object are looked up. Each costs a look for reports, and may cost a question
/// to the registry.
pub(crate) const MOST_PLATFORMS: usize = 512;

/// What there is to say about an image; each goes behind `image <reference> `.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) mistakes: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// What an inspection needs to know.
pub(crate) struct Inspection<'i> {
    pub(crate) host: &'i dyn Host,
    pub(crate) settings: &'i Settings,
    pub(crate) catalog: &'i Catalog,
    /// The namespaces whose reports count, for messages.
    pub(crate) namespaces: &'i [&'i str],
    pub(crate) now: i64,
}

impl Inspection<'_> {
    /// Judges an image of no more platforms than are left to be looked up, and takes them from these.
    pub(crate) fn inspect(&self, image: &Reference<'_>, platforms_left: &mut usize) -> Outcome {
        let mut outcome = Outcome::default();
        let Inspection { host, settings, catalog, now, .. } = *self;
        let search = Search { host, settings, catalog, now };
        if let Some(coverage) = search.cover_pinned(image) {
            self.judge_reports(&coverage, &mut outcome);
            return outcome;
        }
        let subject = match Subject::look_up(host, image, settings) {
            Ok(subject) => subject,
            Err(mistake) => {
                outcome.mistakes.push(mistake);
                return outcome;
            }
        };
        let Some(left) = platforms_left.checked_sub(subject.platforms.len()) else {
            outcome.mistakes.push(format!(
                "cannot be looked up, as the object's images have more than {MOST_PLATFORMS} platforms; split the object, \
                 or have the policy's platforms setting list those that are needed"
            ));
            return outcome;
        };
        *platforms_left = left;
        let coverage = search.cover(image, &subject);
        self.judge_gaps(image, &subject, &coverage, &mut outcome);
        self.judge_reports(&coverage, &mut outcome);
        outcome
    }

    /// Are its reports good?
    fn judge_reports(&self, coverage: &Coverage<'_>, outcome: &mut Outcome) {
        for unreadable in &coverage.unreadable {
            outcome.mistakes.push(format!("must have a report that can be read: {unreadable}"));
        }
        self.judge_findings(&coverage.read, outcome);
    }

    /// Is it scanned, all of it, and lately?
    fn judge_gaps(&self, image: &Reference<'_>, subject: &Subject, coverage: &Coverage<'_>, outcome: &mut Outcome) {
        let gaps = &coverage.gaps;
        if gaps.is_empty() || (coverage.is_covered_somewhere && subject.is_plain()) {
            return;
        }
        let mut doubtful: Vec<&Entry> = Vec::new();
        for entry in gaps.iter().filter_map(|gap| gap.doubtful) {
            // The index' report stands for all platforms that have none of their own.
            if !doubtful.contains(&entry) {
                doubtful.push(entry);
            }
        }
        if let [first, others @ ..] = doubtful.as_slice() {
            let more = if others.is_empty() { String::new() } else { format!(", and {} more like it", others.len()) };
            outcome.mistakes.push(format!(
                "must have been scanned in the last {}: {}{more}; {}",
                self.settings.max_age,
                first.doubt(self.now),
                again(first.source)
            ));
        }
        let missing: Vec<&Gap<'_>> = gaps.iter().filter(|gap| gap.doubtful.is_none()).collect();
        if missing.is_empty() {
            return;
        }
        // Where sbomscanner knows the image, it is known which platforms are missing.
        let message = if coverage.is_covered_somewhere && !coverage.is_known_by_platform {
            let fact =
                format!("trivy-operator has scanned one of {} platforms and does not tell which", subject.offered);
            if doubtful.is_empty() && self.settings.platforms.is_empty() {
                // trivy-operator cannot do better. That is taken, unless the settings say which platforms must be
                // scanned, or something else is known of one.
                outcome.warnings.push(format!("is not scanned for every platform: {fact}"));
                return;
            }
            format!("must have been scanned for every platform: {fact}; {}", self.scan_each())
        } else {
            self.missing(image, subject, &missing, missing.len() < subject.platforms.len())
        };
        match self.settings.missing_report {
            Level::Accept => {}
            Level::Warn => outcome.warnings.push(message),
            Level::Reject => outcome.mistakes.push(message),
        }
    }

    /// How to have each platform scanned.
    fn scan_each(&self) -> &'static str {
        if self.settings.reads(Source::Sbomscanner) {
            SCAN_REGISTRY
        } else {
            "add sbomscanner, which scans each, to the policy's reports setting"
        }
    }

    /// That nobody has scanned the image, or some of its platforms.
    fn missing(&self, image: &Reference<'_>, subject: &Subject, gaps: &[&Gap<'_>], is_partly_scanned: bool) -> String {
        let plural = if self.namespaces.len() == 1 { "" } else { "s" };
        let place = format!("namespace{plural} {}", self.namespaces.join(", "));
        let sources = self.settings.sources();
        let (must, about) = if is_partly_scanned {
            let platforms = names(gaps.iter().map(|gap| gap.platform));
            ("must have been scanned for every platform", platforms)
        } else {
            // An image without an index has one gap and one digest, which are the same.
            ("must have been scanned", format!("its digest {}", subject.digest))
        };
        let hint = if is_partly_scanned { String::new() } else { self.nameless(image) };
        let unknown_id = match gaps.iter().find_map(|gap| gap.unknown_id.as_ref()) {
            Some(error) => format!(" (whether one names its ID nobody knows: {error})"),
            None => String::new(),
        };
        let fix = if is_partly_scanned || self.settings.reads(Source::Sbomscanner) {
            self.scan_each()
        } else {
            "run it first where trivy-operator scans and this policy does not judge, and list that namespace in \
             reportNamespaces"
        };
        format!("{must}: no report of {sources} in {place} is about {about}{hint}{unknown_id}; {fix}")
    }

    /// A hint at a report that would be the one if it named a digest.
    fn nameless(&self, image: &Reference<'_>) -> String {
        let tag = Some(image.tag().unwrap_or("latest"));
        match self.catalog.nameless().iter().find(|entry| entry.claim.is_about(image, tag)) {
            Some(entry) => format!(" ({} names the tag and no digest, which proves nothing)", entry.label()),
            None => String::new(),
        }
    }

    /// How bad is it? Of several reports the one with the most counts, for each severity.
    fn judge_findings(&self, read: &[(&Entry, Findings)], outcome: &mut Outcome) {
        for severity in Severity::ALL {
            let Some(limit) = self.settings.max_severity.of(severity) else { continue };
            let tallies = read.iter().map(|(entry, findings)| (entry, findings.tally(severity)));
            // The first of equals, which is the newest: `max_by_key` would take the last.
            let worst = tallies.rev().max_by_key(|(_, tally)| tally.total());
            if let Some((entry, tally)) = worst.filter(|(_, tally)| tally.total() > u64::from(limit)) {
                outcome.mistakes.push(too_many(severity, limit, entry, tally));
            }
        }
        let dead = read.iter().find_map(|(entry, findings)| findings.dead_system.as_ref().map(|name| (entry, name)));
        if let Some((entry, name)) = dead {
            outcome.mistakes.push(format!(
                "must be built on an operating system that still gets advisories: {name} has reached the end of its \
                 life ({}); build it on a maintained release",
                entry.label()
            ));
        }
        let expired = read.iter().flat_map(|(_, findings)| &findings.expired);
        let expired = expired.map(|(id, day)| format!("has {id}, whose exception ended on {day}, so it counts again"));
        let put_off = read.iter().flat_map(|(_, findings)| &findings.put_off);
        let put_off = put_off.map(|(id, day)| {
            format!(
                "has {id}, whose exception ends on {day}, more than a year from now; have it end sooner, and look again"
            )
        });
        for warning in expired.chain(put_off) {
            if !outcome.warnings.contains(&warning) {
                outcome.warnings.push(warning);
            }
        }
    }
}

fn too_many(severity: Severity, limit: u32, entry: &Entry, tally: &Tally) -> String {
    let most = match limit {
        0 => "no".to_owned(),
        limit => format!("at most {limit}"),
    };
    let vulnerabilities = match severity {
        Severity::Unknown => "vulnerabilities of unknown severity".to_owned(),
        known => format!("{} vulnerabilities", known.name()),
    };
    let mut found = tally.named.join("; ");
    let rest = tally.listed.saturating_sub(u64::try_from(tally.named.len()).unwrap_or(u64::MAX));
    if rest > 0 {
        found.push_str(&format!("; {rest} more"));
    }
    if tally.unlisted > 0 {
        let joint = if found.is_empty() { "" } else { "; " };
        found.push_str(&format!("{joint}{} in its summary alone", tally.unlisted));
    }
    format!("must have {most} {vulnerabilities}, but has {} ({}: {found})", tally.total(), entry.label())
}

/// How to have an image scanned anew.
fn again(source: Source) -> &'static str {
    match source {
        Source::TrivyOperator => "delete the report, and trivy-operator scans again",
        Source::Sbomscanner => "run a ScanJob for its Registry",
    }
}
