//! Rejects images that match a pattern.

mod rule;
mod settings;

pub use rule::NewPolicy;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<NewPolicy>();
}
