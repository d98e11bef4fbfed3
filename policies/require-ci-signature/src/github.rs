//! Workflows of GitHub Actions.

use serde::Deserialize;

use crate::git_ref;
use crate::identity::{Mistake, mistake};

/// The issuer of the tokens that GitHub gives to its workflows.
pub(crate) const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// A workflow of GitHub Actions. Each key is required: Kubewarden's own check stops at the repository, so that any
/// workflow on any branch, and any pull request from a branch, would do.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct GithubActions {
    pub(crate) owner: String,
    pub(crate) repo: String,
    /// `.github/workflows/release.yml`, or `owner/repo/.github/workflows/build.yml` for a reusable workflow of
    /// another repository.
    pub(crate) workflow: String,
    /// The ref that the workflow itself is taken from.
    #[serde(rename = "ref")]
    pub(crate) git_ref: String,
}

impl GithubActions {
    /// The repository that a reusable workflow is taken from, and its path there; none for one's own workflows.
    pub(crate) fn callee(&self) -> Option<(&str, &str)> {
        let at = self.workflow.find("/.github/workflows/")?;
        Some((self.workflow.get(..at)?, self.workflow.get(at + 1..)?))
    }

    /// The subject alternative name that Fulcio writes: `https://github.com/` and the token's `job_workflow_ref`.
    pub(crate) fn subject(&self) -> String {
        match self.callee() {
            Some(_) => format!("https://github.com/{}@{}", self.workflow, self.git_ref),
            None => {
                format!("https://github.com/{}/{}/{}@{}", self.owner, self.repo, self.workflow, self.git_ref)
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), Mistake> {
        if !is_owner(&self.owner) {
            return mistake("owner", "write the user or organisation on GitHub alone, such as acme");
        }
        if !is_repository(&self.repo) {
            return mistake("repo", "write the name of the repository alone, such as payments");
        }
        let (callee, path) = match self.callee() {
            Some((callee, path)) => (Some(callee), path),
            None => (None, self.workflow.as_str()),
        };
        let is_callee = callee.is_none_or(|callee| {
            callee.split_once('/').is_some_and(|(owner, repo)| is_owner(owner) && is_repository(repo))
        });
        if !is_callee || !is_workflow(path) {
            return mistake(
                "workflow",
                "write the file that signs, such as .github/workflows/release.yml, or \
                 acme/ci/.github/workflows/build.yml for a reusable workflow of another repository",
            );
        }
        // A reusable workflow may be called by commit, which says more than any branch.
        if callee.is_some() && self.git_ref.len() == 40 && self.git_ref.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(());
        }
        git_ref::check(&self.git_ref).map_err(|what| ("ref".to_owned(), what))
    }
}

/// A login on GitHub: letters, digits and single dashes; `_` in those that an enterprise manages.
fn is_owner(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !text.is_empty() && text.len() <= 39 && text.bytes().all(is_inner) && !text.starts_with('-')
}

fn is_repository(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !matches!(text, "" | "." | "..") && text.len() <= 100 && text.bytes().all(is_inner)
}

/// GitHub runs workflows of this one folder and of none below it.
fn is_workflow(path: &str) -> bool {
    let name = path.strip_prefix(".github/workflows/").unwrap_or_default();
    let stem = name.strip_suffix(".yml").or(name.strip_suffix(".yaml")).unwrap_or_default();
    !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
}
