//! Names to addresses, by the machine's own resolver.

use std::net::ToSocketAddrs;

use serde_json::json;

use super::unanswered;
use crate::capabilities::{Answer, CapabilityError, json_answer};

pub(super) fn look_up(host: &str) -> Answer {
    match (host, 0).to_socket_addrs() {
        Ok(addresses) => {
            let ips: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
            json_answer(&json!({ "ips": ips }))
        }
        // Only the resolver's text tells a name that does not exist from a resolver that is away.
        Err(error) if error.to_string().contains("Temporary failure") => Err(unanswered(format!("{host}: {error}"))),
        Err(error) => Err(CapabilityError::Failed(error.to_string())),
    }
}
