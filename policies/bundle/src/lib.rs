//! The policies of this project as Kubewarden runs them: WebAssembly modules with their metadata inside.
//!
//! The build script compiles them, so that `cargo run` alone is enough. This is the one place in which
//! host-runner and the policies meet, and they meet as bytes.

/// A policy that comes with the binary.
#[derive(Debug, Clone, Copy)]
pub struct BundledPolicy {
    /// Its name, the same as its folder's and its metadata's title.
    pub name: &'static str,
    /// The annotated module.
    pub wasm: &'static [u8],
}

/// All policies, sorted by name.
pub const POLICIES: &[BundledPolicy] = &include!(concat!(env!("OUT_DIR"), "/policies.rs"));

/// The policy of this name.
pub fn policy(name: &str) -> Option<&'static BundledPolicy> {
    POLICIES.iter().find(|policy| policy.name == name)
}

/// Examples of policy groups over these policies, as YAML: a list of `name`, `about`, `expression`, `message` and
/// `policies`, a map from a member's name to its `policy` and, where they matter, `settings`.
pub const GROUPS: &str = include_str!("../groups.yaml");
