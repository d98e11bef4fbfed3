//! The walk over the images of a request that every image policy makes.

use std::collections::BTreeMap;

use crate::image::{ImageUse, Kind, images};
use crate::json::Json;
use crate::pattern::ImagePattern;
use crate::reference::Reference;
use crate::request::{Operation, Request};
use crate::verdict::{Verdict, Violation};

/// Whether any of the patterns means this image.
pub fn is_exempt(patterns: &[ImagePattern], image: &Reference<'_>) -> bool {
    patterns.iter().any(|pattern| pattern.matches(image))
}

/// Judges each image of a request that is not exempt, and answers for those that cannot be read.
///
/// An UPDATE is not the moment to enforce what it leaves alone: controllers remove finalizers and patch labels
/// of objects that are older than the policy. What an image breaks without having been touched, as told by
/// `is_same` beside the image itself, becomes a warning.
pub fn readable_images<'o>(
    request: &'o Request<'o>,
    exempt: &[ImagePattern],
    is_same: impl Fn(&ImageUse<'o>, &ImageUse<'o>) -> bool,
    mut judge: impl FnMut(&ImageUse<'o>, &Reference<'o>, &mut Verdict),
) -> Verdict {
    let mut verdict = Verdict::default();
    if !matches!(request.operation(), Operation::Create | Operation::Update) {
        return verdict;
    }
    if request.object.as_object().is_none() {
        verdict.reject(Violation::general("the request holds no object to judge"));
        return verdict;
    }
    let strict = request.is_built_in_workload();
    if request.is_pod() && request.object.get("spec").as_object().is_none() {
        verdict.reject(Violation::general("spec cannot be read: expected an object"));
    }
    let mut old = OldImages::of(request, strict);
    for mut used in images(&request.object, strict) {
        old.compare(&mut used, &is_same);
        let mut one = Verdict::default();
        judge_one(request, &used, exempt, &mut judge, &mut one);
        verdict.add(if used.is_unchanged { one.tolerated() } else { one });
    }
    verdict
}

/// The images that an UPDATE finds, by their places. Sorted, as an object may hold thousands.
struct OldImages<'o>(BTreeMap<String, Vec<ImageUse<'o>>>);

/// How many images of one place are compared. Only items without a name share a place, and few lists have many.
const MOST_COMPARED: usize = 64;

impl<'o> OldImages<'o> {
    fn of(request: &'o Request<'o>, strict: bool) -> Self {
        let mut by_place: BTreeMap<String, Vec<ImageUse<'o>>> = BTreeMap::new();
        if request.operation() == Operation::Update {
            for used in images(&request.old_object, strict) {
                by_place.entry(used.place.identity()).or_default().push(used);
            }
        }
        OldImages(by_place)
    }

    /// Notes what an image was before. One for one: a second container of the same name and image is a new one.
    fn compare(&mut self, used: &mut ImageUse<'o>, is_same: impl Fn(&ImageUse<'o>, &ImageUse<'o>) -> bool) {
        if self.0.is_empty() {
            return;
        }
        let Some(candidates) = self.0.get_mut(&used.place.identity()) else { return };
        // Of several without a name nobody can tell which one it was.
        if let [before] = candidates.as_slice() {
            used.before = (before.kind == used.kind).then_some(before.holder);
        }
        let same = candidates.iter().take(MOST_COMPARED).position(|old| old.is_as(used) && is_same(old, used));
        if let Some(same) = same {
            candidates.remove(same);
            used.is_unchanged = true;
        }
    }
}

impl ImageUse<'_> {
    /// Whether both name the same image.
    fn is_as(&self, other: &ImageUse<'_>) -> bool {
        let is_same_image = match other.kind {
            Kind::Unreadable(_) => self.holder == other.holder,
            _ => self.image() == other.image(),
        };
        self.kind == other.kind && is_same_image
    }
}

fn judge_one<'o>(
    request: &Request<'_>,
    used: &ImageUse<'o>,
    exempt: &[ImagePattern],
    judge: &mut impl FnMut(&ImageUse<'o>, &Reference<'o>, &mut Verdict),
    verdict: &mut Verdict,
) {
    let place = &used.place;
    if let Kind::Unreadable(expected) = used.kind {
        let found = used.holder.kind();
        verdict.reject(Violation::at(place, format!("cannot be read: expected {expected}, found {found}")));
        return;
    }
    let text = match used.image() {
        Json::String(text) => text.as_ref(),
        Json::Null => "",
        // A custom resource may well have another idea of `image`; its pods are judged when they come.
        _ if !request.is_built_in_workload() => return,
        other => {
            let found = other.kind();
            verdict.reject(Violation::at(place, format!("its image cannot be read: expected a string, found {found}")));
            return;
        }
    };
    if text.is_empty() {
        // Legal in the template of a workload, "to allow higher level config management to default or override
        // container images"; the pod that comes of it is judged.
        if request.is_pod() {
            verdict.reject(Violation::at(place, "names no image"));
        } else if request.is_built_in_workload() {
            verdict.warn(format!("{place}: names no image yet; its pods are judged when they are created"));
        }
        return;
    }
    if !request.is_built_in_workload() && is_filled_in_later(text) {
        verdict.warn(format!(
            "{place}: image {} is filled in later; its pods are judged when they are created",
            text.escape_debug()
        ));
        return;
    }
    match Reference::parse(text) {
        Ok(reference) if is_exempt(exempt, &reference) => {}
        Ok(reference) => judge(used, &reference, verdict),
        Err(error) => {
            verdict.reject(Violation::at(place, format!("image {text:?} is not a valid reference: {error}")));
        }
    }
}

/// Whether a custom resource's controller replaces a part of this: `$(params.image)` in Tekton,
/// `{{inputs.parameters.image}}` in Argo Workflows, `${trialParameters.image}` in Katib. Kubernetes' own kinds know no such thing.
pub fn is_filled_in_later(text: &str) -> bool {
    text.contains("$(") || text.contains("${") || text.contains("{{")
}

#[cfg(test)]
#[path = "image_rule_tests.rs"]
mod tests;
