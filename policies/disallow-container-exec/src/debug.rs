//! Pods made for a person at a terminal: `kubectl debug` in its three modes, `kubectl run -it`.

use policy_kit::{ImageUse, Json, Level, Operation, Request, Segment, UserInfo, Verdict, Violation, images};

use crate::allow::Subresource;
use crate::context::{Context, Deed, add_unique, tolerated};
use crate::known::Known;
use crate::node;
use crate::protection::Place;

/// Judges a pod, or whatever embeds pod templates.
pub(crate) fn judge(context: &Context<'_>) -> Verdict {
    let request = context.request;
    let mut verdict = Verdict::default();
    if context.settings.debug_pods == Level::Accept {
        return verdict;
    }
    if request.object.as_object().is_none() {
        verdict.reject(Violation::general("the request holds no object to judge"));
        return verdict;
    }
    if !request.is_pod() {
        // The templates of a cluster-wide resource become pods somewhere, where they are judged again.
        let is_somewhere_else = request.namespace().is_empty() && !context.settings.protects_every_name();
        return if is_somewhere_else { verdict } else { interactive(context) };
    }
    let spec = request.object.get("spec");
    if spec.as_object().is_none() {
        verdict.reject(Violation::general("spec cannot be read: expected an object"));
        return verdict;
    }
    verdict.add(ephemeral(context, spec));
    // All that follows can be set when the pod is created, and never again.
    if request.operation() == Operation::Create {
        verdict.add(interactive(context));
        if !is_made_for_others(request) {
            verdict.add(shared_processes(context, spec));
            verdict.add(node::debugger(context, spec));
        }
    }
    verdict
}

/// Whether a pod is made because somebody else asked for it: by a controller, or by a kubelet, which mirrors static
/// pods. The API server has authenticated the user, whereas `ownerReferences` are the requester's own words: they
/// make no controller of a person, but a service account without them acts for a person. Without a credential for
/// each controller, the controller manager uses its own.
fn is_made_for_others(request: &Request<'_>) -> bool {
    let user = &request.user_info;
    let name = user.username();
    let owners = request.object.get("metadata").get("ownerReferences").items();
    let has_controller = owners.iter().any(|owner| owner.get("controller").is_true());
    let is_service_account = name.starts_with("system:serviceaccount:") && user.is_in_group("system:serviceaccounts");
    // Kubewarden's audit scanner asks about pods that are there, and names nobody who made them. The API server always
    // names a user.
    let is_nobody = name.is_empty() && !user.is_in_group("system:authenticated");
    name == "system:kube-controller-manager" || (is_service_account && has_controller) || is_kubelet(user) || is_nobody
}

fn is_kubelet(user: &UserInfo<'_>) -> bool {
    user.username().starts_with("system:node:") && user.is_in_group("system:nodes")
}

/// `kubectl debug web-0`: a container that is added to a running pod.
fn ephemeral(context: &Context<'_>, spec: &Json<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let containers = spec.get("ephemeralContainers");
    if !containers.is_null() && !matches!(containers, Json::Array(_)) {
        let found = containers.kind();
        verdict.reject(Violation::general(format!(
            "spec.ephemeralContainers cannot be read: expected a list, found {found}"
        )));
    }
    let old = Known::values(context.request.old_object.get("spec").get("ephemeralContainers").items());
    for (index, container) in containers.items().iter().enumerate().filter(|(_, container)| !old.has_value(container)) {
        let deed = Deed {
            what: ("a debug container", "added"),
            way_out: "start a copy of the workload elsewhere, or ask for an entry in the policy's allow setting",
            place: Place::Namespace(context.request.namespace()),
            needs: &[Subresource::EphemeralContainers],
            level: context.settings.debug_pods,
        };
        let name = container.get("name").text();
        verdict.add(context.judge(&deed, &format_args!("spec.ephemeralContainers[{index}] {name:?}")));
    }
    verdict
}

