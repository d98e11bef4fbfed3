//! What stands between a policy and the outside: Kubewarden's two gates, in its order and its words.

use std::collections::HashSet;
use std::sync::Arc;

use policy_metadata::ContextAwareResource;

use super::question::Unreadable;
use super::{AllowList, Answer, CapabilityError, HostCapabilities, Question, Source};

/// Lets a policy ask what it was granted.
#[derive(Clone)]
pub struct Gate {
    /// Who answers.
    pub source: Arc<dyn Source>,
    /// The capabilities that the policy may use.
    pub allowed: Arc<AllowList>,
    /// The kinds that the policy may read.
    pub grants: Arc<HashSet<ContextAwareResource>>,
}

impl HostCapabilities for Gate {
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Answer {
        let path = format!("{namespace}/{operation}");
        if !self.allowed.allows(&path) {
            return Err(denied(format!(
                "Policy has not been granted access to the '{path}' host capability. The violation has been reported."
            )));
        }
        let question = Question::read(namespace, operation, payload).map_err(|unreadable| match unreadable {
            Unreadable::Unknown(text) | Unreadable::Payload(text) => CapabilityError::Failed(text),
        })?;
        if let Some((api_version, kind)) = question.kind() {
            let wanted = ContextAwareResource { api_version: api_version.to_owned(), kind: kind.to_owned() };
            if !self.grants.contains(&wanted) {
                return Err(denied(format!(
                    "Policy has not been granted access to Kubernetes {api_version}/{kind} resources. \
                     The violation has been reported."
                )));
            }
        }
        self.source.answer(&question).map_err(|error| match error {
            CapabilityError::Failed(cause) => CapabilityError::Failed(format!("Callback evaluation failure: {cause}")),
            unanswered @ CapabilityError::Unanswered(_) => unanswered,
        })
    }

    fn now(&self) -> Option<i64> {
        self.source.now()
    }

    fn waits(&self) -> bool {
        self.source.waits()
    }
}

/// A policy that was not granted what it asks for would be configured differently in any cluster that uses it: what it
/// makes of the denial is no verdict.
fn denied(message: String) -> CapabilityError {
    CapabilityError::Unanswered(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers everything with the path that was asked for.
    struct Echo;

    impl Source for Echo {
        fn answer(&self, question: &Question) -> Answer {
            match question {
                Question::DnsLookupHost { .. } => Err(CapabilityError::Failed("no such host".to_owned())),
                question => Ok(question.path().into()),
            }
        }
    }

    fn gate(allowed: &[&str], grants: &[(&str, &str)]) -> Gate {
        let grants = grants
            .iter()
            .map(|(api_version, kind)| ContextAwareResource {
                api_version: (*api_version).to_owned(),
                kind: (*kind).to_owned(),
            })
            .collect();
        let allowed = Arc::new(AllowList::parse(allowed).expect("patterns"));
        Gate { source: Arc::new(Echo), allowed, grants: Arc::new(grants) }
    }

    #[test]
    fn the_allow_list_comes_first() {
        // Even in front of "unknown namespace", as in Kubewarden.
        let error = gate(&["oci/*"], &[]).call("http", "get", b"").expect_err("denied");
        let expected =
            "Policy has not been granted access to the 'http/get' host capability. The violation has been reported.";
        assert_eq!(error, CapabilityError::Unanswered(expected.to_owned()));
        let error = gate(&["*"], &[]).call("http", "get", b"").expect_err("unknown");
        assert_eq!(error, CapabilityError::Failed("unknown namespace: http".to_owned()));
    }

    #[test]
    fn kinds_are_granted_by_exact_name() {
        let question = br#"{"api_version":"v1","kind":"Namespace","name":"n","disable_cache":false}"#;
        let ask = |grants| gate(&["*"], grants).call("kubernetes", "get_resource", question);
        assert!(ask(&[("v1", "Namespace")]).is_ok());
        let expected =
            "Policy has not been granted access to Kubernetes v1/Namespace resources. The violation has been reported.";
        for grants in [&[][..], &[("v1", "namespace")], &[("V1", "Namespace")], &[("v1", "Pod")]] {
            assert_eq!(ask(grants), Err(CapabilityError::Unanswered(expected.to_owned())));
        }
        let can_i = br#"{"subject_access_review":{"resource_attributes":{"resource":"pods","verb":"get"},"user":"u"},"disable_cache":false}"#;
        assert!(gate(&["*"], &[]).call("kubernetes", "can_i", can_i).is_ok());
    }

    #[test]
    fn a_failure_has_kubewardens_words_in_front() {
        let error = gate(&["*"], &[]).call("net", "v1/dns_lookup_host", br#""a""#).expect_err("fails");
        assert_eq!(error, CapabilityError::Failed("Callback evaluation failure: no such host".to_owned()));
    }
}
