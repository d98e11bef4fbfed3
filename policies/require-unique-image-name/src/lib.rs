//! Requires globally unique image names: team, sub-team, app and the commit they were built from.
//!
//! ```text
//! rule ──┬─► naming     what a reference says: owner, app and commit
//!        │     ├─► template   the shape of a name
//!        │     └─► owners     the teams and sub-teams that exist
//!        ├─► namespace  whose Namespace the object is in
//!        └─► revision   which commit the image says it was built from
//! ```

mod namespace;
mod naming;
mod owners;
mod revision;
mod rule;
mod settings;
mod template;

pub use rule::RequireUniqueImageName;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<RequireUniqueImageName>();
}
