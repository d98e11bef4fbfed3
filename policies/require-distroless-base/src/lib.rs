//! Requires images that are built on an approved distroless base, proven by their layers, or from scratch.
//!
//! ```text
//! rule ──► judge ──┬─► bases     the layers of approved and denied bases
//!                  ├─► facts     what an image says of itself: layers, history, how it starts
//!                  │     ├─► history   what a line of the history tells; copied, what a COPY does
//!                  │     ├─► start     whether it begins with a shell
//!                  │     └─► programs  shells and package managers by name
//!                  ├─► scratch   whether the history explains an image without a base
//!                  └─► finding   what is wrong, in words
//! ```

mod bases;
mod copied;
mod facts;
mod finding;
mod history;
mod judge;
mod programs;
mod rule;
mod scratch;
mod settings;
mod start;

pub use rule::RequireDistrolessBase;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<RequireDistrolessBase>();
}
