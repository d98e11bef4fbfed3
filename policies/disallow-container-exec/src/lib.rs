//! Disallows shells in production containers: exec, attach, debug pods and the roles that grant them.

mod rule;
mod settings;

pub use rule::DisallowContainerExec;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<DisallowContainerExec>();
}
