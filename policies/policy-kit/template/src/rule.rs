//! The rule, free of Kubewarden's wire format.

use policy_kit::{Host, Policy, Request, Verdict, Violation, is_exempt, readable_images};

use crate::settings::Settings;

/// See the crate's documentation.
#[derive(Debug)]
pub struct NewPolicy;

impl Policy for NewPolicy {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, _host: &dyn Host) -> Verdict {
        // The walk finds every image of a pod, rejects what it cannot read, and tolerates what an update leaves alone.
        readable_images(
            request,
            &settings.exempt_images,
            |_, _| true,
            |used, image, verdict| {
                if is_exempt(&settings.denied_images, image) {
                    verdict.reject(Violation::at(
                        &used.place,
                        format!("image {image} must not be used ({})", settings.denied()),
                    ));
                }
            },
        )
    }
}
