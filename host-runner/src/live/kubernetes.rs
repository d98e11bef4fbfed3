//! Objects of a cluster, through the user's kubeconfig (or the pod's own account).

use std::path::PathBuf;

use kube::api::{GetParams, ListParams, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::core::{DynamicObject, GroupVersionKind, Request};
use kube::discovery::{self, ApiResource, Scope};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{chain, unanswered, without_secrets};
use crate::capabilities::{AccessReview, Answer, CapabilityError, ObjectQuestion, ObjectsQuestion, json_answer};
use crate::world::{as_listed, masked};

/// A cluster, connected to when it is first asked.
pub(super) struct Kubernetes {
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    client: OnceCell<Result<Client, String>>,
}

impl Kubernetes {
    /// The cluster of this kubeconfig and context; without them, the one that `kubectl` would talk to.
    pub(super) fn new(kubeconfig: Option<PathBuf>, context: Option<String>) -> Self {
        Kubernetes { kubeconfig, context, client: OnceCell::new() }
    }

    async fn connect(&self) -> Result<Client, kube::Error> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let config = match (&self.kubeconfig, &self.context) {
            (Some(path), _) => Config::from_custom_kubeconfig(Kubeconfig::read_from(path)?, &options).await?,
            (None, Some(_)) => Config::from_kubeconfig(&options).await?,
            (None, None) => Config::infer().await.map_err(kube::Error::InferConfig)?,
        };
        // A plugin that logs in is a program that may ask its user something: it must not hold up the clock.
        let runtime = tokio::runtime::Handle::current();
        let connected = tokio::task::spawn_blocking(move || {
            let _runtime = runtime.enter();
            Client::try_from(config)
        });
        connected.await.unwrap_or_else(|error| Err(kube::Error::Service(Box::new(error))))
    }

    pub(super) async fn get(&self, question: &ObjectQuestion) -> Answer {
        let ObjectQuestion { api_version, kind, name, namespace, field_masks, .. } = question;
        let client = self.client(&format!("{kind} {name}")).await?;
        let (resource, scope) = self.resource(client, api_version, kind).await?;
        let url = match (&scope, namespace) {
            (Scope::Namespaced, Some(namespace)) => url_in(client, namespace, &resource),
            (Scope::Namespaced, None) => {
                return Err(failed(format!(
                    "Cannot find {api_version}/{kind} named '{name}' inside of namespace 'None': \
                     the kind is namespaced and the question names none"
                )));
            }
            (Scope::Cluster, _) => url_of_all(client, &resource),
        };
        let request = Request::new(url).get(name, &GetParams::default());
        match self.send(client, request).await {
            Ok(object) => json_answer(&masked(&object, field_masks.as_ref())),
            Err(kube::Error::Api(status)) if status.code == 404 => Err(failed(format!(
                "Cannot find {api_version}/{kind} named '{name}' inside of namespace '{namespace:?}'"
            ))),
            Err(error) => Err(away(&format!("{kind} {name}"), &error)),
        }
    }

    pub(super) async fn list(&self, question: &ObjectsQuestion) -> Answer {
        let ObjectsQuestion { api_version, kind, namespace, label_selector, field_selector, field_masks } = question;
        let client = self.client(&format!("the list of {kind}")).await?;
        let (resource, scope) = self.resource(client, api_version, kind).await?;
        let url = match (&scope, namespace) {
            (_, None) => url_of_all(client, &resource),
            (Scope::Namespaced, Some(namespace)) => url_in(client, namespace, &resource),
            (Scope::Cluster, Some(_)) => {
                return Err(failed(format!("{api_version}/{kind} is not namespaced, and a namespace is asked for")));
            }
        };
        let parameters = ListParams {
            label_selector: label_selector.clone().filter(|text| !text.is_empty()),
            field_selector: field_selector.clone().filter(|text| !text.is_empty()),
            ..ListParams::default()
        };
        let request = Request::new(url).list(&parameters);
        let mut list =
            self.send(client, request).await.map_err(|error| away(&format!("the list of {kind}"), &error))?;
        let Value::Array(items) = list["items"].take() else {
            return Err(unanswered(format!("the list of {kind} has no items")));
        };
        let items: Vec<Value> = items
            .into_iter()
            .map(|mut item| {
                // Items of a typed list do not repeat what they are.
                if let Some(object) = item.as_object_mut() {
                    object.insert("apiVersion".to_owned(), api_version.as_str().into());
                    object.insert("kind".to_owned(), kind.as_str().into());
                }
                as_listed(masked(&item, field_masks.as_ref()))
            })
            .collect();
        json_answer(
            &json!({ "apiVersion": api_version, "kind": format!("{kind}List"), "metadata": {}, "items": items }),
        )
    }

    pub(super) async fn can_i(&self, review: &AccessReview) -> Answer {
        let client = self.client("an access review").await?;
        let attributes = &review.resource_attributes;
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": review.user,
                "groups": review.groups,
                "resourceAttributes": {
                    "group": attributes.group,
                    "name": attributes.name,
                    "namespace": attributes.namespace,
                    "resource": attributes.resource,
                    "subresource": attributes.subresource,
                    "verb": attributes.verb,
                    "version": attributes.version,
                },
            },
        });
        let body = serde_json::to_vec(&body).map_err(|error| failed(error.to_string()))?;
        let request =
            Request::new("/apis/authorization.k8s.io/v1/subjectaccessreviews").create(&PostParams::default(), body);
        let mut review = self.send(client, request).await.map_err(|error| away("the access review", &error))?;
        match review["status"].take() {
            status @ Value::Object(_) => json_answer(&status),
            _ => Err(unanswered("the access review has no status")),
        }
    }

    async fn client(&self, what: &str) -> Result<&Client, CapabilityError> {
        let client = self.client.get_or_init(|| async { self.connect().await.map_err(|error| why(&error)) });
        client.await.as_ref().map_err(|error| {
            unanswered(format!(
                "{what} is asked for, and there is no cluster to ask: {error}; give a --world, or check its manifest along"
            ))
        })
    }

    async fn resource(
        &self,
        client: &Client,
        api_version: &str,
        kind: &str,
    ) -> Result<(ApiResource, Scope), CapabilityError> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let wanted = GroupVersionKind::gvk(group, version, kind);
        match discovery::pinned_kind(client, &wanted).await {
            Ok((resource, capabilities)) => Ok((resource, capabilities.scope)),
            Err(kube::Error::Discovery(_)) => {
                Err(failed(format!("{api_version}/{kind}: the cluster has no such kind")))
            }
            Err(kube::Error::Api(status)) if status.code == 404 => {
                Err(failed(format!("{api_version}/{kind}: the cluster has no such kind")))
            }
            Err(error) => Err(away(&format!("{api_version}/{kind}"), &error)),
        }
    }

    async fn send(
        &self,
        client: &Client,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, kube::Error> {
        client.request(request.map_err(kube::Error::BuildRequest)?).await
    }
}

