use policy_kit::{Reference, read_settings};
use proptest::prelude::*;

use super::*;
use crate::exception::Exceptions;

const NOW: i64 = 1_795_000_000;

fn read(source: Source, report: &str, settings: &str) -> Result<Findings, String> {
    let report = Json::parse(report).expect("JSON");
    let settings: Settings = read_settings(&Json::parse(settings).expect("JSON")).expect("settings");
    let image = Reference::parse("r.io/app:1").expect("a reference");
    Findings::read(&report, source, &settings, &Exceptions::of(&image, &settings.exceptions), NOW)
}

/// A summary of nothing, but for what is written over it.
fn whole(summary: &str, suffix: &str) -> String {
    let Some(members) = summary.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        return summary.to_owned();
    };
    let mut members: Vec<String> = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    for severity in Severity::ALL {
        let key = format!(r#""{}{suffix}""#, severity.name());
        if !members.iter().any(|member| member.starts_with(&key)) {
            members.push(format!("{key}:0"));
        }
    }
    format!("{{{}}}", members.join(","))
}

fn trivy(vulnerabilities: &str, summary: &str) -> String {
    let summary = whole(summary, "Count");
    format!(r#"{{"report":{{"summary":{summary},"vulnerabilities":{vulnerabilities}}}}}"#)
}

fn sbomscanner(results: &str, summary: &str) -> String {
    let summary = whole(summary, "");
    format!(r#"{{"report":{{"summary":{summary},"results":{results}}}}}"#)
}

fn total(findings: &Findings, severity: Severity) -> u64 {
    findings.tally(severity).total()
}

#[test]
fn what_is_no_report_is_an_error() {
    for (source, report, expected) in [
        (Source::TrivyOperator, "{}".to_owned(), "it has no summary"),
        (Source::TrivyOperator, trivy("[]", "null"), "it has no summary"),
        (Source::TrivyOperator, trivy("[]", "[]"), "it has no summary"),
        (Source::TrivyOperator, trivy("{}", "{}"), "its vulnerabilities are an object, not a list"),
        (Source::TrivyOperator, trivy("[1]", "{}"), "its vulnerabilities hold a number, not objects alone"),
        (Source::TrivyOperator, trivy("[]", r#"{"highCount":-1}"#), "its summary counts -1 as high"),
        (Source::TrivyOperator, trivy("[]", r#"{"highCount":1.5}"#), "its summary counts 1.5 as high"),
        (Source::TrivyOperator, trivy("[]", r#"{"lowCount":"3"}"#), "its summary counts a string as low"),
        (Source::TrivyOperator, trivy("[]", r#"{"highCount":null}"#), "its summary does not count high"),
        (Source::TrivyOperator, r#"{"report":{"summary":{}}}"#.to_owned(), "its summary does not count critical"),
        (Source::Sbomscanner, r#"{"report":{"summary":{}}}"#.to_owned(), "its summary does not count critical"),
        (Source::TrivyOperator, trivy(r#"[{"vulnerabilityID":7}]"#, "{}"), "a vulnerability has a number for an ID"),
        (
            Source::Sbomscanner,
            sbomscanner(r#"[{"vulnerabilities":[{"cve":{}}]}]"#, "{}"),
            "a vulnerability has an object for an ID",
        ),
        (
            Source::TrivyOperator,
            trivy("[]", "{}").replace(r#"{"report":{"#, r#"{"report":{"os":{"eosl":"true"},"#),
            "its eosl is a string, neither true nor false",
        ),
        (Source::Sbomscanner, sbomscanner("7", "{}"), "its results are a number, not a list"),
        (Source::Sbomscanner, sbomscanner("[null]", "{}"), "its results hold null, not objects alone"),
        (
            Source::Sbomscanner,
            sbomscanner(r#"[{"vulnerabilities":"none"}]"#, "{}"),
            "its vulnerabilities are a string, not a list",
        ),
    ] {
        assert_eq!(read(source, &report, "{}").expect_err(&report), expected, "{report}");
    }
}

#[test]
fn an_empty_list_may_be_null() {
    for (source, report) in [
        (Source::TrivyOperator, trivy("null", "{}")),
        (Source::Sbomscanner, sbomscanner("null", "{}")),
        (Source::Sbomscanner, sbomscanner(r#"[{"vulnerabilities":null},{}]"#, "{}")),
    ] {
        let findings = read(source, &report, "{}").expect("a report");
        assert!(Severity::ALL.iter().all(|severity| total(&findings, *severity) == 0), "{report}");
    }
}

#[test]
fn of_one_vulnerability_in_one_package_the_worst_severity_counts() {
    let listed = r#"[{"vulnerabilityID":"CVE-1","resource":"a","severity":"LOW"},
        {"vulnerabilityID":"CVE-1","resource":"a","severity":"CRITICAL"},
        {"vulnerabilityID":"CVE-1","resource":"b","severity":"LOW"}]"#;
    let findings = read(Source::TrivyOperator, &trivy(listed, "{}"), "{}").expect("a report");
    assert_eq!((total(&findings, Severity::Critical), total(&findings, Severity::Low)), (1, 1));
}

#[test]
fn a_fix_of_one_occurrence_is_a_fix() {
    let listed = r#"[{"vulnerabilityID":"CVE-1","resource":"a","severity":"HIGH","fixedVersion":""},
        {"vulnerabilityID":"CVE-1","resource":"a","severity":"HIGH","fixedVersion":"2"},
        {"vulnerabilityID":"CVE-2","resource":"a","severity":"HIGH","fixedVersion":""}]"#;
    let report = trivy(listed, r#"{"highCount":3}"#);
    let findings = read(Source::TrivyOperator, &report, r#"{"ignoreUnfixed":true}"#).expect("a report");
    assert_eq!(total(&findings, Severity::High), 1);
}

#[test]
fn a_vulnerability_without_a_name_counts_too() {
    let findings = read(Source::TrivyOperator, &trivy(r#"[{}]"#, "{}"), "{}").expect("a report");
    let tally = findings.tally(Severity::Unknown);
    assert_eq!((tally.total(), tally.named.as_slice()), (1, &["one without an ID, which has no fix".to_owned()][..]));
}

#[test]
fn vulnerabilities_without_an_id_are_not_taken_for_one() {
    let listed = r#"[{"severity":"HIGH","resource":"a"},{"severity":"HIGH","resource":"a"},{"severity":"HIGH"}]"#;
    let findings = read(Source::TrivyOperator, &trivy(listed, r#"{"highCount":3}"#), "{}").expect("a report");
    assert_eq!(total(&findings, Severity::High), 3);
}

#[test]
fn only_true_suppresses() {
    let listed = r#"[{"vulnerabilities":[
        {"cve":"CVE-1","packageName":"a","severity":"HIGH","suppressed":true},
        {"cve":"CVE-2","packageName":"a","severity":"HIGH","suppressed":"true"},
        {"cve":"CVE-3","packageName":"a","severity":"HIGH"}]}]"#;
    let findings = read(Source::Sbomscanner, &sbomscanner(listed, r#"{"high":2,"suppressed":1}"#), "{}");
    assert_eq!(total(&findings.expect("a report"), Severity::High), 2);
}

#[test]
fn what_a_summary_adds_is_no_exception_and_has_no_fix() {
    let listed = r#"[{"vulnerabilityID":"CVE-1","resource":"a","severity":"HIGH","fixedVersion":""}]"#;
    let settings = r#"{"ignoreUnfixed":true,
        "exceptions":[{"id":"CVE-1","images":["r.io/app"],"expires":"2099-01-01","reason":"x"}]}"#;
    let findings = read(Source::TrivyOperator, &trivy(listed, r#"{"highCount":4}"#), settings).expect("a report");
    let tally = findings.tally(Severity::High);
    assert_eq!((tally.listed, tally.unlisted), (0, 3));
}

#[test]
fn counts_do_not_overflow() {
    let summary = r#"{"criticalCount":18446744073709551615}"#;
    let listed = r#"[{"vulnerabilityID":"CVE-1","resource":"a","severity":"CRITICAL"}]"#;
    let findings = read(Source::TrivyOperator, &trivy(listed, summary), "{}").expect("a report");
    assert_eq!(total(&findings, Severity::Critical), u64::MAX);
    let beyond = r#"{"criticalCount":18446744073709551616}"#;
    assert!(read(Source::TrivyOperator, &trivy("[]", beyond), "{}").is_err());
}

#[test]
fn a_hundred_thousand_vulnerabilities_take_no_time() {
    let mut listed = String::from("[");
    for number in 0..100_000 {
        listed.push_str(&format!(
            r#"{{"vulnerabilityID":"CVE-{number}","resource":"p{}","severity":"HIGH","fixedVersion":"1"}},"#,
            number % 97
        ));
    }
    listed.pop();
    listed.push(']');
    let mut settings = String::from(r#"{"exceptions":["#);
    for number in 0..2_000 {
        settings.push_str(&format!(
            r#"{{"id":"CVE-{number}","images":["r.io/app"],"expires":"2099-01-01","reason":"x"}},"#
        ));
    }
    settings.pop();
    settings.push_str("]}");
    let start = std::time::Instant::now();
    let findings = read(Source::TrivyOperator, &trivy(&listed, "{}"), &settings).expect("a report");
    assert_eq!(total(&findings, Severity::High), 98_000);
    // Half a second without optimisation; quadratic work would take minutes.
    assert!(start.elapsed().as_secs() < 20);
}

proptest! {
    #[test]
    fn any_report_is_answered_without_a_panic(
        key in "(vulnerabilities|results|summary|os|highCount|severity|suppressed|fixedVersions)",
        value in r#"(null|true|-1|1e9|"x"|""|\[\]|\{\}|\[\{\}\]|\[\[\]\]|\[1\])"#,
        other in r#"(null|\[\{"vulnerabilities":\[\{\}\]\}\]|\{"eosl":true\}|\[\{"severity":7,"fixedVersion":\[\]\}\])"#,
    ) {
        for source in [Source::TrivyOperator, Source::Sbomscanner] {
            for report in [
                format!(r#"{{"report":{{"{key}":{value}}}}}"#),
                format!(r#"{{"report":{{"summary":{{"{key}":{value}}},"vulnerabilities":{other},"results":{other}}}}}"#),
                format!(r#"{{"{key}":{other}}}"#),
            ] {
                let _ = read(source, &report, "{}");
            }
        }
    }
}
