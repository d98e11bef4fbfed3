//! What a rule of a role grants, read as the API server reads it (`pkg/apis/rbac/v1/evaluation_helpers.go`).

use policy_kit::{Json, Level};

use crate::allow::Subresource;
use crate::settings::Settings;

/// The API group of roles and bindings.
pub(crate) const RBAC: &str = "rbac.authorization.k8s.io";

/// Something that a rule may grant and that this policy disallows.
#[derive(Debug, PartialEq)]
pub(crate) struct Access {
    /// As messages say it; accesses with one label are one thing.
    pub(crate) label: &'static str,
    pub(crate) group: &'static str,
    /// With its subresource: `pods/exec`.
    pub(crate) resource: &'static str,
    /// Any of these is enough.
    verbs: &'static [&'static str],
    /// Whether a Role, too, can grant it.
    pub(crate) is_namespaced: bool,
    /// What one would have to be excused from to be granted it; nothing excuses an escalation.
    pub(crate) needs: &'static [Subresource],
}

/// A WebSocket is opened with GET, and that alone was enough for exec before Kubernetes 1.35.
const OPEN: &[&str] = &["get", "create"];
const HTTP: &[&str] = &["get", "create", "update", "patch", "delete"];
const WRITE: &[&str] = &["create", "update", "patch"];
const TAMPER: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];

const BIND: &str = "bind or escalate on roles";
const IMPERSONATE: &str = "impersonate";
const CERTIFICATES: &str = "approve certificates";
const CERTIFICATES_GROUP: &str = "certificates.k8s.io";
const TOKEN: &str = "create serviceaccounts/token";
const BINDINGS: &str = "write role bindings";
const ADMISSION: &str = "write admission webhooks or policies";
const API_SERVICES: &str = "write API services";
const ADMISSION_GROUP: &str = "admissionregistration.k8s.io";
const KUBEWARDEN: &str = "policies.kubewarden.io";

const fn core(resource: &'static str, verbs: &'static [&'static str], needs: &'static [Subresource]) -> Access {
    Access { label: resource, group: "", resource, verbs, is_namespaced: true, needs }
}

const fn escalation(
    label: &'static str,
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    is_namespaced: bool,
) -> Access {
    Access { label, group, resource, verbs, is_namespaced, needs: &[] }
}

static ACCESSES: &[Access] = &[
    core("pods/exec", OPEN, &[Subresource::Exec]),
    core("pods/attach", OPEN, &[Subresource::Attach]),
    core("pods/portforward", OPEN, &[Subresource::PortForward]),
    core("pods/proxy", HTTP, &[Subresource::Proxy]),
    core("services/proxy", HTTP, &[Subresource::Proxy]),
    core("pods/ephemeralcontainers", &["update", "patch"], &[Subresource::EphemeralContainers]),
    // The kubelet asks for no more than this, even to run a command, and is reached without admission.
    Access {
        is_namespaced: false,
        ..core(
            "nodes/proxy",
            HTTP,
            &[Subresource::Exec, Subresource::Attach, Subresource::PortForward, Subresource::Proxy],
        )
    },
    // The kubelet writes a container's memory to a file for it.
    Access { is_namespaced: false, ..core("nodes/checkpoint", HTTP, &[Subresource::Exec]) },
    // The kubelet serves `/var/log` for it, and follows the links that a pod may have put there.
    escalation("nodes/log", "", "nodes/log", HTTP, false),
    escalation(BIND, RBAC, "roles", &["bind", "escalate"], true),
    escalation(BIND, RBAC, "clusterroles", &["bind", "escalate"], true),
    escalation(IMPERSONATE, "", "users", &["impersonate"], false),
    escalation(IMPERSONATE, "", "groups", &["impersonate"], false),
    escalation(IMPERSONATE, "", "serviceaccounts", &["impersonate"], true),
    escalation(IMPERSONATE, "authentication.k8s.io", "users", &["impersonate"], false),
    escalation(IMPERSONATE, "authentication.k8s.io", "groups", &["impersonate"], false),
    escalation(IMPERSONATE, "authentication.k8s.io", "serviceaccounts", &["impersonate"], true),
    escalation(IMPERSONATE, "authentication.k8s.io", "uids", &["impersonate"], false),
    escalation(IMPERSONATE, "authentication.k8s.io", "userextras", &["impersonate"], false),
    escalation(IMPERSONATE, "authentication.k8s.io", "nodes", &["impersonate"], false),
    escalation(TOKEN, "", "serviceaccounts/token", &["create"], true),
    escalation(BINDINGS, RBAC, "rolebindings", WRITE, true),
    escalation(BINDINGS, RBAC, "clusterrolebindings", WRITE, false),
    escalation(ADMISSION, ADMISSION_GROUP, "validatingwebhookconfigurations", TAMPER, false),
    escalation(ADMISSION, ADMISSION_GROUP, "mutatingwebhookconfigurations", TAMPER, false),
    escalation(ADMISSION, ADMISSION_GROUP, "validatingadmissionpolicies", TAMPER, false),
    escalation(ADMISSION, ADMISSION_GROUP, "validatingadmissionpolicybindings", TAMPER, false),
    escalation(ADMISSION, ADMISSION_GROUP, "mutatingadmissionpolicies", TAMPER, false),
    escalation(ADMISSION, ADMISSION_GROUP, "mutatingadmissionpolicybindings", TAMPER, false),
    escalation(ADMISSION, KUBEWARDEN, "clusteradmissionpolicies", TAMPER, false),
    escalation(ADMISSION, KUBEWARDEN, "clusteradmissionpolicygroups", TAMPER, false),
    escalation(ADMISSION, KUBEWARDEN, "policyservers", TAMPER, false),
    escalation(ADMISSION, KUBEWARDEN, "admissionpolicies", TAMPER, true),
    escalation(ADMISSION, KUBEWARDEN, "admissionpolicygroups", TAMPER, true),
    // A certificate is a login by any name and group.
    escalation(CERTIFICATES, CERTIFICATES_GROUP, "certificatesigningrequests/approval", WRITE, false),
    escalation(CERTIFICATES, CERTIFICATES_GROUP, "signers", &["approve", "sign"], false),
    // Whoever answers for an API sees the credentials of its callers.
    escalation(API_SERVICES, "apiregistration.k8s.io", "apiservices", TAMPER, false),
];

impl Access {
    /// Whether this is a way around the policy rather than what it disallows.
    pub(crate) fn is_escalation(&self) -> bool {
        self.needs.is_empty()
    }

    /// Whether it is about Kubewarden's own resources, which matter wherever they are: they are all run by the same
    /// servers.
    pub(crate) fn is_of_kubewarden(&self) -> bool {
        self.group == KUBEWARDEN
    }

    /// How a grant of it is answered: never more strictly than its use.
    pub(crate) fn level(&self, settings: &Settings) -> Level {
        match self.needs {
            [] => settings.escalation,
            [Subresource::PortForward | Subresource::Proxy] => settings.grants.min(settings.port_forward),
            [Subresource::EphemeralContainers] => settings.grants.min(settings.debug_pods),
            _ => settings.grants,
        }
    }
}

/// A rule of a role, as far as it is about resources; paths that are no resources lead to no container.
#[derive(Debug)]
pub(crate) struct Rule<'j> {
    groups: Vec<&'j str>,
    resources: Vec<&'j str>,
    verbs: Vec<&'j str>,
}

