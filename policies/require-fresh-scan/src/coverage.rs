//! Which reports prove that an image is scanned.
//!
//! A report proves something about the one digest that it names. sbomscanner names the manifest of each platform.
//! trivy-operator names the index, of which it has scanned one platform and does not tell which; some of its versions name
//! the image's ID instead.

use std::cmp::{Ordering, Reverse};

use policy_kit::oci::PlatformImage;
use policy_kit::{Host, Json, Reference};

use crate::catalog::{Catalog, Entry, Trust};
use crate::exception::Exceptions;
use crate::findings::Findings;
use crate::settings::Settings;
use crate::source::Source;
use crate::subject::Subject;

/// How many fresh reports about one digest are read: the newest half of them, and of the others those that sum up to
/// the worst. They are about the same bytes, so they differ in what scanners have learnt meanwhile; large clusters have
/// hundreds of them for a sidecar.
const MOST_READ: usize = 8;

/// What is known of an image.
#[derive(Debug, Default)]
pub(crate) struct Coverage<'c> {
    /// The fresh reports and what they found.
    pub(crate) read: Vec<(&'c Entry, Findings)>,
    /// Reports that cannot be read, and why.
    pub(crate) unreadable: Vec<String>,
    /// The platforms that no fresh report is about.
    pub(crate) gaps: Vec<Gap<'c>>,
    /// Whether a fresh report is about the image as a whole, and so about one platform of it.
    pub(crate) is_covered_somewhere: bool,
    /// Whether sbomscanner, which scans each platform, has ever scanned one of them.
    pub(crate) is_known_by_platform: bool,
}

/// A platform that no fresh report is about.
#[derive(Debug)]
pub(crate) struct Gap<'c> {
    pub(crate) platform: &'c PlatformImage,
    /// The report about it that comes next to being believed.
    pub(crate) doubtful: Option<&'c Entry>,
    /// Why nobody knows whether a report names its ID.
    pub(crate) unknown_id: Option<String>,
}

/// The reports of one scanner about one digest.
#[derive(Default)]
struct About<'c> {
    /// The fresh ones that are read, the newest first and then the worst.
    fresh: Vec<&'c Entry>,
    /// The one to name where none is fresh.
    doubtful: Option<&'c Entry>,
}

/// What a look for reports needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Search<'c> {
    pub(crate) host: &'c dyn Host,
    pub(crate) settings: &'c Settings,
    pub(crate) catalog: &'c Catalog,
    pub(crate) now: i64,
}

