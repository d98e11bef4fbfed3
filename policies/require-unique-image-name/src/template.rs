//! The shape of a name: literal text and the placeholders `[team]`, `[sub-team]` and `[app]`.

use std::fmt;

use policy_kit::is_path_component;
use serde::de::{Deserialize, Deserializer, Error};

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'n> {
    pub(crate) team: &'n str,
    /// `None` where the template has no `[sub-team]`.
    pub(crate) sub_team: Option<&'n str>,
    pub(crate) app: &'n str,
}

/// A template such as `[team]-[sub-team]-[app]`, matched on the last component of a repository path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameTemplate {
    text: String,
    /// What stands before `[app]`.
    before: Vec<Part>,
    /// What stands behind it.
    behind: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Team,
    SubTeam,
    App,
}

impl NameTemplate {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Says what to write instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mistake = |what: &str| format!("{text:?} {what}, such as \"[team]-[sub-team]-[app]\"");
        if text.contains([':', '@']) {
            return Err(mistake("must be the name alone, the tag always is the commit: write it without a tag"));
        }
        if text.contains('/') {
            return Err(mistake(
                "must be the last component of the path, registries says where it lives: write no slash",
            ));
        }
        let parts = parts_of(text).map_err(|what| mistake(&what))?;
        let count = |wanted: &Part| parts.iter().filter(|part| *part == wanted).count();
        if count(&Part::Team) != 1 || count(&Part::App) != 1 || count(&Part::SubTeam) > 1 {
            return Err(mistake("must have [team] and [app] once, and [sub-team] once at most"));
        }
        let is_literal = |part: &Part| matches!(part, Part::Literal(_));
        if parts.windows(2).any(|pair| !pair.iter().any(is_literal)) {
            return Err(mistake("must have text between two placeholders, or nobody knows where one ends"));
        }
        let mut before = parts;
        let app = before.iter().position(|part| *part == Part::App).unwrap_or_default();
        let behind = before.split_off(app).split_off(1);
        let template = NameTemplate { text: text.to_owned(), before, behind };
        if !is_path_component(&template.with("a", "b", "c")) {
            return Err(mistake(
                "describes names that no registry accepts: write lower-case letters and digits, joined by -",
            ));
        }
        Ok(template)
    }

    pub(crate) fn has_sub_team(&self) -> bool {
        self.before.contains(&Part::SubTeam) || self.behind.contains(&Part::SubTeam)
    }

    /// The texts between the placeholders.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &str> {
        self.before.iter().chain(&self.behind).filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Reads a name. Team and sub-team end where the next text begins, `[app]` takes the rest, dashes included.
    pub(crate) fn read<'n>(&self, name: &'n str) -> Option<Name<'n>> {
        self.read_with(name, None)
    }

    /// Reads a name as one of this owner's.
    pub(crate) fn read_as<'n>(&self, name: &'n str, team: &str, sub_team: &str) -> Option<Name<'n>> {
        self.read_with(name, Some((team, sub_team)))
    }

    fn read_with<'n>(&self, name: &'n str, owner: Option<(&str, &str)>) -> Option<Name<'n>> {
        let mut rest = name;
        let (mut team, mut sub_team) = ("", None);
        let mut note = |part: &Part, value: &'n str| match part {
            Part::Team => team = value,
            _ => sub_team = Some(value),
        };
        for (index, part) in self.before.iter().enumerate() {
            let taken = match (part, owner) {
                (Part::Literal(text), _) => text.len(),
                (Part::Team, Some((team, _))) => known_prefix(rest, team)?,
                (_, Some((_, sub_team))) => known_prefix(rest, sub_team)?,
                // Two placeholders never touch, so a literal follows.
                (_, None) => rest.find(literal(self.before.get(index + 1))?)?,
            };
            let (value, after) = rest.split_at_checked(taken)?;
            match part {
                Part::Literal(text) if value != text => return None,
                Part::Literal(_) => {}
                part => note(part, value),
            }
            rest = after;
        }
        for (index, part) in self.behind.iter().enumerate().rev() {
            let kept = match (part, owner) {
                (Part::Literal(text), _) => rest.len().checked_sub(text.len())?,
                (Part::Team, Some((team, _))) => known_suffix(rest, team)?,
                (_, Some((_, sub_team))) => known_suffix(rest, sub_team)?,
                (_, None) => {
                    let separator = literal(index.checked_sub(1).and_then(|index| self.behind.get(index)))?;
                    rest.rfind(separator)? + separator.len()
                }
            };
            let (before, value) = rest.split_at_checked(kept)?;
            match part {
                Part::Literal(text) if value != text => return None,
                Part::Literal(_) => {}
                part => note(part, value),
            }
            rest = before;
        }
        let found = Name { team, sub_team, app: rest };
        let is_whole = is_path_component(team) && is_path_component(rest) && sub_team.is_none_or(is_path_component);
        is_whole.then_some(found)
    }

    /// The name of an app of an owner.
    pub(crate) fn with(&self, team: &str, sub_team: &str, app: &str) -> String {
        let parts = self.before.iter().chain([&Part::App]).chain(&self.behind);
        let texts = parts.map(|part| match part {
            Part::Literal(text) => text,
            Part::Team => team,
            Part::SubTeam => sub_team,
            Part::App => app,
        });
        texts.collect()
    }
}

fn parts_of(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (name, after) = inside.split_once(']').ok_or("has a [ that nothing closes")?;
            parts.push(match name {
                "team" => Part::Team,
                "sub-team" => Part::SubTeam,
                "app" => Part::App,
                other => return Err(format!("has [{other}], which is none of [team], [sub-team] and [app]")),
            });
            rest = after;
        } else {
            let end = rest.find('[').unwrap_or(rest.len());
            let (literal, after) = rest.split_at(end);
            parts.push(Part::Literal(literal.to_owned()));
            rest = after;
        }
    }
    Ok(parts)
}

fn literal(part: Option<&Part>) -> Option<&str> {
    match part {
        Some(Part::Literal(text)) => Some(text),
        _ => None,
    }
}

fn known_prefix(text: &str, known: &str) -> Option<usize> {
    text.starts_with(known).then_some(known.len())
}

fn known_suffix(text: &str, known: &str) -> Option<usize> {
    text.strip_suffix(known).map(str::len)
}

/// `[team]-[sub-team]-[app]`.
impl Default for NameTemplate {
    fn default() -> Self {
        let dash = || Part::Literal("-".to_owned());
        NameTemplate {
            text: "[team]-[sub-team]-[app]".to_owned(),
            before: vec![Part::Team, dash(), Part::SubTeam, dash()],
            behind: Vec::new(),
        }
    }
}

impl fmt::Display for NameTemplate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for NameTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        NameTemplate::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
