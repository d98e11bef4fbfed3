//! The places in which a pod names an image.

use crate::json::{Json, Object};
use crate::reference;
use crate::template::{self, CONTAINER_LISTS, Path, PodTemplate, SINGLE_CONTAINERS, STEP_LISTS};
use crate::verdict::Edit;

/// One place in which a pod names an image: a container of any sort, or an image volume.
#[derive(Debug, Clone)]
pub struct ImageUse<'o> {
    /// The container or volume: `spec.template.spec.initContainers[0] "setup"`.
    pub place: Path<'o>,
    /// The container, or the `image` member of the volume.
    pub holder: &'o Json<'o>,
    /// The pod spec around it.
    pub pod: &'o Object<'o>,
    pub(crate) kind: Kind,
    /// The holder that an UPDATE found in this place.
    pub(crate) before: Option<&'o Json<'o>>,
    pub(crate) is_unchanged: bool,
}

/// What an [`ImageUse`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A container of any sort.
    Container,
    /// An image volume.
    Volume,
    /// Something that cannot be judged; holds what should stand there.
    Unreadable(&'static str),
}

static NOTHING: Json<'static> = Json::Null;

const NO_OBJECT: Kind = Kind::Unreadable("an object");

/// The images of one object.
pub type Images<'o> = Vec<ImageUse<'o>>;

impl<'o> ImageUse<'o> {
    /// The image as written; `null` when there is none.
    pub fn image(&self) -> &'o Json<'o> {
        self.holder.get(self.image_key())
    }

    /// The pull policy as written; `null` when there is none.
    pub fn pull_policy(&self) -> &'o Json<'o> {
        self.holder.get(self.pull_policy_key())
    }

    /// Whether this is an image volume, in which nothing runs.
    pub fn is_volume(&self) -> bool {
        self.kind == Kind::Volume
    }

    /// Whether an UPDATE leaves this image as it was. Whatever is wrong with it becomes a warning, so it is not worth
    /// a look-up that may fail or take long: controllers remove finalizers this way.
    pub fn is_unchanged(&self) -> bool {
        self.is_unchanged
    }

    /// The image that an UPDATE found in this place; `null` when there was none.
    pub fn image_before(&self) -> &'o Json<'o> {
        self.before.map_or(&NOTHING, |before| before.get(self.image_key()))
    }

    /// The image that an UPDATE found in this place, when it is this one and its digest: what is written in git comes
    /// once more for what a policy has pinned.
    pub fn pinned_before(&self) -> Option<&'o str> {
        let before = self.image_before().as_str()?;
        let digest = before.strip_prefix(self.image().as_str()?)?.strip_prefix('@')?;
        reference::is_digest(digest).then_some(before)
    }

    /// The pull policy that an UPDATE found in this place; `null` when there was none.
    pub fn pull_policy_before(&self) -> &'o Json<'o> {
        self.before.map_or(&NOTHING, |before| before.get(self.pull_policy_key()))
    }

    fn image_key(&self) -> &'static str {
        if self.is_volume() { "reference" } else { "image" }
    }

    /// The name of the member that holds the pull policy.
    pub fn pull_policy_key(&self) -> &'static str {
        if self.is_volume() { "pullPolicy" } else { "imagePullPolicy" }
    }

    /// Writes another image.
    pub fn set_image(&self, image: String) -> Edit {
        self.edit(self.image_key(), image)
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
    let pod = template.spec;
    let strict = strict && template.path.is_spec();
    let mut add =
        |place, holder, kind| found.push(ImageUse { place, holder, pod, kind, before: None, is_unchanged: false });
    for (key, value) in pod.members() {
        let key = key.as_ref();
        let place = || template.path.key(key);
        if CONTAINER_LISTS.contains(&key) {
            if strict && !value.is_null() && !matches!(value, Json::Array(_)) {
                add(place(), value, Kind::Unreadable("a list"));
            }
            for (index, item) in value.items().iter().enumerate() {
                let kind = if item.as_object().is_some() { Kind::Container } else { NO_OBJECT };
                add(place().item(index, item), item, kind);
            }
        } else if STEP_LISTS.contains(&key) {
            for (index, item) in value.items().iter().enumerate().filter(|(_, item)| template::names_an_image(item)) {
                add(place().item(index, item), item, Kind::Container);
            }
        } else if SINGLE_CONTAINERS.contains(&key) && template::names_an_image(value) {
            add(place(), value, Kind::Container);
        } else if key == "volumes" {
            if strict && !value.is_null() && !matches!(value, Json::Array(_)) {
                add(place(), value, Kind::Unreadable("a list"));
            }
            for (index, volume) in value.items().iter().enumerate() {
                let image = volume.get("image");
                if image.as_object().is_some() {
                    add(place().item(index, volume), image, Kind::Volume);
                } else if strict && !image.is_null() {
                    // A custom resource's volumes may have another idea of `image`.
                    add(place().item(index, volume), image, NO_OBJECT);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
