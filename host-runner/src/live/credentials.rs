//! Who we are to a registry: what `docker login` has kept.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use oci_client::secrets::RegistryAuth;
use tokio::sync::OnceCell;

use crate::manifest::{Problem, problem};

/// Docker's own name for its registry in credential files.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What Docker knows of a registry.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) auth: RegistryAuth,
    /// Why there are none, if somebody meant there to be some.
    pub(super) missing: Option<String>,
}

/// Docker's configuration; each registry is looked up once.
pub(super) struct Logins {
    file: Option<PathBuf>,
    known: Mutex<HashMap<String, Arc<OnceCell<Credentials>>>>,
}

impl Logins {
    /// Of the `config.json` in a folder, or in Docker's own.
    pub(super) fn new(folder: Option<PathBuf>) -> Result<Self, Problem> {
        let is_given = folder.is_some();
        let folder = folder.or_else(|| std::env::var_os("DOCKER_CONFIG").map(PathBuf::from));
        let folder = folder.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")));
        let file = folder.map(|folder| folder.join("config.json"));
        if let Some(file) = file.as_ref().filter(|file| is_given && !file.is_file()) {
            return Err(problem(&file.display().to_string(), None, "cannot be read: there is no such file"));
        }
        Ok(Logins { file, known: Mutex::default() })
    }

    /// The credentials for a registry. Without any, everybody is anonymous.
    pub(super) async fn of(&self, registry: &str) -> Credentials {
        let place = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(registry.to_owned()).or_default().clone()
        };
        let (file, registry) = (self.file.clone(), registry.to_owned());
        // A helper is a program that may ask its user something: it must not hold up the clock.
        let found = place.get_or_init(|| async move {
            let found = tokio::task::spawn_blocking(move || file.map(|file| read(&file, &registry))).await;
            found.ok().flatten().unwrap_or(Credentials { auth: RegistryAuth::Anonymous, missing: None })
        });
        found.await.clone()
    }
}

/// Credentials as `docker login` keeps them. Without any, everybody is anonymous.
fn read(file: &Path, registry: &str) -> Credentials {
    let key = if registry == "docker.io" { DOCKER_HUB } else { registry };
    let found = match std::fs::File::open(file) {
        Ok(file) => docker_credential::get_credential_from_reader(file, key),
        // Who has never logged in anywhere has no such file.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(CredentialRetrievalError::ConfigNotFound),
        Err(_) => Err(CredentialRetrievalError::ConfigReadError),
    };
    let anonymous = |missing: Option<String>| Credentials { auth: RegistryAuth::Anonymous, missing };
    match found {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Credentials { auth: RegistryAuth::Basic(user, password), missing: None }
        }
        Ok(DockerCredential::IdentityToken(_)) => {
            anonymous(Some("Docker has an identity token, which Kubewarden does not use".to_owned()))
        }
        Err(CredentialRetrievalError::ConfigNotFound | CredentialRetrievalError::NoCredentialConfigured) => {
            anonymous(None)
        }
        // What a helper prints may be a secret.
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
            anonymous(Some(format!("the credential helper {helper} failed")))
        }
        Err(error) => anonymous(Some(format!("{}: {error}", file.display()))),
    }
}
