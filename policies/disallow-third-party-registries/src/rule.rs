//! The rule, free of Kubewarden's wire format.

use policy_kit::{Host, ImageUse, Policy, Reference, Request, Verdict, Violation, readable_images};

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
        let may_rewrite = request.may_be_mutated();
        readable_images(
            request,
            &settings.exempt_images,
            |_, _| true,
            |used, image, verdict| judge(used, image, settings, may_rewrite, verdict),
        )
    }
}

fn judge(used: &ImageUse<'_>, image: &Reference<'_>, settings: &Settings, may_rewrite: bool, verdict: &mut Verdict) {
    if settings.private_registries.iter().any(|registry| registry.contains(image)) {
        return;
    }
    match settings.mirror_of(image.host()) {
        Some(mirror) if may_rewrite => {
            let rewritten = image.moved_to(&mirror.to_string());
            verdict.warn(format!(
                "{}: image {image} rewritten to {rewritten}; pulling it may need credentials for {}",
                used.place,
                mirror.host()
            ));
            verdict.edits.push(used.set_image(rewritten));
        }
        Some(mirror) => verdict.reject(Violation::at(
            &used.place,
            format!(
                "image {image} must be written as {}, in the template of the object's owner",
                image.moved_to(&mirror.to_string())
            ),
        )),
        None => {
            let registries: Vec<String> = settings.private_registries.iter().map(ToString::to_string).collect();
            verdict.reject(Violation::at(
                &used.place,
                format!("image {image} must come from a private registry ({})", registries.join(", ")),
            ));
        }
    }
}
