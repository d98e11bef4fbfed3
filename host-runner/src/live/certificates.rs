//! Whether a certificate is trusted: pure computation, and the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use serde_json::json;
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter};

use crate::capabilities::{Answer, CapabilityError, CertificateTrust, EncodedCertificate, Encoding, json_answer};

/// Kubewarden takes certificates for any purpose.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        // Read to the end, or what is left over counts as malformed.
        for purpose in purposes {
            purpose?;
        }
        Ok(())
    }
}

/// Answers as Kubewarden does; `now` is the world's clock, in seconds since 1970-01-01T00:00:00Z.
pub(crate) fn judge(request: &CertificateTrust, now: Option<i64>) -> Answer {
    let (trusted, reason) = match verdict(request, now).map_err(CapabilityError::Failed)? {
        Ok(()) => (true, String::new()),
        Err(reason) => (false, reason),
    };
    json_answer(&json!({ "trusted": trusted, "reason": reason }))
}

/// The inner error is an answer, the outer one a question that cannot be answered.
fn verdict(request: &CertificateTrust, now: Option<i64>) -> Result<Result<(), String>, String> {
    let der = der(&request.cert).map_err(|_| "Certificate is not a valid DER or PEM encoded certificate")?;
    let certificate =
        EndEntityCert::try_from(&der).map_err(|_| "Certificate is not a valid end-entity certificate".to_owned())?;
    let time = match request.not_after.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => {
            let time: jiff::Timestamp =
                text.parse().map_err(|_| "Timestamp not_after is not in RFC3339 format".to_owned())?;
            Some(time.as_second())
        }
        None => now,
    };
    let since = match time {
        Some(seconds) => Duration::from_secs(u64::try_from(seconds).unwrap_or(0)),
        None => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
    };
    let chain: Option<Vec<CertificateDer<'_>>> =
        request.cert_chain.as_ref().map(|chain| chain.iter().map(self::der).collect()).transpose()?;
    let (anchors, intermediates): (Vec<TrustAnchor<'_>>, &[CertificateDer<'_>]) = match chain.as_deref() {
        None => (webpki_roots::TLS_SERVER_ROOTS.to_vec(), &[]),
        // An empty chain trusts nothing.
        Some([]) => (Vec::new(), &[]),
        Some([intermediates @ .., root]) => {
            let anchor = webpki::anchor_from_trusted_cert(root)
                .map_err(|error| format!("the root of the chain cannot be read: {error}"))?;
            (vec![anchor], intermediates)
        }
    };
    let verified = certificate.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        intermediates,
        UnixTime::since_unix_epoch(since),
        AnyPurpose,
        None,
        None,
    );
    Ok(verified.map(|_| ()).map_err(|error| match error {
        Error::CertExpired { .. } => "Certificate is being used after its expiration date".to_owned(),
        Error::CertNotValidYet { .. } => "Certificate is being used before its validity date".to_owned(),
        Error::InvalidSignatureForPublicKey => "Certificate is not trusted by the provided cert chain".to_owned(),
        error => format!("Certificate not trusted: {error}"),
    }))
}

fn der(certificate: &EncodedCertificate) -> Result<CertificateDer<'_>, String> {
    match certificate.encoding {
        Encoding::Der => Ok(CertificateDer::from(certificate.data.as_slice())),
        Encoding::Pem => CertificateDer::from_pem_slice(&certificate.data).map_err(|error| error.to_string()),
    }
}
