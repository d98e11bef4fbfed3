//! Requires images that CI has signed, and pins them to what was verified.
//!
//! ```text
//! rule ──┬─► settings ──► identity   who may sign, and what proves nothing
//!        │                  ├─► github    workflows of GitHub Actions ─┐
//!        │                  ├─► keyless   other CI ────────────────────┴─► git_ref   branches and tags
//!        │                  └─► pem       keys and certificates
//!        └─► verification   what the host says, once per image
//!              └─► question   the wire format of `oci/v2/verify`
//! ```

mod git_ref;
mod github;
mod identity;
mod keyless;
mod pem;
mod question;
mod rule;
mod settings;
mod verification;

pub use rule::RequireCiSignature;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<RequireCiSignature>();
}
