//! What a path asks of a kubelet: the proxy of a node hands everything on, commands included.

use crate::allow::Subresource;
use crate::protection::Place;

/// What comes of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call<'p> {
    /// Something is read that is no more than metrics, status or a log.
    ReadOnly,
    /// Something is done to a container, in a namespace or in one that cannot be told.
    Container(Subresource, Place<'p>),
    /// No path that is known of a kubelet.
    Unknown,
    /// A path whose meaning depends on who cleans it.
    Unclear,
}

/// Reads the path of a `nodes/proxy` request, without its query.
///
/// What is not known is not read-only: `/logs` serves `/var/log` and follows links out of it, `/debug` profiles
/// and changes flags, and the next kubelet has paths that nobody has thought of. `/checkpoint` writes a
/// container's memory to a file, secrets included, which is as good as a command in it.
pub(crate) fn read(path: &str) -> Call<'_> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    let Some(relative) = path.strip_prefix('/') else {
        return Call::Unclear;
    };
    let relative = relative.strip_suffix('/').unwrap_or(relative);
    // The API server cleans the path only after admission: %2e, "..", "//", "?" and ";" all end elsewhere.
    if !relative.bytes().all(is_plain) || relative.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Call::Unclear;
    }
    let mut segments = relative.split('/');
    let subresource = match segments.next().unwrap_or_default() {
        "metrics" | "stats" | "pods" | "runningpods" | "healthz" | "configz" | "containerLogs" => {
            return Call::ReadOnly;
        }
        "exec" | "run" | "checkpoint" => Subresource::Exec,
        "attach" => Subresource::Attach,
        "portForward" => Subresource::PortForward,
        // Behind /cri stands a token that says nothing about the container.
        "cri" => return Call::Container(Subresource::Exec, Place::Everywhere),
        _ => return Call::Unknown,
    };
    let place = match (segments.next(), segments.next()) {
        (Some(namespace), Some(_pod)) if is_namespace(namespace) => Place::Namespace(namespace),
        _ => Place::Everywhere,
    };
    Call::Container(subresource, place)
}

fn is_namespace(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_the_kubelet_makes_of_it() {
        let shop = Place::Namespace("shop");
        for (path, expected) in [
            ("/metrics", Call::ReadOnly),
            ("/metrics/cadvisor", Call::ReadOnly),
            ("/stats/summary", Call::ReadOnly),
            ("/pods", Call::ReadOnly),
            ("/runningpods/", Call::ReadOnly),
            ("/healthz", Call::ReadOnly),
            ("/configz", Call::ReadOnly),
            ("/containerLogs/shop/web-0/web", Call::ReadOnly),
            ("/exec/shop/web-0/web", Call::Container(Subresource::Exec, shop)),
            ("/exec/shop/web-0/5c1f-uid/web", Call::Container(Subresource::Exec, shop)),
            ("/run/shop/web-0/web", Call::Container(Subresource::Exec, shop)),
            ("/run/shop/web-0/web/", Call::Container(Subresource::Exec, shop)),
            ("/attach/shop/web-0/web", Call::Container(Subresource::Attach, shop)),
            ("/portForward/shop/web-0", Call::Container(Subresource::PortForward, shop)),
            ("/checkpoint/shop/web-0/web", Call::Container(Subresource::Exec, shop)),
            ("/cri/exec/q8kTB4", Call::Container(Subresource::Exec, Place::Everywhere)),
            ("/exec", Call::Container(Subresource::Exec, Place::Everywhere)),
            ("/exec/shop", Call::Container(Subresource::Exec, Place::Everywhere)),
            ("/exec/SHOP/web-0/web", Call::Container(Subresource::Exec, Place::Everywhere)),
            ("/logs/", Call::Unknown),
            ("/debug/pprof/profile", Call::Unknown),
            ("/metrics/../exec/shop/web-0/web", Call::Unclear),
            ("/metrics/%2e%2e/exec/shop/web-0/web", Call::Unclear),
            ("/metrics/./x", Call::Unclear),
            ("//exec/shop/web-0/web", Call::Unclear),
            ("/pods//../run/shop/web-0/web", Call::Unclear),
            ("/exec//shop/web-0/web", Call::Unclear),
            ("/EXEC/shop/web-0/web", Call::Unknown),
            ("/metrics?x=/exec", Call::Unclear),
            ("/metrics;/exec", Call::Unclear),
            ("/metrics\\..\\exec", Call::Unclear),
            ("/métrics", Call::Unclear),
            ("metrics", Call::Unclear),
            ("/", Call::Unclear),
            ("", Call::Unclear),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
    }
}
