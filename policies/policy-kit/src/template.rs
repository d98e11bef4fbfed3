//! Pod templates, found by their structure and not by a list of kinds.
//!
//! A Deployment, an Argo Rollout, a Knative Service, a JobSet and the next custom resource all embed a pod
//! template somewhere. Whatever has `containers` (or one of the shapes below) is one.

use std::fmt;

use crate::json::{Json, Object, write_text};
use crate::text::Shown;

/// Where a value stands in an object: `spec.replicatedJobs[0].template.spec`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Path<'o>(Vec<Segment<'o>>);

/// One step of a [`Path`].
#[derive(Debug, Clone, Copy)]
pub enum Segment<'o> {
    /// A member of an object.
    Key(&'o str),
    /// An item of a list, with its `name` where it has one.
    Item(usize, Option<&'o str>),
}

/// Two items are the same if their names are, or if they have none: an update may move either in its list.
impl PartialEq for Segment<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Segment::Key(a), Segment::Key(b)) => a == b,
            (Segment::Item(_, Some(a)), Segment::Item(_, Some(b))) => a == b,
            (Segment::Item(_, None), Segment::Item(_, None)) => true,
            _ => false,
        }
    }
}

impl<'o> Path<'o> {
    /// Whether this leads to what Kubernetes' own kinds call a pod spec.
    pub(crate) fn is_spec(&self) -> bool {
        matches!(self.0.last(), Some(Segment::Key("spec")))
    }

    /// The path as text that is the same for the same places.
    pub(crate) fn identity(&self) -> String {
        let mut identity = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Key(key) => write_text(key, &mut identity),
                Segment::Item(_, Some(name)) => {
                    identity.push('[');
                    write_text(name, &mut identity);
                }
                Segment::Item(_, None) => identity.push_str("[]"),
            }
        }
        identity
    }

    /// The steps, outermost first.
    pub fn segments(&self) -> &[Segment<'o>] {
        &self.0
    }

    /// This path and one more member.
    #[must_use]
    pub fn key(&self, key: &'o str) -> Path<'o> {
        let mut longer = self.clone();
        longer.0.push(Segment::Key(key));
        longer
    }

    /// This path and one more list item.
    #[must_use]
    pub fn item(&self, index: usize, item: &'o Json<'_>) -> Path<'o> {
        let mut longer = self.clone();
        longer.0.push(Segment::Item(index, item.get("name").as_str()));
        longer
    }
}

/// `spec.containers[0] "web"`: the name of the last item is shown, since people know containers by name. Keys are
/// anything in the maps of custom resources, so what would break the line is escaped.
impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => write!(formatter, "{}", Shown(key))?,
                Segment::Key(key) => write!(formatter, ".{}", Shown(key))?,
                Segment::Item(index, _) => write!(formatter, "[{index}]")?,
            }
        }
        match self.0.last() {
            Some(Segment::Item(_, Some(name))) => write!(formatter, " {name:?}"),
            _ => Ok(()),
        }
    }
}

/// Something that becomes a pod: a pod spec, or a custom resource's way of writing one.
#[derive(Debug, Clone)]
pub struct PodTemplate<'o, 'a> {
    /// Where the spec stands in the object.
    pub path: Path<'o>,
    /// The spec itself.
    pub spec: &'o Object<'a>,
}

/// The lists of containers in a Kubernetes pod spec.
pub(crate) const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Lists that hold containers in Tekton tasks and Argo workflows, and other things elsewhere: an item counts
/// only when it names an image.
pub(crate) const STEP_LISTS: [&str; 2] = ["steps", "sidecars"];

/// Single containers in Argo workflows (`container`, `script`) and Tekton tasks (`stepTemplate`).
pub(crate) const SINGLE_CONTAINERS: [&str; 3] = ["container", "script", "stepTemplate"];

/// All pod templates of an object, in the order in which they are written.
///
/// The object's own `metadata` is not searched, it holds no template and often most of the bytes, nor is that beside a
/// `spec`; anywhere else the key may be a name that somebody chose. Nor is the object's own `status`, which no controller
/// runs. With `strict`, a list of containers or volumes in a `spec` that is no list of objects counts as a template too,
/// so that whoever reads it can refuse it; custom resources use such keys for other things.
pub fn pod_templates<'o, 'a>(object: &'o Json<'a>, strict: bool) -> Vec<PodTemplate<'o, 'a>> {
    let mut found = Vec::new();
    let mut path = Path::default();
    for (key, value) in object.members() {
        if key != "metadata" && key != "status" {
            search_member(key, value, strict, &mut path, &mut found);
        }
    }
    if let Some(root) = object.as_object()
        && is_pod_template(root, false)
    {
        found.push(PodTemplate { path, spec: root });
    }
    found
}

fn search_member<'o, 'a>(
    key: &'o str,
    value: &'o Json<'a>,
    strict: bool,
    path: &mut Path<'o>,
    found: &mut Vec<PodTemplate<'o, 'a>>,
) {
    if matches!(value, Json::Object(_) | Json::Array(_)) {
        path.0.push(Segment::Key(key));
        search(value, strict, path, found);
        path.0.pop();
    }
}

