//! Which requests a policy is asked about, by the matching rules of Kubernetes' webhooks.

use policy_metadata::{Rule, Scope};

use super::{LabelSelector, Labels, Selected, Selection, conditions};
use crate::admission::AdmissionRequest;

/// Whether the rule means this request.
pub fn rule_matches(rule: &Rule, request: &AdmissionRequest, is_exact: bool) -> bool {
    let contains = |list: &[String], wanted: &str| list.iter().any(|item| item == "*" || item == wanted);
    contains(&rule.operations, request.operation.name())
        && contains(&rule.api_groups, &request.kind.group)
        && (!is_exact || contains(&rule.api_versions, &request.kind.version))
        && rule.resources.iter().any(|resource| resource_matches(resource, request))
        && match rule.scope {
            None | Some(Scope::Any) => true,
            Some(Scope::Namespaced) => request.is_namespaced(),
            Some(Scope::Cluster) => !request.is_namespaced(),
        }
}

fn resource_matches(pattern: &str, request: &AdmissionRequest) -> bool {
    let (resource, subresource) = pattern.split_once('/').unwrap_or((pattern, ""));
    let subresource_matches = subresource == request.subresource || (subresource == "*" && !pattern.is_empty());
    (resource == "*" || resource == request.kind.plural) && subresource_matches
}

impl Selection {
    /// Whether the request is sent to the policy. `namespace_labels` answers for the Namespaces that are known.
    pub fn selects(&self, request: &AdmissionRequest, namespace_labels: impl Fn(&str) -> Option<Labels>) -> Selected {
        if !self.rules.iter().any(|rule| rule_matches(rule, request, self.is_exact)) {
            return Selected::No;
        }
        // Kubewarden makes a selector of it, and no namespace selector narrows cluster-wide requests.
        if let (Some(own), Some(namespace)) = (&self.namespace, &request.namespace)
            && own != namespace
        {
            return Selected::No;
        }
        if let Some(selector) = &self.object_selector {
            let objects = [&request.object, &request.old_object];
            if !objects.into_iter().flatten().any(|object| selector.matches(&Labels::of(object))) {
                return Selected::No;
            }
        }
        if let Some(selector) = &self.namespace_selector {
            match self.namespace_selected(selector, request, namespace_labels) {
                Selected::Yes => {}
                other => return other,
            }
        }
        conditions::select(&self.conditions, self.failure_policy, request)
    }

    fn namespace_selected(
        &self,
        selector: &LabelSelector,
        request: &AdmissionRequest,
        namespace_labels: impl Fn(&str) -> Option<Labels>,
    ) -> Selected {
        let is_namespace = request.kind.group.is_empty() && request.kind.kind == "Namespace";
        let labels = if is_namespace {
            // A Namespace is selected by its own labels, the new ones.
            match request.object.as_ref().or(request.old_object.as_ref()) {
                Some(object) => Labels::of(object).with_namespace_name(&request.name),
                None => Labels::default(),
            }
        } else {
            match &request.namespace {
                // A namespace selector does not narrow cluster-wide requests.
                None => return Selected::Yes,
                Some(namespace) => match namespace_labels(namespace) {
                    Some(labels) => labels.with_namespace_name(namespace),
                    None if selector.asks_only_for_the_namespace_name() => {
                        Labels::default().with_namespace_name(namespace)
                    }
                    None => {
                        return Selected::Unknown(format!(
                            "the policy selects Namespaces by label, and Namespace {namespace} is not known: \
                             check its manifest along, or put it into the `cluster` of a --world"
                        ));
                    }
                },
            }
        };
        if selector.matches(&labels) { Selected::Yes } else { Selected::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::{Catalog, Operation, RequestOptions};

    fn request(yaml: &str, options: RequestOptions) -> AdmissionRequest {
        let object = serde_saphyr::from_str(yaml).expect("YAML");
        AdmissionRequest::for_object(object, &options, &Catalog::default()).expect("a request")
    }

    fn rule(groups: &[&str], versions: &[&str], resources: &[&str], operations: &[&str]) -> Rule {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Rule {
            api_groups: owned(groups),
            api_versions: owned(versions),
            resources: owned(resources),
            operations: owned(operations),
            scope: None,
        }
    }

    const DEPLOYMENT: &str = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {tier: front}}}";

