//! The places in which a pod names an image, and the walk over them that every image policy makes.

use crate::json::Json;
use crate::pattern::ImagePattern;
use crate::reference::Reference;
use crate::request::{Operation, Request};
use crate::template::{self, CONTAINER_LISTS, Path, PodTemplate, SINGLE_CONTAINERS, STEP_LISTS};
use crate::verdict::{Edit, Verdict, Violation};

/// One place in which a pod names an image: a container of any sort, or an image volume.
#[derive(Debug, Clone)]
pub struct ImageUse<'o> {
    /// The container or volume: `spec.template.spec.initContainers[0] "setup"`.
    pub place: Path<'o>,
    /// The container, or the `image` member of the volume.
    pub holder: &'o Json<'o>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Container,
    Volume,
    /// Something that stands where a container should; it cannot be judged.
    Unreadable,
}

/// The images of one object.
pub type Images<'o> = Vec<ImageUse<'o>>;

impl<'o> ImageUse<'o> {
    /// The image as written; `null` when there is none.
    pub fn image(&self) -> &'o Json<'o> {
        self.holder.get(if self.is_volume() { "reference" } else { "image" })
    }

    /// The pull policy as written; `null` when there is none.
    pub fn pull_policy(&self) -> &'o Json<'o> {
        self.holder.get(self.pull_policy_key())
    }

    /// Whether this is an image volume, in which nothing runs.
    pub fn is_volume(&self) -> bool {
        self.kind == Kind::Volume
    }

    /// The name of the member that holds the pull policy.
    pub fn pull_policy_key(&self) -> &'static str {
        if self.is_volume() { "pullPolicy" } else { "imagePullPolicy" }
    }

    /// Writes another image.
    pub fn set_image(&self, image: String) -> Edit {
        self.edit(if self.is_volume() { "reference" } else { "image" }, image)
    }

    /// Writes another pull policy.
    pub fn set_pull_policy(&self, policy: &str) -> Edit {
        self.edit(self.pull_policy_key(), policy.to_owned())
    }

    fn edit(&self, key: &str, value: String) -> Edit {
        let path = if self.is_volume() { self.place.key("image") } else { self.place.clone() };
        Edit::new(&path.key(key), value)
    }
}

/// All images of an object: containers, init containers, ephemeral containers and image volumes of each pod
/// template. See [`template::pod_templates`] for `strict`.
pub fn images<'o>(object: &'o Json<'o>, strict: bool) -> Images<'o> {
    let mut found = Vec::new();
    for template in template::pod_templates(object, strict) {
        collect(&template, strict, &mut found);
    }
    found
}

fn collect<'o>(template: &PodTemplate<'o, 'o>, strict: bool, found: &mut Images<'o>) {
    for (key, value) in template.spec.members() {
        let key = key.as_ref();
        let place = || template.path.key(key);
        if CONTAINER_LISTS.contains(&key) {
            let items = value.items();
            if strict && items.is_empty() && !value.is_null() && !matches!(value, Json::Array(_)) {
                found.push(ImageUse { place: place(), holder: value, kind: Kind::Unreadable });
            }
            for (index, item) in items.iter().enumerate() {
                let kind = if item.as_object().is_some() { Kind::Container } else { Kind::Unreadable };
                found.push(ImageUse { place: place().item(index, item), holder: item, kind });
            }
        } else if STEP_LISTS.contains(&key) {
            for (index, item) in value.items().iter().enumerate().filter(|(_, item)| template::names_an_image(item)) {
                found.push(ImageUse { place: place().item(index, item), holder: item, kind: Kind::Container });
            }
        } else if SINGLE_CONTAINERS.contains(&key) && template::names_an_image(value) {
            found.push(ImageUse { place: place(), holder: value, kind: Kind::Container });
        } else if key == "volumes" {
            for (index, volume) in value.items().iter().enumerate() {
                let image = volume.get("image");
                if !image.is_null() {
                    let kind = if image.as_object().is_some() { Kind::Volume } else { Kind::Unreadable };
                    found.push(ImageUse { place: place().item(index, volume), holder: image, kind });
                }
            }
        }
    }
}

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
    let old = match request.operation() {
        Operation::Update => images(&request.old_object, strict),
        _ => Vec::new(),
    };
    for used in images(&request.object, strict) {
        let mut one = Verdict::default();
        judge_one(request, &used, exempt, &mut judge, &mut one);
        let is_unchanged =
            old.iter().any(|old| old.place == used.place && old.image() == used.image() && is_same(old, &used));
        verdict.add(if is_unchanged { one.tolerated() } else { one });
    }
    verdict
}

fn judge_one<'o>(
    request: &Request<'_>,
    used: &ImageUse<'o>,
    exempt: &[ImagePattern],
    judge: &mut impl FnMut(&ImageUse<'o>, &Reference<'o>, &mut Verdict),
    verdict: &mut Verdict,
) {
    if used.kind == Kind::Unreadable {
        let found = used.holder.kind();
        verdict.reject(Violation::at(&used.place, format!("cannot be read: expected an object, found {found}")));
        return;
    }
    let text = match used.image() {
        Json::String(text) => text.as_ref(),
        Json::Null => "",
        // A custom resource may well have another idea of `image`; its pods are judged when they come.
        _ if !request.is_built_in_workload() => return,
        other => {
            let found = other.kind();
            verdict.reject(Violation::at(
                &used.place,
                format!("its image cannot be read: expected a string, found {found}"),
            ));
            return;
        }
    };
    if text.is_empty() {
        // Legal in the template of a workload, "to allow higher level config management to default or override
        // container images"; the pod that comes of it is judged.
        if request.is_pod() {
            verdict.reject(Violation::at(&used.place, "names no image"));
        } else if request.is_built_in_workload() {
            verdict.warn(format!("{}: names no image yet; its pods are judged when they are created", used.place));
        }
        return;
    }
    match Reference::parse(text) {
        Ok(reference) if is_exempt(exempt, &reference) => {}
        Ok(reference) => judge(used, &reference, verdict),
        Err(error) => {
            verdict.reject(Violation::at(&used.place, format!("image {text:?} is not a valid reference: {error}")));
        }
    }
}
