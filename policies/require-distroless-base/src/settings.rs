//! What the cluster operator may configure.

use policy_kit::{ImagePattern, Platform, Reference, is_digest, settings_error};
use serde::Deserialize;

use crate::facts::{MOST_LAYERS, is_empty_layer};

/// Which bases images may have, and which not.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The bases that images may be built on.
    pub(crate) approved_bases: Vec<Base>,
    /// The bases that they may not be built on, though they begin like an approved one.
    pub(crate) denied_bases: Vec<Base>,
    /// Whether an image may have no base at all.
    pub(crate) allow_scratch: bool,
    /// The platforms that nodes have; empty for any.
    pub(crate) platforms: Vec<Platform>,
    /// Images that may be built on anything.
    pub(crate) exempt_images: Vec<ImagePattern>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            approved_bases: Vec::new(),
            denied_bases: Vec::new(),
            allow_scratch: true,
            platforms: Vec::new(),
            exempt_images: Vec::new(),
        }
    }
}

/// A base: an image whose layers are looked up, or layers with a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Base {
    /// The image whose layers are looked up.
    pub(crate) image: Option<String>,
    /// What messages call the layers.
    pub(crate) name: Option<String>,
    /// The layers, from the first on.
    pub(crate) diff_ids: Vec<String>,
}

impl Base {
    /// What messages call it.
    pub(crate) fn label(&self) -> &str {
        self.image.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }

    fn check(&self, is_approved: bool) -> Result<(), (&'static str, String)> {
        const SHAPES: &str = "write either image, or name and diffIds";
        match (&self.image, &self.name, self.diff_ids.as_slice()) {
            (Some(image), None, []) => check_image(image, is_approved).map_err(|mistake| ("image", mistake)),
            (Some(_), _, _) => Err(("image", format!("is given beside layers or a name: {SHAPES}"))),
            (None, None, []) => Err(("", SHAPES.to_owned())),
            (None, None, _) => Err(("name", "say what these layers are, such as static, July 2026".to_owned())),
            (None, Some(name), _) if name.trim().is_empty() || name.chars().any(char::is_control) => {
                Err(("name", format!("{name:?} is no name: say what these layers are, such as static, July 2026")))
            }
            (None, Some(_), diff_ids) => check_chain(diff_ids).map_err(|mistake| ("diffIds", mistake)),
        }
    }
}

fn check_image(image: &str, is_approved: bool) -> Result<(), String> {
    let reference = Reference::parse(image).map_err(|error| format!("{image:?} is not a valid reference: {error}"))?;
    // Google's debug variants, and those of Chainguard.
    let tag = reference.tag().unwrap_or_default().to_ascii_lowercase();
    if is_approved && (tag.split(['-', '_', '.']).any(|part| part == "debug") || tag.ends_with("-dev")) {
        return Err(format!(
            "{image} is a debug variant, which has a shell: write the variant without, or put it into deniedBases"
        ));
    }
    Ok(())
}

