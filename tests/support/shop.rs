//! The example shop's registry and cluster: what `examples/world.yaml` holds, and what a real registry is filled with.

use std::collections::BTreeMap;
use std::fs;

use host_runner::commands::OutsideOptions;
use host_runner::commands::check::CheckOptions;
use host_runner::live::LiveOptions;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::images::{Image, Platform, sha256};
use crate::registry::Registry;
use crate::root;
use crate::signing::{Authority, Identity};

/// The registry that the shop's manifests name.
pub const REGISTRY: &str = "registry.corp.example";

/// The time of the shop.
const NOW: &str = "2026-11-24T00:00:00Z";

const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Where an image of the shop was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signed {
    OnMain,
    OnABranch,
    Nowhere,
}

/// What a scanner found in an image.
#[derive(Debug, Clone, Copy)]
struct Scan {
    at: &'static str,
    critical: usize,
}

struct Shelf {
    image: Image,
    signed: Signed,
    scan: Option<Scan>,
}

const STATIC: &str = "distroless static: certificates, time zones, users";

fn labels(revision: &str) -> Value {
    json!({ "org.opencontainers.image.revision": revision })
}

fn shelves() -> Vec<Shelf> {
    let go_app = |platform: &str, name: &str, revision: &str| {
        let layer = format!("{name} for {platform}");
        let config = json!({ "Entrypoint": [format!("/{name}")], "Labels": labels(revision) });
        Platform::new(platform, &[STATIC, &layer], config).made_by(&format!("COPY /{name} /{name} # buildkit"))
    };
    let storefront = "6dcd4ce23d88e2ee9568ba546881c2d2cffa9375";
    let cart = "c2a52b9c0e7f4d1b86a3f5d4e0b7f3c91d24e6a8";
    let report = "91b5e7c04a6d2f83b1c9e8a7f5d0e9b7a3c1f284";
    let debian = "debian 12";
    let checkout = Platform::new(
        "linux/amd64",
        &[debian, "nginx and checkout"],
        json!({ "Entrypoint": ["/bin/sh", "-c", "nginx & exec checkout"] }),
    )
    .made_by("RUN /bin/sh -c apt-get update && apt-get install -y nginx # buildkit");
    vec![
        Shelf {
            image: Image::index(
                &format!("shop-web-storefront:{}", tag(storefront)),
                vec![go_app("linux/amd64", "storefront", storefront), go_app("linux/arm64", "storefront", storefront)],
            ),
            signed: Signed::OnMain,
            scan: Some(Scan { at: "2026-11-23T21:14:00Z", critical: 0 }),
        },
        Shelf {
            image: Image::single(&format!("shop-checkout-cart:{}", tag(cart)), go_app("linux/amd64", "cart", cart)),
            signed: Signed::OnMain,
            scan: Some(Scan { at: "2026-11-23T21:15:00Z", critical: 1 }),
        },
        Shelf {
            image: Image::single(
                &format!("shop-finance-sales-report:{}", tag(report)),
                go_app("linux/amd64", "sales-report", report),
            ),
            signed: Signed::OnABranch,
            scan: Some(Scan { at: "2026-11-14T21:16:00Z", critical: 0 }),
        },
        Shelf { image: Image::single("checkout:latest", checkout), signed: Signed::Nowhere, scan: None },
        Shelf { image: busybox(), signed: Signed::Nowhere, scan: None },
    ]
}

/// What the shop's mirror of Docker Hub holds.
pub fn busybox() -> Image {
    let platform = Platform::new("linux/amd64", &["busybox"], json!({ "Cmd": ["sh"] }))
        .made_by("ADD file:9ae97d36d26566ff84e8893c64a6dc4fe8ca6d1144bf5b87b2b85a32def253c7 in /");
    Image::single("dockerhub/library/busybox:1.37", platform)
}

/// The layer that all good images of the shop are built on.
pub fn base_diff_id() -> String {
    sha256(STATIC.as_bytes())
}

fn tag(revision: &str) -> &str {
    &revision[revision.len() - 15..]
}

fn identity(git_ref: &str) -> Identity {
    Identity {
        issuer: GITHUB.to_owned(),
        subject: format!("https://github.com/acme/shop/.github/workflows/release.yml@{git_ref}"),
        repository: Some("acme/shop".to_owned()),
    }
}

fn git_ref(signed: Signed) -> Option<&'static str> {
    match signed {
        Signed::OnMain => Some("refs/heads/main"),
        Signed::OnABranch => Some("refs/heads/quick-fix"),
        Signed::Nowhere => None,
    }
}

