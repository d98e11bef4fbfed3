//! The rule, free of Kubewarden's wire format.

use policy_kit::{Host, ImageUse, Policy, Reference, RegistryPrefix, Request, Verdict, Violation, readable_images};

use crate::settings::Settings;

/// See the crate's documentation.
#[derive(Debug)]
pub struct DisallowThirdPartyRegistries;

impl Policy for DisallowThirdPartyRegistries {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, _host: &dyn Host) -> Verdict {
        readable_images(
            request,
            &settings.exempt_images,
            |_, _| true,
            |used, image, verdict| {
                if settings.is_private(image) {
                    return;
                }
                match settings.mirror_of(image.host()) {
                    Some(mirror) => rewrite(request, used, image, mirror, settings, verdict),
                    None => verdict.reject(Violation::at(
                        &used.place,
                        format!("image {image} must come from a private registry ({})", settings.registries()),
                    )),
                }
            },
        )
    }
}

fn rewrite(
    request: &Request<'_>,
    used: &ImageUse<'_>,
    image: &Reference<'_>,
    mirror: &RegistryPrefix,
    settings: &Settings,
    verdict: &mut Verdict,
) {
    let place = &used.place;
    let rewritten = image.moved_to(&mirror.to_string());
    // What is written is judged like what is asked for: the mirror's path may make it too long.
    match Reference::parse(&rewritten) {
        Ok(rewritten) if settings.is_private(&rewritten) => {}
        _ => {
            verdict.reject(Violation::at(
                place,
                format!("image {image} must come from a private registry, and its mirror {mirror} cannot hold it"),
            ));
            return;
        }
    }
    if used.is_unchanged() {
        verdict.reject(Violation::at(place, format!("image {image} must be written as {rewritten}")));
    } else if request.is_existing_job() && !is_rewritten_already(used, &rewritten) {
        verdict.reject(Violation::at(
            place,
            format!(
                "image {image} must be written as {rewritten}, and nothing can change the template of a Job that \
                 exists: delete the Job and create it anew"
            ),
        ));
    } else if !request.may_be_mutated() {
        // Nobody gains by claiming an owner: the pods are rewritten, whoever makes them.
        verdict.warn(format!("{place}: image {image} is left to the ReplicaSet's owner; its pods pull {rewritten}"));
    } else {
        let hint = match used.pod.get("imagePullSecrets").items() {
            [] => format!(" (no imagePullSecrets are named; {} may ask for credentials)", mirror.host()),
            _ => String::new(),
        };
        let note = format!("{place}: image {image} rewritten to {rewritten}{hint}");
        verdict.edits.push(used.set_image(rewritten).with_note(note));
    }
}

/// Whether this is what was rewritten when the object was created, applied once more as it is written.
fn is_rewritten_already(used: &ImageUse<'_>, rewritten: &str) -> bool {
    used.image_before().as_str() == Some(rewritten)
}
