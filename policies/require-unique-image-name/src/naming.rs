//! What a reference says about an image: whose it is, and from which commit.

use std::borrow::Cow;

use policy_kit::{Expression, Reference};

use crate::settings::Settings;

/// The named groups of an own expression, in the order in which they are read.
pub(crate) const GROUPS: [&str; 4] = ["team", "subTeam", "app", "commit"];

/// The end of a commit SHA, for examples.
const EXAMPLE: &str = "5d0a7c93e1f24b86a0c5d7e90b13f4a2c6e8d1b7f3a950642881c2d2cffa9375";

/// What a name that keeps to the rule says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Naming<'n> {
    pub(crate) team: Cow<'n, str>,
    /// The end of the commit SHA.
    pub(crate) commit: Cow<'n, str>,
}

impl Settings {
    /// Reads name and tag. `None` when there are mistakes, each of which says what must hold.
    pub(crate) fn naming<'n>(&self, image: &'n Reference<'n>, mistakes: &mut Vec<String>) -> Option<Naming<'n>> {
        let naming = match &self.pattern {
            Some(pattern) => self.by_pattern(pattern, image, mistakes),
            None => self.by_template(image, mistakes),
        };
        naming.filter(|_| mistakes.is_empty())
    }

    fn by_template<'n>(&self, image: &'n Reference<'n>, mistakes: &mut Vec<String>) -> Option<Naming<'n>> {
        let has_sub_team = self.template.has_sub_team();
        let by_shape = self.template.read(image.name());
        let name = match &by_shape {
            Some(_) if self.teams.is_empty() => by_shape,
            _ => self.teams.read(&self.template, image.name()),
        };
        match name {
            Some(_) => {}
            None if by_shape.is_some() => {
                mistakes.push(format!("must name an owner that exists ({})", self.teams.listed(has_sub_team)));
            }
            None => {
                let (team, sub_team) = self.teams.first(has_sub_team).unwrap_or(("payments", "checkout"));
                let example = self.template.with(team, sub_team, "api");
                mistakes.push(format!("must be named {}, such as {example}", self.template));
            }
        }
        let commit = match image.tag() {
            Some(tag) if self.is_commit(tag) => tag,
            tag => {
                mistakes.push(self.tag_mistake(image, tag));
                return None;
            }
        };
        name.map(|name| Naming { team: Cow::Borrowed(name.team), commit: Cow::Borrowed(commit) })
    }

    /// An expression with a slash is meant for the whole path, any other for its last component.
    fn by_pattern<'n>(
        &self,
        pattern: &Expression,
        image: &'n Reference<'n>,
        mistakes: &mut Vec<String>,
    ) -> Option<Naming<'n>> {
        let path = if pattern.as_str().contains('/') { image.path() } else { image.name() };
        let Some(tag) = image.tag() else {
            mistakes.push(self.tag_mistake(image, None));
            return None;
        };
        let text = format!("{path}:{tag}");
        let Some([Some(team), Some(sub_team), Some(app), Some(commit)]) = pattern.groups(GROUPS, &text) else {
            mistakes.push(format!("must match {} with {text}", pattern.as_str()));
            return None;
        };
        if [team, sub_team, app].contains(&"") {
            mistakes.push(format!("must name a team, a sub-team and an app: {} finds an empty one", pattern.as_str()));
        } else if !self.teams.is_empty() && !self.teams.has(team, Some(sub_team)) {
            mistakes.push(format!("must name an owner that exists ({})", self.teams.listed(true)));
        }
        // Outside the tag a commit says nothing of what is pulled.
        if !self.is_commit(commit)
            || !tag.ends_with(commit)
            || [team, sub_team, app].iter().any(|part| part.contains(':'))
        {
            mistakes.push(self.tag_mistake(image, Some(tag)));
        }
        Some(Naming { team: Cow::Owned(team.to_owned()), commit: Cow::Owned(commit.to_owned()) })
    }

    /// Whether this has the shape of the end of a commit SHA.
    fn is_commit(&self, text: &str) -> bool {
        text.len() == self.length() && is_lower_hex(text)
    }

    /// What the tag must be; as the fix, where the tag tells which commit is meant.
    fn tag_mistake(&self, image: &Reference<'_>, tag: Option<&str>) -> String {
        let length = self.length();
        let must = format!("must have the last {length} characters of its commit SHA as the tag");
        let example = EXAMPLE.get(EXAMPLE.len().saturating_sub(length)..).unwrap_or(EXAMPLE);
        match (tag, image.digest()) {
            (Some(tag), _) => match self.meant_commit(tag) {
                Some(commit) => format!("{must}: write {commit}"),
                None => format!("{must}, such as {example}"),
            },
            (None, None) => format!("{must}, such as {example}: without a tag it means latest"),
            (None, Some(_)) => format!("{must}, such as {example}, beside the digest: a digest names no commit"),
        }
    }

    /// The end of a whole SHA, or what is only written in upper case.
    fn meant_commit(&self, tag: &str) -> Option<String> {
        let lower = tag.to_ascii_lowercase();
        let is_whole = matches!(lower.len(), 40 | 64) || lower.len() == self.length();
        let end = lower.get(lower.len().checked_sub(self.length())?..)?;
        (is_whole && is_lower_hex(&lower)).then(|| end.to_owned())
    }
}

pub(crate) fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