/// The world of the shop, as its file says it.
pub fn world() -> Value {
    let mut images = BTreeMap::new();
    for shelf in shelves() {
        let signatures: Vec<Value> = git_ref(shelf.signed)
            .map(|git_ref| {
                json!({ "githubActions": {
                    "owner": "acme", "repo": "shop", "workflow": ".github/workflows/release.yml", "ref": git_ref,
                } })
            })
            .into_iter()
            .collect();
        images.extend(shelf.image.in_world(REGISTRY, &signatures));
    }
    json!({ "cluster": cluster(), "images": images, "now": NOW })
}

/// What the shop's cluster holds.
pub fn cluster() -> Vec<Value> {
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": "shop", "labels": { "environment": "production", "team": "shop" } },
    });
    let reports = shelves().into_iter().filter_map(|shelf| shelf.scan.map(|scan| report(&shelf.image, scan)));
    std::iter::once(namespace).chain(reports).collect()
}

/// A report as trivy-operator writes it.
fn report(image: &Image, scan: Scan) -> Value {
    let vulnerabilities: Vec<Value> = (0..scan.critical)
        .map(|index| {
            json!({
                "vulnerabilityID": format!("CVE-2026-{}", 1001 + index),
                "resource": "stdlib",
                "installedVersion": "1.25.1",
                "fixedVersion": "1.25.4",
                "severity": "CRITICAL",
                "title": "request smuggling",
                "links": [],
                "target": "",
            })
        })
        .collect();
    json!({
        "apiVersion": "aquasecurity.github.io/v1alpha1",
        "kind": "VulnerabilityReport",
        "metadata": { "name": format!("replicaset-{}", image.repository), "namespace": "shop" },
        "report": {
            "updateTimestamp": scan.at,
            "scanner": { "name": "Trivy", "vendor": "Aqua Security", "version": "0.68.0" },
            "registry": { "server": REGISTRY },
            "artifact": { "repository": image.repository, "tag": image.tag, "digest": image.digest() },
            "os": { "family": "debian", "name": "12" },
            "summary": {
                "criticalCount": scan.critical, "highCount": 0, "mediumCount": 0, "lowCount": 0, "unknownCount": 0,
            },
            "vulnerabilities": vulnerabilities,
        },
    })
}

/// Fills a real registry with the shop's images, signed under an authority of one's own.
pub fn fill(registry: &Registry, authority: &Authority) {
    for shelf in shelves() {
        registry.push(&shelf.image);
        if let Some(git_ref) = git_ref(shelf.signed) {
            let digest = shelf.image.digest();
            let signature = authority.sign(&digest, &identity(git_ref), &json!({}));
            registry.push_signatures(&shelf.image.repository, &digest, &[signature]);
        }
    }
}

/// The shop's files with another registry in them, in a folder.
pub struct Files {
    folder: TempDir,
}

impl Files {
    /// Writes them for a registry that [`fill`] has filled.
    pub fn write(registry: &Registry, authority: &Authority) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let examples = root().join("examples");
        let files = fs::read_dir(examples.join("shop")).expect("a shop").flatten().map(|entry| entry.path());
        fs::create_dir(folder.path().join("shop")).expect("a folder");
        for file in files.chain([examples.join("settings.yaml")]) {
            let text = fs::read_to_string(&file).expect("text").replace(REGISTRY, &registry.host);
            fs::write(folder.path().join(file.strip_prefix(&examples).expect("below")), text).expect("written");
        }
        // The cluster alone: images are the registry's to tell.
        let cluster = json!({ "cluster": cluster(), "now": NOW }).to_string().replace(REGISTRY, &registry.host);
        fs::write(folder.path().join("cluster.yaml"), cluster).expect("written");
        fs::write(folder.path().join("trust.json"), authority.trust_config()).expect("written");
        Files { folder }
    }

    /// A check of the shop that asks the registry.
    pub fn check(&self) -> CheckOptions {
        let file = |name: &str| self.folder.path().join(name);
        CheckOptions {
            paths: vec![file("shop")],
            settings: Some(file("settings.yaml")),
            outside: OutsideOptions {
                worlds: vec![file("cluster.yaml")],
                live: LiveOptions { sigstore_trust_config: Some(file("trust.json")), ..LiveOptions::default() },
                ..OutsideOptions::default()
            },
            ..CheckOptions::default()
        }
    }

    /// A report as it would be of the files in `examples`, of the registry that they name.
    pub fn as_in_examples(&self, registry: &Registry, report: &str) -> String {
        let folder = self.folder.path().display().to_string();
        report.replace(&folder, "examples").replace(&registry.host, REGISTRY)
    }
}
