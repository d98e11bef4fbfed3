//! When sbomscanner scanned.
//!
//! Its reports have no time of their own, and are updated in place: their creation was the first scan ever. They name the
//! ScanJob that wrote them last, by its UID in a label. Of each Registry ten ScanJobs are kept, and the scan of a single
//! image is one, so on a busy day the nightly one is gone by noon. What is left is the time at which the report was
//! written, which the API server notes in `managedFields`.

use std::collections::BTreeMap;

use policy_kit::{Host, Json, cluster};

use crate::catalog::Scanned;

/// The API group and version of ScanJobs.
const API_VERSION: &str = "sbomscanner.kubewarden.io/v1alpha1";

/// The label of a report that names its ScanJob.
const LABEL: &str = "sbomscanner.kubewarden.io/scanjob-uid";

const FIELDS: [&str; 3] = ["status.completionTime", "status.conditions.type", "status.conditions.status"];

/// The ScanJobs of one namespace, by UID.
#[derive(Debug, Default)]
pub(crate) struct ScanJobs(BTreeMap<String, Scanned>);

impl ScanJobs {
    /// Asks for all ScanJobs of a namespace.
    ///
    /// # Errors
    ///
    /// When they cannot be listed.
    pub(crate) fn list(host: &dyn Host, namespace: &str) -> Result<Self, String> {
        let failed =
            |error: String| format!("ScanJobs of sbomscanner in namespace {namespace} cannot be listed: {error}");
        let answer =
            cluster::list_fields_in_namespace(host, API_VERSION, "ScanJob", namespace, &FIELDS).map_err(failed)?;
        let list = answer.read().map_err(failed)?;
        let Json::Array(items) = list.get("items") else {
            return Err(failed(format!("expected a list, found {}", list.get("items").kind())));
        };
        let of = |job: &Json<'_>| (job.get("metadata").get("uid").text().to_owned(), scanned_by(job));
        Ok(ScanJobs(items.iter().map(of).collect()))
    }

    /// When a report was written.
    pub(crate) fn scanned(&self, report: &Json<'_>) -> Scanned {
        match report.get("metadata").get("labels").get(LABEL).text() {
            "" => Scanned::Unknown(format!("has no label {LABEL}, so nobody knows how old it is")),
            uid => self.0.get(uid).cloned().unwrap_or(Scanned::Orphan),
        }
    }
}

/// When the findings of a report were written last; [`Scanned::Orphan`] when it does not tell. Whoever writes something
/// else of it, such as a label, has an entry of his own, which says nothing about a scan.
pub(crate) fn written(report: &Json<'_>) -> Scanned {
    let entries = report.get("metadata").get("managedFields").items();
    let of_findings = entries.iter().filter(|entry| !entry.get("fieldsV1").get("f:report").is_null());
    let times = of_findings.map(|entry| Scanned::read(entry.get("time"), String::new));
    let newest = times.filter_map(|time| match time {
        Scanned::At { seconds, text } => Some((seconds, text)),
        Scanned::Unknown(_) | Scanned::Orphan => None,
    });
    newest.max().map_or(Scanned::Orphan, |(seconds, text)| Scanned::At { seconds, text })
}

/// A job that has ended tells its end. While it runs, what it has written is at least as new as the job itself: without
/// that, every scan of a registry would lock out the registry's images until the last of them is scanned. So it is when
/// it has failed: sbomscanner fails the whole job for one image, and writes each report at once, label and findings.
fn scanned_by(job: &Json<'_>) -> Scanned {
    let name = job.get("metadata").get("name").text();
    let conditions = job.get("status").get("conditions").items();
    let is = |wanted: &str| {
        conditions
            .iter()
            .any(|condition| condition.get("type").text() == wanted && condition.get("status").text() == "True")
    };
    let end = job.get("status").get("completionTime");
    if is("Failed") || (end.is_null() && !is("Complete")) {
        let begin = job.get("metadata").get("creationTimestamp");
        return Scanned::read(begin, || format!("is by ScanJob {name}, which has no readable creationTimestamp"));
    }
    Scanned::read(end, || format!("is by ScanJob {name}, which has no readable completionTime"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(job: &str) -> Result<String, String> {
        match scanned_by(&Json::parse(job).expect("JSON")) {
            Scanned::At { text, .. } => Ok(text),
            Scanned::Unknown(why) => Err(why),
            Scanned::Orphan => Err("an orphan".to_owned()),
        }
    }

    #[test]
    fn a_report_was_written_when_its_findings_were() {
        let entry = |time: &str, field: &str| format!(r#"{{"time":{time},"fieldsV1":{{"{field}":{{}}}}}}"#);
        let (old, new) = (r#""2026-11-24T01:00:00Z""#, r#""2026-11-24T02:00:00Z""#);
        for (entries, expected) in [
            (entry(old, "f:report"), Some("2026-11-24T01:00:00Z")),
            (format!("{},{}", entry(old, "f:report"), entry(new, "f:report")), Some("2026-11-24T02:00:00Z")),
            (format!("{},{}", entry(new, "f:report"), entry(old, "f:report")), Some("2026-11-24T02:00:00Z")),
            // Somebody has labelled it.
            (format!("{},{}", entry(old, "f:report"), entry(new, "f:metadata")), Some("2026-11-24T01:00:00Z")),
            (format!("{},{}", entry(old, "f:report"), entry("null", "f:report")), Some("2026-11-24T01:00:00Z")),
            (entry(new, "f:metadata"), None),
            (entry("17", "f:report"), None),
            (String::new(), None),
            ("7".to_owned(), None),
        ] {
            let report = format!(r#"{{"metadata":{{"managedFields":[{entries}]}}}}"#);
            let found = match written(&Json::parse(&report).expect("JSON")) {
                Scanned::At { text, .. } => Some(text),
                Scanned::Unknown(_) | Scanned::Orphan => None,
            };
            assert_eq!(found.as_deref(), expected, "{entries}");
        }
    }

    #[test]
    fn a_job_tells_its_end_or_its_beginning() {
        let begin = r#""metadata":{"name":"nightly","creationTimestamp":"2026-11-24T01:00:00Z"}"#;
        let end = r#""completionTime":"2026-11-24T02:00:00Z""#;
        let job = |status: &str| format!(r#"{{{begin},"status":{{{status}}}}}"#);
        let condition = |kind: &str| format!(r#""conditions":[{{"type":"{kind}","status":"True"}}]"#);
        for (status, expected) in [
            (format!("{end},{}", condition("Complete")), Ok("2026-11-24T02:00:00Z")),
            (end.to_owned(), Ok("2026-11-24T02:00:00Z")),
            (condition("InProgress"), Ok("2026-11-24T01:00:00Z")),
            (String::new(), Ok("2026-11-24T01:00:00Z")),
            (format!("{end},{}", condition("Failed")), Ok("2026-11-24T01:00:00Z")),
            (condition("Failed"), Ok("2026-11-24T01:00:00Z")),
            (condition("Complete"), Err("is by ScanJob nightly, which has no readable completionTime")),
            (
                r#""completionTime":"yesterday""#.to_owned(),
                Err("is by ScanJob nightly, which has no readable completionTime"),
            ),
        ] {
            let found = scanned(&job(&status));
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{status}");
        }
        assert!(scanned(r#"{"metadata":{"name":"x"}}"#).is_err());
    }
}
