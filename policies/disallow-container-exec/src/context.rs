//! One request and what it is judged by.

use std::fmt::Display;

use policy_kit::{Host, Level, Request, Verdict, Violation};

use crate::allow::{Excuse, Subresource, Who};
use crate::protection::{Place, protected};
use crate::settings::Settings;

/// A request, the settings and the host, as every part of the rule needs them.
#[derive(Clone, Copy)]
pub(crate) struct Context<'c> {
    pub(crate) request: &'c Request<'c>,
    pub(crate) settings: &'c Settings,
    pub(crate) host: &'c dyn Host,
}

/// Something that the requester does and that is disallowed in protected namespaces.
pub(crate) struct Deed<'d> {
    /// What is done, and how it is said that it must not be: `exec`, `used`.
    pub(crate) what: (&'d str, &'d str),
    /// What to do instead.
    pub(crate) way_out: &'d str,
    /// Where it takes effect.
    pub(crate) place: Place<'d>,
    /// What the requester would have to be excused from; empty when there is no excuse.
    pub(crate) needs: &'d [Subresource],
    /// How it is answered.
    pub(crate) level: Level,
}

impl Context<'_> {
    /// Judges a deed: `<subject>: <what> must not be <done> in <the protected place>: <the way out>`.
    pub(crate) fn judge(&self, deed: &Deed<'_>, subject: &dyn Display) -> Verdict {
        let mut verdict = Verdict::default();
        let (what, done) = deed.what;
        if deed.level == Level::Accept {
            return verdict;
        }
        let Some(place) = protected(deed.place, self.settings, self.host) else {
            return verdict;
        };
        match self.excuse(Who::Requester(&self.request.user_info), deed.place, deed.needs) {
            Excuse::Excused(entry) => entry.record(&format_args!("{subject}: {what} in {place}"), &mut verdict),
            excuse => {
                let remark = excuse.remark();
                let must_hold = format!("{what} must not be {done} in {place}: {}{remark}", deed.way_out);
                note(deed.level, Violation::at(&subject, must_hold), &mut verdict);
            }
        }
        verdict
    }

    /// See [`Settings::excuse`]; the clock is read only where there is something to compare with it.
    pub(crate) fn excuse(&self, who: Who<'_>, place: Place<'_>, needs: &[Subresource]) -> Excuse<'_> {
        if self.settings.allow.is_empty() {
            return Excuse::None;
        }
        self.settings.excuse(who, place, needs, self.host.now())
    }
}

/// Notes a finding as its level says.
pub(crate) fn note(level: Level, finding: Violation, verdict: &mut Verdict) {
    match level {
        Level::Accept => {}
        Level::Warn => verdict.warn(finding.to_string()),
        Level::Reject => verdict.reject(finding),
    }
}

/// As [`Verdict::add`], for what names a place of its own: there may be thousands, and none is said twice.
pub(crate) fn add_unique(verdict: &mut Verdict, one: Verdict) {
    verdict.violations.extend(one.violations);
    verdict.warnings.extend(one.warnings);
    verdict.audit_annotations.extend(one.audit_annotations);
}

/// As [`Verdict::tolerated`], with the findings that are no more than warnings anyway, and without the excuses:
/// nothing new is excused.
pub(crate) fn tolerated(mut verdict: Verdict) -> Verdict {
    let excuses = std::mem::take(&mut verdict.audit_annotations);
    for warning in std::mem::take(&mut verdict.warnings) {
        if !excuses.iter().any(|(_, excuse)| *excuse == warning) {
            verdict.reject(Violation::general(warning));
        }
    }
    verdict.tolerated()
}
