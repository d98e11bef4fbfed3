//! Which reports there are, what they are about and how old they are.
//!
//! The lists are asked for without the vulnerabilities, which are nearly all of a report: only those of the image in
//! question are read whole. Selectors would not help: trivy-operator labels the workload and not the image, and
//! Kubewarden watches the cluster anew for each selector that it has not seen yet.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use policy_kit::{Host, Json, clock, cluster};

use crate::max_age::{self, MaxAge};
use crate::scan_jobs::{self, ScanJobs};
use crate::settings::Settings;
use crate::severity::Severity;
use crate::shown::shown;
use crate::source::{Claim, REPORT, Source};

/// How far the clocks of a cluster may be apart.
const SKEW: i64 = 5 * 60;

/// When a report was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// Then: in seconds since 1970, and as it is written.
    At { seconds: i64, text: String },
    /// Nobody knows, and why; goes behind the name of the report.
    Unknown(String),
    /// The ScanJob that knew it is gone. The report itself knows more than its entry in a list, see [`Entry::settle`].
    Orphan,
}

impl Scanned {
    /// Reads a time stamp; `otherwise` says what is wrong with the report when it is none.
    pub(crate) fn read(time: &Json<'_>, otherwise: impl FnOnce() -> String) -> Scanned {
        let text = time.text();
        match clock::seconds_since_epoch(text) {
            Some(seconds) => Scanned::At { seconds, text: shown(text) },
            None => Scanned::Unknown(otherwise()),
        }
    }
}

/// One report, without what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) source: Source,
    namespace: String,
    name: String,
    /// What it is about; `None` when it does not say so by digest.
    pub(crate) digest: Option<String>,
    /// What it says it is about by name and tag.
    pub(crate) claim: Claim,
    /// How bad it is by its summary: a count for each severity, the worst first. What cannot be read is as bad as can be.
    pub(crate) summary: [u64; Severity::ALL.len()],
    scanned: Scanned,
    /// The same of an orphan, once somebody needs it.
    orphan_scanned: OnceCell<Scanned>,
}

/// How sure one can be that a report is still true. The order is that in which doubts are worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// It is recent.
    Fresh,
    /// It comes from the future, so somebody else wrote it or a clock is wrong.
    Future,
    /// It is too old.
    Stale,
    /// Nobody knows how old it is.
    Unknown,
}

impl Entry {
    fn read(source: Source, namespace: &str, report: &Json<'_>, jobs: &ScanJobs) -> Entry {
        let scanned = match source {
            Source::TrivyOperator => Scanned::read(report.get("report").get("updateTimestamp"), || {
                "has no readable updateTimestamp, so nobody knows how old it is".to_owned()
            }),
            Source::Sbomscanner => jobs.scanned(report),
        };
        Entry {
            source,
            namespace: namespace.to_owned(),
            name: report.get("metadata").get("name").text().to_owned(),
            digest: source.digest(report).map(str::to_owned),
            claim: source.claim(report),
            summary: Severity::ALL.map(|severity| source.summed_up(report, severity).unwrap_or(u64::MAX)),
            scanned,
            orphan_scanned: OnceCell::new(),
        }
    }

    /// Whether only the report itself tells how old it is.
    pub(crate) fn is_orphan(&self) -> bool {
        self.scanned == Scanned::Orphan
    }

    /// Has the report itself tell how old it is, where nobody else does. It is asked once.
    pub(crate) fn settle(&self, host: &dyn Host) {
        if self.is_orphan() {
            self.orphan_scanned.get_or_init(|| self.written(host));
        }
    }

    /// When the report was written last, as the API server has noted it; lists come without that.
    fn written(&self, host: &dyn Host) -> Scanned {
        let read = |answer: cluster::Answer| answer.read().map(|report| scan_jobs::written(&report));
        let answer = cluster::get(host, self.source.api_version(), REPORT, Some(&self.namespace), &self.name);
        match answer.and_then(|answer| answer.map(read).transpose()) {
            Ok(scanned) => scanned.unwrap_or(Scanned::Orphan),
            Err(error) => Scanned::Unknown(format!("cannot be read: {error}")),
        }
    }

    fn scanned(&self) -> &Scanned {
        self.orphan_scanned.get().unwrap_or(&self.scanned)
    }

    /// The report, for messages.
    pub(crate) fn label(&self) -> String {
        format!("report {}/{} of {}", self.namespace, self.name, self.source)
    }

    /// The time of the scan in seconds since 1970; the beginning of time where nobody knows it.
    pub(crate) fn seconds(&self) -> i64 {
        match self.scanned() {
            Scanned::At { seconds, .. } => *seconds,
            Scanned::Unknown(_) | Scanned::Orphan => i64::MIN,
        }
    }

