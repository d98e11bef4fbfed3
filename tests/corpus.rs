//! Manifests that others wrote: everything in them that runs an image or grants an access is judged.
//!
//! What there is to judge is counted here by other means than the ones under test: line by line in the text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bundle_tests::{corpus, root};
use host_runner::commands::OutsideOptions;
use host_runner::commands::check::{CheckOptions, CheckReport, check};
use host_runner::enforcement::Verdict;

/// The example's settings fit any manifest: what is not from the shop's registry is rejected.
fn run(folder: &Path) -> CheckReport {
    check(&CheckOptions {
        paths: vec![folder.to_owned()],
        settings: Some(root().join("examples/settings.yaml")),
        outside: OutsideOptions {
            worlds: vec![root().join("examples/world.yaml")],
            offline: true,
            ..OutsideOptions::default()
        },
        ..CheckOptions::default()
    })
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => files(&path, found),
            path if path.extension().is_some_and(|extension| extension == "yaml") => found.push(path),
            _ => {}
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "says so when there is nothing to test on")]
fn nothing_that_names_an_image_or_grants_an_access_is_missed() {
    let Some(folder) = corpus() else {
        println!("no corpus beside the project: nothing tested");
        return;
    };
    let report = run(&folder);
    assert_eq!(report.problems, []);

    let mut paths = Vec::new();
    files(&folder, &mut paths);
    let texts: Vec<String> = paths.iter().map(|path| fs::read_to_string(path).expect("text")).collect();

    let kinds: Vec<&str> = texts.iter().flat_map(|text| kinds_at_the_margin(text)).collect();
    assert_eq!(report.objects, kinds.len());

    // Every image of a container: `image:` far from the margin; operators have one of their own right below `spec`.
    let images: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| line.starts_with("     "))
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("image: "))
        .map(|image| image.trim_matches('"'))
        .collect();
    let messages: String = report.results.iter().filter_map(|result| result.outcome.message.as_deref()).collect();
    for image in &images {
        assert!(messages.contains(image), "{image} is in no message");
    }

    // Every object of RBAC has been judged by the policy on exec.
    let is_rbac = |kind: &str| ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"].contains(&kind);
    let judged = report
        .results
        .iter()
        .filter(|result| result.policy == "disallow-container-exec" && is_rbac(&result.subject.identity.kind));
    assert_eq!(judged.count(), kinds.iter().filter(|kind| is_rbac(kind)).count());

    let not_run: Vec<_> = report.results.iter().filter(|result| result.outcome.verdict == Verdict::NotRun).collect();
    assert!(not_run.is_empty(), "{not_run:#?}");
    println!("{:?}, {} different images", report.summary(), images.len());
}

/// The kinds of all objects: a `kind:` at the margin, and below `items:` at the margin of the items.
fn kinds_at_the_margin(text: &str) -> Vec<&str> {
    let mut kinds = Vec::new();
    let mut is_list = false;
    for line in text.lines() {
        match line {
            "items:" => is_list = true,
            "---" => is_list = false,
            _ => {}
        }
        let kind = line.strip_prefix("kind: ").or_else(|| line.strip_prefix("  kind: ").filter(|_| is_list));
        kinds.extend(kind.filter(|kind| !kind.ends_with("List")));
    }
    kinds
}
