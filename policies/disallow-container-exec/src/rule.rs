//! The rule, free of Kubewarden's wire format.

use policy_kit::{Host, Policy, Request, Verdict};

use crate::settings::Settings;

/// See the crate's documentation.
#[derive(Debug)]
pub struct DisallowContainerExec;

impl Policy for DisallowContainerExec {
    type Settings = Settings;

    fn judge(_request: &Request<'_>, _settings: &Settings, _host: &dyn Host) -> Verdict {
        Verdict::default()
    }
}
