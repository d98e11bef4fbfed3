//! The rule, free of Kubewarden's wire format.

use policy_kit::{Host, ImageUse, Policy, Reference, RegistryPrefix, Request, Verdict, Violation, readable_images};

use crate::namespace::NamespaceOwner;
use crate::naming::Naming;
use crate::revision;
use crate::settings::Settings;

/// See the crate's documentation.
#[derive(Debug)]
pub struct RequireUniqueImageName;

impl Policy for RequireUniqueImageName {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, host: &dyn Host) -> Verdict {
        let mut owner = settings.owner_label.as_deref().map(|label| NamespaceOwner::new(request, host, label));
        let mut ownerless = None;
        let mut verdict = readable_images(
            request,
            &settings.exempt_images,
            |_, _| true,
            |used, image, verdict| {
                let Some(naming) = judge_name(used, image, settings, verdict) else { return };
                if used.is_unchanged() {
                    return;
                }
                if let Some(owner) = &mut owner {
                    match owner.team() {
                        Ok(Some(team)) if team != naming.team => verdict.reject(Violation::at(
                            &used.place,
                            format!(
                                "image {image} must be of team {team}, whose Namespace this is, not of {}",
                                naming.team
                            ),
                        )),
                        Ok(_) => {}
                        Err(error) => ownerless = Some(error.to_owned()),
                    }
                }
                if settings.verify_revision
                    && let Err(mistake) = revision::check(host, image, &naming.commit)
                {
                    verdict.reject(Violation::at(&used.place, format!("image {image} {mistake}")));
                }
            },
        );
        if let Some(error) = ownerless {
            verdict.reject(Violation::general(error));
        }
        verdict
    }
}

/// What the reference itself tells. Nothing else is asked about an image that is wrong already: least of all the
/// registry that it names.
fn judge_name<'n>(
    used: &ImageUse<'_>,
    image: &'n Reference<'n>,
    settings: &Settings,
    verdict: &mut Verdict,
) -> Option<Naming<'n>> {
    let mut mistakes = Vec::new();
    let naming = settings.naming(image, &mut mistakes);
    // An expression for the whole path says itself what stands between the registry and the name.
    let reads_paths = settings.pattern.as_ref().is_some_and(|pattern| pattern.as_str().contains('/'));
    let is_home =
        |registry: &RegistryPrefix| if reads_paths { registry.contains(image) } else { registry.holds(image) };
    if !settings.registries.is_empty() && !settings.registries.iter().any(is_home) {
        let directly = if reads_paths { "" } else { "directly " };
        mistakes.push(format!("must live {directly}below {}", settings.registries()));
    }
    let is_sound = mistakes.is_empty();
    for mistake in mistakes {
        verdict.reject(Violation::at(&used.place, format!("image {image} {mistake}")));
    }
    let naming = naming.filter(|_| is_sound)?;
    if !settings.verify_revision && naming.commit.bytes().all(|b| b.is_ascii_digit()) {
        verdict.warn(format!(
            "{}: the tag of {image} is a number, as of a build or a date; few commits end with one",
            used.place
        ));
    }
    Some(naming)
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
