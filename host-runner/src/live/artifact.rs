//! Policies as artifacts in registries.

/// The media types under which registries hold WebAssembly: Kubewarden's, and that of the OCI working group.
pub(super) const LAYER_TYPES: [&str; 2] = ["application/vnd.wasm.content.layer.v1+wasm", "application/wasm"];
