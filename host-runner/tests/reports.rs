//! Reports for machines: valid by their schemas, and never misled by what a policy says.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use insta::assert_snapshot;
use serde_json::Value;
use support::{Finished, Run};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: web, image: nginx}, {name: side, image: redis}]}\n";

/// A rejection, a mutation, a warning, no verdict, a policy without settings, input that is none, an object that nobody
/// is asked about.
fn everything() -> Run {
    let settings = "disallow-third-party-registries: {privateRegistries: [r.io], mirrors: {docker.io: r.io/hub}}\n";
    let manifests = format!("{POD}---\napiVersion: v1\nkind: Service\nmetadata: {{name: web}}\n---\nvalues: 1\n");
    let resource = "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: monitored}\nspec:\n  module: rejects.wasm\n  mode: monitor\n  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\n---\napiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: crashing}\nspec:\n  module: traps.wasm\n  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\n";
    Run::new()
        .file("deploy/a b.yaml", manifests)
        .file("settings.yaml", settings)
        .file("policies.yaml", resource)
        .guest("rejects")
        .guest("traps")
}

const CHECK: &str = "check deploy -s settings.yaml -p policies.yaml --policy disallow-third-party-registries \
                     --policy require-unique-image-name --policy require-ci-signature --offline";

fn check(format: &str) -> Finished {
    let run = everything().run(&format!("{CHECK} -o {format}"));
    assert_eq!(run.status, 2, "{}", run.seen());
    run
}

/// A suite with a case that passes, one that fails and one that is not run.
fn suite() -> Run {
    Run::new().file("pod.yaml", POD).file(
        "suite.yaml",
        "policy: require-unique-image-name\ncases:\n- name: passes\n  object: pod.yaml\n  operation: DELETE\n  expect: notAsked\n- name: fails\n  object: pod.yaml\n  expect: accepted\n- name: is not run\n  object: missing.yaml\n  expect: accepted\n",
    )
}

/// The schema of SARIF 2.1.0, which comes with the source of the crate that writes it.
fn sarif_schema() -> Value {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"))).expect("a home");
    let registries = fs::read_dir(home.join("registry/src")).expect("the sources of crates");
    let schema = registries
        .flatten()
        .flat_map(|registry| fs::read_dir(registry.path()).into_iter().flatten().flatten())
        .filter(|source| source.file_name().to_string_lossy().starts_with("serde-sarif-"))
        .find_map(|source| fs::read_to_string(source.path().join("src/schema.json")).ok())
        .expect("the schema");
    let mut schema: Value = serde_json::from_str(&schema).expect("JSON");
    // It has a bracket too many, which makes it no regular expression, and no report of ours names a language.
    for component in ["run", "toolComponent"] {
        schema["definitions"][component]["properties"]["language"].as_object_mut().map(|it| it.remove("pattern"));
    }
    assert!(schema["title"].as_str().is_some_and(|title| title.contains("2.1.0")), "{}", schema["title"]);
    schema
}

fn assert_is_sarif(report: &Value) {
    let schema = jsonschema::validator_for(&sarif_schema()).expect("a schema");
    let errors: Vec<String> = schema.iter_errors(report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// Holds a report against Jenkins' schema, if there are the schema and a program to hold it against; says so otherwise.
#[expect(clippy::print_stdout, reason = "a test that tests nothing says so")]
fn assert_is_junit(report: &str) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let schema = target.join("schemas/junit-10.xsd");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), report).expect("written");
    if !schema.is_file() {
        println!("there is no {}, which .ci/run fetches: not held against it", schema.display());
        return;
    }
    let Ok(output) = Command::new("xmllint").args(["--noout", "--schema"]).arg(schema).arg(file.path()).output() else {
        println!("xmllint is not installed (apt-get install libxml2-utils): not held against the schema");
        return;
    };
    assert!(output.status.success(), "{}\n{report}", String::from_utf8_lossy(&output.stderr));
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

