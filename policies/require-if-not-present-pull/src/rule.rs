//! The rule, free of Kubewarden's wire format.

use policy_kit::{
    Host, ImageUse, Json, Operation, Policy, Reference, Request, Verdict, Violation, is_exempt, is_filled_in_later,
    readable_images,
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
        readable_images(
            request,
            &settings.exempt_images,
            // Away from Never nothing gets worse.
            |old, new| {
                let (old, new) = (old.pull_policy(), new.pull_policy());
                old == new || (old.as_str() == Some("Never") && new.as_str() != Some("Never"))
            },
            |used, image, verdict| judge(request, used, image, settings, verdict),
        )
    }
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

fn judge(
    request: &Request<'_>,
    used: &ImageUse<'_>,
    image: &Reference<'_>,
    settings: &Settings,
    verdict: &mut Verdict,
) {
    let place = &used.place;
    let key = used.pull_policy_key();
    let written = used.pull_policy().text();
    if !request.is_built_in_workload() && is_filled_in_later(written) {
        verdict.warn(format!("{place}: {key} {written} is filled in later; its pods are judged when they are created"));
        return;
    }
    let policy = match effective_policy(used, image) {
        Ok(policy) => policy,
        Err(error) => {
            verdict.reject(Violation::at(place, format!("{key} must be IfNotPresent: {error}")));
            return;
        }
    };
    if policy == PullPolicy::Never {
        if is_exempt(&settings.allow_never, image) {
            return;
        }
        verdict.reject(Violation::at(
            place,
            format!(
                "{key} must be IfNotPresent: with Never, {image} runs only where somebody has loaded it onto the node"
            ),
        ));
    }
    if let Some(mistake) = moving(request, image, settings) {
        verdict.reject(Violation::at(place, format!("image {image} {mistake}")));
    } else if policy == PullPolicy::Always {
        replace_always(request, used, image, settings, verdict);
    }
}

fn replace_always(
    request: &Request<'_>,
    used: &ImageUse<'_>,
    image: &Reference<'_>,
    settings: &Settings,
    verdict: &mut Verdict,
) {
    let place = &used.place;
    let key = used.pull_policy_key();
    let reason = format!("{image} never changes, so pulling it again brings nothing");
    if used.is_unchanged() || !settings.mutates() {
        verdict.reject(Violation::at(place, format!("{key} must be IfNotPresent: {reason}")));
    } else if let Some(kind) = kind_with_immutable_pull_policy(request).filter(|_| !is_replaced_already(used)) {
        verdict.reject(Violation::at(
            place,
            format!(
                "{key} must be IfNotPresent: {reason}, and nothing can change it in a {kind} that exists: \
                 delete the {kind} and create it anew"
            ),
        ));
    } else if !request.may_be_mutated() {
        // Nobody gains by claiming an owner: the pods are changed, whoever makes them.
        verdict.warn(format!("{place}: {key} Always is left to the ReplicaSet's owner; its pods get IfNotPresent"));
    } else {
        let hint = match used.pod.get("imagePullSecrets").items() {
            [] => {
                " (no imagePullSecrets are named; a node that has the image hands it out without asking the registry)"
            }
            _ => "",
        };
        let note = format!("{place}: {key} changed from Always to IfNotPresent, as {image} never changes{hint}");
        verdict.edits.push(used.set_pull_policy("IfNotPresent").with_note(note));
    }
}

/// Whether this was replaced when the object was created, and is applied once more as it is written.
fn is_replaced_already(used: &ImageUse<'_>) -> bool {
    used.image_before() == used.image() && used.pull_policy_before().as_str() == Some("IfNotPresent")
}

/// The API server lets nobody change the pull policy of a Pod or of a Job's template once it exists. The
/// ephemeral containers of a Pod are new when they are added.
fn kind_with_immutable_pull_policy(request: &Request<'_>) -> Option<&'static str> {
    let is_existing_pod = request.operation() == Operation::Update && request.is_pod();
    if request.is_existing_job() {
        Some("Job")
    } else if is_existing_pod && request.sub_resource() != "ephemeralcontainers" {
        Some("Pod")
    } else {
        None
    }
}

/// What keeps the reference from naming the same content for ever.
fn moving(request: &Request<'_>, image: &Reference<'_>, settings: &Settings) -> Option<String> {
    if image.digest().is_some() {
        return None;
    }
    // Knative resolves the tag once per Revision and writes the digest into the Deployment, which is judged too.
    if settings.require_digest && request.group() != "serving.knative.dev" {
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
