//! The waPC guest: what Kubewarden calls, and how it is answered.

use std::time::{SystemTime, UNIX_EPOCH};

use kubewarden_policy_sdk::wapc_guest::{self, CallResult};
use kubewarden_policy_sdk::{protocol_version_guest, settings::SettingsValidationResponse};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::Json;
use crate::request::Request;
use crate::settings::read_settings;
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
    wapc_guest::register_function("validate", |payload| answer(&evaluate::<P>(payload, &GuestHost)));
    wapc_guest::register_function("validate_settings", validate_settings::<P>);
    wapc_guest::register_function("protocol_version", protocol_version_guest);
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    request: Request<'a>,
    #[serde(borrow, default)]
    settings: Option<&'a RawValue>,
}

/// Kubewarden's ValidationResponse, with what is unset left out.
#[derive(Serialize)]
struct Response<'a> {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutated_object: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    audit_annotations: Vec<(&'static str, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

fn as_map<S: Serializer>(pairs: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

fn evaluate<'a, P: Policy>(payload: &'a [u8], host: &dyn Host) -> Response<'a> {
    let read = std::str::from_utf8(payload).map_err(|error| error.to_string());
    let read = read.and_then(|text| serde_json::from_str(text).map_err(|error| error.to_string()));
    let Payload { mut request, settings } = match read {
        Ok(payload) => payload,
        // What cannot be read cannot be judged: letting it through would be a way around the policy.
        Err(error) => return rejection(format!("the request cannot be read: {error}")),
    };
    let settings: P::Settings = match read_settings(settings.map_or("", RawValue::get)) {
        Ok(settings) => settings,
        Err(error) => return rejection(format!("the policy's settings are invalid: {error}")),
    };
    if let Err(error) = P::check(&settings) {
        return rejection(format!("the policy's settings are invalid: {error}"));
    }
    let verdict = P::judge(&request, &settings, host);
    let object = std::mem::replace(&mut request.object, Json::Null);
    respond(verdict, object)
}

fn rejection<'a>(message: String) -> Response<'a> {
    let mut verdict = Verdict::default();
    verdict.reject(Violation::general(message));
    respond(verdict, Json::Null)
}

fn respond(verdict: Verdict, mut object: Json<'_>) -> Response<'_> {
    let mut message = (!verdict.violations.is_empty()).then(|| verdict.message());
    let Verdict { edits, warnings, audit_annotations, .. } = verdict;
    let mut mutated_object = None;
    if message.is_none() && !edits.is_empty() {
        if edits.into_iter().all(|edit| edit.apply(&mut object)) {
            mutated_object = Some(object);
        } else {
            message = Some("the object cannot be mutated as the policy demands".to_owned());
        }
    }
    Response { accepted: message.is_none(), message, mutated_object, audit_annotations, warnings }
}

fn answer(response: &Response<'_>) -> CallResult {
    Ok(serde_json::to_vec(response)?)
}

fn validate_settings<P: Policy>(payload: &[u8]) -> CallResult {
    let outcome = std::str::from_utf8(payload)
        .map_err(|error| error.to_string())
        .and_then(read_settings::<P::Settings>)
        .and_then(|settings| P::check(&settings));
    let response = match outcome {
        Ok(()) => SettingsValidationResponse { valid: true, message: None },
        Err(message) => SettingsValidationResponse { valid: false, message: Some(message) },
    };
    Ok(serde_json::to_vec(&response)?)
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;
