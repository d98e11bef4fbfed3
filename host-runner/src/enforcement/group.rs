//! Policy groups: members, and an expression over their verdicts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::judge::NOTHING_TO_MUTATE;
use super::{Configured, Expression};
use crate::capabilities::Source;
use crate::policy::{EvaluateError, Evaluation, Limits, Output};

/// What Kubewarden says of a member that changes the object: it counts as a rejection.
const MUTATES: &str = "mutation is not allowed inside of policy group";

/// A group of policies.
#[derive(Debug, Clone)]
pub struct Group {
    /// When the group accepts.
    pub expression: Expression,
    /// The members, by name.
    pub members: BTreeMap<String, Configured>,
}

/// What a member that was asked came to.
pub(super) struct Asked {
    pub(super) member: String,
    pub(super) accepted: bool,
    /// The member's own message; a failure counts as a rejection with its text.
    pub(super) message: Option<String>,
    /// Why its verdict is none.
    pub(super) no_verdict: Option<String>,
    /// What it said on the way.
    pub(super) output: Output,
}

impl Group {
    /// Asks those members whose verdicts matter, each once. Gives the verdict of the group, and those that were asked
    /// in their order. `base` is the object, which no member may change; `failure` has the words for a member that
    /// gives no verdict.
    pub(super) fn evaluate(
        &self,
        request: &[u8],
        base: Option<&Value>,
        source: &Arc<dyn Source>,
        limits: Limits,
        failure: impl Fn(&str, &EvaluateError) -> String,
    ) -> (bool, Vec<Asked>) {
        let mut asked: Vec<Asked> = Vec::new();
        let verdict = self.expression.evaluate(&mut |name| {
            if let Some(before) = asked.iter().find(|before| before.member == name) {
                return Ok(before.accepted);
            }
            let one = match self.members.get(name).map(|member| member.evaluate(request, source, limits)) {
                Some(Ok(evaluation)) => conclude(name, base, evaluation),
                Some(Err(error)) => {
                    let text = failure(name, &error);
                    Asked {
                        member: name.to_owned(),
                        accepted: false,
                        message: Some(text.clone()),
                        no_verdict: Some(text),
                        output: Output::default(),
                    }
                }
                // Expressions are parsed against the members.
                None => return Err(()),
            };
            let accepted = one.accepted;
            asked.push(one);
            Ok(accepted)
        });
        (verdict.unwrap_or(false), asked)
    }
}

fn conclude(name: &str, base: Option<&Value>, evaluation: Evaluation) -> Asked {
    let Evaluation { response, unanswered, output } = evaluation;
    let mutates = response.mutated_object.is_some() && response.mutated_object.as_ref() != base;
    Asked {
        member: name.to_owned(),
        accepted: response.accepted && !mutates,
        message: match (mutates, base) {
            (true, Some(_)) => Some(MUTATES.to_owned()),
            (true, None) => Some(NOTHING_TO_MUTATE.to_owned()),
            (false, _) => response.message,
        },
        no_verdict: (!unanswered.is_empty()).then(|| unanswered.join("; ")),
        output,
    }
}
