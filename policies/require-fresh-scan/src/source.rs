//! What the two scanners write, and where in it things stand.
//!
//! The schemas are those of the custom resource definitions of aquasecurity/trivy-operator and kubewarden/sbomscanner.

use std::fmt;

use policy_kit::{Json, Reference, is_digest};
use serde::Deserialize;

use crate::severity::Severity;
use crate::shown::shown;

/// A scanner that writes VulnerabilityReports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// Scans what runs, one platform of it.
    TrivyOperator,
    /// Scans what registries hold, each platform of it.
    Sbomscanner,
}

/// The kind of the reports of both.
pub(crate) const REPORT: &str = "VulnerabilityReport";

/// One vulnerability, as a scanner lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vulnerability<'r> {
    pub(crate) id: &'r str,
    pub(crate) package: &'r str,
    pub(crate) severity: Severity,
    /// The version that has a fix; empty when there is none.
    pub(crate) fixed_in: &'r str,
    /// Whether a VEX document says that the image is not affected.
    pub(crate) is_suppressed: bool,
}

/// What a report says it is about by name and tag. A tag moves and a name can be anybody's, so this is for hints alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    server: String,
    repository: String,
    tag: String,
}

impl Claim {
    /// Whether it is about a tag of an image's repository, or about the very tag.
    pub(crate) fn is_about(&self, image: &Reference<'_>, tag: Option<&str>) -> bool {
        // Nearly all reports are about other images, and told from them without reading the reference.
        if self.repository.is_empty() || !image.path().ends_with(&self.repository) {
            return false;
        }
        let own = if self.tag.is_empty() { "latest" } else { &self.tag };
        let text = format!("{}/{}:{own}", self.server, self.repository);
        Reference::parse(&text).is_ok_and(|claimed| {
            claimed.host() == image.host() && claimed.path() == image.path() && tag.is_none_or(|tag| tag == own)
        })
    }
}

