//! The example shop: its files, and the same shop in front of a real registry.

use std::{env, fs};

use bundle_tests::registry::{self, Setup};
use bundle_tests::shop::Files;
use bundle_tests::signing::Authority;
use bundle_tests::{root, shop};
use host_runner::commands::OutsideOptions;
use host_runner::commands::check::{CheckOptions, CheckReport, check};
use host_runner::report::{Detail, Format, write_check};

const HEAD: &str = "\
# What the cluster and the registry hold beside the manifests under check. Written by `just bless` from
# tests/support/shop.rs, which also fills a real registry with the same images.
";

/// The README's command that comes to the same as this test, and the end of its line.
const COMMAND: &str = "$ cargo run -q -p bundle-tests --bin check-shop-live | tail -n 1\n";

#[test]
fn the_world_of_the_examples_is_the_shop() {
    let path = root().join("examples/world.yaml");
    let text = format!("{HEAD}{}", serde_saphyr::to_string(&shop::world()).expect("YAML"));
    if env::var_os("BLESS").is_some() {
        fs::write(&path, &text).expect("written");
    }
    assert!(fs::read_to_string(&path).expect("a world") == text, "examples/world.yaml is out of date: `just bless`");
}

#[test]
fn the_manifests_name_the_images_of_the_shop() {
    let report = fs::read_to_string(root().join("examples/shop/report.yaml")).expect("a manifest");
    let busybox = shop::busybox().digest();
    assert!(report.contains(&format!("busybox@{busybox}")), "busybox@{busybox}");
    let settings = fs::read_to_string(root().join("examples/settings.yaml")).expect("settings");
    assert!(settings.contains(&shop::base_diff_id()), "{}", shop::base_diff_id());
}

fn text(report: &CheckReport) -> String {
    let mut text = Vec::new();
    write_check(report, Format::Human, Detail { verbose: true, color: false }, &mut text).expect("written");
    String::from_utf8(text).expect("text")
}

/// What a world says of the shop is what a real registry says, with signatures that are really verified.
#[test]
fn a_registry_and_the_world_come_to_the_same_verdicts() {
    let Some(registry) = registry::start(&Setup::default()) else { return };
    let authority = Authority::new();
    shop::fill(&registry, &authority);
    let files = Files::write(&registry, &authority);
    let live = check(&files.check());
    let offline = check(&CheckOptions {
        paths: vec![root().join("examples/shop")],
        settings: Some(root().join("examples/settings.yaml")),
        outside: OutsideOptions {
            worlds: vec![root().join("examples/world.yaml")],
            offline: true,
            ..OutsideOptions::default()
        },
        ..CheckOptions::default()
    });
    assert_eq!(offline.summary().not_run, 0, "{}", text(&offline));
    let folder = root().join("examples").display().to_string();
    let live_summary = text(&live).lines().last().map(str::to_owned).expect("a summary");
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).expect("a README");
    let (before, shown) = readme.split_once(COMMAND).expect("the command in the README");
    let (shown, after) = shown.split_once('\n').expect("what it prints");
    if env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{before}{COMMAND}{live_summary}\n{after}")).expect("written");
    } else {
        assert_eq!(shown, live_summary, "README.md is out of date: `just bless`");
    }
    assert_eq!(files.as_in_examples(&registry, &text(&live)), text(&offline).replace(&folder, "examples"));
}
