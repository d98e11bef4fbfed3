//! The teams and sub-teams that exist.

use std::collections::BTreeMap;

use policy_kit::is_path_component;
use serde::Deserialize;

use crate::template::{Name, NameTemplate};

/// For each team its sub-teams; empty when the settings list none, and then any name is somebody's.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Owners(BTreeMap<String, Vec<String>>);

/// How many owners a message lists.
const MOST_LISTED: usize = 12;

impl Owners {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is such an owner.
    pub(crate) fn has(&self, team: &str, sub_team: Option<&str>) -> bool {
        let known = self.0.get(team);
        known.is_some_and(|known| sub_team.is_none_or(|sub_team| known.iter().any(|one| one == sub_team)))
    }

    /// Reads a name as one of an owner's; of several the one with the longest name, so that `data-platform` is not
    /// taken for a sub-team of `data`. `None` when no owner, or two alike, could have given it.
    pub(crate) fn read<'n>(&self, template: &NameTemplate, name: &'n str) -> Option<Name<'n>> {
        let mut best: Option<Name<'n>> = None;
        let mut is_clear = true;
        for (team, sub_team) in self.pairs(template.has_sub_team()) {
            let Some(found) = template.read_as(name, team, sub_team) else { continue };
            match &best {
                Some(longest) if longest.app.len() < found.app.len() => {}
                Some(longest) if longest.app.len() == found.app.len() => is_clear &= *longest == found,
                _ => (best, is_clear) = (Some(found), true),
            }
        }
        best.filter(|_| is_clear)
    }

    /// The owners, for messages: `payments/checkout, payments/ledger`.
    pub(crate) fn listed(&self, has_sub_team: bool) -> String {
        let owners: Vec<String> = self
            .pairs(has_sub_team)
            .map(|(team, sub_team)| if has_sub_team { format!("{team}/{sub_team}") } else { team.to_owned() })
            .collect();
        let shown = owners.iter().take(MOST_LISTED).cloned().collect::<Vec<_>>().join(", ");
        match owners.len().saturating_sub(MOST_LISTED) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }

    /// An owner for examples.
    pub(crate) fn first(&self, has_sub_team: bool) -> Option<(&str, &str)> {
        self.pairs(has_sub_team).next()
    }

    /// Refuses owners that no name could have, or two of which could have the same.
    ///
    /// # Errors
    ///
    /// Names the key and says what to write.
    pub(crate) fn check(&self, template: Option<&NameTemplate>) -> Result<(), (String, String)> {
        let has_sub_team = template.is_none_or(NameTemplate::has_sub_team);
        for (team, sub_teams) in &self.0 {
            let key = format!("teams.{team}");
            if !is_path_component(team) {
                return Err((key, not_a_name(team)));
            }
            if let Some(bad) = sub_teams.iter().find(|sub_team| !is_path_component(sub_team)) {
                return Err((key, not_a_name(bad)));
            }
            if has_sub_team && sub_teams.is_empty() {
                return Err((key, format!("list its sub-teams, such as {team}: [checkout]")));
            }
            if !has_sub_team && !sub_teams.is_empty() {
                return Err((key, "the template has no [sub-team]: write an empty list".to_owned()));
            }
        }
        template.map_or(Ok(()), |template| self.check_clear(template))
    }

    fn check_clear(&self, template: &NameTemplate) -> Result<(), (String, String)> {
        let names = || self.0.keys().chain(self.0.values().flatten());
        let may_be_unclear = template.literals().any(|text| names().any(|name| name.contains(text)));
        if !may_be_unclear {
            return Ok(());
        }
        // The same kind of map as the settings', to have it in the module once.
        let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (team, sub_team) in self.pairs(template.has_sub_team()) {
            if seen.insert(template.with(team, sub_team, "…"), Vec::new()).is_some() {
                let names = template.with(team, sub_team, "…");
                let mistake = format!("another owner's images are named {names} too: rename one");
                return Err((format!("teams.{team}"), mistake));
            }
        }
        Ok(())
    }

    fn pairs(&self, has_sub_team: bool) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(move |(team, sub_teams)| {
            let without = (!has_sub_team).then_some((team.as_str(), ""));
            let with = sub_teams.iter().filter(move |_| has_sub_team).map(move |sub| (team.as_str(), sub.as_str()));
            without.into_iter().chain(with)
        })
    }
}

fn not_a_name(text: &str) -> String {
    format!("{text:?} can stand in no image name: write lower-case letters and digits, joined by - . or _")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(json: &str) -> Owners {
        serde_json::from_str(json).expect("owners")
    }

    fn template(text: &str) -> NameTemplate {
        NameTemplate::parse(text).expect("a template")
    }

    #[test]
    fn a_name_belongs_to_the_owner_with_the_longest_name() {
        let owners = owners(r#"{"data":["platform","lake"],"data-platform":["ml-ops"],"a":["b"],"a-b":["c"]}"#);
        let template = template("[team]-[sub-team]-[app]");
        for (name, expected) in [
            ("data-platform-ml-ops-api", Some(("data-platform", "ml-ops", "api"))),
            ("data-platform-ml-api", Some(("data", "platform", "ml-api"))),
            ("data-lake-api", Some(("data", "lake", "api"))),
            ("a-b-c-x", Some(("a-b", "c", "x"))),
            ("a-b-c", Some(("a", "b", "c"))),
            ("data-swamp-api", None),
            ("marketing-x-app", None),
        ] {
            let read = owners.read(&template, name).map(|found| (found.team, found.sub_team.unwrap_or(""), found.app));
            assert_eq!(read, expected, "{name}");
        }
    }

    #[test]
    fn owners_that_cannot_be_told_apart_are_refused() {
        let template = template("[team]-[sub-team]-[app]");
        for (json, what) in [
            (r#"{"a":["b-c"],"a-b":["c"]}"#, "another owner's images are named a-b-c-… too"),
            (r#"{"a":[]}"#, "list its sub-teams"),
            (r#"{"A":["b"]}"#, "can stand in no image name"),
            (r#"{"a":["b/c"]}"#, "can stand in no image name"),
            (r#"{"a":[""]}"#, "can stand in no image name"),
        ] {
            let (_, error) = owners(json).check(Some(&template)).expect_err(json);
            assert!(error.contains(what), "{json}: {error}");
        }
        // Told apart by length, see above.
        assert!(owners(r#"{"a":["b"],"a-b":["c"]}"#).check(Some(&template)).is_ok());
        // Should the settings not have been checked, nobody gets the name.
        assert_eq!(owners(r#"{"a":["b-c"],"a-b":["c"]}"#).read(&template, "a-b-c-x"), None);
    }

    #[test]
    fn without_sub_teams_the_team_is_the_owner() {
        let owners = owners(r#"{"a":[],"a-b":[]}"#);
        let template = template("[team]-[app]");
        assert!(owners.check(Some(&template)).is_ok());
        assert_eq!(owners.read(&template, "a-b-c").map(|found| found.team), Some("a-b"));
        assert_eq!(owners.listed(false), "a, a-b");
        assert!(owners.has("a", None) && !owners.has("a", Some("x")) && !owners.has("b", None));
    }
}