impl<'j> Rule<'j> {
    /// Reads a rule.
    ///
    /// # Errors
    ///
    /// Names what has an unexpected shape.
    pub(crate) fn read(rule: &'j Json<'j>) -> Result<Self, String> {
        if rule.as_object().is_none() {
            return Err(format!("expected an object, found {}", rule.kind()));
        }
        Ok(Rule {
            groups: words(rule, "apiGroups")?,
            resources: words(rule, "resources")?,
            verbs: words(rule, "verbs")?,
        })
    }

    pub(crate) fn of(groups: &[&'j str], resources: &[&'j str], verbs: &[&'j str]) -> Self {
        Rule { groups: groups.to_vec(), resources: resources.to_vec(), verbs: verbs.to_vec() }
    }

    /// What the rule grants, as a rule of a role in one namespace or of one in the whole cluster. Resource names do
    /// not matter: a shell in a single pod is a shell.
    pub(crate) fn grants(&self, in_namespace: bool) -> impl Iterator<Item = &'static Access> {
        ACCESSES.iter().filter(move |access| (access.is_namespaced || !in_namespace) && self.matches(access))
    }

    /// Whether a `*` may be why the rule grants something.
    pub(crate) fn has_wildcard(&self) -> bool {
        let all = [&self.groups, &self.resources, &self.verbs];
        all.into_iter().flatten().any(|word| *word == "*" || word.starts_with("*/"))
    }

    fn matches(&self, access: &Access) -> bool {
        self.groups.iter().any(|group| *group == "*" || *group == access.group)
            && self.resources.iter().any(|resource| resource_matches(resource, access.resource))
            && self.verbs.iter().any(|verb| access.verbs.iter().any(|wanted| verb_matches(verb, wanted)))
    }
}

fn words<'j>(rule: &'j Json<'j>, key: &str) -> Result<Vec<&'j str>, String> {
    match rule.get(key) {
        Json::Null => Ok(Vec::new()),
        Json::Array(items) => items
            .iter()
            .map(|item| item.as_str().ok_or_else(|| format!("{key} holds {}, expected strings", item.kind())))
            .collect(),
        other => Err(format!("expected a list of strings as {key}, found {}", other.kind())),
    }
}

/// `*`, the resource itself, or `*/` and its subresource. `pods/*` and `*/*` match nothing.
fn resource_matches(written: &str, resource: &str) -> bool {
    written == "*"
        || written == resource
        || matches!(
            (written.strip_prefix("*/"), resource.split_once('/')),
            (Some(written), Some((_, subresource))) if written == subresource
        )
        // Each key of the extra information about a user is a subresource of its own.
        || (resource == "userextras" && (written.starts_with("userextras/") || written.starts_with("*/")))
}

