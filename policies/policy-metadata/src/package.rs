//! `artifacthub-pkg.yml`: the package of a policy on Artifact Hub, with the fields, in the order and with the values
//! that Kubewarden's own `scaffold artifacthub` gives them.

use std::fmt::Write;

use serde::Serialize;

use crate::{Metadata, annotation, version};

const HEADER: &str = "\
# A Kubewarden policy on Artifact Hub, https://artifacthub.io.
#
# Made from metadata.yml and questions-ui.yml; change those.
";

/// Where Kubewarden itself is, which a policy needs.
const CONTROLLER: &str = "https://artifacthub.io/packages/helm/kubewarden/kubewarden-controller";

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Something is missing in the metadata.
    #[error("annotations: {0} is missing")]
    Missing(&'static str),
    /// Something in the metadata cannot be used.
    #[error("annotations: {key}: {mistake}")]
    Unusable {
        /// The annotation.
        key: &'static str,
        /// What is wrong, and what to write.
        mistake: String,
    },
    /// The questions say nothing.
    #[error("the questions are empty: leave them out, or write them")]
    NoQuestions,
    /// It cannot be written as YAML.
    #[error("cannot be written as YAML")]
    Yaml(#[source] serde_saphyr::ser::Error),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package<'m> {
    version: &'m str,
    name: &'m str,
    display_name: &'m str,
    created_at: &'m str,
    description: &'m str,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<&'m str>,
    #[serde(rename = "homeURL", skip_serializing_if = "Option::is_none")]
    home_url: Option<&'m str>,
    containers_images: [ContainerImage; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keywords: Vec<&'m str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    install: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    maintainers: Vec<Maintainer<'m>>,
    provider: Provider,
    recommendations: [Recommendation; 1],
    annotations: Annotations<'m>,
}

#[derive(Serialize)]
struct ContainerImage {
    name: &'static str,
    image: String,
}

#[derive(Serialize)]
struct Link {
    name: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Maintainer<'m> {
    name: &'m str,
    email: &'m str,
}

#[derive(Serialize)]
struct Provider {
    name: &'static str,
}

#[derive(Serialize)]
struct Recommendation {
    url: &'static str,
}

/// Texts all of them, as Artifact Hub wants it.
#[derive(Serialize)]
struct Annotations<'m> {
    #[serde(rename = "kubewarden/mutation")]
    mutation: String,
    #[serde(rename = "kubewarden/rules")]
    rules: String,
    #[serde(rename = "kubewarden/contextAwareResources", skip_serializing_if = "Option::is_none")]
    context_aware_resources: Option<String>,
    #[serde(rename = "kubewarden/questions-ui", skip_serializing_if = "Option::is_none")]
    questions_ui: Option<&'m str>,
    #[serde(rename = "kubewarden/resources", skip_serializing_if = "Option::is_none")]
    resources: Option<&'m str>,
    #[serde(rename = "kubewarden/hidden-ui", skip_serializing_if = "Option::is_none")]
    hidden_ui: Option<&'m str>,
}

/// The package. `created_at` is a moment as RFC 3339 writes it.
///
/// # Errors
///
/// Names the annotation that is missing or cannot be used.
pub fn package(metadata: &Metadata, questions: Option<&str>, created_at: &str) -> Result<String, PackageError> {
    let required = |key| text(metadata, key).ok_or(PackageError::Missing(key));
    let name = required(annotation::TITLE)?;
    let release = required(annotation::VERSION)?;
    if version(release).is_none() {
        return Err(unusable(annotation::VERSION, format!("{release:?} is no version: write one such as 1.0.0")));
    }
    if questions.is_some_and(|questions| questions.trim().is_empty()) {
        return Err(PackageError::NoQuestions);
    }
    let image = format!("{}:v{release}", required(annotation::OCI_URL)?);
    let package = Package {
        version: release,
        name,
        display_name: required(annotation::DISPLAY_NAME)?,
        created_at,
        description: required(annotation::DESCRIPTION)?,
        license: text(metadata, annotation::LICENSE),
        home_url: address(metadata, annotation::URL)?,
        install: install(name, &image),
        containers_images: [ContainerImage { name: "policy", image }],
        keywords: keywords(metadata)?,
        links: links(metadata, release)?,
        maintainers: maintainers(metadata)?,
        provider: Provider { name: "kubewarden" },
        recommendations: [Recommendation { url: CONTROLLER }],
        annotations: Annotations {
            mutation: metadata.mutating.to_string(),
            rules: yaml(&metadata.rules)?,
            context_aware_resources: match metadata.context_aware_resources.is_empty() {
                true => None,
                false => Some(yaml(&metadata.context_aware_resources)?),
            },
            questions_ui: questions,
            resources: text(metadata, annotation::RESOURCES),
            hidden_ui: text(metadata, annotation::HIDDEN_UI),
        },
    };
    Ok(format!("{HEADER}{}", yaml(&package)?))
}

fn text<'m>(metadata: &'m Metadata, key: &str) -> Option<&'m str> {
    metadata.annotations.get(key).map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn unusable(key: &'static str, mistake: String) -> PackageError {
    PackageError::Unusable { key, mistake }
}