    /// Whether the report may be believed now.
    pub(crate) fn trust(&self, now: i64, max_age: &MaxAge) -> Trust {
        match *self.scanned() {
            Scanned::Unknown(_) | Scanned::Orphan => Trust::Unknown,
            Scanned::At { seconds, .. } if seconds > now.saturating_add(SKEW) => Trust::Future,
            Scanned::At { seconds, .. } if now.saturating_sub(seconds) > max_age.seconds() => Trust::Stale,
            Scanned::At { .. } => Trust::Fresh,
        }
    }

    /// What is wrong with a report that may not be believed.
    pub(crate) fn doubt(&self, now: i64) -> String {
        let label = self.label();
        match self.scanned() {
            Scanned::Unknown(why) => format!("{label} {why}"),
            Scanned::Orphan => format!("{label} is by a ScanJob that is gone, so nobody knows how old it is"),
            Scanned::At { seconds, text } if *seconds > now => {
                format!("{label} is from the future ({text}), so a clock is wrong or no scanner wrote it")
            }
            Scanned::At { seconds, text } => {
                format!("{label} is from {text}, {} ago", max_age::shown(now.saturating_sub(*seconds)))
            }
        }
    }
}

type ByDigest = BTreeMap<String, Vec<Entry>>;

/// All reports that count.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// By scanner and digest: a request asks for thousands of digests, and a cluster has tens of thousands of reports.
    by_digest: Vec<(Source, ByDigest)>,
    /// Those that name no digest.
    nameless: Vec<Entry>,
}

impl Catalog {
    /// Asks for the reports of each scanner in each namespace.
    ///
    /// # Errors
    ///
    /// Says what cannot be listed. That is no sign of there being none.
    pub(crate) fn list(host: &dyn Host, settings: &Settings, namespaces: &[&str]) -> Result<Self, String> {
        let mut catalog = Catalog::default();
        for namespace in namespaces {
            for source in &settings.reports {
                catalog.add(host, *source, namespace)?;
            }
        }
        Ok(catalog)
    }

    fn add(&mut self, host: &dyn Host, source: Source, namespace: &str) -> Result<(), String> {
        let api_version = source.api_version();
        let failed = |error: String| {
            format!(
                "{REPORT}s of {source} in namespace {namespace} cannot be listed: {error}; where {source} is not \
                 installed, leave it out of the policy's reports setting, and where it is, let the policy-server get, \
                 list and watch them"
            )
        };
        let fields = source.identity_fields();
        let answer = cluster::list_fields_in_namespace(host, api_version, REPORT, namespace, fields).map_err(failed)?;
        let list = answer.read().map_err(failed)?;
        let Json::Array(items) = list.get("items") else {
            return Err(failed(format!("expected a list, found {}", list.get("items").kind())));
        };
        let jobs = match source {
            Source::Sbomscanner if !items.is_empty() => ScanJobs::list(host, namespace)?,
            _ => ScanJobs::default(),
        };
        let mut by_digest = ByDigest::new();
        for report in items {
            let entry = Entry::read(source, namespace, report, &jobs);
            match entry.digest.clone() {
                Some(digest) => by_digest.entry(digest).or_default().push(entry),
                None => self.nameless.push(entry),
            }
        }
        self.by_digest.push((source, by_digest));
        Ok(())
    }

    /// The reports of a scanner about a digest.
    pub(crate) fn about<'c>(&'c self, source: Source, digest: &str) -> impl Iterator<Item = &'c Entry> {
        let of_source = self.by_digest.iter().filter(move |(of, _)| *of == source);
        of_source.filter_map(move |(_, digests)| digests.get(digest)).flatten()
    }

    /// The digests that a scanner has reported on, each with its reports.
    pub(crate) fn digests(&self, source: Source) -> impl Iterator<Item = (&str, &[Entry])> {
        let digests = self.by_digest.iter().filter(move |(of, _)| *of == source).flat_map(|(_, digests)| digests);
        digests.map(|(digest, entries)| (digest.as_str(), entries.as_slice()))
    }

    /// The reports that name no digest.
    pub(crate) fn nameless(&self) -> &[Entry] {
        &self.nameless
    }

    /// Reads a report whole and hands it on. `None` when it is gone, or is about something else by now.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn open<T>(
        host: &dyn Host,
        entry: &Entry,
        read: impl FnOnce(&Json<'_>) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let Entry { source, namespace, name, .. } = entry;
        let (api_version, fields) = (source.api_version(), source.all_fields());
        let Some(answer) = cluster::get_fields(host, api_version, REPORT, Some(namespace), name, fields)? else {
            return Ok(None);
        };
        let report = answer.read()?;
        if source.digest(&report) != entry.digest.as_deref() {
            return Ok(None);
        }
        read(&report).map(Some)
    }
}
