//! The bundle.
