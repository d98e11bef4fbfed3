//! The rule, free of Kubewarden's wire format.

use policy_kit::{Host, ImageUse, Policy, Reference, Request, Verdict, Violation, readable_images};

use crate::settings::Settings;
use crate::verification::Verifier;

/// See the crate's documentation.
#[derive(Debug)]
pub struct RequireCiSignature;

impl Policy for RequireCiSignature {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, host: &dyn Host) -> Verdict {
        let mut verifier = Verifier::new(host);
        let mut verdict = readable_images(
            request,
            &settings.exempt_images,
            |_, _| true,
            |used, image, verdict| judge(request, used, image, settings, &mut verifier, verdict),
        );
        if let Some(exhaustion) = verifier.exhaustion() {
            verdict.reject(Violation::general(exhaustion));
        }
        verdict
    }
}

fn judge(
    request: &Request<'_>,
    used: &ImageUse<'_>,
    image: &Reference<'_>,
    settings: &Settings,
    verifier: &mut Verifier<'_>,
    verdict: &mut Verdict,
) {
    let place = &used.place;
    let may_be_pinned = settings.pins_digests() && request.may_images_be_mutated();
    if let Some(stored) = used.pinned_before()
        && keep(request, used, image, stored, may_be_pinned, verdict)
    {
        return;
    }
    let Some((index, rule)) = settings.rule_for(image) else {
        verdict.reject(Violation::at(
            place,
            format!("image {image} must come from a repository whose signer is known ({})", settings.repositories()),
        ));
        return;
    };
    if used.is_unchanged() {
        // It was judged when it came. Asking anew would keep controllers from removing finalizers whenever a registry
        // is away; what can be told without asking is told.
        if may_be_pinned && image.digest().is_none() {
            verdict.reject(Violation::at(place, format!("image {image} must be pinned to a digest that was verified")));
        }
        return;
    }
    match verifier.verify(index, rule, image) {
        Ok(digest) => pin(request, used, image, digest, settings, verdict),
        Err(reason) => verdict.reject(Violation::at(
            place,
            format!("image {image} must be signed by {}{}: {reason}", settings.signers(index), settings.demands(index)),
        )),
    }
}

/// Keeps what is stored when an update writes the same image without its digest, as GitOps does at each of its turns.
/// The registry may be away, and the tag may have moved; neither is a reason to touch what runs. False when the image
/// must be judged like a new one.
fn keep(
    request: &Request<'_>,
    used: &ImageUse<'_>,
    image: &Reference<'_>,
    stored: &str,
    may_be_pinned: bool,
    verdict: &mut Verdict,
) -> bool {
    let place = &used.place;
    if may_be_pinned {
        let note = format!("{place}: image {image} stays {stored}, as it is stored");
        verdict.edits.push(used.set_image(stored.to_owned()).with_note(note));
        return true;
    }
    // The kubelet of a running Pod would pull whatever the tag names now, and nobody would have looked at it.
    if request.is_pod() {
        return false;
    }
    verdict.warn(format!(
        "{place}: image {image} was stored as {stored}, and its tag may name another image by now: write the digest; its \
         pods are judged when they are created"
    ));
    true
}

/// Writes the digest that was verified beside the tag, since a tag may name something else when it is pulled.
fn pin(
    request: &Request<'_>,
    used: &ImageUse<'_>,
    image: &Reference<'_>,
    digest: &str,
    settings: &Settings,
    verdict: &mut Verdict,
) {
    let place = &used.place;
    if image.digest().is_some() {
        return;
    }
    let pinned = format!("{}@{digest}", used.image().text());
    if !settings.pins_digests() {
        verdict.warn(format!(
            "{place}: image {image} was verified as {digest}, and its tag may move before it is pulled: write {pinned}"
        ));
    } else if request.is_existing_job() {
        verdict.reject(Violation::at(
            place,
            format!(
                "image {image} must be written as {pinned}, and nothing can change the template of a Job that \
                 exists: delete the Job and create it anew"
            ),
        ));
    } else if !request.may_be_mutated() {
        // Nobody gains by claiming an owner: the pods are verified and pinned, whoever makes them.
        verdict.warn(format!("{place}: image {image} is left to the ReplicaSet's owner; its pods are pinned"));
    } else if !request.may_images_be_mutated() {
        verdict.warn(format!(
            "{place}: image {image} was verified as {digest} and is left to the Pod's controller, which may compare it; \
             its tag may move before it is pulled: write {pinned} in the controller's own object"
        ));
    } else {
        let note = format!("{place}: image {image} pinned to {digest}, as it was verified");
        verdict.edits.push(used.set_image(pinned).with_note(note));
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
