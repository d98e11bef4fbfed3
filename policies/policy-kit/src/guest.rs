//! The waPC guest: what Kubewarden calls, and how it is answered.

use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

use kubewarden_policy_sdk::wapc_guest::{self, CallResult};
use serde::de::DeserializeOwned;

use crate::json::{Json, write_text};
use crate::request::Request;
use crate::settings::{read_settings, without_private_keys};
use crate::verdict::{Verdict, Violation};

/// A policy: one rule and its settings.
pub trait Policy {
    /// What the cluster operator configures.
    type Settings: DeserializeOwned;

    /// Checks what no single key can tell.
    ///
    /// # Errors
    ///
    /// Names the key and says what to write.
    fn check(_settings: &Self::Settings) -> Result<(), String> {
        Ok(())
    }

    /// Judges one request. Whatever cannot be read or looked up is a violation.
    fn judge(request: &Request<'_>, settings: &Self::Settings, host: &dyn Host) -> Verdict;
}

/// What a policy may ask of the outside; the cluster in production, a stand-in under test.
pub trait Host {
    /// Calls a host capability of Kubewarden.
    ///
    /// # Errors
    ///
    /// The host's own words.
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String>;

    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;
}

/// The host of a running waPC guest.
#[derive(Debug, Clone, Copy)]
pub struct GuestHost;

impl Host for GuestHost {
    fn call(&self, namespace: &str, operation: &str, payload: &[u8]) -> Result<Vec<u8>, String> {
        wapc_guest::host_call("kubewarden", namespace, operation, payload).map_err(|error| error.to_string())
    }

    fn now(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(_) => i64::MAX,
        }
    }
}

/// Registers a policy; `wapc_init` calls this and nothing else.
pub fn register<P: Policy>() {
    wapc_guest::register_function("validate", |payload| Ok(evaluate::<P>(payload, &GuestHost)));
    wapc_guest::register_function("validate_settings", validate_settings::<P>);
    // The SDK's own answer, written out: it would bring all of serde_json along.
    wapc_guest::register_function("protocol_version", |_| Ok(b"\"v1\"".to_vec()));
}

/// What the guest answers to `validate`: the payload in, the response out, both JSON.
pub fn evaluate<P: Policy>(payload: &[u8], host: &dyn Host) -> Vec<u8> {
    let (verdict, object) = match judge::<P>(payload, host) {
        Ok(judged) => judged,
        // What cannot be read cannot be judged: letting it through would be a way around the policy.
        Err(message) => {
            let mut verdict = Verdict::default();
            verdict.reject(Violation::general(message));
            (verdict, Json::Null)
        }
    };
    respond(verdict, object).into_bytes()
}

fn judge<'a, P: Policy>(payload: &'a [u8], host: &dyn Host) -> Result<(Verdict, Json<'a>), String> {
    let unreadable = |error: &dyn Display| without_private_keys(format!("the request cannot be read: {error}"));
    let mut payload = Json::parse_bytes(payload).map_err(|error| unreadable(&error))?;
    let settings = payload.take("settings");
    let mut request = Request::read(payload.take("request")).map_err(|error| unreadable(&error))?;
    let settings =
        settings_of::<P>(&settings).map_err(|error| format!("the policy's settings are invalid: {error}"))?;
    let verdict = P::judge(&request, &settings, host);
    Ok((verdict, std::mem::replace(&mut request.object, Json::Null)))
}

fn settings_of<P: Policy>(settings: &Json<'_>) -> Result<P::Settings, String> {
    let settings = read_settings(settings)?;
    P::check(&settings)?;
    Ok(settings)
}

/// Kubewarden's ValidationResponse, with what is unset left out.
fn respond(mut verdict: Verdict, mut object: Json<'_>) -> String {
    let mut message = (!verdict.violations.is_empty()).then(|| verdict.told_message());
    let mut is_mutated = false;
    if message.is_none() {
        for edit in std::mem::take(&mut verdict.edits) {
            is_mutated = true;
            if edit.apply(&mut object) {
                verdict.warnings.extend(edit.note);
            } else {
                message = Some("the object cannot be mutated as the policy demands".to_owned());
            }
        }
    }
    let mut response = format!("{{\"accepted\":{}", message.is_none());
    if let Some(message) = &message {
        response.push_str(",\"message\":");
        write_text(message, &mut response);
    } else if is_mutated {
        response.push_str(",\"mutated_object\":");
        object.write(&mut response);
    }
    for (index, (key, value)) in verdict.audit_annotations.iter().enumerate() {
        response.push_str(if index == 0 { ",\"audit_annotations\":{" } else { "," });
        write_text(key, &mut response);
        response.push(':');
        write_text(value, &mut response);
    }
    if !verdict.audit_annotations.is_empty() {
        response.push('}');
    }
    let warnings = verdict.told_warnings();
    for (index, warning) in warnings.iter().enumerate() {
        response.push_str(if index == 0 { ",\"warnings\":[" } else { "," });
        write_text(warning, &mut response);
    }
    if !warnings.is_empty() {
        response.push(']');
    }
    response.push('}');
    response
}

/// Kubewarden's SettingsValidationResponse.
fn validate_settings<P: Policy>(payload: &[u8]) -> CallResult {
    let outcome = match Json::parse_bytes(payload) {
        Ok(settings) => settings_of::<P>(&settings),
        Err(error) => Err(without_private_keys(error.to_string())),
    };
    let mut response = format!("{{\"valid\":{}", outcome.is_ok());
    if let Err(message) = outcome {
        response.push_str(",\"message\":");
        write_text(&message, &mut response);
    }
    response.push('}');
    Ok(response.into_bytes())
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;
