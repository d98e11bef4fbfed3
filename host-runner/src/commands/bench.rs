//! `bench`: how long a policy, or all of the bundle, takes for a request.
//!
//! The verdict comes first: what has none is not measured, since a policy that fails early is fast.

use std::sync::Arc;

use serde::Serialize;

use super::outside::Outside;
use super::run::{Answering, Given, Prepared, RunOptions};
use crate::bench::{Statistics, Timing, measure};
use crate::capabilities::Source;
use crate::enforcement::{Configured, Enforced, Responding, respond};
use crate::policy::{Engine, Limits, error_chain};

/// What to measure, and how long.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// As for `run`; an empty policy means the whole bundle, whose settings are a map by name.
    pub run: RunOptions,
    /// How long.
    pub timing: Timing,
}

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BenchReport {
    /// The request, as the user named it.
    pub request: String,
    /// How long was warmed up before each measurement, in seconds.
    pub warm_up: f64,
    /// One per policy.
    pub policies: Vec<PolicyTimes>,
    /// All policies one after the other, each in a fresh instance; where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Statistics>,
}

/// How long one policy takes. A fresh instance for each request is what policy-server makes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTimes {
    /// Its name.
    pub policy: String,
    /// Whether it accepts the request.
    pub allowed: bool,
    /// Its settings in an instance that is used again; groups have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate_settings: Option<Statistics>,
    /// The request, in a fresh instance each time.
    pub fresh: Statistics,
    /// The request, in an instance that is used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reused: Option<Statistics>,
}

/// A policy with its request.
struct Subject<'s> {
    name: String,
    prepared: Prepared,
    request: Responding,
    source: &'s Arc<dyn Source>,
    limits: Limits,
}

/// Measures.
///
/// # Errors
///
/// As for `run`; and when a policy gives no verdict, or not always the same.
pub fn bench(options: &BenchOptions) -> Result<BenchReport, String> {
    // The bundle's own policies may read what they say they read.
    let is_bundle = options.run.policy.is_empty();
    let run = &RunOptions { allow_context_aware: options.run.allow_context_aware || is_bundle, ..options.run.clone() };
    let given = Given::read(&run.request)?;
    let outside = Outside::prepare(&run.outside).map_err(|problem| problem.to_string())?;
    let engine = Engine::new(run.cache.clone()).map_err(|error| error_chain(&error))?;
    let Answering { source, .. } = Answering::prepare(run, &outside)?;
    let mut subjects = Vec::new();
    for (name, policy) in super::run::choose(run, &outside)? {
        let prepared = policy.prepare(run, &engine).map_err(|error| format!("{name}: {error}"))?;
        let request = if prepared.is_raw { given.as_raw() } else { given.as_admission()? };
        let subject = Subject { name, prepared, request, source: &source, limits: run.limits };
        let accepted = subject.accepts().map_err(|error| format!("nothing is measured: {error}"))?;
        subjects.push((subject, accepted));
    }
    let policies = subjects.iter().map(|(subject, accepted)| subject.times(*accepted, options.timing));
    let policies = policies.collect::<Result<Vec<PolicyTimes>, String>>()?;
    let all = if subjects.len() > 1 {
        let one_after_the_other = || subjects.iter().try_for_each(|(subject, accepted)| subject.agrees(*accepted));
        Some(measure(options.timing, one_after_the_other)?)
    } else {
        None
    };
    let warm_up = options.timing.warm_up.as_secs_f64();
    Ok(BenchReport { request: run.request.display().to_string(), warm_up, policies, all })
}

impl Subject<'_> {
    /// Whether the policy accepts the request, in a fresh instance: what policy-server does beside HTTP, JSON and
    /// patches.
    fn accepts(&self) -> Result<bool, String> {
        let (accepted, unanswered) = match &self.prepared.enforcement.enforced {
            Enforced::Policy(configured) => {
                let evaluation = configured.evaluate(&self.request.json, self.source, self.limits);
                let evaluation = evaluation.map_err(|error| self.failed(&error))?;
                (evaluation.response.accepted, evaluation.unanswered)
            }
            Enforced::Group(_) => {
                let (response, aside) = respond(&self.prepared.enforcement, &self.request, self.source, self.limits);
                (response.allowed, aside.unanswered)
            }
        };
        if unanswered.is_empty() {
            Ok(accepted)
        } else {
            Err(format!("{} gives no verdict: {}", self.name, unanswered.join("; ")))
        }
    }

    fn agrees(&self, accepted: bool) -> Result<(), String> {
        if self.accepts()? == accepted {
            Ok(())
        } else {
            Err(format!("{} does not always give the same verdict", self.name))
        }
    }

    fn times(&self, accepted: bool, timing: Timing) -> Result<PolicyTimes, String> {
        let (validate_settings, reused) = match &self.prepared.enforcement.enforced {
            Enforced::Policy(configured) => {
                let (settings, reused) = self.reused(configured, timing)?;
                (Some(settings), Some(reused))
            }
            Enforced::Group(_) => (None, None),
        };
        let fresh = measure(timing, || self.agrees(accepted))?;
        Ok(PolicyTimes { policy: self.name.clone(), allowed: accepted, validate_settings, fresh, reused })
    }

    fn reused(&self, configured: &Configured, timing: Timing) -> Result<(Statistics, Statistics), String> {
        let mut instance = configured.instantiate(self.source, self.limits).map_err(|error| self.failed(&error))?;
        let settings = measure(timing, || {
            instance.validate_settings(&configured.settings).map(drop).map_err(|error| self.failed(&error))
        })?;
        let reused = measure(timing, || {
            instance.evaluate(&self.request.json, &configured.settings).map(drop).map_err(|error| self.failed(&error))
        })?;
        Ok((settings, reused))
    }

    fn failed(&self, error: &crate::policy::EvaluateError) -> String {
        format!("{} gives no verdict: {}", self.name, error_chain(error))
    }
}
