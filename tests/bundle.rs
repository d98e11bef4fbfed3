//! What must hold of every policy folder.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;

use bundle_tests::{policy_folder, root};
use host_runner::capabilities::NoCapabilities;
use host_runner::manifest;
use host_runner::policy::{Engine, Limits, Policy};
use host_runner::suite::{Case, Expectation, FILE_NAME, Object, Suite};
use policy_metadata::{Metadata, of_module, schema_of_module};

/// The most bytes that a module may have, its README and the schema of its settings left out.
const LARGEST_MODULE: usize = 300 << 10;

/// Policies that may have more, and why.
const LARGER_MODULES: &[(&str, usize)] = &[
    // Reads shell text, and knows programs by their names.
    ("require-single-app", 600 << 10),
];

fn metadata(name: &str) -> Metadata {
    of_module(bundle::policy(name).expect("in the bundle").wasm).expect("a module").expect("annotated")
}

fn suite(name: &str) -> Suite {
    manifest::read_typed(&policy_folder(name).join(FILE_NAME)).unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn every_policy_folder_is_in_the_bundle() {
    let crates = ["bundle", "policy-kit", "policy-metadata"];
    let folders: HashSet<String> = fs::read_dir(root().join("policies"))
        .expect("policies")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !crates.contains(&name.as_str()))
        .collect();
    let bundled: HashSet<String> = bundle::POLICIES.iter().map(|policy| policy.name.to_owned()).collect();
    assert_eq!(folders, bundled);
}

#[test]
fn every_policy_stands_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    for policy in bundle::POLICIES {
        let row = format!("| [`{0}`](policies/{0}/README.md) |", policy.name);
        assert_eq!(readme.matches(&row).count(), 1, "{}", policy.name);
    }
}

#[test]
fn every_policy_says_who_it_is() {
    for policy in bundle::POLICIES {
        let metadata = metadata(policy.name);
        assert_eq!(metadata.title(), Some(policy.name));
        assert_eq!(metadata.version(), Some(env!("CARGO_PKG_VERSION")), "{}", policy.name);
        for key in ["description", "author", "license", "category", "severity", "usage"] {
            let key = format!("io.kubewarden.policy.{key}");
            assert!(metadata.annotations.contains_key(&key), "{}: {key}", policy.name);
        }
    }
}

#[test]
fn every_suite_shows_each_kind_of_answer() {
    for policy in bundle::POLICIES {
        let suite = suite(policy.name);
        assert_eq!(suite.policy, policy.name);
        let has = |wanted: fn(&Expectation) -> bool| suite.cases.iter().any(|case| wanted(&case.expect));
        assert!(has(|expect| *expect == Expectation::Accepted), "{}: accepted", policy.name);
        assert!(has(|expect| matches!(expect, Expectation::Rejected(_))), "{}: rejected", policy.name);
        assert!(has(|expect| matches!(expect, Expectation::InvalidSettings(_))), "{}: invalid settings", policy.name);
        let mutates = has(|expect| matches!(expect, Expectation::MutatedTo(_)));
        assert_eq!(mutates, metadata(policy.name).mutating, "{}: mutating", policy.name);
    }
}

#[test]
fn every_sample_is_used_by_its_suite() {
    for policy in bundle::POLICIES {
        let text = fs::read_to_string(policy_folder(policy.name).join(FILE_NAME)).expect("a suite");
        for sample in fs::read_dir(policy_folder(policy.name).join("samples")).into_iter().flatten().flatten() {
            let name = format!("samples/{}", sample.file_name().to_string_lossy());
            assert!(text.contains(&name), "{}: {name} is used by no case", policy.name);
        }
    }
}

#[test]
fn every_policy_is_asked_about_all_that_names_images() {
    for policy in bundle::POLICIES {
        let rules = metadata(policy.name).rules;
        let asks = |group: &str, resource: &str| {
            rules.iter().any(|rule| {
                rule.api_groups.iter().any(|known| known == group)
                    && rule.resources.iter().any(|known| known == resource)
            })
        };
        // `kubectl debug` is an update of this subresource, and a rule on pods does not match it.
        assert!(asks("", "pods/ephemeralcontainers"), "{}", policy.name);
        for (group, resource) in [
            ("", "pods"),
            ("apps", "deployments"),
            ("apps", "daemonsets"),
            ("batch", "jobs"),
            ("batch", "cronjobs"),
            ("argoproj.io", "rollouts"),
        ] {
            assert!(asks(group, resource), "{}: {group}/{resource}", policy.name);
        }
    }
}

#[test]
fn every_module_is_small() {
    for policy in bundle::POLICIES {
        let usage = metadata(policy.name).annotations.get("io.kubewarden.policy.usage").map_or(0, String::len);
        let schema = schema_of_module(policy.wasm).expect("a module").map_or(0, |schema| schema.text().len());
        let size = policy.wasm.len() - usage - schema;
        let larger = LARGER_MODULES.iter().find(|(name, _)| *name == policy.name);
        let largest = larger.map_or(LARGEST_MODULE, |(_, largest)| *largest);
        assert!(size <= largest, "{}: {size} bytes", policy.name);
    }
}

