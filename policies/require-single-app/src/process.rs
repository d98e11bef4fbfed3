//! The processes that a container of a Pod names.

use policy_kit::{ImageUse, Json, Segment};

use crate::arg::Arg;
use crate::judge::Role;
use crate::variables::{Variables, templated};

/// The words of one command line in the Pod.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// None; an empty list is none, too.
    Unset,
    Line(Vec<Arg>),
    /// Something else than a list of strings; what it is.
    Unreadable(&'static str),
}

/// All that a container of a Pod says about what it runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Processes {
    pub(crate) role: Role,
    pub(crate) command: Words,
    pub(crate) args: Words,
    /// The text that Tekton and Argo Workflows write into a file and run.
    pub(crate) script: Option<Arg>,
    /// Variables through which bash runs more than it is told to: the file that it reads first, and functions.
    pub(crate) preloads: Vec<String>,
    /// Whether somebody, such as a CI agent, writes to the process what it is to do.
    pub(crate) has_input: bool,
    /// Probes and lifecycle hooks by their place in the container.
    pub(crate) hooks: Vec<(&'static str, Words)>,
}

const LIFECYCLE: [(&str, &str); 2] = [("postStart", "lifecycle.postStart"), ("preStop", "lifecycle.preStop")];

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

impl Processes {
    /// Reads a container. `is_built_in` tells whether the kind is one of Kubernetes' own.
    pub(crate) fn of(used: &ImageUse<'_>, is_built_in: bool) -> Self {
        let container = used.holder;
        let variables = Variables::of(container, !is_built_in);
        let mut hooks = Vec::new();
        for (key, place) in LIFECYCLE {
            // The kubelet expands nothing here.
            let command = container.get("lifecycle").get(key).get("exec").get("command");
            hooks.push((place, words(command, Arg::known)));
        }
        for key in PROBES {
            let command = container.get(key).get("exec").get("command");
            hooks.push((key, words(command, |text| variables.expand(text))));
        }
        hooks.retain(|(_, words)| *words != Words::Unset);
        let script = [container.get("script"), container.get("source")].into_iter().find_map(Json::as_str);
        Processes {
            role: role(used),
            command: words(container.get("command"), |text| variables.expand(text)),
            args: words(container.get("args"), |text| variables.expand(text)),
            preloads: preloads(container),
            has_input: container.get("stdin").is_true(),
            script: script.filter(|script| !is_built_in && !script.trim().is_empty()).map(templated),
            hooks,
        }
    }
}

fn preloads(container: &Json<'_>) -> Vec<String> {
    let names = container.get("env").items().iter().map(|variable| variable.get("name").text());
    names.filter(|name| *name == "BASH_ENV" || name.starts_with("BASH_FUNC_")).take(4).map(str::to_owned).collect()
}

fn words(json: &Json<'_>, read: impl Fn(&str) -> Arg) -> Words {
    match json {
        Json::Null => Words::Unset,
        Json::Array(items) if items.is_empty() => Words::Unset,
        Json::Array(items) => {
            let line: Option<Vec<Arg>> = items.iter().map(|item| item.as_str().map(&read)).collect();
            line.map_or(Words::Unreadable("something else in the list"), Words::Line)
        }
        other => Words::Unreadable(other.kind()),
    }
}

fn role(used: &ImageUse<'_>) -> Role {
    let keys = used.place.segments().iter().rev().filter_map(|segment| match segment {
        Segment::Key(key) => Some(*key),
        Segment::Item(..) => None,
    });
    let ends = matches!(used.pod.get("restartPolicy").text(), "Never" | "OnFailure");
    let mut keys = keys;
    match keys.next() {
        // A sidecar of Kubernetes' own sort.
        Some("initContainers") if used.holder.get("restartPolicy").text() == "Always" => Role::App,
        Some("initContainers" | "ephemeralContainers") => Role::Step,
        // Steps of Tekton and Argo Workflows.
        Some("steps" | "stepTemplate" | "container" | "script") => Role::Task,
        Some("containers") if ends || keys.next() == Some("containerSet") => Role::Task,
        _ => Role::App,
    }
}