fn yaml(value: &impl Serialize) -> Result<String, PackageError> {
    serde_saphyr::to_string(value).map_err(PackageError::Yaml)
}

fn address<'m>(metadata: &'m Metadata, key: &'static str) -> Result<Option<&'m str>, PackageError> {
    match text(metadata, key) {
        Some(address) if !is_address(address) => {
            Err(unusable(key, format!("{address:?} is no address: write one that begins with https://")))
        }
        address => Ok(address),
    }
}

fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

fn keywords(metadata: &Metadata) -> Result<Vec<&str>, PackageError> {
    let Some(listed) = text(metadata, annotation::KEYWORDS) else { return Ok(Vec::new()) };
    let keywords: Vec<&str> = listed.split(',').map(str::trim).collect();
    match keywords.iter().any(|keyword| keyword.is_empty()) {
        true => Err(unusable(annotation::KEYWORDS, "has nothing between two commas, or at an end".to_owned())),
        false => Ok(keywords),
    }
}

/// The source, and where it is GitHub's, the module of the release.
fn links(metadata: &Metadata, release: &str) -> Result<Vec<Link>, PackageError> {
    let Some(source) = address(metadata, annotation::SOURCE)? else { return Ok(Vec::new()) };
    let source = source.trim_end_matches('/');
    let mut links = Vec::new();
    if source.starts_with("https://github.com/") {
        let tag = text(metadata, annotation::RELEASE_TAG).map_or_else(|| format!("v{release}"), percent_encoded);
        links.push(Link { name: "policy", url: format!("{source}/releases/download/{tag}/policy.wasm") });
    }
    links.push(Link { name: "source", url: source.to_owned() });
    Ok(links)
}

/// As the path of a URL wants it (RFC 3986): what is not unreserved is encoded.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// `Name <mail>`, several with commas between (RFC 5322's mailbox-list, without its comments and quotes).
fn maintainers(metadata: &Metadata) -> Result<Vec<Maintainer<'_>>, PackageError> {
    let Some(authors) = text(metadata, annotation::AUTHOR) else { return Ok(Vec::new()) };
    let read = |author: &'_ str| -> Option<(usize, usize)> {
        let (open, close) = (author.find('<')?, author.rfind('>')?);
        (open < close && close + 1 == author.len() && author[open..close].contains('@')).then_some((open, close))
    };
    authors
        .split(',')
        .map(str::trim)
        .map(|author| match read(author) {
            Some((open, close)) if !author[..open].trim().is_empty() => {
                Ok(Maintainer { name: author[..open].trim(), email: &author[open + 1..close] })
            }
            _ => Err(unusable(annotation::AUTHOR, format!("{author:?} is no author: write Name <mail@host>"))),
        })
        .collect()
}