/// `*` or the verb itself; the verbs of constrained impersonation are `impersonate:` and a mode.
fn verb_matches(written: &str, verb: &str) -> bool {
    written == "*" || written == verb || (verb == "impersonate" && written.starts_with("impersonate:"))
}

/// The labels of accesses, each once: `pods/exec, pods/attach`.
pub(crate) fn labels<'a>(accesses: impl IntoIterator<Item = &'a &'static Access>) -> String {
    let mut labels: Vec<&str> = Vec::new();
    for access in accesses {
        if !labels.contains(&access.label) {
            labels.push(access.label);
        }
    }
    labels.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(groups: &[&str], resources: &[&str], verbs: &[&str], in_namespace: bool) -> String {
        labels(&Rule::of(groups, resources, verbs).grants(in_namespace).collect::<Vec<_>>())
    }

    #[test]
    fn rules_are_read_as_the_api_server_reads_them() {
        const ALL: &str = "pods/exec, pods/attach, pods/portforward, pods/proxy, services/proxy, \
                           pods/ephemeralcontainers, nodes/proxy, nodes/checkpoint, nodes/log, \
                           create serviceaccounts/token";
        for (groups, resources, verbs, expected) in [
            (&[""][..], &["pods/exec"][..], &["create"][..], "pods/exec"),
            (&[""], &["pods/exec"], &["get"], "pods/exec"),
            (&[""], &["pods/exec"], &["*"], "pods/exec"),
            (&[""], &["pods/exec"], &["list", "watch", "delete", "update"], ""),
            (&[""], &["pods/exec"], &["CREATE"], ""),
            (&[""], &["*/exec"], &["create"], "pods/exec"),
            (&[""], &["*/proxy"], &["get"], "pods/proxy, services/proxy, nodes/proxy"),
            (&[""], &["pods/*"], &["*"], ""),
            (&[""], &["*/*"], &["*"], ""),
            (&[""], &["pods"], &["*"], ""),
            (&[""], &["Pods/exec"], &["*"], ""),
            (&["apps"], &["pods/exec"], &["*"], ""),
            (&["", "apps"], &["pods/exec"], &["create"], "pods/exec"),
            (&["*"], &["pods/exec"], &["create"], "pods/exec"),
            (&[], &["pods/exec"], &["create"], ""),
            (&[""], &["pods/attach"], &["get"], "pods/attach"),
            (&[""], &["pods/ephemeralcontainers"], &["patch"], "pods/ephemeralcontainers"),
            (&[""], &["pods/ephemeralcontainers"], &["get"], ""),
            (&[""], &["nodes/proxy"], &["get"], "nodes/proxy"),
            (&[""], &["nodes/proxy"], &["patch"], "nodes/proxy"),
            (&[""], &["nodes/checkpoint"], &["create"], "nodes/checkpoint"),
            (&[CERTIFICATES_GROUP], &["certificatesigningrequests/approval"], &["update"], CERTIFICATES),
            (&["apiregistration.k8s.io"], &["apiservices"], &["create"], API_SERVICES),
            (&[""], &["nodes/log"], &["get"], "nodes/log"),
            (&[""], &["nodes/metrics", "nodes/stats"], &["get"], ""),
            (&[""], &["*"], &["get", "create", "update"], ALL),
            (&[RBAC], &["clusterroles"], &["bind"], BIND),
            (&[RBAC], &["roles"], &["escalate"], BIND),
            (&[RBAC], &["rolebindings"], &["bind"], ""),
            (&[RBAC], &["clusterrolebindings"], &["patch"], BINDINGS),
            (&[""], &["groups"], &["impersonate"], IMPERSONATE),
            (&["authentication.k8s.io"], &["userextras/scopes"], &["impersonate"], IMPERSONATE),
            (&["authentication.k8s.io"], &["*/scopes"], &["impersonate"], IMPERSONATE),
            (&["authentication.k8s.io"], &["users"], &["impersonate:user-info"], IMPERSONATE),
            (&["authentication.k8s.io"], &["nodes"], &["impersonate:arbitrary-node"], IMPERSONATE),
            (&[""], &["serviceaccounts/token"], &["create"], TOKEN),
            (&[ADMISSION_GROUP], &["validatingwebhookconfigurations"], &["patch"], ADMISSION),
            (&[KUBEWARDEN], &["clusteradmissionpolicies"], &["delete"], ADMISSION),
            (&[KUBEWARDEN], &["clusteradmissionpolicies"], &["get", "list"], ""),
        ] {
            assert_eq!(granted(groups, resources, verbs, false), expected, "{groups:?} {resources:?} {verbs:?}");
        }
    }

    #[test]
    fn a_role_grants_nothing_of_the_cluster() {
        assert_eq!(granted(&[""], &["nodes/proxy", "users"], &["*"], true), "");
        assert_eq!(granted(&[""], &["*/proxy"], &["get"], true), "pods/proxy, services/proxy");
    }
}
