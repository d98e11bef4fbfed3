//! Requires containers that run one app, which becomes process 1.
//!
//! ```text
//! rule ──┬─► process    what the Pod says: command, args, probes, hooks
//!        │     └─► variables  $(NAME), as the kubelet expands it
//!        ├─► inspect    what the image says: ENTRYPOINT and CMD
//!        ├─► judge      what a command line starts
//!        │     ├─► launchers  what only starts its arguments: tini, env, gosu
//!        │     ├─► programs, daemons   what is known by its name
//!        │     └─► script     what a shell starts
//!        │           └─► shell      the reader of shell text
//!        └─► pod        processes that are shared
//! ```
//!
//! A Pod without a shell in its command never comes to the reader of shell text.

mod arg;
mod budget;
mod daemons;
mod inspect;
mod judge;
mod launcher_table;
mod launchers;
mod pod;
mod process;
mod programs;
mod rule;
mod script;
mod settings;
mod shell;
mod variables;

pub use rule::RequireSingleApp;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<RequireSingleApp>();
}