fn check_chain(diff_ids: &[String]) -> Result<(), String> {
    if diff_ids.is_empty() {
        return Err("list its layers, from the first on: crane config IMAGE | jq .rootfs.diff_ids".to_owned());
    }
    if diff_ids.len() > MOST_LAYERS {
        return Err(format!("has {} layers, more than the {MOST_LAYERS} that any image has", diff_ids.len()));
    }
    if let Some(wrong) = diff_ids.iter().find(|id| !is_digest(id)) {
        return Err(format!("{wrong:?} is not a digest: write sha256: and 64 lower-case hexadecimal digits"));
    }
    if diff_ids.iter().all(|id| is_empty_layer(id)) {
        return Err(
            "is the empty layer alone, with which any image may begin: list layers that hold something".to_owned()
        );
    }
    Ok(())
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.approved_bases.is_empty() {
            return Err(settings_error(
                "approvedBases",
                "list at least one base, such as image: registry.corp.example/distroless/static:nonroot",
            ));
        }
        let keyed = |key: &'static str, bases: &'_ [Base], is_approved: bool| {
            for (index, base) in bases.iter().enumerate() {
                let place = format!("{key}[{index}]");
                base.check(is_approved).map_err(|(member, mistake)| match member {
                    "" => settings_error(&place, mistake),
                    member => settings_error(&format!("{place}.{member}"), mistake),
                })?;
                let twin = bases.iter().take(index).position(|earlier| is_same(earlier, base));
                if let Some(earlier) = twin {
                    return Err(settings_error(&place, format!("is {key}[{earlier}] once more: remove one")));
                }
            }
            Ok(())
        };
        keyed("approvedBases", &self.approved_bases, true)?;
        keyed("deniedBases", &self.denied_bases, false)?;
        for (index, approved) in self.approved_bases.iter().enumerate() {
            let denied =
                self.denied_bases.iter().position(|denied| is_same(approved, denied) || begins_with(approved, denied));
            if let Some(denied) = denied {
                return Err(settings_error(
                    &format!("approvedBases[{index}]"),
                    format!(
                        "begins with deniedBases[{denied}], so nothing on it would be accepted: remove one of them"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The approved bases for messages; a few of them, as there may be a long list of old ones.
    pub(crate) fn approved(&self) -> String {
        const MOST: usize = 3;
        let labels: Vec<&str> = self.approved_bases.iter().take(MOST).map(Base::label).collect();
        match self.approved_bases.len().saturating_sub(MOST) {
            0 => labels.join(", "),
            more => format!("{} and {more} more", labels.join(", ")),
        }
    }
}

fn is_same(a: &Base, b: &Base) -> bool {
    match (&a.image, &b.image) {
        (Some(a), Some(b)) => match (Reference::parse(a), Reference::parse(b)) {
            (Ok(a), Ok(b)) => a.pinned() == b.pinned(),
            _ => a == b,
        },
        (None, None) => a.diff_ids == b.diff_ids,
        _ => false,
    }
}

fn begins_with(base: &Base, start: &Base) -> bool {
    !start.diff_ids.is_empty() && base.diff_ids.starts_with(&start.diff_ids)
}

#[cfg(test)]
mod tests {
    use policy_kit::{Json, read_settings};

    use super::*;

    fn checked(json: &str) -> Result<Settings, String> {
        let settings: Settings = read_settings(&Json::parse(json).expect("JSON"))?;
        settings.check().map(|()| settings)
    }

    fn pinned(name: &str, letters: &str) -> String {
        let ids: Vec<String> = letters.chars().map(|c| format!("\"sha256:{}\"", c.to_string().repeat(64))).collect();
        format!(r#"{{"name":"{name}","diffIds":[{}]}}"#, ids.join(","))
    }

    #[test]
    fn a_base_that_says_nothing_is_refused() {
        let both = format!(r#"{{"image":"r.io/a:1",{}"#, &pinned("a", "a")[1..]);
        let empty = r#"{"name":"a","diffIds":["sha256:84ff92691f909a05b224e1c56abb4864f01b4f8e3c854e4bb4c7baf1d3f6d652","sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}"#;
        for (base, expected) in [
            ("{}", "approvedBases[0]: write either image, or name and diffIds"),
            (r#"{"name":"a"}"#, "approvedBases[0].diffIds: list its layers"),
            (r#"{"name":"a","diffIds":[]}"#, "approvedBases[0].diffIds: list its layers"),
            (&pinned("", "a"), "approvedBases[0].name: \"\" is no name"),
            (&pinned("a", "a").replace(r#""name":"a","#, ""), "approvedBases[0].name: say what"),
            (r#"{"name":"a","diffIds":["sha256:A"]}"#, "approvedBases[0].diffIds: \"sha256:A\" is not a digest"),
            (empty, "approvedBases[0].diffIds: is the empty layer"),
            (&both, "approvedBases[0].image: is given beside layers"),
            (r#"{"image":"r.io/a:1","name":"a"}"#, "approvedBases[0].image: is given beside layers"),
            (r#"{"image":"R.io/A:1"}"#, "approvedBases[0].image: \"R.io/A:1\" is not a valid reference"),
            (r#"{"image":""}"#, "approvedBases[0].image: \"\" is not a valid reference"),
            (r#"{"image":"r.io/static:debug"}"#, "approvedBases[0].image: r.io/static:debug is a debug variant"),
            (
                r#"{"image":"r.io/static:debug-nonroot-amd64"}"#,
                "approvedBases[0].image: r.io/static:debug-nonroot-amd64 is",
            ),
            (
                r#"{"image":"cgr.dev/chainguard/python:latest-dev"}"#,
                "approvedBases[0].image: cgr.dev/chainguard/python:latest-dev is",
            ),
            (r#"{"image":"r.io/static:DEBUG"}"#, "approvedBases[0].image: r.io/static:DEBUG is a debug variant"),
            (r#"{"diffids":[]}"#, "approvedBases[0].diffids: unknown field `diffids`"),
            (r#""r.io/a""#, "approvedBases[0]: invalid type"),
        ] {
            let error = checked(&format!(r#"{{"approvedBases":[{base}]}}"#)).expect_err(base);
            assert!(error.starts_with(expected), "{base}: {error}");
        }
        assert!(checked("{}").expect_err("nothing").starts_with("approvedBases: list at least one base"));
    }

    #[test]
    fn bases_that_contradict_each_other_are_refused() {
        for (approved, denied, expected) in [
            (vec![pinned("a", "ab"), pinned("b", "ab")], vec![], "approvedBases[1]: is approvedBases[0] once more"),
            (vec![pinned("a", "ab")], vec![pinned("c", "a")], "approvedBases[0]: begins with deniedBases[0]"),
            (vec![pinned("a", "ab")], vec![pinned("c", "d"), pinned("e", "d")], "deniedBases[1]: is deniedBases[0]"),
            (
                vec![r#"{"image":"nginx"}"#.to_owned(), r#"{"image":"docker.io/library/nginx:latest"}"#.to_owned()],
                vec![],
                "approvedBases[1]: is approvedBases[0] once more",
            ),
            (
                vec![r#"{"image":"r.io/a:1"}"#.to_owned()],
                vec![r#"{"image":"r.io/a:1"}"#.to_owned()],
                "approvedBases[0]: begins with deniedBases[0]",
            ),
        ] {
            let json = format!(r#"{{"approvedBases":[{}],"deniedBases":[{}]}}"#, approved.join(","), denied.join(","));
            let error = checked(&json).expect_err(expected);
            assert!(error.starts_with(expected), "{error}");
        }
        let debug = format!(r#"{{"approvedBases":[{}],"deniedBases":[{}]}}"#, pinned("a", "ab"), pinned("b", "abc"));
        assert!(checked(&debug).is_ok());
    }

    #[test]
    fn the_defaults_are_those_of_the_practice() {
        let settings = checked(&format!(r#"{{"approvedBases":[{}]}}"#, pinned("a", "a"))).expect("settings");
        assert!(settings.allow_scratch && settings.platforms.is_empty() && settings.denied_bases.is_empty());
        let many: Vec<String> = "abcde".chars().map(|c| pinned(&c.to_string(), &c.to_string())).collect();
        let settings = checked(&format!(r#"{{"approvedBases":[{}]}}"#, many.join(","))).expect("settings");
        assert_eq!(settings.approved(), "a, b, c and 2 more");
    }
}
