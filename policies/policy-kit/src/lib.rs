//! What the policies of this project share; it holds no rule of its own.
//!
//! A policy is a type that implements [`Policy`]: settings in, a [`Request`] in, a [`Verdict`] out.
//! [`register`] puts it behind the waPC functions that Kubewarden calls.
//!
//! ```text
//! guest ── reads the payload, answers ──► Policy::judge(request, settings, host) ─► Verdict
//!   │                                          │
//!   ├─ settings   messages that name the key   ├─ template   pod templates, found by structure
//!   ├─ json       borrowed from the payload    ├─ image      the places where a pod names an image
//!   └─ verdict    violations, edits, warnings  ├─ image_rule the walk over them, and what an UPDATE left alone
//!                                              ├─ reference  what the kubelet would pull
//!                                              ├─ pattern    which images a setting means
//!                                              ├─ cluster    what the API server knows
//!                                              ├─ oci        what the registry knows
//!                                              └─ platform   which images of an index a node could run
//! ```
//!
//! policy-server makes a fresh instance for every request, so nothing here is cached or built lazily.

pub mod clock;
pub mod cluster;
mod expression;
mod glob;
mod guest;
mod image;
mod image_rule;
mod json;
pub mod oci;
mod pattern;
mod platform;
mod reference;
mod registry;
mod registry_host;
mod request;
mod settings;
mod template;
mod text;
mod verdict;

pub use expression::Expression;
pub use glob::glob_matches;
pub use guest::{GuestHost, Host, Policy, evaluate, register};
pub use image::{ImageUse, Images, images};
pub use image_rule::{is_exempt, is_filled_in_later, readable_images};
pub use json::{Json, Malformed, Mistake, Object};
pub use pattern::ImagePattern;
pub use platform::{Platform, chosen_by, could_run};
pub use reference::{Reference, ReferenceError, is_digest, is_path_component};
pub use registry::{RegistryPrefix, SHARED_REGISTRIES};
pub use request::{Operation, Request, UserInfo};
pub use settings::{Level, read_settings, settings_error};
pub use template::{Path, PodTemplate, Segment, pod_templates};
pub use text::{Shown, is_invisible};
pub use verdict::{Edit, Verdict, Violation};
