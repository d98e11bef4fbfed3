//! The bundle-tests crate.
