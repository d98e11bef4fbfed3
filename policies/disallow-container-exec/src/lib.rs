//! Disallows shells in production containers: exec, attach, debug pods and the roles that grant them.
//!
//! ```text
//! rule ─┬─ connect ── kubelet    exec, attach, port-forward, proxy; what a nodes/proxy path asks of a kubelet
//!       ├─ debug ──── node       interactive, ephemeral and node-debugging pods
//!       ├─ roles ─────┬─ rbac    what a rule of a role grants, as the API server reads it
//!       ├─ bindings ──┘          who gets it; lookup and aggregation ask the cluster what a role holds
//!       └─ namespaces            labels that must not be taken off
//! ```
//!
//! All of them ask `protection` whether a namespace is protected and `allow` whether somebody is excused.

mod aggregation;
mod allow;
mod bindings;
mod connect;
mod context;
mod debug;
mod known;
mod kubelet;
mod lookup;
mod namespaces;
mod node;
mod protection;
mod rbac;
mod roles;
mod rule;
mod selector;
mod settings;

pub use allow::{Entry, Subresource, Until};
pub use rule::DisallowContainerExec;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<DisallowContainerExec>();
}