#[test]
fn every_readme_answers_the_same_questions() {
    for policy in bundle::POLICIES {
        let readme = fs::read_to_string(policy_folder(policy.name).join("README.md")).expect("a README");
        let headings: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let wanted = [
            "Settings",
            "Accepted and rejected",
            "Try it",
            "How to fix it",
            "What admission cannot see",
            "How it differs",
        ];
        let found: Vec<&str> = headings.iter().copied().filter(|heading| wanted.contains(heading)).collect();
        assert_eq!(found, wanted, "{}", policy.name);
        // Why the practice matters stands in front of everything else.
        let why = readme.split("## ").next().unwrap_or_default();
        assert!(why.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).count() >= 3, "{}", policy.name);
    }
}

/// The code blocks of a README in one language.
fn blocks(readme: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let parts = readme.split(opening.as_str()).skip(1);
    parts.filter_map(|part| part.split_once("```")).map(|(block, _)| block.to_owned()).collect()
}

#[test]
fn every_message_in_a_readme_is_one_that_the_suite_expects() {
    for policy in bundle::POLICIES {
        let readme = fs::read_to_string(policy_folder(policy.name).join("README.md")).expect("a README");
        let suite = suite(policy.name);
        let shown = blocks(&readme, "text");
        assert!(!shown.is_empty(), "{}: shows no message", policy.name);
        for message in shown {
            let is_expected = suite.cases.iter().any(|case| {
                matches!(&case.expect, Expectation::Rejected(expected) if expected.message == message.trim_end())
            });
            assert!(is_expected, "{}: no case expects {message:?}", policy.name);
        }
    }
}

/// A manifest in a README is one of the suite; the message behind it is that of the same case.
#[test]
fn every_manifest_in_a_readme_is_judged_so_by_the_suite() {
    for policy in bundle::POLICIES {
        let readme = fs::read_to_string(policy_folder(policy.name).join("README.md")).expect("a README");
        let suite = suite(policy.name);
        let mut verdicts = HashSet::new();
        let mut parts = readme.split("```yaml\n");
        let mut before = parts.next().unwrap_or_default();
        for part in parts {
            let (block, after) = part.split_once("```").expect("an end of the block");
            let object: serde_json::Value = serde_saphyr::from_str(block).expect("YAML");
            let said = before.to_lowercase();
            before = after;
            if object.get("apiVersion").is_none() {
                continue;
            }
            let lead = said.rsplit("\n\n").find(|paragraph| !paragraph.trim().is_empty()).unwrap_or_default();
            let is_rejected = lead.contains("rejected") && !lead.starts_with("## accepted");
            let cases = suite.cases.iter().filter(|case| case_object(policy.name, case) == Some(object.clone()));
            let message = after.split_once("```text\n").filter(|(between, _)| !between.contains("```yaml"));
            let is_told = cases.clone().any(|case| match &case.expect {
                Expectation::Rejected(expected) => {
                    is_rejected
                        && message.is_some_and(|(_, text)| {
                            text.split("\n```").next().is_some_and(|shown| shown == expected.message)
                        })
                }
                Expectation::Accepted | Expectation::MutatedTo(_) => !is_rejected,
                _ => false,
            });
            let names: Vec<&str> = cases.map(|case| case.name.as_str()).collect();
            assert!(is_told, "{}: {lead}\n{block}is told by none of {names:?}", policy.name);
            verdicts.insert(is_rejected);
        }
        assert!(verdicts.contains(&false), "{}: shows no accepted manifest", policy.name);
    }
}

fn case_object(policy: &str, case: &Case) -> Option<serde_json::Value> {
    match case.object.as_ref()? {
        Object::Inline(object) => Some(object.clone()),
        Object::File(path) => serde_saphyr::from_str(&fs::read_to_string(policy_folder(policy).join(path)).ok()?).ok(),
    }
}

#[test]
fn every_settings_example_in_a_readme_is_accepted() {
    let engine = Engine::new(None).expect("an engine");
    for policy in bundle::POLICIES {
        let readme = fs::read_to_string(policy_folder(policy.name).join("README.md")).expect("a README");
        let loaded = Policy::load(&engine, policy.wasm).expect("a policy");
        let mut examples = 0;
        for block in blocks(&readme, "yaml") {
            let value: serde_json::Value = serde_saphyr::from_str(&block).expect("YAML");
            if value.get("apiVersion").is_some() {
                continue;
            }
            examples += 1;
            let settings = value.to_string().into_bytes();
            let verdict =
                loaded.validate_settings(&settings, Arc::new(NoCapabilities), Limits::default()).expect("an answer");
            assert!(verdict.valid, "{}: {verdict:?}", policy.name);
        }
        assert!(examples > 0, "{}: shows no settings", policy.name);
    }
}
