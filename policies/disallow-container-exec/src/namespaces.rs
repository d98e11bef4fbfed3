//! The labels that protect a namespace: whoever takes them off has opened it.

use policy_kit::{Operation, Verdict, Violation};

use crate::context::Context;
use crate::protection::has_labels;

/// Judges a Namespace, `status` and `finalize` included: the API server lets labels be changed through them, too.
pub(crate) fn judge(context: &Context<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let (request, settings) = (context.request, context.settings);
    let wanted = &settings.protected_namespace_labels;
    if request.operation() != Operation::Update || wanted.is_empty() || settings.protects_name(request.name()) {
        return verdict;
    }
    let labels = request.object.get("metadata").get("labels");
    let was_protected = has_labels(request.old_object.get("metadata").get("labels"), wanted);
    if was_protected && !has_labels(labels, wanted) {
        let lost: Vec<String> = wanted
            .iter()
            .filter(|(key, value)| labels.get(key).as_str() != Some(value))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        verdict.reject(Violation::at(
            &"metadata.labels",
            format!(
                "must keep {}, which makes namespace {} a protected one: to open it, change the policy's settings",
                lost.join(", "),
                request.name()
            ),
        ));
    }
    verdict
}
