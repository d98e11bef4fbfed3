//! Requires globally unique image names: team, sub-team, app and the commit they were built from.

mod rule;
mod settings;

pub use rule::RequireUniqueImageName;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<RequireUniqueImageName>();
}
