//! Pods whose containers share their processes, or the node's.

use std::collections::{BTreeMap, BTreeSet};

use policy_kit::{
    ImagePattern, Json, Object, Operation, PodTemplate, Reference, Request, Verdict, Violation, images, is_exempt,
    pod_templates,
};

/// What keeps the app of a Pod from being process 1, and why.
const SHARED: [(&str, &str); 2] = [
    (
        "shareProcessNamespace",
        "process 1 is the pause container and no app, and each container sees the others' processes",
    ),
    ("hostPID", "no app is process 1, and each sees the processes of the node"),
];

/// Judges the Pods of a request as a whole.
pub(crate) fn judge(request: &Request<'_>, exempt: &[ImagePattern], verdict: &mut Verdict) {
    if !matches!(request.operation(), Operation::Create | Operation::Update) {
        return;
    }
    let strict = request.is_built_in_workload();
    let sharing: Vec<PodTemplate<'_, '_>> =
        pod_templates(&request.object, strict).into_iter().filter(|template| shares(template.spec)).collect();
    if sharing.is_empty() {
        return;
    }
    let excused = excused(&request.object, strict, exempt);
    let before = before(request, strict);
    for template in sharing {
        if excused.contains(&std::ptr::from_ref(template.spec).addr()) {
            continue;
        }
        let path = template.path.to_string();
        for (key, why) in SHARED {
            if template.spec.get(key).is_true() {
                let place = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                let mut one = Verdict::default();
                one.reject(Violation::at(&place, format!("must not be true: {why}; leave it out")));
                let is_unchanged = before.contains(&(path.clone(), key));
                verdict.add(if is_unchanged { one.tolerated() } else { one });
            }
        }
    }
}

fn shares(spec: &Object<'_>) -> bool {
    SHARED.iter().any(|(key, _)| spec.get(key).is_true())
}

/// What an UPDATE finds.
fn before(request: &Request<'_>, strict: bool) -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    if request.operation() == Operation::Update {
        for template in pod_templates(&request.old_object, strict) {
            for (key, _) in SHARED {
                if template.spec.get(key).is_true() {
                    found.insert((template.path.to_string(), key));
                }
            }
        }
    }
    found
}

/// The Pods all of whose containers are of exempt images, by the address of their spec.
fn excused(object: &Json<'_>, strict: bool, exempt: &[ImagePattern]) -> BTreeSet<usize> {
    let mut are_all_exempt: BTreeMap<usize, bool> = BTreeMap::new();
    if !exempt.is_empty() {
        for used in images(object, strict) {
            if used.is_volume() {
                continue;
            }
            let is_one = used
                .image()
                .as_str()
                .is_some_and(|image| Reference::parse(image).is_ok_and(|reference| is_exempt(exempt, &reference)));
            let all = are_all_exempt.entry(std::ptr::from_ref(used.pod).addr()).or_insert(true);
            *all = *all && is_one;
        }
    }
    are_all_exempt.into_iter().filter(|(_, all)| *all).map(|(pod, _)| pod).collect()
}