impl Source {
    /// The name in settings and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Source::TrivyOperator => "trivy-operator",
            Source::Sbomscanner => "sbomscanner",
        }
    }

    /// The API group and version of the reports.
    pub(crate) fn api_version(self) -> &'static str {
        match self {
            Source::TrivyOperator => "aquasecurity.github.io/v1alpha1",
            Source::Sbomscanner => "storage.sbomscanner.kubewarden.io/v1alpha1",
        }
    }

    /// The fields that tell what a report is about, when it was written and how bad it is.
    pub(crate) fn identity_fields(self) -> &'static [&'static str] {
        match self {
            Source::TrivyOperator => {
                &["report.artifact", "report.registry.server", "report.updateTimestamp", "report.summary"]
            }
            Source::Sbomscanner => &["imageMetadata", "report.summary"],
        }
    }

    /// The fields that tell what was found, beside those.
    pub(crate) fn all_fields(self) -> &'static [&'static str] {
        match self {
            Source::TrivyOperator => &[
                "report.artifact",
                "report.registry.server",
                "report.updateTimestamp",
                "report.os",
                "report.summary",
                "report.vulnerabilities.vulnerabilityID",
                "report.vulnerabilities.resource",
                "report.vulnerabilities.severity",
                "report.vulnerabilities.fixedVersion",
            ],
            Source::Sbomscanner => &[
                "imageMetadata",
                "report.summary",
                "report.results.vulnerabilities.cve",
                "report.results.vulnerabilities.packageName",
                "report.results.vulnerabilities.packagePath",
                "report.results.vulnerabilities.severity",
                "report.results.vulnerabilities.fixedVersions",
                "report.results.vulnerabilities.suppressed",
            ],
        }
    }

    /// The digest that a report is about; `None` when it names none, or something else in its place.
    pub(crate) fn digest<'r>(self, report: &'r Json<'_>) -> Option<&'r str> {
        let digest = match self {
            Source::TrivyOperator => report.get("report").get("artifact").get("digest"),
            Source::Sbomscanner => report.get("imageMetadata").get("digest"),
        };
        digest.as_str().filter(|digest| is_digest(digest))
    }

    /// The image that a report says it is about.
    pub(crate) fn claim(self, report: &Json<'_>) -> Claim {
        let (server, image) = match self {
            Source::TrivyOperator => {
                (report.get("report").get("registry").get("server"), report.get("report").get("artifact"))
            }
            Source::Sbomscanner => (report.get("imageMetadata").get("registryURI"), report.get("imageMetadata")),
        };
        let text = |value: &Json<'_>| value.text().to_owned();
        Claim { server: text(server), repository: text(image.get("repository")), tag: text(image.get("tag")) }
    }

    /// How many vulnerabilities of a severity the report sums up to.
    ///
    /// # Errors
    ///
    /// When what stands there is no count, or nothing: the definitions of both require all of them.
    pub(crate) fn summed_up(self, report: &Json<'_>, severity: Severity) -> Result<u64, String> {
        let name = severity.name();
        let summary = report.get("report").get("summary");
        let count = match self {
            Source::TrivyOperator => summary.get(&format!("{name}Count")),
            Source::Sbomscanner => summary.get(name),
        };
        match count {
            Json::Null => Err(format!("its summary does not count {name}")),
            Json::Number(text) => text.parse().map_err(|_| format!("its summary counts {} as {name}", shown(text))),
            other => Err(format!("its summary counts {} as {name}", other.kind())),
        }
    }

    /// Hands each listed vulnerability on. What is absent or `null` is an empty list: Go writes such for one.
    ///
    /// # Errors
    ///
    /// When there is something else in place of a list or of a vulnerability.
    pub(crate) fn vulnerabilities<'r>(
        self,
        report: &'r Json<'_>,
        mut each: impl FnMut(Vulnerability<'r>),
    ) -> Result<(), String> {
        let report = report.get("report");
        match self {
            Source::TrivyOperator => {
                for listed in list(report.get("vulnerabilities"), "vulnerabilities")? {
                    each(Vulnerability {
                        id: id(listed.get("vulnerabilityID"))?,
                        package: listed.get("resource").text(),
                        severity: Severity::read(listed.get("severity").text()),
                        fixed_in: listed.get("fixedVersion").text(),
                        is_suppressed: false,
                    });
                }
            }
            Source::Sbomscanner => {
                for result in list(report.get("results"), "results")? {
                    for listed in list(result.get("vulnerabilities"), "vulnerabilities")? {
                        // Only a binary is no package of any manager.
                        let package = match listed.get("packageName").text() {
                            "" => listed.get("packagePath").text(),
                            name => name,
                        };
                        let fixes = listed.get("fixedVersions").items();
                        each(Vulnerability {
                            id: id(listed.get("cve"))?,
                            package,
                            severity: Severity::read(listed.get("severity").text()),
                            fixed_in: fixes
                                .iter()
                                .find_map(|fix| fix.as_str().filter(|fix| !fix.is_empty()))
                                .unwrap_or(""),
                            is_suppressed: listed.get("suppressed").is_true(),
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The ID of a vulnerability; empty when it has none.
fn id<'r>(value: &'r Json<'_>) -> Result<&'r str, String> {
    match value {
        Json::Null => Ok(""),
        value => value.as_str().ok_or_else(|| format!("a vulnerability has {} for an ID", value.kind())),
    }
}

/// The items of a list of objects.
fn list<'r, 'a>(value: &'r Json<'a>, name: &str) -> Result<&'r [Json<'a>], String> {
    match value {
        Json::Null => Ok(&[]),
        Json::Array(items) => match items.iter().find(|item| item.as_object().is_none()) {
            None => Ok(items),
            Some(other) => Err(format!("its {name} hold {}, not objects alone", other.kind())),
        },
        other => Err(format!("its {name} are {}, not a list", other.kind())),
    }
}
