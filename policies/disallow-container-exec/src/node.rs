//! Pods that are a shell on the node, from which every container of every namespace is one `nsenter` away.

use policy_kit::{Json, Verdict};

use crate::allow::Subresource;
use crate::context::{Context, Deed};
use crate::debug::is_set;
use crate::protection::Place;

/// Judges a pod that a person creates, in whichever namespace: a node belongs to none of them.
///
/// `kubectl debug node/worker-1` mounts the root directory or shares the node's processes, by its profile;
/// `kubectl node-shell` and its like enter them with privileges. Whether the pod also names its node makes no
/// difference, labels place it as well.
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
        if let Some(what) = volume.get("hostPath").get("path").as_str().and_then(way_into_containers) {
            let name = volume.get("name").text();
            judge(what, "mounted by a person's Pod", &format!("spec.volumes[{index}] {name:?}"));
        }
    }
    // Root reads the files and the environment of every process that it sees, and needs no privilege for it.
    if is_set(spec.get("hostPID")) {
        judge("hostPID", "set in a person's Pod", "spec");
    }
    for (list, containers) in ["containers", "initContainers"].map(|list| (list, spec.get(list).items())) {
        for (index, container) in containers.iter().enumerate() {
            let has_terminal = is_set(container.get("stdin")) || is_set(container.get("tty"));
            if has_terminal && owns_the_node(spec, container) {
                let name = container.get("name").text();
                judge(
                    "a terminal with the node's privileges",
                    "set in a person's Pod",
                    &format!("spec.{list}[{index}] {name:?}"),
                );
            }
        }
    }
    verdict
}

/// Whether a container may do to the node whatever it likes: load a module, mount a disk, read any file.
fn owns_the_node(spec: &Json<'_>, container: &Json<'_>) -> bool {
    const OWNING: [&str; 6] = ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH"];
    let security = container.get("securityContext");
    let added = security.get("capabilities").get("add").items();
    let owns = |capability: &str| {
        let name = capability
            .get(..4)
            .filter(|start| start.eq_ignore_ascii_case("CAP_"))
            .map_or(capability, |_| &capability[4..]);
        OWNING.iter().any(|wanted| name.eq_ignore_ascii_case(wanted))
    };
    let is_host_process = |security: &Json<'_>| is_set(security.get("windowsOptions").get("hostProcess"));
    is_set(security.get("privileged"))
        || is_host_process(security)
        || is_host_process(spec.get("securityContext"))
        || added.iter().any(|capability| owns(capability.text()))
}

/// What a path of the node is, if it leads into containers, in any spelling.
fn way_into_containers(path: &str) -> Option<&'static str> {
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
    // `/var/run` is a link to `/run`.
    let below_run = match cleaned.as_slice() {
        ["var", "run", rest @ ..] | ["run", rest @ ..] => Some(rest),
        _ => None,
    };
    const RUNTIMES: [&str; 6] = ["containerd", "crio", "docker", "k3s", "cri-dockerd", "podman"];
    let is_of_runtime = |name: &str| {
        RUNTIMES
            .iter()
            .any(|runtime| name.strip_prefix(runtime).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    match (cleaned.as_slice(), below_run) {
        ([], _) => (!path.is_empty()).then_some("the node's root directory"),
        // Each process' `root` and `cwd` lead to the node's or to a container's files.
        (["proc", ..], _) => Some("the node's /proc"),
        (_, Some([])) => Some("the container runtime's socket"),
        (_, Some([name, ..])) if is_of_runtime(name) => Some("the container runtime's socket"),
        (["var"] | ["var", "lib"], _) => Some("the files of containers"),
        (["var", "lib", name, ..], _) if *name == "kubelet" || is_of_runtime(name) || *name == "containers" => {
            Some("the files of containers")
        }
        _ => is_drive(path).then_some("the node's root directory"),
    }
}

#[cfg(test)]
mod tests {
    use super::way_into_containers;

    #[test]
    fn the_ways_into_containers_have_many_spellings() {
        let (root, proc) = (Some("the node's root directory"), Some("the node's /proc"));
        let (socket, files) = (Some("the container runtime's socket"), Some("the files of containers"));
        for (path, expected) in [
            ("/", root),
            ("//", root),
            ("/.", root),
            ("/etc/..", root),
            ("/../", root),
            ("C:\\", root),
            ("c:/", root),
            ("/proc", proc),
            ("/proc/1", proc),
            ("/proc/1/root", proc),
            ("/proc/self/task/1/cwd/", proc),
            ("/run", socket),
            ("/var/run/", socket),
            ("/var/run/docker.sock", socket),
            ("/run/containerd/containerd.sock", socket),
            ("/run/k3s", socket),
            ("/var/lib/kubelet/pods", files),
            ("/var/lib/containerd", files),
            ("/var/lib/docker/overlay2", files),
            ("/var", files),
            ("/var/log", None),
            ("/var/lib/postgres", None),
            ("/run/my-agent", None),
            ("/run/dockerish", None),
            ("/srv/root", None),
            ("C:\\data", None),
            ("", None),
        ] {
            assert_eq!(way_into_containers(path), expected, "{path:?}");
        }
    }
}
