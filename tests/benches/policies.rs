//! What an evaluation costs: each policy on a Pod with one container, native and in WebAssembly.
//!
//! Times are the best of several rounds on a shared machine, so the ratios of one run are what counts. The verdict
//! is checked before anything is timed. What policies ask is answered from the example shop's world, in memory: the
//! network of a cluster comes on top.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bundle_tests::root;
use disallow_container_exec::DisallowContainerExec;
use disallow_third_party_registries::DisallowThirdPartyRegistries;
use host_runner::admission::{AdmissionRequest, Catalog, RequestOptions};
use host_runner::capabilities::{AllowList, Gate, HostCapabilities};
use host_runner::manifest;
use host_runner::policy::{Engine, Limits, Policy};
use host_runner::world::{Contents, Offline, World};
use policy_kit::Host;
use require_ci_signature::RequireCiSignature;
use require_distroless_base::RequireDistrolessBase;
use require_fresh_scan::RequireFreshScan;
use require_if_not_present_pull::RequireIfNotPresentPull;
use require_single_app::RequireSingleApp;
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
    native: Native,
}

const SUBJECTS: &[Subject] = &[
    Subject { name: "disallow-container-exec", native: policy_kit::evaluate::<DisallowContainerExec> },
    Subject { name: "disallow-third-party-registries", native: policy_kit::evaluate::<DisallowThirdPartyRegistries> },
    Subject { name: "require-ci-signature", native: policy_kit::evaluate::<RequireCiSignature> },
    Subject { name: "require-distroless-base", native: policy_kit::evaluate::<RequireDistrolessBase> },
    Subject { name: "require-fresh-scan", native: policy_kit::evaluate::<RequireFreshScan> },
    Subject { name: "require-if-not-present-pull", native: policy_kit::evaluate::<RequireIfNotPresentPull> },
    Subject { name: "require-single-app", native: policy_kit::evaluate::<RequireSingleApp> },
    Subject { name: "require-unique-image-name", native: policy_kit::evaluate::<RequireUniqueImageName> },
];

/// The same answers for native code as for a guest.
struct NativeHost(Gate);

impl Host for NativeHost {
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        self.0.call(namespace, operation, payload).map_err(|error| format!("{error:?}"))
    }

    fn now(&self) -> i64 {
        self.0.now().unwrap_or_default()
    }
}

/// What the example shop's world answers.
fn gate(policy: &Policy, source: &Arc<Offline>) -> Gate {
    let resources = policy.metadata().expect("annotated").context_aware_resources.iter().cloned();
    Gate { source: source.clone(), allowed: Arc::new(AllowList::all()), grants: Arc::new(resources.collect()) }
}

fn main() {
    let engine = Engine::new(None).expect("an engine");
    let contents = Contents::read(&[root().join("examples/world.yaml")]).unwrap_or_else(|problem| panic!("{problem}"));
    let world = World::default().with(contents, &Catalog::default()).expect("a world");
    let source = Arc::new(Offline(Arc::new(world)));
    let settings: serde_json::Value = manifest::read_typed(&root().join("examples/settings.yaml")).expect("settings");
    let object = serde_json::from_str(POD).expect("a Pod");
    let request =
        AdmissionRequest::for_object(object, &RequestOptions::default(), &Catalog::default()).expect("a request");
    let request = request.json();
    println!(
        "{:<32} {:>8} {:>11} {:>11} {:>11} {:>13} {:>13}",
        "policy", "KiB", "native µs", "reused µs", "fresh µs", "reused/native", "instance µs"
    );
    let mut cheapest = f64::MAX;
    let mut dearest: f64 = 0.0;
    for subject in SUBJECTS {
        let wasm = bundle::policy(subject.name).expect("in the bundle").wasm;
        let policy = Policy::load(&engine, wasm).expect("a policy");
        let settings = settings[subject.name].to_string();
        let payload = format!(r#"{{"request":{},"settings":{settings}}}"#, String::from_utf8_lossy(request));
        let settings = settings.as_bytes();

        let native_host = NativeHost(gate(&policy, &source));
        let capabilities = Arc::new(gate(&policy, &source));
        let limits = Limits::default();
        let mut instance = policy.instantiate(capabilities.clone(), limits).expect("an instance");
        let verdict = instance.evaluate(request, settings).expect("a verdict").response;
        assert!(verdict.accepted, "{}: {verdict:?}", subject.name);
        let native: serde_json::Value =
            serde_json::from_slice(&(subject.native)(payload.as_bytes(), &native_host)).expect("JSON");
        assert_eq!(native["accepted"], true, "{}", subject.name);

        let native = best(|| drop(black_box((subject.native)(black_box(payload.as_bytes()), &native_host))));
        let reused = best(|| drop(black_box(instance.evaluate(request, settings).expect("a verdict"))));
        let fresh = best(|| {
            drop(black_box(policy.evaluate(request, settings, capabilities.clone(), limits).expect("a verdict")))
        });
        println!(
            "{:<32} {:>8.0} {native:>11.2} {reused:>11.2} {fresh:>11.2} {:>13.2} {:>13.2}",
            subject.name,
            wasm.len() as f64 / 1024.0,
            reused / native,
            fresh - reused
        );
        cheapest = cheapest.min(fresh - reused);
        dearest = dearest.max(fresh - reused);
    }
    println!("dearest fresh instance / cheapest: {:.2}", dearest / cheapest);
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
