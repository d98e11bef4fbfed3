//! Pods that are a shell on the node, from which every container of every namespace is one `nsenter` away.

use policy_kit::{Json, Verdict};

use crate::allow::Subresource;
use crate::context::{Context, Deed};
use crate::debug::is_set;
use crate::protection::Place;

/// Judges a pod that a person creates, in whichever namespace: a node belongs to none of them.
///
/// `kubectl debug node/worker-1` mounts the root directory; `kubectl node-shell` and its like enter the node's
/// processes instead. Whether the pod also names its node makes no difference, labels place it as well.
pub(crate) fn debugger(context: &Context<'_>, spec: &Json<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut judge = |what: &str, done: &str, place: &str| {
        let deed = Deed {
            what: (what, done),
            way_out: "use a DaemonSet, or ask for an entry in the policy's allow setting",
            place: Place::Everywhere,
            needs: &[Subresource::EphemeralContainers],
            level: context.settings.debug_pods,
        };
        verdict.add(context.judge(&deed, &place));
    };
    for (index, volume) in spec.get("volumes").items().iter().enumerate() {
        if volume.get("hostPath").get("path").as_str().is_some_and(is_root) {
            let name = volume.get("name").text();
            judge("the node's root directory", "mounted by a person's Pod", &format!("spec.volumes[{index}] {name:?}"));
        }
    }
    if is_set(spec.get("hostPID")) {
        let lists = ["containers", "initContainers"];
        for (list, containers) in lists.map(|list| (list, spec.get(list).items())) {
            for (index, container) in containers.iter().enumerate().filter(|(_, container)| may_enter(container)) {
                let name = container.get("name").text();
                judge(
                    "hostPID with the right to enter the node's processes",
                    "set in a person's Pod",
                    &format!("spec.{list}[{index}] {name:?}"),
                );
            }
        }
    }
    verdict
}

fn may_enter(container: &Json<'_>) -> bool {
    let security = container.get("securityContext");
    let added = security.get("capabilities").get("add").items();
    let enters = |capability: &str| {
        let name = capability.strip_prefix("CAP_").unwrap_or(capability);
        ["ALL", "SYS_ADMIN", "SYS_PTRACE"].iter().any(|wanted| name.eq_ignore_ascii_case(wanted))
    };
    is_set(security.get("privileged")) || added.iter().any(|capability| enters(capability.text()))
}

/// Whether a path is the root of the node in any spelling. Each process' `root` and `cwd` lead there too.
fn is_root(path: &str) -> bool {
    let is_drive = |path: &str| {
        let mut bytes = path.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
            && bytes.next() == Some(b':')
            && bytes.all(|b| matches!(b, b'/' | b'\\'))
    };
    let mut cleaned = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                cleaned.pop();
            }
            segment => cleaned.push(segment),
        }
    }
    match cleaned.as_slice() {
        [] => !path.is_empty(),
        ["proc"] => true,
        ["proc", rest @ ..] => rest.iter().any(|segment| matches!(*segment, "root" | "cwd")),
        _ => is_drive(path),
    }
}

#[cfg(test)]
mod tests {
    use super::is_root;

    #[test]
    fn the_root_has_many_spellings() {
        for (path, expected) in [
            ("/", true),
            ("//", true),
            ("/.", true),
            ("/etc/..", true),
            ("/../", true),
            ("/proc", true),
            ("/proc/1/root", true),
            ("/proc/self/task/1/cwd/", true),
            ("C:\\", true),
            ("c:/", true),
            ("/var/log", false),
            ("/proc/sys", false),
            ("/srv/root", false),
            ("C:\\data", false),
            ("", false),
        ] {
            assert_eq!(is_root(path), expected, "{path:?}");
        }
    }
}
