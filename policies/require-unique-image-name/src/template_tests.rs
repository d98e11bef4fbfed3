use super::*;

fn template(text: &str) -> NameTemplate {
    NameTemplate::parse(text).expect("a template")
}

#[test]
fn a_name_is_read_by_its_template() {
    for (text, name, expected) in [
        ("[team]-[sub-team]-[app]", "a-b-c", Some(("a", Some("b"), "c"))),
        ("[team]-[sub-team]-[app]", "a-b-my-long-app", Some(("a", Some("b"), "my-long-app"))),
        ("[team]-[sub-team]-[app]", "a-b-my_app.v2", Some(("a", Some("b"), "my_app.v2"))),
        ("[team]-[sub-team]-[app]", "a-b", None),
        ("[team]-[sub-team]-[app]", "a--b", None),
        ("[team]-[sub-team]-[app]", "a--b-c", None),
        ("[team]-[sub-team]-[app]", "a-b--c", None),
        ("[team]-[sub-team]-[app]", "abc", None),
        ("[team]-[app]", "a-b-c", Some(("a", None, "b-c"))),
        ("[app]-[team]", "my-long-app-a", Some(("a", None, "my-long-app"))),
        ("[app].[sub-team].[team]", "my.app.b.a", Some(("a", Some("b"), "my.app"))),
        ("[team]-[app]-[sub-team]", "a-my-app-b", Some(("a", Some("b"), "my-app"))),
        ("[team]-[app]-[sub-team]", "a-b", None),
        ("img-[team]__[app]-svc", "img-a__b-svc", Some(("a", None, "b"))),
        ("img-[team]__[app]-svc", "img-a__b", None),
        ("img-[team]__[app]-svc", "a__b-svc", None),
        // The texts at both ends must not share a character.
        ("[team]-[app]-x", "a-x", None),
    ] {
        let read = template(text).read(name).map(|found| (found.team, found.sub_team, found.app));
        assert_eq!(read, expected, "{name} by {text}");
    }
}

#[test]
fn a_known_owner_may_have_dashes() {
    let template = template("[team]-[sub-team]-[app]");
    let read = template.read_as("data-platform-ml-ops-my-app", "data-platform", "ml-ops");
    assert_eq!(read, Some(Name { team: "data-platform", sub_team: Some("ml-ops"), app: "my-app" }));
    assert_eq!(template.read_as("data-platform-ml-ops", "data-platform", "ml-ops"), None);
    assert_eq!(template.read_as("data-platform-ml-opsx-y", "data-platform", "ml-ops"), None);
    assert_eq!(template.read_as("xdata-platform-ml-ops-y", "data-platform", "ml-ops"), None);
}

#[test]
fn a_template_that_cannot_work_is_refused() {
    for (text, what) in [
        ("", "must have [team] and [app] once"),
        ("[team]", "must have [team] and [app] once"),
        ("[team]-[team]-[app]", "must have [team] and [app] once"),
        ("[team]-[sub-team]-[sub-team]-[app]", "[sub-team] once at most"),
        ("[team][app]", "must have text between two placeholders"),
        ("[team]-[subteam]-[app]", "has [subteam], which is none of"),
        ("[team]-[app", "has a [ that nothing closes"),
        ("[team]-[app]:[commit]", "must be the name alone"),
        ("[team]/[app]", "must be the last component of the path"),
        ("[Team]-[app]", "has [Team]"),
        ("[team]-[app]-X", "describes names that no registry accepts"),
        ("-[team]-[app]", "describes names that no registry accepts"),
        ("[team]..[app]", "describes names that no registry accepts"),
        ("[team] [app]", "describes names that no registry accepts"),
    ] {
        let error = NameTemplate::parse(text).expect_err(text);
        assert!(error.contains(what), "{text}: {error}");
    }
}

#[test]
fn the_default_template_is_what_it_says() {
    assert_eq!(template("[team]-[sub-team]-[app]"), NameTemplate::default());
}