fn install(name: &str, image: &str) -> String {
    format!(
        "Fetch the policy with [`kwctl`](https://docs.kubewarden.io) or `host-runner`:\n\
         \n\
         ```console\n\
         kwctl pull registry://{image}\n\
         ```\n\
         \n\
         Write a policy resource, fill in the settings, and apply it:\n\
         \n\
         ```console\n\
         kwctl scaffold manifest -t ClusterAdmissionPolicy registry://{image} > {name}.yaml\n\
         kubectl apply -f {name}.yaml\n\
         ```\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(annotations: &[(&str, &str)]) -> Metadata {
        let (mut metadata, _) = Metadata::from_yaml(
            "rules: [{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}]\n\
             mutating: false\ncontextAwareResources: [{apiVersion: v1, kind: Namespace}]\n",
        )
        .expect("metadata");
        let base = [
            (annotation::TITLE, "my-policy"),
            (annotation::VERSION, "1.2.3"),
            (annotation::DESCRIPTION, "Says no"),
            (annotation::DISPLAY_NAME, "My Policy"),
            (annotation::OCI_URL, "registry.example/policies/my-policy"),
        ];
        for (key, value) in base.iter().chain(annotations) {
            if value.is_empty() {
                metadata.annotations.remove(*key);
            } else {
                metadata.annotations.insert((*key).to_owned(), (*value).to_owned());
            }
        }
        metadata
    }

    #[test]
    fn fields_stand_in_the_order_of_the_ecosystem() {
        let metadata = metadata(&[
            (annotation::LICENSE, "Apache-2.0"),
            (annotation::URL, "https://example.com"),
            (annotation::SOURCE, "https://github.com/acme/my-policy"),
            (annotation::RELEASE_TAG, "my-policy/v1.2.3"),
            (annotation::KEYWORDS, "pod, image"),
            (annotation::AUTHOR, "A B <a@example.com>, C <c@example.com>"),
            (annotation::RESOURCES, "Pod"),
        ]);
        let package = package(&metadata, Some("questions: []\n"), "2026-11-25T00:00:00Z").expect("a package");
        let keys: Vec<&str> = package
            .lines()
            .filter(|line| !line.starts_with([' ', '#', '-']))
            .filter_map(|line| line.split_once(':').map(|(key, _)| key))
            .collect();
        assert_eq!(
            keys,
            [
                "version",
                "name",
                "displayName",
                "createdAt",
                "description",
                "license",
                "homeURL",
                "containersImages",
                "keywords",
                "links",
                "install",
                "maintainers",
                "provider",
                "recommendations",
                "annotations"
            ]
        );
        let value: serde_json::Value = serde_saphyr::from_str(&package).expect("YAML");
        assert_eq!(value["containersImages"][0]["image"], "registry.example/policies/my-policy:v1.2.3");
        assert_eq!(
            value["links"][0]["url"],
            "https://github.com/acme/my-policy/releases/download/my-policy%2Fv1.2.3/policy.wasm"
        );
        assert_eq!(value["links"][1]["url"], "https://github.com/acme/my-policy");
        assert_eq!(value["maintainers"][1]["email"], "c@example.com");
        assert_eq!(value["annotations"]["kubewarden/mutation"], "false");
        assert_eq!(value["annotations"]["kubewarden/questions-ui"], "questions: []\n");
        let rules: serde_json::Value =
            serde_saphyr::from_str(value["annotations"]["kubewarden/rules"].as_str().expect("a text")).expect("YAML");
        assert_eq!(rules[0]["resources"][0], "pods");
        assert!(
            value["annotations"]["kubewarden/contextAwareResources"].as_str().expect("a text").contains("Namespace")
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (key, value, message) in [
            (annotation::OCI_URL, "", "annotations: io.kubewarden.policy.ociUrl is missing"),
            (annotation::DISPLAY_NAME, "", "annotations: io.artifacthub.displayName is missing"),
            (
                annotation::VERSION,
                "v1",
                "annotations: io.kubewarden.policy.version: \"v1\" is no version: write one such as 1.0.0",
            ),
            (
                annotation::KEYWORDS,
                "a,,b",
                "annotations: io.artifacthub.keywords: has nothing between two commas, or at an end",
            ),
            (
                annotation::AUTHOR,
                "Me",
                "annotations: io.kubewarden.policy.author: \"Me\" is no author: write Name <mail@host>",
            ),
            (
                annotation::AUTHOR,
                "Me >a@b<",
                "annotations: io.kubewarden.policy.author: \"Me >a@b<\" is no author: write Name <mail@host>",
            ),
            (
                annotation::URL,
                "example.com",
                "annotations: io.kubewarden.policy.url: \"example.com\" is no address: write one that begins with https://",
            ),
        ] {
            let error = package(&metadata(&[(key, value)]), None, "2026-11-25T00:00:00Z").expect_err(key);
            assert_eq!(error.to_string(), message);
        }
        let error = package(&metadata(&[]), Some(" \n"), "2026-11-25T00:00:00Z").expect_err("no questions");
        assert_eq!(error.to_string(), "the questions are empty: leave them out, or write them");
    }
}
