//! A policy, the schema of its settings, the table of its README and the form of the UI speak of the same settings.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::{env, fs};

use bundle_tests::settings::{places, required, schema, table};
use bundle_tests::{policy_folder, root};
use host_runner::capabilities::NoCapabilities;
use host_runner::policy::{Engine, Limits, Policy};
use host_runner::suite::{CaseStatus, Expectation, LoadedSuite};
use policy_metadata::{Kind, OrderedValue, Property, annotation, of_module, questions, schema_of_module};
use serde_json::{Map, Value, json};

struct Policies(Engine);

impl Policies {
    fn new() -> Self {
        Policies(Engine::new(None).expect("an engine"))
    }

    fn each(&self, mut visit: impl FnMut(&'static str, &Policy)) {
        for policy in bundle::POLICIES {
            visit(policy.name, &Policy::load(&self.0, policy.wasm).expect("a policy"));
        }
    }
}

/// What the policy says against settings.
fn refusal(policy: &Policy, settings: &Value) -> Option<String> {
    let bytes = settings.to_string().into_bytes();
    let answer = policy.validate_settings(&bytes, Arc::new(NoCapabilities), Limits::default()).expect("an answer");
    (!answer.valid).then(|| answer.message.unwrap_or_default())
}

/// The names that serde lists behind "expected", which are those that it knows.
fn expected(message: &str) -> BTreeSet<String> {
    let (_, listed) = message.rsplit_once("expected ").unwrap_or_else(|| panic!("lists nothing: {message}"));
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_schema_has_the_keys_and_choices_that_the_policy_reads_and_no_others() {
    Policies::new().each(|name, policy| {
        for place in places(&schema(name)) {
            let (wrong, known): (Value, BTreeSet<String>) = match place.property.kind() {
                Kind::Object => (json!({"notOneOfThem": {}}), place.property.properties.keys().cloned().collect()),
                Kind::Choice(choices) => (json!("notOneOfThem"), choices.iter().filter_map(text).collect()),
                _ => continue,
            };
            let path = &place.path;
            let settings = place.holding(wrong);
            let message = refusal(policy, &settings).unwrap_or_else(|| panic!("{name}: {settings} is accepted"));
            assert_eq!(expected(&message), known, "{name}: {path}: {message}");
        }
    });
}

fn text(value: &OrderedValue) -> Option<String> {
    json!(value).as_str().map(str::to_owned)
}

#[test]
fn the_schema_takes_what_the_policy_takes() {
    Policies::new().each(|name, policy| {
        let schema: Value = serde_json::from_str(schema(name).text()).expect("JSON");
        let validator = jsonschema::draft7::new(&schema).expect("a schema");
        let engine = Engine::new(None).expect("an engine");
        let suite = LoadedSuite::load(&policy_folder(name).join("suite.yaml"), &engine, Limits::default())
            .unwrap_or_else(|problem| panic!("{problem}"));
        let (mut taken, mut refused) = (0, 0);
        for case in &suite.suite.cases {
            let settings = case.settings.clone().or(suite.suite.settings.clone()).unwrap_or_default();
            // `key:` without a value is no value, for policies as for Kubernetes.
            let settings = json!(settings.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>());
            let errors: Vec<String> = validator.iter_errors(&settings).map(|error| error.to_string()).collect();
            match refusal(policy, &settings) {
                None => {
                    taken += 1;
                    assert!(errors.is_empty(), "{name}: {}: {settings}: {errors:?}", case.name);
                }
                // What has to do with the shape of the settings can be seen in an editor.
                Some(message)
                    if ["unknown field", "unknown variant", "missing field", "invalid type"]
                        .iter()
                        .any(|shape| message.contains(shape)) =>
                {
                    refused += 1;
                    assert!(
                        !errors.is_empty(),
                        "{name}: {}: {settings} is fine by the schema, and not by the policy: {message}",
                        case.name
                    );
                }
                Some(_) => {}
            }
        }
        assert!(taken > 5 && refused > 0, "{name}: {taken} taken, {refused} refused");
    });
}

/// What stands in the schema as an example or default can be written.
#[test]
fn examples_and_defaults_are_accepted() {
    Policies::new().each(|name, policy| {
        let schema = schema(name);
        let base = required(&schema);
        let with = |key: &str, value: &OrderedValue| {
            let mut settings = base.clone();
            settings.insert(key.to_owned(), json!(value));
            // The one setting that needs another.
            if key == "ownerLabel" && !json!(value).is_null() {
                settings.insert("teams".to_owned(), json!({"payments": ["checkout"]}));
            }
            json!(settings)
        };
        assert_eq!(refusal(policy, &json!(base)), None, "{name}");
        let mut defaults = base.clone();
        for (key, property) in &schema.root().properties {
            for value in property.examples.iter().chain(&property.default) {
                assert_eq!(refusal(policy, &with(key, value)), None, "{name}: {key}: {value:?}");
            }
            assert_ne!(schema.root().requires(key), property.default.is_some(), "{name}: {key}");
            if let Some(default) = &property.default {
                defaults.insert(key.clone(), json!(default));
            }
        }
        assert_eq!(refusal(policy, &json!(defaults)), None, "{name}");
    });
}

/// A default is one only if it makes no difference to write it.
#[test]
fn defaults_are_what_holds_when_nothing_is_written() {
    let engine = Engine::new(Some(root().join("target/tmp/compiled"))).expect("an engine");
    for policy in bundle::POLICIES {
        let schema = schema(policy.name);
        let suite = LoadedSuite::load(&policy_folder(policy.name).join("suite.yaml"), &engine, Limits::default())
            .unwrap_or_else(|problem| panic!("{problem}"));
        for case in &suite.suite.cases {
            if matches!(case.expect, Expectation::InvalidSettings(_) | Expectation::NotAsked) {
                continue;
            }
            let mut case = case.clone();
            let mut settings = case.settings.clone().or(suite.suite.settings.clone()).unwrap_or_default();
            for (key, property) in &schema.root().properties {
                // Labels alone decide when they alone are set.
                let depends = key == "protectedNamespaces" && settings.contains_key("protectedNamespaceLabels");
                if let Some(default) = property.default.as_ref().filter(|_| !depends) {
                    settings.entry(key.clone()).or_insert_with(|| json!(default));
                }
            }
            case.settings = Some(settings);
            let status = suite.run_case(&case);
            assert!(matches!(status, CaseStatus::Passed), "{}: {}: {status:?}", policy.name, case.name);
        }
    }
}

#[test]
fn the_module_carries_the_schema() {
    for policy in bundle::POLICIES {
        let carried = schema_of_module(policy.wasm).expect("a module").expect("a schema");
        assert_eq!(carried.text(), schema(policy.name).text(), "{}", policy.name);
    }
}

fn is_blessing() -> bool {
    env::var_os("BLESS").is_some()
}

/// Compares a file with what it must be; with `BLESS=1` it becomes that.
fn assert_is(path: &std::path::Path, wanted: &str) {
    if is_blessing() {
        fs::write(path, wanted).expect("written");
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "{} is out of date: run `just artifacthub`", path.display());
}

#[test]
fn the_table_of_the_readme_is_the_schema() {
    for policy in bundle::POLICIES {
        let path = policy_folder(policy.name).join("README.md");
        let text = fs::read_to_string(&path).expect("a README");
        let (before, rest) = text.split_once("\n| key |").expect("a table of settings");
        let (_, after) = rest.split_once("\n\n").expect("an end of the table");
        assert!(before.trim_end().ends_with("## Settings"), "{}: the settings begin with their table", policy.name);
        assert_is(&path, &format!("{before}\n{}\n{after}", table(&schema(policy.name))));
    }
}

#[test]
fn the_form_is_made_from_the_schema() {
    for policy in bundle::POLICIES {
        let metadata = of_module(policy.wasm).expect("a module").expect("metadata");
        let wanted = questions(&metadata.annotations[annotation::DESCRIPTION], &schema(policy.name)).expect("YAML");
        assert_is(&policy_folder(policy.name).join("questions-ui.yml"), &wanted);
    }
}

/// Read without the code that made it: every question asks for a setting, and every setting is asked for.
#[test]
fn the_form_asks_for_every_setting_and_the_policy_takes_its_defaults() {
    // The forms are being written at this moment.
    if is_blessing() {
        return;
    }
    Policies::new().each(|name, policy| {
        let schema = schema(name);
        let text = fs::read_to_string(policy_folder(name).join("questions-ui.yml")).expect("a form");
        let form: Value = serde_saphyr::from_str(&text).expect("YAML");
        let asked = form["questions"].as_array().expect("questions");
        assert_eq!(asked[0]["variable"], "description", "{name}");
        let mut covered = BTreeSet::new();
        for question in &asked[1..] {
            cover("", schema.root(), question, &mut covered);
        }
        let settings: BTreeSet<String> = places(&schema)
            .into_iter()
            // Below a list of texts, and within what is shown as YAML, there is nothing to ask for.
            .filter(|place| !place.path.is_empty() && !place.path.ends_with("[]") && !place.path.ends_with(".*"))
            .map(|place| place.path)
            .collect();
        assert_eq!(covered, settings, "{name}");

        let base = required(&schema);
        let mut whole = base.clone();
        for question in &asked[1..] {
            let (Some(key), Some(default)) = (question["variable"].as_str(), question.get("default")) else { continue };
            whole.insert(key.to_owned(), default.clone());
            let mut settings = base.clone();
            settings.insert(key.to_owned(), default.clone());
            assert_eq!(refusal(policy, &json!(settings)), None, "{name}: {key}");
        }
        assert_eq!(refusal(policy, &json!(whole)), None, "{name}: all defaults of the form");
        for key in &schema.root().required {
            assert!(whole.contains_key(key), "{name}: {key}");
        }
    });
}

/// Notes the setting that a question asks for, and those of the questions below it.
fn cover(prefix: &str, within: &Property, question: &Value, covered: &mut BTreeSet<String>) {
    let variable = question["variable"].as_str().expect("a variable");
    let mut property = within;
    for step in variable.split('.') {
        property = property.properties.get(step).unwrap_or_else(|| panic!("{prefix}{variable} is no setting"));
    }
    assert_eq!(question["label"].as_str(), property.title.as_deref(), "{prefix}{variable}");
    covered.insert(format!("{prefix}{variable}"));
    for below in question["subquestions"].as_array().into_iter().flatten() {
        cover(prefix, within, below, covered);
    }
    for below in question["sequence_questions"].as_array().into_iter().flatten() {
        let items = property.items.as_deref().expect("a list");
        cover(&format!("{prefix}{variable}[]."), items, below, covered);
    }
}