fn search<'o, 'a>(value: &'o Json<'a>, strict: bool, path: &mut Path<'o>, found: &mut Vec<PodTemplate<'o, 'a>>) {
    match value {
        Json::Object(object) => {
            // `nodeSelector: {containers: "true"}` is no list of containers.
            let is_template = is_pod_template(object, strict && path.is_spec());
            if is_template {
                found.push(PodTemplate { path: path.clone(), spec: object });
            }
            let has_spec = !object.get("spec").is_null();
            for (key, member) in object.members() {
                // Containers hold no further templates, and they are most of a pod.
                let is_container_list = is_template && CONTAINER_LISTS.contains(&key.as_ref());
                let is_metadata = has_spec && key == "metadata";
                if !is_metadata && !is_container_list {
                    search_member(key, member, strict, path, found);
                }
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if matches!(item, Json::Object(_) | Json::Array(_)) {
                    path.0.push(Segment::Item(index, item.get("name").as_str()));
                    search(item, strict, path, found);
                    path.0.pop();
                }
            }
        }
        _ => {}
    }
}

fn is_pod_template(object: &Object<'_>, strict: bool) -> bool {
    object.members().iter().any(|(key, value)| match key.as_ref() {
        key if CONTAINER_LISTS.contains(&key) => {
            let has_object = value.items().iter().any(|item| item.as_object().is_some());
            let is_empty = value.is_null() || matches!(value, Json::Array(items) if items.is_empty());
            has_object || (strict && !is_empty)
        }
        key if STEP_LISTS.contains(&key) => value.items().iter().any(names_an_image),
        key if SINGLE_CONTAINERS.contains(&key) => names_an_image(value),
        "volumes" if strict && !value.is_null() && !matches!(value, Json::Array(_)) => true,
        "volumes" => value.items().iter().map(|volume| volume.get("image")).any(|image| {
            let reference = if strict { image } else { image.get("reference") };
            !reference.is_null()
        }),
        _ => false,
    })
}

pub(crate) fn names_an_image(container: &Json<'_>) -> bool {
    container.get("image").as_str().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(object: &str) -> Vec<String> {
        let object = Json::parse(object).expect("valid JSON");
        pod_templates(&object, false).iter().map(|template| template.path.to_string()).collect()
    }

    #[test]
    fn templates_are_found_wherever_they_stand() {
        for (object, expected) in [
            (r#"{"spec":{"containers":[{"image":"a"}]}}"#, vec!["spec"]),
            (r#"{"spec":{"template":{"spec":{"initContainers":[{"name":"a"}]}}}}"#, vec!["spec.template.spec"]),
            (
                r#"{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{}]}}}}}}"#,
                vec!["spec.jobTemplate.spec.template.spec"],
            ),
            (r#"{"template":{"spec":{"containers":[{"image":"a"}]}}}"#, vec!["template.spec"]),
            (
                r#"{"spec":{"replicatedJobs":[{"name":"w","template":{"spec":{"containers":[{"image":"a"}]}}}]}}"#,
                vec!["spec.replicatedJobs[0].template.spec"],
            ),
            (
                r#"{"spec":{"head":{"containers":[{"image":"a"}]},"workers":[[{"containers":[{"image":"b"}]}]]}}"#,
                vec!["spec.head", "spec.workers[0][0]"],
            ),
            (r#"{"spec":{"steps":[{"image":"a"}]}}"#, vec!["spec"]),
            (r#"{"spec":{"steps":[{"setWeight":20}]}}"#, vec![]),
            (r#"{"spec":{"templates":[{"script":{"image":"a"}}]}}"#, vec!["spec.templates[0]"]),
            (r#"{"spec":{"volumes":[{"image":{"reference":"a"}}]}}"#, vec!["spec"]),
            (r#"{"containers":[{"image":"a"}]}"#, vec![""]),
            (r#"{"spec":{"containers":["a","b"]}}"#, vec![]),
            (r#"{"metadata":{"containers":[{"image":"a"}]},"status":{"containers":[{"image":"a"}]}}"#, vec![]),
            // A name that somebody chose, and what Kubernetes means by it.
            (
                r#"{"spec":{"replicaSpecs":{"metadata":{"template":{"spec":{"containers":[{"image":"a"}]}}}}}}"#,
                vec!["spec.replicaSpecs.metadata.template.spec"],
            ),
            (r#"{"spec":{"template":{"metadata":{"x":{"containers":[{"image":"a"}]}},"spec":{}}}}"#, vec![]),
            (r#"{"data":{"containers":"a"}}"#, vec![]),
            ("[]", vec![]),
            ("null", vec![]),
        ] {
            assert_eq!(paths(object), expected, "{object}");
        }
    }

    #[test]
    fn in_strict_kinds_an_unreadable_list_is_not_overlooked() {
        for object in [
            r#"{"spec":{"containers":"nginx"}}"#,
            r#"{"spec":{"initContainers":["nginx"]}}"#,
            r#"{"spec":{"volumes":{"model":{"image":{"reference":"a"}}}}}"#,
        ] {
            let object = Json::parse(object).expect("valid JSON");
            assert_eq!(pod_templates(&object, true).len(), 1);
            assert_eq!(pod_templates(&object, false).len(), 0);
        }
    }

    #[test]
    fn keys_that_would_break_a_line_are_escaped() {
        let object = "{\"spec\":{\"a\\n::error::x\\u001b[31m\\u202e\":{\"containers\":[{\"image\":\"a\"}]}}}";
        assert_eq!(paths(object), [r"spec.a\n::error::x\u{1b}[31m\u{202e}"]);
    }
}
