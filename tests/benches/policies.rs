//! What an evaluation costs: each policy on a Pod with one container, native and in WebAssembly.
//!
//! Times are the best of several rounds on a shared machine, so the ratios of one run are what counts. The verdict
//! is checked before anything is timed.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use disallow_container_exec::DisallowContainerExec;
use disallow_third_party_registries::DisallowThirdPartyRegistries;
use host_runner::admission::{AdmissionRequest, Catalog, RequestOptions};
use host_runner::capabilities::NoCapabilities;
use host_runner::policy::{Engine, Limits, Policy};
use policy_kit::Host;
use require_if_not_present_pull::RequireIfNotPresentPull;
use require_unique_image_name::RequireUniqueImageName;

const ROUNDS: usize = 15;
const PER_ROUND: u32 = 2_000;

/// A small Pod as a cluster sends it.
const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"storefront"},"name":"storefront-0","namespace":"shop"},
"spec":{"containers":[{"image":"registry.corp.example/shop-web-storefront:881c2d2cffa9375","imagePullPolicy":"IfNotPresent",
"name":"storefront","ports":[{"containerPort":8080}],"resources":{"limits":{"memory":"128Mi"},"requests":{"cpu":"100m","memory":"64Mi"}}}],
"restartPolicy":"Always","serviceAccountName":"storefront"}}"#;

/// The rule as native code: the same payload in, the same answer out.
type Native = fn(&[u8], &dyn Host) -> Vec<u8>;

struct Subject {
    name: &'static str,
    settings: &'static str,
    native: Native,
}

const SUBJECTS: &[Subject] = &[
    Subject { name: "disallow-container-exec", settings: "{}", native: policy_kit::evaluate::<DisallowContainerExec> },
    Subject {
        name: "disallow-third-party-registries",
        settings: r#"{"privateRegistries":["registry.corp.example"]}"#,
        native: policy_kit::evaluate::<DisallowThirdPartyRegistries>,
    },
    Subject {
        name: "require-if-not-present-pull",
        settings: "{}",
        native: policy_kit::evaluate::<RequireIfNotPresentPull>,
    },
    Subject {
        name: "require-unique-image-name",
        settings: r#"{"registries":["registry.corp.example"]}"#,
        native: policy_kit::evaluate::<RequireUniqueImageName>,
    },
];

struct NoHost;

impl Host for NoHost {
    fn call(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
        Err("nobody answers".to_owned())
    }

    fn now(&self) -> i64 {
        0
    }
}

fn main() {
    let engine = Engine::new(None).expect("an engine");
    let object = serde_json::from_str(POD).expect("a Pod");
    let request =
        AdmissionRequest::for_object(object, &RequestOptions::default(), &Catalog::default()).expect("a request");
    let request = request.json();
    println!(
        "{:<32} {:>8} {:>11} {:>11} {:>11} {:>13} {:>13}",
        "policy", "KiB", "native µs", "reused µs", "fresh µs", "reused/native", "fresh/reused"
    );
    let mut cheapest = f64::MAX;
    let mut dearest: f64 = 0.0;
    for subject in SUBJECTS {
        let wasm = bundle::policy(subject.name).expect("in the bundle").wasm;
        let policy = Policy::load(&engine, wasm).expect("a policy");
        let settings = subject.settings.as_bytes();
        let payload = format!(r#"{{"request":{},"settings":{}}}"#, String::from_utf8_lossy(request), subject.settings);

        let capabilities = Arc::new(NoCapabilities);
        let limits = Limits::default();
        let mut instance = policy.instantiate(capabilities.clone(), limits).expect("an instance");
        let verdict = instance.evaluate(request, settings).expect("a verdict").response;
        assert!(verdict.accepted, "{}: {verdict:?}", subject.name);
        let native: serde_json::Value =
            serde_json::from_slice(&(subject.native)(payload.as_bytes(), &NoHost)).expect("JSON");
        assert_eq!(native["accepted"], true, "{}", subject.name);

        let native = best(|| drop(black_box((subject.native)(black_box(payload.as_bytes()), &NoHost))));
        let reused = best(|| drop(black_box(instance.evaluate(request, settings).expect("a verdict"))));
        let fresh = best(|| {
            drop(black_box(policy.evaluate(request, settings, capabilities.clone(), limits).expect("a verdict")))
        });
        println!(
            "{:<32} {:>8.0} {native:>11.2} {reused:>11.2} {fresh:>11.2} {:>13.2} {:>13.2}",
            subject.name,
            wasm.len() as f64 / 1024.0,
            reused / native,
            fresh / reused
        );
        cheapest = cheapest.min(fresh);
        dearest = dearest.max(fresh);
    }
    println!("dearest fresh evaluation / cheapest: {:.2}", dearest / cheapest);
}

/// The shortest time of one call, in microseconds, over several rounds of many calls.
fn best(mut work: impl FnMut()) -> f64 {
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..PER_ROUND {
            work();
        }
        shortest = shortest.min(start.elapsed());
    }
    shortest.as_secs_f64() * 1e6 / f64::from(PER_ROUND)
}
