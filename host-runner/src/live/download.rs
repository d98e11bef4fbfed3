//! Policies on web servers.

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy};

use super::registry_sources::RegistrySources;
use super::{chain, unanswered, without_secrets};
use crate::capabilities::CapabilityError;
use crate::modules::LARGEST_MODULE;

/// Downloads a file. Kubewarden's `sources.yml` says which servers need no TLS, as it does for registries.
pub(super) async fn download(address: &str, sources: &RegistrySources) -> Result<Vec<u8>, CapabilityError> {
    let failed = |cause: String| unanswered(format!("{}: {cause}", without_secrets(address)));
    let of_reqwest = |error: reqwest::Error| failed(without_secrets(&chain(&error.without_url())));
    let (scheme, rest) = address.split_once("://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let is_insecure = sources.insecure.contains(&host);
    if scheme != "https" && !is_insecure {
        return Err(failed(format!("write https, or list {host} under insecure_sources in --sources-path")));
    }
    let client = client(&host, is_insecure, sources).map_err(of_reqwest)?;
    let mut response =
        client.get(address).send().await.and_then(reqwest::Response::error_for_status).map_err(of_reqwest)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(of_reqwest)? {
        if bytes.len() + chunk.len() > LARGEST_MODULE {
            return Err(failed("the module is larger than any policy".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn client(host: &str, is_insecure: bool, sources: &RegistrySources) -> reqwest::Result<Client> {
    let mut builder = Client::builder().user_agent(concat!("host-runner/", env!("CARGO_PKG_VERSION")));
    for authority in sources.authorities.get(host).into_iter().flatten() {
        let certificate = Certificate::from_pem(authority).or_else(|_| Certificate::from_der(authority))?;
        builder = builder.add_root_certificate(certificate);
    }
    let proxies = &sources.proxies;
    let except = || proxies.no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
    if let Some(proxy) = &proxies.https_proxy {
        builder = builder.proxy(Proxy::https(proxy.as_str())?.no_proxy(except()));
    }
    if let Some(proxy) = &proxies.http_proxy {
        builder = builder.proxy(Proxy::http(proxy.as_str())?.no_proxy(except()));
    }
    // Nobody is led from TLS to a server without, nor from a server that needs none to another.
    let redirects = if is_insecure { Policy::none() } else { Policy::default() };
    builder.https_only(!is_insecure).redirect(redirects).danger_accept_invalid_certs(is_insecure).build()
}