    #[test]
    fn a_rule_matches_as_in_kubernetes() {
        let deployment = request(DEPLOYMENT, RequestOptions::default());
        for (rule, expected) in [
            (rule(&["apps"], &["v1"], &["deployments"], &["CREATE"]), true),
            (rule(&["apps"], &["v1"], &["deployments"], &["UPDATE"]), false),
            (rule(&[""], &["v1"], &["deployments"], &["CREATE"]), false),
            (rule(&["*"], &["*"], &["*"], &["*"]), true),
            (rule(&["apps"], &["v1"], &["*/*"], &["CREATE"]), true),
            (rule(&["apps"], &["v1"], &["deployments/*"], &["CREATE"]), true),
            (rule(&["apps"], &["v1"], &["deployments/scale"], &["CREATE"]), false),
            (rule(&["apps"], &["v1"], &["*/scale"], &["CREATE"]), false),
            (rule(&["apps"], &["v1"], &["pods"], &["CREATE"]), false),
        ] {
            assert_eq!(rule_matches(&rule, &deployment, true), expected, "{rule:?}");
        }
        let other_version = rule(&["apps"], &["v1beta1"], &["deployments"], &["CREATE"]);
        assert!(!rule_matches(&other_version, &deployment, true) && rule_matches(&other_version, &deployment, false));
    }

    #[test]
    fn a_star_means_no_subresource() {
        let options = RequestOptions {
            operation: Operation::Connect,
            subresource: "exec".to_owned(),
            ..RequestOptions::default()
        };
        let exec = request("{apiVersion: v1, kind: Pod, metadata: {name: web}}", options);
        for (resource, expected) in
            [("pods/exec", true), ("pods/*", true), ("*/exec", true), ("*/*", true), ("pods", false), ("*", false)]
        {
            assert_eq!(
                rule_matches(&rule(&[""], &["v1"], &[resource], &["CONNECT"]), &exec, true),
                expected,
                "{resource}"
            );
        }
    }

    #[test]
    fn scopes_are_told_apart() {
        let deployment = request(DEPLOYMENT, RequestOptions::default());
        let namespace = request("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}", RequestOptions::default());
        let mut rule = rule(&["*"], &["*"], &["*"], &["*"]);
        for (scope, first, second) in
            [(Scope::Namespaced, true, false), (Scope::Cluster, false, true), (Scope::Any, true, true)]
        {
            rule.scope = Some(scope);
            assert_eq!(
                (rule_matches(&rule, &deployment, true), rule_matches(&rule, &namespace, true)),
                (first, second),
                "{scope:?}"
            );
        }
    }

    #[test]
    fn selectors_narrow_the_rules() {
        let deployment =
            request(DEPLOYMENT, RequestOptions { namespace: Some("shop".to_owned()), ..RequestOptions::default() });
        let select = |object: &str, namespace: &str, known: bool| {
            let selection = Selection {
                rules: vec![rule(&["*"], &["*"], &["*"], &["*"])],
                object_selector: Some(serde_saphyr::from_str(object).expect("a selector")),
                namespace_selector: Some(serde_saphyr::from_str(namespace).expect("a selector")),
                ..Selection::default()
            };
            selection.selects(&deployment, |name| {
                (known && name == "shop").then(|| Labels::from_pairs([("environment", "production")]))
            })
        };
        let production = "{matchLabels: {environment: production}}";
        assert_eq!(select("{}", "{}", true), Selected::Yes);
        assert_eq!(select("{matchLabels: {tier: front}}", production, true), Selected::Yes);
        assert_eq!(select("{matchLabels: {tier: back}}", production, true), Selected::No);
        assert_eq!(select("{}", "{matchLabels: {environment: test}}", true), Selected::No);
        assert!(matches!(select("{}", production, false), Selected::Unknown(_)));
        // The name of a Namespace is always known.
        let by_name = "{matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kubewarden]}]}";
        assert_eq!(select("{}", by_name, false), Selected::Yes);
    }
}
