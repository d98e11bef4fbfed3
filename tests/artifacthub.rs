//! artifacthub/ is what its generators write from the policies; `just artifacthub` writes it anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use bundle_tests::{policy_folder, root};
use host_runner::commands::manifests::{Layout, ManifestsOptions, write_manifests};
use host_runner::enforcement::Mode;
use policy_metadata::{Metadata, annotation, package, version};
use serde_json::Value;

fn folder() -> PathBuf {
    root().join("artifacthub")
}

fn is_blessing() -> bool {
    env::var_os("BLESS").is_some()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}; run `just artifacthub`", path.display()))
}

fn assert_is(path: &Path, wanted: &str) {
    if is_blessing() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, wanted).expect("written");
    }
    assert!(read(path) == wanted, "{} is out of date: run `just artifacthub`", path.display());
}

fn metadata(policy: &str) -> Metadata {
    let text = read(&policy_folder(policy).join("metadata.yml"));
    let (metadata, ignored) = Metadata::from_yaml(&text).unwrap_or_else(|error| panic!("{policy}: {error}"));
    assert!(ignored.is_empty(), "{policy}: {ignored:?}");
    metadata
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A package keeps the moment at which it was made for the first time.
fn created_at(path: &Path) -> String {
    let known = path.is_file().then(|| yaml(path)["createdAt"].as_str().map(str::to_owned)).flatten();
    known.unwrap_or_else(|| jiff::Timestamp::now().to_string())
}

#[test]
fn packages_are_made_from_the_policies() {
    for policy in bundle::POLICIES {
        let metadata = metadata(policy.name);
        let folder = folder().join(policy.name).join(metadata.version().expect("a version"));
        let path = folder.join("artifacthub-pkg.yml");
        let questions = read(&policy_folder(policy.name).join("questions-ui.yml"));
        let wanted = package(&metadata, Some(&questions), &created_at(&path));
        assert_is(&path, &wanted.unwrap_or_else(|error| panic!("{}: {error}", policy.name)));
        assert_is(&folder.join("README.md"), &read(&policy_folder(policy.name).join("README.md")));
    }
}

/// What Artifact Hub wants of every package, those of earlier releases among them.
#[test]
fn artifact_hub_takes_every_package() {
    // The packages are being written at this moment.
    if is_blessing() {
        return;
    }
    let mut packages = 0;
    let mut seen = BTreeSet::new();
    for policy in fs::read_dir(folder()).expect("artifacthub").flatten().filter(|entry| entry.path().is_dir()) {
        for release in fs::read_dir(policy.path()).expect("a folder").flatten() {
            let path = release.path().join("artifacthub-pkg.yml");
            if policy.file_name() == "manifests" || policy.file_name() == "chart" {
                assert!(!path.exists(), "{}: Artifact Hub would take it for a package", path.display());
                continue;
            }
            packages += 1;
            let package = yaml(&path);
            let text = |key: &str| package[key].as_str().unwrap_or_else(|| panic!("{}: {key}", path.display()));
            let (name, release_name) = (policy.file_name(), release.file_name());
            assert_eq!(text("name"), name.to_string_lossy());
            assert_eq!(text("version"), release_name.to_string_lossy());
            assert!(version(text("version")).is_some(), "{}", path.display());
            assert!(text("createdAt").parse::<jiff::Timestamp>().is_ok(), "{}", path.display());
            for key in ["displayName", "description", "license", "install"] {
                assert!(!text(key).is_empty(), "{}: {key}", path.display());
            }
            let images = package["containersImages"].as_array().expect("images");
            assert_eq!(images.len(), 1, "{}", path.display());
            assert_eq!(images[0]["name"], "policy", "{}", path.display());
            let image = images[0]["image"].as_str().expect("an image");
            assert!(image.ends_with(&format!("/{}:v{}", text("name"), text("version"))), "{image}");
            for (key, value) in package["annotations"].as_object().expect("annotations") {
                assert!(value.is_string(), "{}: {key} is no text", path.display());
            }
            assert!(read(&release.path().join("README.md")).starts_with(&format!("# {}\n", text("name"))));
            assert!(seen.insert((name, release_name)));
        }
    }
    assert!(packages >= bundle::POLICIES.len(), "{packages} packages");
    assert!(yaml(&folder().join("artifacthub-repo.yml"))["owners"][0]["email"].is_string());
}

/// One home: a registry, a page and a source for all.
#[test]
fn all_policies_are_published_in_one_place() {
    let mut homes = BTreeSet::new();
    for policy in bundle::POLICIES {
        let metadata = metadata(policy.name);
        let of = |key: &str| metadata.annotations.get(key).unwrap_or_else(|| panic!("{}: {key}", policy.name)).clone();
        let place = of(annotation::OCI_URL);
        let registry = place.strip_suffix(&format!("/{}", policy.name)).expect("the policy's name at the end");
        homes.insert((registry.to_owned(), of(annotation::URL), of(annotation::SOURCE), of(annotation::AUTHOR)));
    }
    assert_eq!(homes.len(), 1, "{homes:?}");
}

#[test]
fn the_manifests_and_the_chart_are_what_host_runner_writes() {
    let options = ManifestsOptions {
        mode: Mode::Monitor,
        policy_server: "image-policies".to_owned(),
        namespace: "kubewarden".to_owned(),
        ..ManifestsOptions::default()
    };
    for (layout, place) in [(Layout::Kustomize, "manifests"), (Layout::Helm, "chart")] {
        let wanted = tempfile::tempdir().expect("a folder");
        let written = write_manifests(&options, layout, wanted.path()).expect("written");
        let mut expected = BTreeSet::new();
        for path in written {
            let file = path.strip_prefix(wanted.path()).expect("in the folder");
            assert_is(&folder().join(place).join(file), &read(&path));
            expected.insert(file.to_owned());
        }
        assert_eq!(files_below(&folder().join(place)), expected, "{place}");
    }
}

fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = PathBuf::from(entry.file_name());
        if entry.path().is_dir() {
            found.extend(files_below(&entry.path()).into_iter().map(|file| name.join(file)));
        } else {
            found.insert(name);
        }
    }
    found
}