#[test]
fn sarif_points_at_what_was_found_and_what_was_not_judged() {
    let report = check("sarif").json();
    assert_is_sarif(&report);
    assert_eq!(report["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert_snapshot!(pretty(&report));
    let report = suite().run("test suite.yaml -o sarif").json();
    assert_is_sarif(&report);
    assert_snapshot!("sarif-of-a-suite", pretty(&report));
}

#[test]
fn a_finding_keeps_its_fingerprint_when_it_moves() {
    let fingerprints = |manifest: String| {
        let run =
            Run::new().file("pod.yaml", manifest).run("check pod.yaml --policy require-unique-image-name -o sarif");
        let results = run.json()["runs"][0]["results"].as_array().expect("results").clone();
        let lines: Vec<Value> = results
            .iter()
            .map(|result| result["locations"][0]["physicalLocation"]["region"]["startLine"].clone())
            .collect();
        let fingerprints: Vec<Value> = results.iter().map(|result| result["partialFingerprints"].clone()).collect();
        (lines, fingerprints)
    };
    let (lines, prints) = fingerprints(POD.to_owned());
    let (moved_lines, moved) = fingerprints(format!("# a comment\n\n{POD}"));
    assert_ne!(lines, moved_lines);
    assert_eq!(prints, moved);
    let mut different = prints.clone();
    different.dedup();
    assert_eq!((prints.len(), different.len()), (4, 4));
}

#[test]
fn junit_has_a_case_for_each_object_and_policy() {
    let run = check("junit");
    assert_is_junit(&run.stdout);
    assert_snapshot!(run.stdout);
    let run = suite().run("test suite.yaml -o junit");
    assert_eq!(run.status, 2);
    assert_is_junit(&run.stdout);
    assert_snapshot!("junit-of-a-suite", run.stdout);
}

#[test]
fn github_annotates_the_lines() {
    assert_snapshot!(check("github").stdout);
    let run = suite().run("test suite.yaml -o github");
    assert_snapshot!("github-of-a-suite", run.stdout);
}

#[test]
fn reports_go_to_a_file_in_every_format() {
    for format in ["human", "json", "sarif", "junit", "github"] {
        let run = everything().run(&format!("{CHECK} -o {format} --output-file report"));
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        let report = fs::read_to_string(run.folder.path().join("report")).expect("a report");
        assert_eq!(report, check(format).stdout, "{format}");
    }
}

/// A run that finds nothing says so in every format, and one that could not judge never does.
#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let clean = |format: &str| {
        let run = Run::new().file("pod.yaml", POD).guest("accepts").file("policies.yaml", "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: own}\nspec:\n  module: accepts.wasm\n  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\n");
        run.run(&format!("check pod.yaml -p policies.yaml -o {format}"))
    };
    let sarif = clean("sarif").json();
    assert_is_sarif(&sarif);
    assert_eq!(sarif["runs"][0]["results"], Value::Array(Vec::new()));
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], true);
    assert_eq!(clean("github").stdout, "1 object, 1 evaluation: 1 accepted, 0 rejected, 0 mutated\n");
    assert!(clean("junit").stdout.contains(r#"failures="0""#));
    let empty = |format: &str| Run::new().file("pod.yaml", POD).run(&format!("check nowhere.yaml -o {format}"));
    assert_eq!(empty("sarif").json()["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert!(empty("github").stdout.starts_with("::error "), "{}", empty("github").stdout);
    assert!(empty("junit").stdout.contains("<error"), "{}", empty("junit").stdout);
}

/// A policy that says what would end a line, a tag, a command or a colour.
#[test]
fn a_policy_cannot_write_a_report_of_its_own() {
    let message = "::stop-commands::x ##[error]y \\ufffe\\uffff; spec.a: x\\n::error::forged\\r\\n::warning::more ]]></failure> \\u001b[31mred\\u0000 %0A<b attribute=\\\"1\\\">";
    let literal: String = format!(r#"{{"accepted":false,"message":"{message}","warnings":["{message}"]}}"#)
        .bytes()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let length = literal.len() / 3;
    let module = wat::parse_str(format!(
        r#"(module
            (import "wapc" "__guest_response" (func $response (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "{{\22valid\22:true}}")
            (data (i32.const 32) "{literal}")
            (func (export "__guest_call") (param $operation i32) (param i32) (result i32)
                (if (i32.eq (local.get $operation) (i32.const 17))
                    (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
                (call $response (i32.const 32) (i32.const {length})) (i32.const 1)))"#
    ))
    .expect("valid WAT");
    let run = |format: &str| {
        let resource = "apiVersion: policies.kubewarden.io/v1\nkind: ClusterAdmissionPolicy\nmetadata: {name: forger}\nspec:\n  module: forges.wasm\n  rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\n";
        let run = Run::new()
            .file("pod.yaml", POD)
            .file("forges.wasm", &module)
            .file("policies.yaml", resource)
            .run(&format!("check pod.yaml -p policies.yaml -o {format}"));
        assert_eq!(run.status, 1, "{}", run.seen());
        run
    };
    let github = run("github").stdout;
    let commands: Vec<&str> = github.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!((commands.len(), github.lines().count()), (3, 4), "{github}");
    let junit = run("junit").stdout;
    assert_is_junit(&junit);
    assert_eq!(junit.matches("</failure>").count(), 1, "{junit}");
    let sarif = run("sarif").json();
    assert_is_sarif(&sarif);
    assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(3));
    let human = run("human").stdout;
    for text in [&github, &junit, &human] {
        assert!(!text.contains('\u{1b}') && !text.contains('\0'), "{text:?}");
    }
    // GitHub reads commands behind blanks, too, whatever format a step prints.
    assert!(human.lines().all(|line| !line.trim_start().starts_with("::") && !line.contains("##[")), "{human}");
    assert_eq!(run("json").json()["summary"]["rejected"], 1);
    // Nor can a manifest, nor what a suite finds.
    let service = "apiVersion: v1\nkind: \"Kind\\n::error::kind\\e[31m\"\nmetadata: {name: \"a\\n::error::name\"}\n";
    let suite = "policy: forges.wasm\ncases:\n- name: \"a\\n::error::case\"\n  object: pod.yaml\n  expect: accepted\n";
    for (arguments, format) in [
        ("check service.yaml", "human"),
        ("check service.yaml -v", "human"),
        ("check service.yaml", "github"),
        ("test suite.yaml", "human"),
        ("test suite.yaml", "github"),
    ] {
        let run = Run::new()
            .file("pod.yaml", POD)
            .file("service.yaml", service)
            .file("suite.yaml", suite)
            .file("forges.wasm", &module)
            .run(&format!("{arguments} -o {format}"));
        // Ours have a title, or a file.
        let mut forged = run.stdout.lines().filter(|line| line.trim_start().starts_with("::error::"));
        assert_eq!(forged.next(), None, "{arguments}: {}", run.stdout);
        assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains("##["), "{:?}", run.stdout);
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let run = |variable: &str, value: &str, arguments: &str| {
        everything().variable(variable, value).run(&format!("{CHECK} {arguments}")).stdout
    };
    let plain = run("A", "b", "");
    assert!(!plain.contains('\u{1b}'), "{plain}");
    let coloured = run("CLICOLOR_FORCE", "1", "");
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mrejected"), "{coloured:?}");
    assert_eq!(run("CLICOLOR_FORCE", "1", "--no-color"), plain);
    assert!(!run("CLICOLOR_FORCE", "1", "-o github").contains('\u{1b}'));
}

/// The real manifests beside the repository, if they are there.
#[test]
#[expect(clippy::print_stdout, reason = "a test that tests nothing says so")]
fn the_corpus_comes_out_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let corpus = root.join("../shared/corpus");
    if !corpus.is_dir() {
        println!("there is no corpus at ../shared/corpus: nothing tested");
        return;
    }
    let examples = root.join("examples");
    let arguments = format!(
        "check {} -s {}/settings.yaml --world {}/world.yaml --offline",
        corpus.display(),
        examples.display(),
        examples.display()
    );
    let sarif = Run::new().run(&format!("{arguments} -o sarif")).json();
    assert_is_sarif(&sarif);
    let found = sarif["runs"][0]["results"].as_array().map_or(0, Vec::len);
    assert!(found > 50, "{found}");
    assert_is_junit(&Run::new().run(&format!("{arguments} -o junit")).stdout);
}
