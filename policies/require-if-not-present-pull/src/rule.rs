//! The rule, free of Kubewarden's wire format.

use policy_kit::{
    Host, ImageUse, Json, Operation, Policy, Reference, Request, Verdict, Violation, is_exempt, readable_images,
};

use crate::settings::Settings;

/// See the crate's documentation.
#[derive(Debug)]
pub struct RequireIfNotPresentPull;

impl Policy for RequireIfNotPresentPull {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, _host: &dyn Host) -> Verdict {
        let may_mutate = settings.mutates() && request.may_be_mutated() && pull_policy_is_mutable(request);
        readable_images(
            request,
            &settings.exempt_images,
            |old, new| old.pull_policy() == new.pull_policy(),
            |used, image, verdict| judge(used, image, settings, may_mutate, verdict),
        )
    }
}

/// The API server lets nobody change the pull policy of a Pod or of a Job's template once it exists. The
/// ephemeral containers of a Pod are new when they are added.
fn pull_policy_is_mutable(request: &Request<'_>) -> bool {
    let is_immutable = request.is_pod() || (request.group() == "batch" && request.kind() == "Job");
    request.operation() == Operation::Create || !is_immutable || request.sub_resource() == "ephemeralcontainers"
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// The policy that the kubelet will see: what is unset is defaulted as the API server does it
/// (`SetDefaults_Container`), by the tag alone, even where a digest stands beside it.
fn effective_policy(used: &ImageUse<'_>, image: &Reference<'_>) -> Result<PullPolicy, String> {
    let is_latest = match image.tag() {
        Some(tag) => tag == "latest",
        None => image.digest().is_none(),
    };
    match used.pull_policy() {
        Json::Null => Ok(if is_latest { PullPolicy::Always } else { PullPolicy::IfNotPresent }),
        Json::String(text) => match text.as_ref() {
            "" if is_latest => Ok(PullPolicy::Always),
            "" | "IfNotPresent" => Ok(PullPolicy::IfNotPresent),
            "Always" => Ok(PullPolicy::Always),
            "Never" => Ok(PullPolicy::Never),
            other => Err(format!("{other:?} is no pull policy")),
        },
        other => Err(format!("cannot be read: expected a string, found {}", other.kind())),
    }
}

fn judge(used: &ImageUse<'_>, image: &Reference<'_>, settings: &Settings, may_mutate: bool, verdict: &mut Verdict) {
    let place = &used.place;
    let key = used.pull_policy_key();
    let policy = match effective_policy(used, image) {
        Ok(policy) => policy,
        Err(error) => {
            verdict.reject(Violation::at(place, format!("{key} must be IfNotPresent: {error}")));
            return;
        }
    };
    if policy == PullPolicy::Never {
        if !is_exempt(&settings.allow_never, image) {
            verdict.reject(Violation::at(
                place,
                format!("{key} must be IfNotPresent: with Never, {image} runs only where somebody has loaded it onto the node"),
            ));
        }
        return;
    }
    if let Some(mistake) = moving(image, settings) {
        verdict.reject(Violation::at(place, format!("image {image} {mistake}")));
    } else if policy == PullPolicy::Always {
        if may_mutate {
            verdict.warn(format!("{place}: {key} changed from Always to IfNotPresent, as {image} never changes"));
            verdict.edits.push(used.set_pull_policy("IfNotPresent"));
        } else {
            verdict.reject(Violation::at(
                place,
                format!("{key} must be IfNotPresent: {image} never changes, so pulling it again brings nothing"),
            ));
        }
    }
}

/// What keeps the reference from naming the same content for ever.
fn moving(image: &Reference<'_>, settings: &Settings) -> Option<String> {
    if image.digest().is_some() {
        return None;
    }
    if settings.require_digest {
        return Some("must name a digest, such as name@sha256:…: a tag can be pushed again".to_owned());
    }
    let what = match &settings.unique_tag {
        Some(expression) => format!("a tag like {}", expression.as_str()),
        None => "the last 15 characters of the commit SHA as its tag".to_owned(),
    };
    match image.tag() {
        None => Some(format!("must have {what}, or a digest: without a tag it means latest, which moves")),
        Some(tag) if settings.is_unique(tag) => None,
        Some(tag) => {
            Some(format!("must have {what}, or a digest: {tag} can move, and nodes would keep what they have"))
        }
    }
}
