//! Requires a fresh vulnerability report, within limits, of every image that runs.
//!
//! ```text
//! rule ──► inspection   one image: is it scanned, how fresh, how bad
//!            ├─► subject      what must be scanned: the digest, and that of each platform
//!            ├─► catalog      which reports there are, and what they are about
//!            │     ├─► source       what the two scanners write, and where
//!            │     └─► scan_jobs    when sbomscanner scanned
//!            ├─► coverage     which of them prove that the image is scanned
//!            └─► findings     what one report found, counted
//!                  ├─► severity     how bad, and how many of it are too many
//!                  └─► exception    what does not count, for whom and until when
//! ```

mod catalog;
mod coverage;
mod exception;
mod findings;
mod inspection;
mod max_age;
mod rule;
mod scan_jobs;
mod settings;
mod severity;
mod shown;
mod source;
mod subject;

pub use rule::RequireFreshScan;
pub use settings::Settings;

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "waPC looks the function up by this exact name")]
#[unsafe(no_mangle)]
extern "C" fn wapc_init() {
    policy_kit::register::<RequireFreshScan>();
}