/// The usual reason is that there is nothing, and then the library names every place where it looked.
fn why(error: &kube::Error) -> String {
    if let kube::Error::Auth(_) = error {
        // What a plugin prints, and how it is called, may be a secret.
        return "logging in failed; `kubectl get --raw /version` tells more".to_owned();
    }
    let text = chain(error);
    if matches!(error, kube::Error::InferConfig(_))
        && text.contains("failed to read kubeconfig")
        && text.contains("No such file")
    {
        return "no kubeconfig was found, and this is no pod".to_owned();
    }
    without_secrets(&text)
}

fn url_in(client: &Client, namespace: &str, resource: &ApiResource) -> String {
    Api::<DynamicObject>::namespaced_with(client.clone(), namespace, resource).resource_url().to_owned()
}

fn url_of_all(client: &Client, resource: &ApiResource) -> String {
    Api::<DynamicObject>::all_with(client.clone(), resource).resource_url().to_owned()
}

fn away(what: &str, error: &kube::Error) -> CapabilityError {
    let text = match error {
        kube::Error::Api(status) => format!("{} ({})", status.message, status.code),
        kube::Error::Auth(_) => "logging in failed; `kubectl get --raw /version` tells more".to_owned(),
        error => without_secrets(&chain(error)),
    };
    unanswered(format!("{what} cannot be read from the cluster: {text}"))
}

fn failed(message: String) -> CapabilityError {
    CapabilityError::Failed(message)
}
