//! The rule, free of Kubewarden's wire format: which part of it judges a request.

use policy_kit::{Host, Operation, Policy, Request, Verdict};

use crate::context::Context;
use crate::rbac::RBAC;
use crate::settings::Settings;
use crate::{bindings, connect, debug, namespaces, roles};

/// See the crate's documentation.
#[derive(Debug)]
pub struct DisallowContainerExec;

impl Policy for DisallowContainerExec {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn judge(request: &Request<'_>, settings: &Settings, host: &dyn Host) -> Verdict {
        let context = Context { request, settings, host };
        let verdict = match (request.operation(), request.group(), request.kind()) {
            // Nothing that goes away opens a container.
            (Operation::Delete, ..) => Verdict::default(),
            (Operation::Connect, ..) => connect::judge(&context),
            (_, RBAC, _) if is_api_server(request) => Verdict::default(),
            (_, RBAC, "Role" | "ClusterRole") => roles::judge(&context),
            (_, RBAC, "RoleBinding" | "ClusterRoleBinding") => bindings::judge(&context),
            (_, "", "Namespace") => namespaces::judge(&context),
            _ => debug::judge(&context),
        };
        with_one_annotation(verdict)
    }
}

/// The API server itself, which makes and repairs the built-in roles when it starts. Both name and group, as a
/// certificate with the name alone can be asked for, and names that begin with `system:` are free for all.
fn is_api_server(request: &Request<'_>) -> bool {
    request.user_info.username() == "system:apiserver" && request.user_info.is_in_group("system:masters")
}

/// An annotation has one value, however many excuses were used.
fn with_one_annotation(mut verdict: Verdict) -> Verdict {
    if verdict.audit_annotations.len() > 1
        && let Some((key, _)) = verdict.audit_annotations.first().cloned()
    {
        let uses: Vec<String> = verdict.audit_annotations.drain(..).map(|(_, value)| value).collect();
        verdict.audit_annotations = vec![(key, uses.join("; "))];
    }
    verdict
}
