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
    if is_host_process(spec) {
        judge("hostProcess", "set in a person's Pod", "spec");
    }
    let is_pinned = !spec.get("nodeName").is_null();
    for (list, containers) in ["containers", "initContainers"].map(|list| (list, spec.get(list).items())) {
        for (index, container) in containers.iter().enumerate() {
            let has_terminal = is_set(container.get("stdin")) || is_set(container.get("tty"));
            let what = match (is_host_process(container), has_terminal, is_pinned) {
                (true, ..) => "hostProcess",
                (false, true, _) if owns_the_node(container) => "a terminal with the node's privileges",
                (false, _, true) if owns_the_node(container) => "nodeName with the node's privileges",
                _ => continue,
            };
            let name = container.get("name").text();
            judge(what, "set in a person's Pod", &format!("spec.{list}[{index}] {name:?}"));
        }
    }
    verdict
}

/// Whether a pod spec or a container asks to be a process of a Windows node.
fn is_host_process(holder: &Json<'_>) -> bool {
    is_set(holder.get("securityContext").get("windowsOptions").get("hostProcess"))
}

/// Whether a container may do to the node whatever it likes: load a module, mount a disk, read any file.
fn owns_the_node(container: &Json<'_>) -> bool {
    const OWNING: [&str; 6] = ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH"];
    let security = container.get("securityContext");
    let owns = |capability: &Json<'_>| {
        let capability = capability.text();
        let name = match capability.split_at_checked(4) {
            Some((start, name)) if start.eq_ignore_ascii_case("CAP_") => name,
            _ => capability,
        };
        OWNING.iter().any(|wanted| name.eq_ignore_ascii_case(wanted))
    };
    is_set(security.get("privileged")) || security.get("capabilities").get("add").items().iter().any(owns)
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
    let is_socket = cleaned.last().is_some_and(|name| name.ends_with(".sock") && is_of_runtime(name));
    match (cleaned.as_slice(), below_run) {
        ([], _) => (!path.is_empty()).then_some("the node's root directory"),
        // Each process' `root` and `cwd` lead to the node's or to a container's files.
        (["proc", ..], _) => Some("the node's /proc"),
        (_, Some([])) => Some("the container runtime's socket"),
        (_, Some([name, ..])) if is_of_runtime(name) => Some("the container runtime's socket"),
        _ if is_socket => Some("the container runtime's socket"),
        (["var"] | ["var", "lib"], _) => Some("the files of containers"),
        (["var", "lib", "kubelet" | "containers" | "containerd" | "docker" | "crio" | "rancher" | "k0s", ..], _) => {
            Some("the files of containers")
        }
        _ => is_drive(path).then_some("the node's root directory"),
    }
}

/// Whether a file has the name of a container runtime, or of one of its relatives: `host-containerd`.
fn is_of_runtime(name: &str) -> bool {
    ["containerd", "crio", "cri-o", "docker", "podman", "k3s", "k0s"].iter().any(|runtime| name.contains(runtime))
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
            ("/run/k3s/containerd", socket),
            ("/var/lib/kubelet/pods", files),
            ("/var/lib/containerd", files),
            ("/var/lib/docker/overlay2", files),
            ("/var", files),
            ("/var/log", None),
            ("/var/lib/postgres", None),
            ("/run/my-agent", None),
            ("/run/crio/crio.sock", socket),
            ("/run/host-containerd", socket),
            ("/var/run/dockershim.sock", socket),
            ("/var/snap/microk8s/common/run/containerd.sock", socket),
            ("/srv/docker-data", None),
            ("/var/lib/docker-registry", None),
            ("/srv/root", None),
            ("C:\\data", None),
            ("", None),
        ] {
            assert_eq!(way_into_containers(path), expected, "{path:?}");
        }
    }
}