/// Containers that wait for somebody to attach, whoever creates them: controllers create what they are given.
fn interactive(context: &Context<'_>) -> Verdict {
    let request = context.request;
    let mut verdict = Verdict::default();
    // A mirror pod only shows what the kubelet runs anyway, and the kubelet could run it unseen.
    if request.is_pod() && is_kubelet(&request.user_info) {
        return verdict;
    }
    let strict = request.is_built_in_workload();
    let mut old = None;
    for container in images(&request.object, strict) {
        if is_unreadable(&container) {
            let found = container.holder.kind();
            verdict.reject(Violation::at(&container.place, format!("cannot be read: no container is {found}")));
            continue;
        }
        let asked = terminal(&container);
        let fields = match asked {
            (true, true) => "stdin and tty",
            (true, false) => "stdin",
            (false, true) => "tty",
            (false, false) => continue,
        };
        let deed = Deed {
            what: (fields, "set"),
            way_out: "an app needs no terminal, so leave it out",
            place: Place::Namespace(request.namespace()),
            // The pods of a built-in workload come from a controller, whom nobody should excuse.
            needs: if strict && !request.is_pod() { &[] } else { &[Subresource::Attach] },
            level: context.settings.debug_pods,
        };
        let one = context.judge(&deed, &container.place);
        let old = old.get_or_insert_with(|| old_terminals(request, strict));
        let had = |field| old.has(&key(&container, field));
        let is_unchanged = (!asked.0 || had("stdin")) && (!asked.1 || had("tty"));
        add_unique(&mut verdict, if is_unchanged { tolerated(one) } else { one });
    }
    verdict
}

/// Whether something else stands where a container or a list of them should.
fn is_unreadable(container: &ImageUse<'_>) -> bool {
    let is_list = matches!(
        container.place.segments().last(),
        Some(Segment::Key("containers" | "initContainers" | "ephemeralContainers"))
    );
    is_list || container.holder.as_object().is_none()
}

/// The terminals that containers had before an update. Where two have one name, which no pod may have, either counts.
fn old_terminals(request: &Request<'_>, strict: bool) -> Known {
    let mut terminals = Known::default();
    if request.operation() == Operation::Update {
        for container in images(&request.old_object, strict) {
            let (stdin, tty) = terminal(&container);
            for (_, field) in [(stdin, "stdin"), (tty, "tty")].into_iter().filter(|(is_set, _)| *is_set) {
                terminals.add(key(&container, field));
            }
        }
    }
    terminals
}

/// A field and where its container stands, as [`policy_kit::Path`] compares places: by names, where there are any.
fn key(container: &ImageUse<'_>, field: &str) -> String {
    let mut key = String::from(field);
    for segment in container.place.segments() {
        match segment {
            Segment::Key(name) => key.push_str(&format!(".{name:?}")),
            Segment::Item(_, Some(name)) => key.push_str(&format!("[{name:?}]")),
            Segment::Item(index, None) => key.push_str(&format!("[{index}]")),
        }
    }
    key
}

/// Whether `stdin` and `tty` are asked for.
fn terminal(container: &ImageUse<'_>) -> (bool, bool) {
    let is_ephemeral =
        container.place.segments().iter().any(|step| matches!(step, Segment::Key("ephemeralContainers")));
    if container.is_volume() || is_ephemeral {
        return (false, false);
    }
    (is_set(container.holder.get("stdin")), is_set(container.holder.get("tty")))
}

/// Whatever is not off counts as on: what is no boolean at all cannot be told to be harmless.
pub(crate) fn is_set(flag: &Json<'_>) -> bool {
    !matches!(flag, Json::Null | Json::Bool(false))
}

/// `kubectl debug web-0 --copy-to`: a copy in which the debugger sees the app's processes.
fn shared_processes(context: &Context<'_>, spec: &Json<'_>) -> Verdict {
    if !is_set(spec.get("shareProcessNamespace")) {
        return Verdict::default();
    }
    let deed = Deed {
        what: ("shareProcessNamespace of a Pod that a person creates", "set"),
        way_out: "leave it out, or create a workload whose controller creates the pods",
        place: Place::Namespace(context.request.namespace()),
        needs: &[Subresource::EphemeralContainers],
        level: context.settings.debug_pods,
    };
    context.judge(&deed, &"spec")
}
