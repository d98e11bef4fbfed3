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

#[cfg(test)]
mod tests {
    use policy_kit::read_settings;

    use super::*;

    /// A host that answers nothing, but says why.
    struct Unreachable;

    impl Host for Unreachable {
        fn call(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
            Err("connection refused".to_owned())
        }

        fn now(&self) -> i64 {
            0
        }
    }

    fn judge(request: &str, settings: &str) -> Verdict {
        let request = Request::read(policy_kit::Json::parse(request).expect("JSON")).expect("a request");
        let settings: Settings = read_settings(&policy_kit::Json::parse(settings).expect("JSON")).expect("settings");
        DisallowContainerExec::judge(&request, &settings, &Unreachable)
    }

    fn rbac(kind: &str, operation: &str, object: &str, old: &str) -> String {
        format!(
            r#"{{"operation":"{operation}","kind":{{"group":"{RBAC}","kind":"{kind}"}},"namespace":"shop","name":"x",
                "object":{object},"oldObject":{old}}}"#
        )
    }

    const EXEC: &str = r#"{"rules":[{"apiGroups":[""],"resources":["pods/exec"],"verbs":["create"]}]}"#;
    const VELERO: &str =
        r#"{"allow":[{"user":"velero","namespaces":["*"],"subresources":["exec"],"reason":"backups"}]}"#;

    #[test]
    fn what_goes_away_is_accepted() {
        for request in [
            rbac("Role", "DELETE", "null", EXEC),
            rbac("RoleBinding", "DELETE", "null", r#"{"roleRef":{"kind":"ClusterRole","name":"edit"}}"#),
            r#"{"operation":"DELETE","kind":{"kind":"Pod"},"namespace":"shop","object":null,"oldObject":{"spec":{}}}"#
                .to_owned(),
        ] {
            assert_eq!(judge(&request, "{}"), Verdict::default(), "{request}");
        }
    }

    #[test]
    fn in_a_dry_run_a_role_may_come_with_its_binding() {
        struct Empty;
        impl Host for Empty {
            fn call(&self, _: &str, _: &str, _: &[u8]) -> Result<Vec<u8>, String> {
                Err(format!("Cannot find {RBAC}/v1/Role named 'a' inside of namespace 'Some(\"shop\")'"))
            }

            fn now(&self) -> i64 {
                0
            }
        }
        let binding = r#"{"roleRef":{"kind":"Role","name":"a"},"subjects":[{"kind":"User","name":"velero"}]}"#;
        let real = rbac("RoleBinding", "CREATE", binding, "null");
        let tried = real.replacen('{', r#"{"dryRun":true,"#, 1);
        let settings = Settings::default();
        for (request, is_rejected) in [(real, true), (tried, false)] {
            let request = Request::read(policy_kit::Json::parse(&request).expect("JSON")).expect("a request");
            let verdict = DisallowContainerExec::judge(&request, &settings, &Empty);
            assert_eq!((verdict.violations.len(), verdict.warnings.len()), if is_rejected { (1, 0) } else { (0, 1) });
        }
    }

    #[test]
    fn a_cluster_that_does_not_answer_opens_nothing() {
        let binding =
            r#"{"roleRef":{"kind":"ClusterRole","name":"view"},"subjects":[{"kind":"User","name":"velero"}]}"#;
        let gathers = r#"{"aggregationRule":{"clusterRoleSelectors":[{}]}}"#;
        let gathers_labelled = gathers.replacen('{', r#"{"metadata":{"labels":{"a":"b"}},"#, 1);
        let labelled = EXEC.replacen('{', r#"{"metadata":{"labels":{"a":"b"}},"#, 1);
        for (request, settings, message) in [
            (
                r#"{"operation":"CONNECT","resource":{"resource":"pods"},"subResource":"exec","namespace":"shop","name":"web"}"#
                    .to_owned(),
                r#"{"protectedNamespaceLabels":{"environment":"production"}}"#,
                "pod shop/web: exec must not be used in namespace shop, which counts as protected because its labels \
                 cannot be read (connection refused): read its logs and metrics, or ask for an entry in the policy's \
                 allow setting",
            ),
            (
                rbac("RoleBinding", "CREATE", binding, "null"),
                VELERO,
                "roleRef: ClusterRole view cannot be read, so it must not be bound: connection refused",
            ),
            (
                rbac("Role", "CREATE", EXEC, "null"),
                VELERO,
                "rules[0]: must not grant pods/exec in protected namespace shop: who has this role cannot be read: \
                 connection refused",
            ),
            (
                rbac("ClusterRole", "CREATE", gathers, "null"),
                "{}",
                "aggregationRule: gathers roles that cannot be read: connection refused",
            ),
            (
                rbac("ClusterRole", "UPDATE", &gathers_labelled, gathers),
                "{}",
                "metadata.labels: must not change, as the ClusterRoles that this one gathers cannot be read: \
                 connection refused",
            ),
            (
                rbac("ClusterRole", "UPDATE", &labelled, EXEC),
                "{}",
                "metadata.labels: must not change, as the ClusterRoles that may gather this one cannot be read: \
                 connection refused",
            ),
        ] {
            assert_eq!(judge(&request, settings).message(), message);
        }
    }

    #[test]
    fn an_unknown_connection_is_rejected_where_it_matters() {
        let request = r#"{"operation":"CONNECT","namespace":"shop","name":"vm","subResource":"console",
            "resource":{"group":"subresources.kubevirt.io","resource":"virtualmachineinstances"}}"#;
        assert_eq!(
            judge(request, "{}").message(),
            "virtualmachineinstances/console: is a connection that cannot be judged, so it must not be used in \
             protected namespace shop"
        );
        assert_eq!(judge(request, r#"{"protectedNamespaces":["bank"]}"#), Verdict::default());
    }

    #[test]
    fn nothing_odd_is_accepted_or_makes_the_rule_panic() {
        let oddities = ["null", "1", "\"\"", "[]", "[null]", "{}", r#"[{"a":1}]"#, r#"{"a":[1]}"#];
        for odd in oddities {
            for object in [
                odd.to_owned(),
                format!(r#"{{"spec":{odd}}}"#),
                format!(r#"{{"rules":{odd}}}"#),
                format!(r#"{{"rules":[{{"apiGroups":{odd},"resources":{odd},"verbs":{odd}}}],"metadata":{odd}}}"#),
                format!(r#"{{"aggregationRule":{odd},"roleRef":{odd},"subjects":{odd}}}"#),
                format!(r#"{{"spec":{{"ephemeralContainers":{odd},"volumes":{odd},"containers":{odd}}}}}"#),
                format!(r#"{{"spec":{{"containers":[{{"stdin":{odd}}}],"hostPID":{odd}}},"path":{odd}}}"#),
            ] {
                for (group, kind) in [
                    (RBAC, "Role"),
                    (RBAC, "ClusterRole"),
                    (RBAC, "RoleBinding"),
                    (RBAC, "ClusterRoleBinding"),
                    ("", "Namespace"),
                    ("", "Pod"),
                    ("apps", "Deployment"),
                    ("example.com", "Widget"),
                ] {
                    for operation in ["CREATE", "UPDATE", "CONNECT", "DELETE", "?"] {
                        let request = format!(
                            r#"{{"operation":"{operation}","kind":{{"group":"{group}","kind":"{kind}"}},"name":"x",
                                "resource":{{"resource":"nodes"}},"subResource":"proxy","namespace":"shop",
                                "object":{object},"oldObject":{object}}}"#
                        );
                        judge(&request, VELERO);
                    }
                }
            }
        }
        for kind in ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"] {
            assert!(!judge(&rbac(kind, "CREATE", "null", "null"), "{}").violations.is_empty(), "{kind}");
        }
        let pod =
            r#"{"operation":"CREATE","kind":{"kind":"Pod"},"namespace":"shop","object":{"spec":{"containers":{}}}}"#;
        assert_eq!(judge(pod, "{}").message(), "spec.containers: cannot be read: no container is an object");
    }
}
