//! Policies as resources of a cluster, written for people: every setting with what it means, the policy server with the
//! rights that the policies need and no others, and all of it as a base and overlays of kustomize, or as a chart for Helm.

mod chart;
mod group;
mod kustomize;
mod policy;
mod server;
mod settings;
mod yaml;

use std::collections::BTreeSet;
use std::path::PathBuf;

use policy_metadata::{ContextAwareResource, Metadata, SettingsSchema};
use serde_json::{Map, Value};

use crate::enforcement::Mode;
pub use group::{GroupExample, GroupMember};

/// A module that a cluster can fetch, and what it says of itself.
#[derive(Debug, Clone)]
pub struct DeployedModule {
    /// What the resource is called.
    pub name: String,
    /// `spec.module`.
    pub uri: String,
    /// Its metadata.
    pub metadata: Metadata,
    /// The schema of its settings.
    pub schema: Option<SettingsSchema>,
    /// The settings, instead of the schema's examples.
    pub settings: Option<Map<String, Value>>,
}

/// What is deployed, and how.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The policies.
    pub modules: Vec<DeployedModule>,
    /// Groups of them.
    pub groups: Vec<GroupExample>,
    /// Whether they refuse, or only report.
    pub mode: Mode,
    /// The PolicyServer that runs them.
    pub policy_server: String,
    /// The namespace of Kubewarden.
    pub namespace: String,
}

/// A file of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedFile {
    /// Where it stands in the folder of the deployment.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl Deployment {
    /// The policies alone, as one stream of YAML documents: a file to begin with.
    ///
    /// # Errors
    ///
    /// Names the policy whose settings cannot be written.
    pub fn policies(&self) -> Result<String, String> {
        let policies = self.modules.iter().map(|module| policy::resource(self, module));
        Ok(policies.collect::<Result<Vec<_>, _>>()?.join("---\n"))
    }

    /// The policy server and the policies, as one stream of YAML documents.
    ///
    /// # Errors
    ///
    /// As [`Deployment::policies`].
    pub fn stream(&self) -> Result<String, String> {
        Ok(format!("{}---\n{}", server::resources(self)?, self.policies()?))
    }

    /// The same as a folder for kustomize: a base, an overlay for each mode, and the groups.
    ///
    /// # Errors
    ///
    /// As [`Deployment::policies`].
    pub fn folder(&self) -> Result<Vec<DeployedFile>, String> {
        kustomize::folder(self)
    }

    /// The same as a chart for Helm.
    ///
    /// # Errors
    ///
    /// As [`Deployment::policies`].
    pub fn chart(&self) -> Result<Vec<DeployedFile>, String> {
        chart::files(self)
    }

    /// The cluster objects that the policies read.
    fn context(&self) -> BTreeSet<&ContextAwareResource> {
        self.modules.iter().flat_map(|module| &module.metadata.context_aware_resources).collect()
    }
}

impl DeployedModule {
    /// Whether it asks registries or others outside of the cluster, which takes its time.
    fn asks_outside(&self) -> bool {
        let capabilities = self.metadata.host_capabilities.iter().flatten();
        capabilities.map(String::as_str).any(|name| name == "*" || name.starts_with("oci/") || name.starts_with("net/"))
    }
}
