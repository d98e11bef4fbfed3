//! The rule, free of Kubewarden's wire format.

use std::collections::BTreeMap;

use policy_kit::{Host, Policy, Request, Verdict, Violation, readable_images};

use crate::bases::Bases;
use crate::judge::{Judgement, judge};
use crate::settings::Settings;

/// See the crate's documentation.
#[derive(Debug)]
pub struct RequireDistrolessBase;

/// How many different images of one object are looked up; each costs two requests to a registry at least.
const MOST_IMAGES: usize = 100;

/// How many images the audit log is told about.
const MOST_NOTED: usize = 20;

impl Policy for RequireDistrolessBase {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, host: &dyn Host) -> Verdict {
        let mut bases = Bases::new(host, settings);
        let mut judged: BTreeMap<String, Judgement> = BTreeMap::new();
        let mut verdict = readable_images(
            request,
            &settings.exempt_images,
            |_, _| true,
            |used, image, verdict| {
                // Nothing runs in an image volume, and what an update leaves alone is not worth a look-up.
                if used.is_volume() || used.is_unchanged() {
                    return;
                }
                let pinned = image.pinned();
                if !judged.contains_key(&pinned) {
                    if judged.len() >= MOST_IMAGES {
                        let mistake = format!(
                            "is one of more than {MOST_IMAGES} in this object, which is as many as are looked up"
                        );
                        verdict
                            .reject(Violation::at(&used.place, format!("image {image} {mistake}; split the object")));
                        return;
                    }
                    judged.insert(pinned.clone(), judge(image, settings, &mut bases, host));
                }
                let Some(judgement) = judged.get(&pinned) else { return };
                for mistake in &judgement.mistakes {
                    verdict.reject(Violation::at(&used.place, format!("image {image} {mistake}")));
                }
                if let Some(reservation) = judgement.reservation.as_ref().filter(|_| judgement.mistakes.is_empty()) {
                    verdict.warn(format!("{}: image {image} {reservation}", used.place));
                }
            },
        );
        for problem in bases.denied_problems() {
            verdict.reject(Violation::general(format!("{problem}; nobody knows which images are built on it")));
        }
        if judged.values().any(|judgement| judgement.needs_bases) {
            bases.approved_problems().for_each(|problem| verdict.reject(Violation::general(problem)));
        }
        let proofs: Vec<String> = judged
            .iter()
            .filter(|(_, judgement)| judgement.mistakes.is_empty())
            .filter_map(|(image, judgement)| judgement.proof.as_ref().map(|proof| format!("{image}: {proof}")))
            .take(MOST_NOTED)
            .collect();
        if !proofs.is_empty() {
            verdict.audit_annotations.push(("base", proofs.join("; ")));
        }
        verdict
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