impl<'c> Search<'c> {
    /// Looks for the reports about an image.
    pub(crate) fn cover(&self, image: &Reference<'_>, subject: &'c Subject) -> Coverage<'c> {
        let exceptions = Exceptions::of(image, &self.settings.exceptions);
        let mut coverage = Coverage::default();
        let mut doubtful_index = None;
        if subject.is_index() {
            // sbomscanner never scans an index.
            let about = self.about(Source::TrivyOperator, &subject.digest);
            coverage.is_covered_somewhere = self.read(&about, &exceptions, &mut coverage);
            // An older one that lingers is superseded.
            doubtful_index = about.doubtful.filter(|_| !coverage.is_covered_somewhere);
        }
        let mut open: Vec<&'c PlatformImage> = Vec::new();
        for platform in &subject.platforms {
            let digest = platform.digest().unwrap_or_default();
            coverage.is_known_by_platform |= self.catalog.about(Source::Sbomscanner, digest).next().is_some();
            let mut is_scanned = false;
            for source in [Source::TrivyOperator, Source::Sbomscanner] {
                is_scanned |= self.read(&self.about(source, digest), &exceptions, &mut coverage);
            }
            if !is_scanned {
                open.push(platform);
            }
        }
        let tries_ids = !coverage.is_covered_somewhere && !open.is_empty() && self.may_name_ids(image, subject);
        for platform in open {
            let digest = platform.digest().unwrap_or_default();
            let mut doubtful = [Source::TrivyOperator, Source::Sbomscanner]
                .into_iter()
                .filter_map(|source| self.about(source, digest).doubtful)
                .min_by_key(|entry| self.rank(entry));
            let mut unknown_id = None;
            if tries_ids {
                match platform.id(self.host) {
                    Ok(id) => {
                        let by_id = self.about(Source::TrivyOperator, &id);
                        if self.read(&by_id, &exceptions, &mut coverage) {
                            continue;
                        }
                        doubtful = doubtful.or(by_id.doubtful);
                    }
                    // Mirrors may hold some platforms of an index alone. Nothing is known of the others, and no more.
                    Err(error) => unknown_id = Some(error),
                }
            }
            coverage.gaps.push(Gap { platform, doubtful: doubtful.or(doubtful_index), unknown_id });
        }
        coverage
    }

    /// Looks for the reports about an image by digest that sbomscanner has scanned lately. It scans what runs, the
    /// manifest of one platform, so there is nothing that the registry would add. `None` when there is no such report.
    pub(crate) fn cover_pinned(&self, image: &Reference<'_>) -> Option<Coverage<'c>> {
        let digest = image.digest()?;
        let exceptions = Exceptions::of(image, &self.settings.exceptions);
        let mut coverage = Coverage::default();
        if !self.read(&self.about(Source::Sbomscanner, digest), &exceptions, &mut coverage) {
            return None;
        }
        self.read(&self.about(Source::TrivyOperator, digest), &exceptions, &mut coverage);
        Some(coverage)
    }

    /// The reports of one scanner about one digest.
    fn about(&self, source: Source, digest: &str) -> About<'c> {
        let mut about = About::default();
        let mut settled = 0;
        for entry in self.catalog.about(source, digest) {
            // Each costs a question. One that is not asked is not believed.
            if entry.is_orphan() && settled < MOST_READ {
                settled += 1;
                entry.settle(self.host);
            }
            if entry.trust(self.now, &self.settings.max_age) == Trust::Fresh {
                about.fresh.push(entry);
            } else if about.doubtful.is_none_or(|other| self.rank(entry) < self.rank(other)) {
                about.doubtful = Some(entry);
            }
        }
        sort(&mut about.fresh, |one, other| other.seconds().cmp(&one.seconds()));
        if let Some(others) = about.fresh.get_mut(MOST_READ / 2..)
            && others.len() > MOST_READ / 2
        {
            sort(others, |one, other| other.summary.cmp(&one.summary));
            about.fresh.truncate(MOST_READ);
        }
        about
    }

    /// The order in which doubtful reports are worth naming: the worst doubt first, and then the newest.
    fn rank(&self, entry: &Entry) -> (Trust, Reverse<i64>) {
        (entry.trust(self.now, &self.settings.max_age), Reverse(entry.seconds()))
    }

    /// Reads the fresh ones. False when there are none.
    fn read(&self, about: &About<'c>, exceptions: &Exceptions<'_>, coverage: &mut Coverage<'c>) -> bool {
        let mut is_any = false;
        for entry in &about.fresh {
            let count = |report: &Json<'_>| Findings::read(report, entry.source, self.settings, exceptions, self.now);
            match Catalog::open(self.host, entry, count) {
                Ok(Some(findings)) => coverage.read.push((*entry, findings)),
                // Gone since it was listed.
                Ok(None) => continue,
                Err(error) => coverage.unreadable.push(format!("{} cannot be read: {error}", entry.label())),
            }
            is_any = true;
        }
        is_any
    }

    /// Whether trivy-operator may have named this image by its ID, which costs one question per platform to find out: a
    /// report claims to be about the repository and names a digest that is none of the image's.
    fn may_name_ids(&self, image: &Reference<'_>, subject: &Subject) -> bool {
        let is_own = |digest: &str| {
            digest == subject.digest || subject.platforms.iter().any(|platform| platform.digest() == Some(digest))
        };
        self.catalog
            .digests(Source::TrivyOperator)
            .any(|(digest, entries)| entries.iter().any(|entry| entry.claim.is_about(image, None)) && !is_own(digest))
    }
}

/// Written out once: each sort with a key of its own would be code of its own.
fn sort(entries: &mut [&Entry], compare: fn(&Entry, &Entry) -> Ordering) {
    entries.sort_by(|one, other| compare(one, other));
}
