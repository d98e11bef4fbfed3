//! The host part of a reference: where it ends, and its one spelling.

use std::borrow::Cow;

use crate::reference::ReferenceError;

/// The host of Docker Hub in normalised references.
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// `splitDockerDomain`: the first segment is a host if it looks like one.
pub(crate) fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, rest)) if looks_like_host(first) => (Some(first), rest),
        _ => (None, name),
    }
}

/// Whether the first segment of a reference is a host: it is `localhost`, or has a dot, a colon or an upper-case
/// letter.
pub(crate) fn looks_like_host(segment: &str) -> bool {
    segment == "localhost" || segment.bytes().any(|b| matches!(b, b'.' | b':') || b.is_ascii_uppercase())
}

/// The host in its one spelling: lower-case (DNS ignores case), no default port, Docker Hub's old name replaced.
///
/// A name without a dot keeps or gets its port. `CORP/app` is an image of the host `corp`, but `corp/app` is one of
/// Docker Hub: written without the port it would send the next reader, be it the kubelet or the registry that is
/// asked for evidence, to another image.
pub(crate) fn normalise(host: &str) -> Result<Cow<'_, str>, ReferenceError> {
    let invalid = || ReferenceError::Host(host.to_owned());
    let (name, port) = split_port(host).ok_or_else(invalid)?;
    let port = match port {
        None => None,
        Some(digits) => Some(read_port(digits).ok_or_else(invalid)?),
    };
    let name = if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    };
    let is_bare_word = !name.contains(['.', '[']);
    Ok(match port {
        None | Some(443) if name == "index.docker.io" => Cow::Borrowed(DOCKER_HUB),
        None if name == "localhost" || !is_bare_word => name,
        Some(443) if !is_bare_word => name,
        port => Cow::Owned(format!("{name}:{}", port.unwrap_or(443))),
    })
}

/// Whether the host, as normalised, is this name on whatever port.
pub(crate) fn without_port(host: &str) -> &str {
    split_port(host).map_or(host, |(name, _)| name)
}

/// The name and the port, if both are in the grammar; an IPv6 address keeps its brackets.
fn split_port(host: &str) -> Option<(&str, Option<&str>)> {
    if let Some(bracketed) = host.strip_prefix('[') {
        let (address, after) = bracketed.split_once(']')?;
        let is_address = !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port),
            None if after.is_empty() => None,
            None => return None,
        };
        return is_address.then(|| (&host[..address.len() + 2], port));
    }
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    name.split('.').all(is_domain_component).then_some((name, port))
}

/// The number that is connected to: `0443` is 443. Nothing listens on 0 or above 65535.
fn read_port(digits: &str) -> Option<u16> {
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let number = digits.trim_start_matches('0').parse().ok();
    number.filter(|_| is_number)
}

fn is_domain_component(component: &str) -> bool {
    let bytes = component.as_bytes();
    let is_end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_spelling() {
        for (written, expected) in [
            ("ghcr.io", "ghcr.io"),
            ("GHCR.io:443", "ghcr.io"),
            ("ghcr.io:0443", "ghcr.io"),
            ("ghcr.io:05000", "ghcr.io:5000"),
            ("index.docker.io", "docker.io"),
            ("Index.Docker.IO:443", "docker.io"),
            ("index.docker.io:5000", "index.docker.io:5000"),
            ("localhost", "localhost"),
            ("LOCALHOST", "localhost"),
            // Runtimes speak plain HTTP to localhost, where the default port is another one.
            ("localhost:443", "localhost:443"),
            ("CORP", "corp:443"),
            ("corp:443", "corp:443"),
            ("corp:5000", "corp:5000"),
            ("[::1]:443", "[::1]"),
            ("[2001:DB8::1]:5000", "[2001:db8::1]:5000"),
        ] {
            let once = normalise(written).expect("a host");
            assert_eq!(once, expected, "{written}");
            assert!(looks_like_host(&once), "{once} must read as a host again");
            assert_eq!(normalise(&once).expect("a host"), once, "{written}");
        }
    }

    #[test]
    fn a_host_that_cannot_be_connected_to_is_refused() {
        for host in ["", "a..b", "a.b.", ".a", "-a.b", "a_b.c", "a.b:", "a.b:x", "a.b:0", "a.b:000", "a.b:65536"] {
            assert!(normalise(host).is_err(), "{host:?}");
        }
        for host in ["a.b:65979", "a.b:99999999999999999999", "a.b:-1", "a.b:+80", "[::1", "[]", "[::1]x", "[::g]"] {
            assert!(normalise(host).is_err(), "{host:?}");
        }
    }
}
