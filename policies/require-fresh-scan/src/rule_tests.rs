use std::cell::RefCell;

use policy_kit::{Json, read_settings};
use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-11-24T12:00:00Z";
const FRESH: &str = "2026-11-24T10:00:00Z";

fn digest(of: char) -> String {
    format!("sha256:{}", of.to_string().repeat(64))
}

/// Answers by operation and a part of the question, the last answer first; notes what it is asked.
#[derive(Default)]
struct World {
    answers: Vec<(String, String, Result<String, String>)>,
    asked: RefCell<Vec<String>>,
}

impl World {
    /// An image `r.io/app` of digest `a…`, and no reports.
    fn new() -> Self {
        let empty = r#"{"items":[]}"#;
        World::default()
            .with("list_resources_by_namespace", "", empty)
            .with("v1/manifest_digest", "", &format!(r#"{{"digest":"{}"}}"#, digest('a')))
            .with("v1/oci_manifest", "", r#"{"config":{}}"#)
    }

    fn with(mut self, operation: &str, about: &str, answer: &str) -> Self {
        self.answers.push((operation.to_owned(), about.to_owned(), Ok(answer.to_owned())));
        self
    }

    fn failing(mut self, operation: &str, about: &str, error: &str) -> Self {
        self.answers.push((operation.to_owned(), about.to_owned(), Err(error.to_owned())));
        self
    }

    /// Reports of trivy-operator, to be listed and read.
    fn trivy(self, reports: &[String]) -> Self {
        let list = format!(r#"{{"items":[{}]}}"#, reports.join(","));
        let mut world = self.with("list_resources_by_namespace", "aquasecurity.github.io", &list);
        for report in reports {
            let read = Json::parse(report).expect("JSON");
            let name = format!(r#""name":"{}""#, read.get("metadata").get("name").text());
            world = world.with("get_resource", &name, report);
        }
        world
    }

    fn count(&self, operation: &str) -> usize {
        self.asked.borrow().iter().filter(|asked| asked.starts_with(operation)).count()
    }
}

impl Host for World {
    fn call(&self, _: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        let question = String::from_utf8_lossy(payload).into_owned();
        self.asked.borrow_mut().push(format!("{operation} {question}"));
        let is_it = |known: &&(String, String, _)| known.0 == operation && question.contains(&known.1);
        match self.answers.iter().rev().find(is_it) {
            Some((_, _, answer)) => answer.clone().map(String::into_bytes),
            None => Err("unreachable".to_owned()),
        }
    }

    fn now(&self) -> i64 {
        policy_kit::clock::seconds_since_epoch(NOW).expect("a time")
    }
}

fn report(name: &str, digest: &str, time: &str, criticals: usize) -> String {
    let listed: Vec<String> = (0..criticals)
        .map(|number| format!(r#"{{"vulnerabilityID":"CVE-{number}","resource":"a","severity":"CRITICAL"}}"#))
        .collect();
    format!(
        r#"{{"metadata":{{"name":"{name}"}},"report":{{"artifact":{{"digest":"{digest}"}},"updateTimestamp":"{time}",
            "summary":{{"criticalCount":{criticals},"highCount":0,"mediumCount":0,"lowCount":0,"unknownCount":0}},
            "vulnerabilities":[{}]}}}}"#,
        listed.join(",")
    )
}

fn judged(settings: &str, object: &str, host: &World) -> Verdict {
    let settings: Settings = read_settings(&Json::parse(settings).expect("JSON")).expect("settings");
    settings.check().expect("settings that work");
    let request =
        format!(r#"{{"operation":"CREATE","kind":{{"group":"","kind":"Pod"}},"namespace":"shop","object":{object}}}"#);
    let request = Request::read(Json::parse(&request).expect("JSON")).expect("a request");
    RequireFreshScan::judge(&request, &settings, host)
}

fn pod(images: &[String]) -> String {
    let containers: Vec<String> =
        images.iter().enumerate().map(|(index, image)| format!(r#"{{"name":"c{index}","image":"{image}"}}"#)).collect();
    format!(r#"{{"spec":{{"containers":[{}]}}}}"#, containers.join(","))
}

fn message(settings: &str, host: &World) -> String {
    judged(settings, &pod(&["r.io/app:1".to_owned()]), host).message()
}

const TRIVY: &str = r#"{"reports":["trivy-operator"]}"#;

#[test]
fn what_cannot_be_listed_is_not_missing() {
    // P8-26 and P8-27: no permission, and no such kind.
    for error in [
        "Policy has not been granted access to Kubernetes aquasecurity.github.io/v1alpha1/VulnerabilityReport resources.",
        "Cannot find resource aquasecurity.github.io/v1alpha1/VulnerabilityReport",
    ] {
        let host = World::new().failing("list_resources_by_namespace", "aquasecurity", error);
        let settings = r#"{"reports":["trivy-operator"],"missingReport":"accept"}"#;
        assert_eq!(
            message(settings, &host),
            format!(
                "VulnerabilityReports of trivy-operator in namespace shop cannot be listed: {error}; where \
                 trivy-operator is not installed, leave it out of the policy's reports setting, and where it is, let \
                 the policy-server get, list and watch them"
            )
        );
    }
}

#[test]
fn an_obstacle_is_told_once() {
    let host = World::new().failing("list_resources_by_namespace", "", "no");
    let verdict = judged(TRIVY, &pod(&["r.io/app:1".to_owned(), "r.io/other:1".to_owned()]), &host);
    assert_eq!(verdict.violations.len(), 1);
    assert_eq!(host.asked.borrow().len(), 1);
}

#[test]
fn scan_jobs_that_cannot_be_listed_are_not_gone() {
    let listed = format!(
        r#"{{"items":[{{"metadata":{{"name":"x","labels":{{"sbomscanner.kubewarden.io/scanjob-uid":"u"}}}},
            "imageMetadata":{{"digest":"{}"}}}}]}}"#,
        digest('a')
    );
    let host = World::new().with("list_resources_by_namespace", "storage.sbomscanner", &listed).failing(
        "list_resources_by_namespace",
        "ScanJob",
        "forbidden",
    );
    assert_eq!(
        message(r#"{"reports":["sbomscanner"],"missingReport":"accept"}"#, &host),
        "ScanJobs of sbomscanner in namespace shop cannot be listed: forbidden"
    );
}

#[test]
fn nobody_is_asked_for_scan_jobs_without_a_report_of_sbomscanner() {
    let host = World::new().trivy(&[report("x", &digest('a'), FRESH, 0)]);
    assert_eq!(message("{}", &host), "");
    assert!(host.asked.borrow().iter().all(|asked| !asked.contains("ScanJob")));
    assert_eq!(host.count("list_resources_by_namespace"), 2);
}

#[test]
fn a_scanner_that_is_not_named_is_not_asked() {
    let host = World::new().trivy(&[report("x", &digest('a'), FRESH, 0)]);
    assert_eq!(message(TRIVY, &host), "");
    assert!(host.asked.borrow().iter().all(|asked| !asked.contains("sbomscanner")));
}

#[test]
fn answers_that_are_none_are_told() {
    for answer in ["", "[]", "{}", r#"{"items":null}"#, r#"{"items":{}}"#, "\u{0}"] {
        let host = World::new().with("list_resources_by_namespace", "", answer);
        let message = message(r#"{"missingReport":"accept"}"#, &host);
        assert!(message.contains(" cannot be listed: "), "{answer}: {message}");
    }
    for (operation, answer) in [
        ("v1/manifest_digest", "{}"),
        ("v1/manifest_digest", r#"{"digest":"latest"}"#),
        ("v1/oci_manifest", "{}"),
        ("v1/oci_manifest", r#"{"manifests":[]}"#),
    ] {
        let host = World::new().with(operation, "", answer);
        let message = message(r#"{"missingReport":"accept"}"#, &host);
        assert!(message.contains(" cannot be looked up in its registry: "), "{answer}: {message}");
    }
}

#[test]
fn a_report_that_cannot_be_read_is_told() {
    let fresh = report("x", &digest('a'), FRESH, 0);
    let failing = World::new().trivy(std::slice::from_ref(&fresh)).failing("get_resource", "", "timeout");
    let expected = "must have a report that can be read: report shop/x of trivy-operator cannot be read: timeout";
    assert!(message(r#"{"missingReport":"accept"}"#, &failing).ends_with(expected));
    let garbled = World::new().trivy(&[fresh]).with("get_resource", "", "{");
    assert!(message(r#"{"missingReport":"accept"}"#, &garbled).contains("cannot be read: "));
}

#[test]
fn a_report_that_is_gone_or_another_by_now_does_not_count() {
    let fresh = report("x", &digest('a'), FRESH, 0);
    let missing =
        "Cannot find aquasecurity.github.io/v1alpha1/VulnerabilityReport named 'x' inside of namespace 'shop'";
    let gone = World::new().trivy(std::slice::from_ref(&fresh)).failing("get_resource", "", missing);
    assert!(message(TRIVY, &gone).contains("must have been scanned: no report of trivy-operator"));
    let other = World::new().trivy(&[fresh]).with("get_resource", "", &report("x", &digest('b'), FRESH, 0));
    assert!(message(TRIVY, &other).contains("must have been scanned: no report of trivy-operator"));
}

#[test]
fn each_image_is_looked_up_once_and_each_list_once() {
    let host = World::new().trivy(&[report("x", &digest('a'), FRESH, 0)]);
    let images: Vec<String> = (0..3_000).map(|index| format!("r.io/app-{}:1", index % 3)).collect();
    let start = std::time::Instant::now();
    assert_eq!(judged(TRIVY, &pod(&images), &host).message(), "");
    assert_eq!(host.count("list_resources_by_namespace"), 1);
    assert_eq!((host.count("v1/manifest_digest"), host.count("v1/oci_manifest")), (3, 3));
    assert_eq!(host.count("get_resource"), 3);
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn an_object_of_endless_images_is_rejected_before_they_are_looked_up() {
    let host = World::new().trivy(&[report("x", &digest('a'), FRESH, 0)]);
    let images: Vec<String> = (0..2_000).map(|index| format!("r.io/app-{index}:1")).collect();
    assert_eq!(
        judged(TRIVY, &pod(&images), &host).message(),
        "the object must have at most 128 different images, more are not looked up; split it"
    );
    assert_eq!(host.count("v1/manifest_digest"), MOST_IMAGES);
}

#[test]
fn an_object_of_endless_platforms_is_rejected_before_they_are_looked_up() {
    let children: Vec<String> = (0..64)
        .map(|child| {
            let platform = format!(r#"{{"os":"linux","architecture":"a{child}"}}"#);
            format!(r#"{{"digest":"sha256:{child:064x}","platform":{platform}}}"#)
        })
        .collect();
    let index = format!(r#"{{"manifests":[{}]}}"#, children.join(","));
    let host = World::new().with("v1/oci_manifest", "", &index).trivy(&[report("x", &digest('a'), FRESH, 0)]);
    let images = |count: usize| pod(&(0..count).map(|index| format!("r.io/app-{index}:1")).collect::<Vec<_>>());
    assert_eq!(judged(TRIVY, &images(8), &host).message(), "");
    assert_eq!(
        judged(TRIVY, &images(9), &host).message(),
        "spec.containers[8] \"c8\": image r.io/app-8:1 cannot be looked up, as the object's images have more than 512 \
         platforms; split the object, or have the policy's platforms setting list those that are needed"
    );
}

#[test]
fn a_claim_is_about_a_repository_however_it_is_spelled() {
    let claims = |server: &str, repository: &str, image: &str| {
        let report = format!(
            r#"{{"report":{{"registry":{{"server":"{server}"}},"artifact":{{"repository":"{repository}","tag":"1"}}}}}}"#
        );
        let claim = crate::source::Source::TrivyOperator.claim(&Json::parse(&report).expect("JSON"));
        let image = Reference::parse(image).expect("a reference");
        (claim.is_about(&image, None), claim.is_about(&image, Some("1")), claim.is_about(&image, Some("2")))
    };
    let (yes, no) = ((true, true, false), (false, false, false));
    assert_eq!(claims("r.io", "shop/app", "r.io/shop/app:1"), yes);
    assert_eq!(claims("index.docker.io", "library/nginx", "nginx:1"), yes);
    assert_eq!(claims("docker.io", "nginx", "nginx:1"), yes);
    assert_eq!(claims("r.io", "app", "r.io/shop/app:1"), no);
    assert_eq!(claims("other.io", "shop/app", "r.io/shop/app:1"), no);
    assert_eq!(claims("", "", "r.io/shop/app:1"), no);
}

#[test]
fn of_hundreds_of_reports_about_one_digest_the_newest_are_read() {
    let reports: Vec<String> = (0..300)
        .map(|index| report(&format!("r{index:03}"), &digest('a'), &format!("2026-11-24T{:02}:00:00Z", index % 12), 0))
        .collect();
    let host = World::new().trivy(&reports);
    assert_eq!(message(TRIVY, &host), "");
    assert_eq!(host.count("get_resource"), 8);
    assert!(host.asked.borrow().iter().filter(|asked| asked.contains("\"name\"")).all(|asked| {
        // Every twelfth is of the eleventh hour.
        let number = asked.split("\"name\":\"r").nth(1).and_then(|rest| rest.get(..3)).expect("a name");
        number.parse::<usize>().expect("a number") % 12 == 11
    }));
}

#[test]
fn the_worst_of_hundreds_of_reports_counts_though_it_is_the_oldest() {
    let mut reports: Vec<String> =
        (0..100).map(|index| report(&format!("r{index:03}"), &digest('a'), FRESH, 0)).collect();
    reports.push(report("bad", &digest('a'), "2026-11-24T01:00:00Z", 1));
    let host = World::new().trivy(&reports);
    assert!(message(TRIVY, &host).contains("must have no critical vulnerabilities, but has 1 (report shop/bad of"));
    assert_eq!(host.count("get_resource"), 8);
}

#[test]
fn ten_thousand_reports_are_searched_in_no_time() {
    let mut reports: Vec<String> =
        (0..10_000).map(|index| report(&format!("r{index}"), &format!("sha256:{index:064x}"), FRESH, 0)).collect();
    reports.push(report("own", &digest('a'), FRESH, 1));
    let list = format!(r#"{{"items":[{}]}}"#, reports.join(","));
    let host = World::new().with("list_resources_by_namespace", "", &list).with(
        "get_resource",
        "\"own\"",
        reports.last().expect("one"),
    );
    let start = std::time::Instant::now();
    assert!(message(TRIVY, &host).contains("must have no critical vulnerabilities, but has 1"));
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn ids_are_only_asked_for_where_a_report_may_name_one() {
    let claiming = |digest: &str, repository: &str| {
        format!(
            r#"{{"metadata":{{"name":"x"}},"report":{{"artifact":{{"digest":"{digest}","repository":"{repository}","tag":"1"}},
                "registry":{{"server":"r.io"}},"updateTimestamp":"{FRESH}","vulnerabilities":[],
                "summary":{{"criticalCount":0,"highCount":0,"mediumCount":0,"lowCount":0,"unknownCount":0}}}}}}"#
        )
    };
    let manifest = format!(r#"{{"config":{{"digest":"{}"}}}}"#, digest('c'));
    for (digest, repository, is_scanned, questions) in [
        (digest('c'), "app", true, 2),
        (digest('d'), "app", false, 2),
        // Another repository's report is no reason to ask.
        (digest('d'), "app-2", false, 1),
        (digest('a'), "app", true, 1),
    ] {
        let host = World::new().with("v1/oci_manifest", "", &manifest).trivy(&[claiming(&digest, repository)]);
        assert_eq!(message(TRIVY, &host).is_empty(), is_scanned, "{digest} {repository}");
        assert_eq!(host.count("v1/oci_manifest"), questions, "{digest} {repository}");
    }
}

#[test]
fn a_built_in_object_without_a_namespace_is_rejected() {
    let settings: Settings = read_settings(&Json::Null).expect("settings");
    let request = format!(
        r#"{{"operation":"CREATE","kind":{{"group":"","kind":"Pod"}},"object":{}}}"#,
        pod(&["r.io/app:1".to_owned()])
    );
    let request = Request::read(Json::parse(&request).expect("JSON")).expect("a request");
    let host = World::new();
    assert_eq!(
        RequireFreshScan::judge(&request, &settings, &host).message(),
        "the request names no namespace, so nobody knows whose reports count"
    );
    assert!(host.asked.borrow().is_empty());
}

#[test]
fn nothing_is_asked_about_a_deletion_or_a_connection() {
    let settings: Settings = read_settings(&Json::Null).expect("settings");
    for operation in ["DELETE", "CONNECT"] {
        let request = format!(
            r#"{{"operation":"{operation}","kind":{{"group":"","kind":"Pod"}},"namespace":"shop","oldObject":{}}}"#,
            pod(&["r.io/app:1".to_owned()])
        );
        let request = Request::read(Json::parse(&request).expect("JSON")).expect("a request");
        let host = World::new();
        assert_eq!(RequireFreshScan::judge(&request, &settings, &host), Verdict::default());
        assert!(host.asked.borrow().is_empty());
    }
}

proptest! {
    #[test]
    fn any_answer_is_answered_without_a_panic(
        answer in r#"(\{|\[|"items":|"metadata":|"report":|"name":|"digest":|null|1|"x"|,|\}|\]){0,12}"#,
        operation in "(list_resources_by_namespace|get_resource|v1/manifest_digest|v1/oci_manifest)",
    ) {
        let host = World::new().trivy(&[report("x", &digest('a'), FRESH, 0)]).with(&operation, "", &answer);
        let _ = judged("{}", &pod(&["r.io/app:1".to_owned()]), &host);
    }

    #[test]
    fn nothing_but_a_fresh_report_about_the_digest_is_accepted(hours in -30i64..60, own in any::<bool>(), bad in 0usize..2) {
        let seconds = policy_kit::clock::seconds_since_epoch(NOW).expect("a time") - hours * 3_600;
        let day = seconds.div_euclid(86_400) - policy_kit::clock::seconds_since_epoch("2026-11-01").expect("a day") / 86_400;
        let time = format!("2026-11-{:02}T{:02}:00:00Z", day + 1, seconds.rem_euclid(86_400) / 3_600);
        let about = digest(if own { 'a' } else { 'b' });
        let host = World::new().trivy(&[report("x", &about, &time, bad)]);
        let accepted = message(TRIVY, &host).is_empty();
        prop_assert_eq!(accepted, own && bad == 0 && (0..=24).contains(&hours), "{}", time);
    }
}
