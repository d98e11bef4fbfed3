//! Requires images that are built on an approved distroless base, proven by their layers, or from scratch.
//!
//! ```text
//! rule ──► judge ──┬─► bases     the layers of approved and denied bases
//!                  ├─► facts     what an image says of itself: layers, history, how it starts
//!                  │     ├─► history   what a line of the history tells
//!                  │     │     ├─► copied     what a COPY does
//!                  │     │     └─► directory  and where
//!                  │     ├─► start     whether it begins with a shell
//!                  │     ├─► launchers programs that only start another
//!                  │     └─► programs  shells and package managers by name
//!                  ├─► scratch   whether the history explains an image without a base
//!                  └─► finding   what is wrong, in words; text, those of a registry
//! ```

mod bases;
mod copied;
mod directory;
mod facts;
mod finding;
mod history;
mod judge;
mod launchers;
mod programs;
mod rule;
mod scratch;
mod settings;
mod start;
mod text;

pub use rule::RequireDistrolessBase;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<RequireDistrolessBase>();
}
