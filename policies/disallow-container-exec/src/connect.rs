//! CONNECT requests: exec, attach, port-forward, and the proxies of pods, services and nodes.

use policy_kit::{Level, Verdict, Violation};

use crate::allow::Subresource;
use crate::context::{Context, Deed};
use crate::kubelet::{self, Call};
use crate::protection::{Place, protected};

const NO_SHELL: &str = "read its logs and metrics, or ask for an entry in the policy's allow setting";
const NO_PORT: &str = "reach it through its Service, or ask for an entry in the policy's allow setting";
const KUBELET_PORT: &str = "10250";
const NO_KUBELET: &str = "read /metrics, /stats, /pods, /runningpods, /healthz, /configz or /containerLogs, \
                          or ask for an entry in the policy's allow setting";

/// Judges a connection. The options are not looked at: which command is run makes no difference, since `tar`,
/// which is how `kubectl cp` works, reads and writes as well as a shell does.
pub(crate) fn judge(context: &Context<'_>) -> Verdict {
    let request = context.request;
    let place = Place::Namespace(request.namespace());
    let connection = (request.resource_group(), request.resource(), request.sub_resource());
    let (kind, what, subresource) = match connection {
        ("", "pods", "exec") => ("pod", "exec", Subresource::Exec),
        ("", "pods", "attach") => ("pod", "attach", Subresource::Attach),
        ("", "pods", "portforward") => ("pod", "port-forward", Subresource::PortForward),
        // A proxy reaches the same debug ports as a port-forward, if only with HTTP.
        ("", "pods", "proxy") => ("pod", "the API server's proxy", Subresource::Proxy),
        ("", "services", "proxy") => ("service", "the API server's proxy", Subresource::Proxy),
        ("", "nodes", "proxy") => return judge_node(context),
        _ => return judge_unknown(context, place),
    };
    let is_shell = matches!(subresource, Subresource::Exec | Subresource::Attach);
    let (level, way_out) = if is_shell { (Level::Reject, NO_SHELL) } else { (context.settings.port_forward, NO_PORT) };
    let deed = Deed { what: (what, "used"), way_out, place, needs: &[subresource], level };
    context.judge(&deed, &format_args!("{kind} {}/{}", request.namespace(), request.name()))
}

fn judge_node(context: &Context<'_>) -> Verdict {
    let node = format!("node {}", context.request.name());
    let port_forward = context.settings.port_forward;
    let path = context.request.object.get("path").text();
    let call = kubelet::read(path);
    // `https:worker-1:9100` is not the kubelet but whatever listens there. A kubelet may listen there all the same,
    // so what would be a command to it stays one.
    let is_to_another_port = match (call, port_of(context.request.name())) {
        (Call::ReadOnly, port) => !matches!(port, "" | KUBELET_PORT),
        (Call::Unknown, port) => is_another_port(port),
        _ => false,
    };
    if is_to_another_port {
        let what = ("the API server's proxy to a port of a node", "used");
        let way_out = "leave the port out to reach the kubelet";
        let needs = &[Subresource::Proxy];
        let deed = Deed { what, way_out, place: Place::Everywhere, needs, level: port_forward };
        return context.judge(&deed, &node);
    }
    let (subresource, place, level) = match call {
        Call::ReadOnly => return Verdict::default(),
        Call::Container(Subresource::PortForward, place) => (Subresource::PortForward, place, port_forward),
        Call::Container(subresource, place) => (subresource, place, Level::Reject),
        // An excuse that holds everywhere covers paths that nobody can place.
        Call::Unknown | Call::Unclear => (Subresource::Exec, Place::Everywhere, Level::Reject),
    };
    let what = format!("kubelet path {path:?}");
    let deed = Deed { what: (&what, "used"), way_out: NO_KUBELET, place, needs: &[subresource], level };
    context.judge(&deed, &node)
}

/// The port with which a node is named: `worker-1:9100`, `http:worker-1:9100`.
fn port_of(name: &str) -> &str {
    name.rsplit_once(':').map_or("", |(_, port)| port)
}

/// Whether a port is surely not the kubelet's usual one, however it is spelled.
fn is_another_port(port: &str) -> bool {
    port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() != KUBELET_PORT)
}

/// A connection of a kind that this policy has never heard of may well be a shell.
fn judge_unknown(context: &Context<'_>, place: Place<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let request = context.request;
    if let Some(place) = protected(place, context.settings, context.host) {
        let connection = format!("{}/{}", request.resource(), request.sub_resource());
        let must_hold = format!("is a connection that cannot be judged, so it must not be used in {place}");
        verdict.reject(Violation::at(&connection, must_hold));
    }
    verdict
}
