//! What must hold of every policy folder.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;

use bundle_tests::{policy_folder, root};
use host_runner::capabilities::NoCapabilities;
use host_runner::manifest;
use host_runner::policy::{Engine, Limits, Policy};
use host_runner::suite::{Expectation, FILE_NAME, Suite};
use policy_metadata::Metadata;

/// The most bytes that a module may have, its metadata and README left out.
const LARGEST_MODULE: usize = 300 << 10;

/// Policies that may have more, and why.
const LARGER_MODULES: &[(&str, usize)] = &[
    // Reads shell text, and knows programs by their names.
    ("require-single-app", 600 << 10),
];

fn metadata(name: &str) -> Metadata {
    let policy = bundle::policy(name).expect("in the bundle");
    let loaded = Policy::load(&Engine::new(None).expect("an engine"), policy.wasm).expect("a policy");
    loaded.metadata().expect("annotated").clone()
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
        let size = policy.wasm.len() - usage;
        let larger = LARGER_MODULES.iter().find(|(name, _)| *name == policy.name);
        let largest = larger.map_or(LARGEST_MODULE, |(_, largest)| *largest);
        assert!(size <= largest, "{}: {size} bytes", policy.name);
    }
}

#[test]
fn every_readme_has_its_settings() {
    for policy in bundle::POLICIES {
        let readme = fs::read_to_string(policy_folder(policy.name).join("README.md")).expect("a README");
        let settings = fs::read_to_string(policy_folder(policy.name).join("src/settings.rs")).expect("settings");
        let keys = settings
            .lines()
            .skip_while(|line| !line.starts_with("pub struct Settings"))
            .take_while(|line| *line != "}");
        let names = keys.filter_map(|line| {
            let field = line.trim().strip_prefix("pub ").or(line.trim().strip_prefix("pub(crate) "))?;
            field.split_once(':').map(|(name, _)| name)
        });
        for name in names {
            let key = camel_case(name);
            assert!(readme.contains(&format!("`{key}`")), "{}: README.md does not tell of `{key}`", policy.name);
        }
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

fn camel_case(name: &str) -> String {
    let mut key = String::new();
    let mut is_upper = false;
    for letter in name.chars() {
        match letter {
            '_' => is_upper = true,
            letter if is_upper => {
                key.extend(letter.to_uppercase());
                is_upper = false;
            }
            letter => key.push(letter),
        }
    }
    key
}
