//! The rule, free of Kubewarden's wire format.

use policy_kit::{Host, ImageUse, Policy, Reference, Request, Verdict, Violation, readable_images};

use crate::catalog::Catalog;
use crate::inspection::{Inspection, MOST_PLATFORMS, Outcome};
use crate::settings::Settings;

/// How many different images of one object are looked up. Pods have a dozen; each costs questions to its registry.
const MOST_IMAGES: usize = 128;

/// See the crate's documentation.
#[derive(Debug)]
pub struct RequireFreshScan;

impl Policy for RequireFreshScan {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, host: &dyn Host) -> Verdict {
        let mut scans = Scans::new(request, settings, host);
        let mut verdict = readable_images(
            request,
            &settings.exempt_images,
            |_, _| true,
            |used, image, verdict| {
                // Its report may be older than the policy wants by now; that is no reason to keep a controller from
                // removing a finalizer.
                if !used.is_unchanged() {
                    scans.judge(used, image, verdict);
                }
            },
        );
        for obstacle in scans.obstacles {
            verdict.reject(Violation::general(obstacle));
        }
        verdict
    }
}

/// The images of a request that have been looked up, each once.
struct Scans<'r> {
    settings: &'r Settings,
    host: &'r dyn Host,
    now: i64,
    /// The namespaces whose reports count; empty when the object has none and the settings name none.
    namespaces: Vec<&'r str>,
    /// Whether the object runs its pods itself.
    is_built_in: bool,
    catalog: Option<Catalog>,
    /// No more than [`MOST_IMAGES`], so it is searched from the front.
    known: Vec<(String, Outcome)>,
    /// How many platforms may still be looked up.
    platforms_left: usize,
    /// What keeps all images from being judged.
    obstacles: Vec<String>,
}

impl<'r> Scans<'r> {
    fn new(request: &'r Request<'r>, settings: &'r Settings, host: &'r dyn Host) -> Self {
        let namespaces = match (settings.report_namespaces.as_slice(), request.namespace()) {
            ([], "") => Vec::new(),
            ([], own) => vec![own],
            (named, _) => named.iter().map(String::as_str).collect(),
        };
        Scans {
            settings,
            host,
            now: host.now(),
            namespaces,
            is_built_in: request.is_built_in_workload(),
            catalog: None,
            known: Vec::new(),
            platforms_left: MOST_PLATFORMS,
            obstacles: Vec::new(),
        }
    }

    fn judge(&mut self, used: &ImageUse<'_>, image: &Reference<'_>, verdict: &mut Verdict) {
        if self.namespaces.is_empty() && !self.is_built_in {
            // It runs nothing itself.
            verdict.warn(format!(
                "{}: image {image} is in no namespace yet; its pods are judged when they are created",
                used.place
            ));
            return;
        }
        let Some(outcome) = self.outcome(image) else { return };
        for mistake in &outcome.mistakes {
            verdict.reject(Violation::at(&used.place, format!("image {image} {mistake}")));
        }
        for warning in &outcome.warnings {
            verdict.warn(format!("{}: image {image} {warning}", used.place));
        }
    }

    /// What there is to say about an image. `None` when there is an obstacle to saying anything.
    fn outcome(&mut self, image: &Reference<'_>) -> Option<&Outcome> {
        let pinned = image.pinned();
        let index = match self.known.iter().position(|(known, _)| *known == pinned) {
            Some(index) => index,
            None => {
                let outcome = self.inspect(image)?;
                self.known.push((pinned, outcome));
                self.known.len() - 1
            }
        };
        self.known.get(index).map(|(_, outcome)| outcome)
    }

    fn inspect(&mut self, image: &Reference<'_>) -> Option<Outcome> {
        if !self.obstacles.is_empty() {
            return None;
        }
        if self.known.len() >= MOST_IMAGES {
            self.obstacles.push(format!(
                "the object must have at most {MOST_IMAGES} different images, more are not looked up; split it"
            ));
            return None;
        }
        if self.catalog.is_none() {
            if self.namespaces.is_empty() {
                self.obstacles.push("the request names no namespace, so nobody knows whose reports count".to_owned());
                return None;
            }
            match Catalog::list(self.host, self.settings, &self.namespaces) {
                Ok(catalog) => self.catalog = Some(catalog),
                Err(error) => {
                    self.obstacles.push(error);
                    return None;
                }
            }
        }
        let catalog = self.catalog.as_ref()?;
        let Scans { host, settings, namespaces, now, .. } = self;
        let inspection = Inspection { host: *host, settings, catalog, namespaces, now: *now };
        Some(inspection.inspect(image, &mut self.platforms_left))
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
