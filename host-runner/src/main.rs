//! Runs Kubewarden policies on plain manifests.
fn main() {}
