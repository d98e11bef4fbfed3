//! Keys and certificates as text (RFC 7468). They are only looked at; the host reads them.

/// The bytes of the one PEM block with this label. Nothing of it is repeated in the message.
///
/// # Errors
///
/// Says what to write instead.
pub(crate) fn read(text: &str, label: &str) -> Result<Vec<u8>, String> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let body = text.trim().strip_prefix(&begin).and_then(|rest| rest.strip_suffix(&end));
    let Some(body) = body else {
        return Err(format!("write PEM text: {begin}, lines of base64, {end}"));
    };
    if body.contains("-----") {
        return Err("holds more than one: write each as an item of its own".to_owned());
    }
    if !body.starts_with(['\n', '\r']) || !body.ends_with('\n') {
        return Err("its lines are joined into one: write it as a block, behind a | in YAML".to_owned());
    }
    let bytes: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if is_base64_of_der(&bytes) { Ok(decoded(&bytes)) } else { Err("its base64 is damaged: copy it anew".to_owned()) }
}

/// The bytes that base64 stands for; padding ends it, and bits without a whole byte are dropped.
fn decoded(text: &[u8]) -> Vec<u8> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for letter in text {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            // Only the eight bits above those that wait for the next letter.
            bytes.push((bits >> count).to_le_bytes()[0]);
        }
    }
    bytes
}

/// The base64 of a DER sequence, whose first byte is 0x30. A key of 256 bits takes 60 characters at least.
fn is_base64_of_der(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|b| **b == b'=').count();
    let is_body = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    bytes.len() >= 40
        && bytes.len().is_multiple_of(4)
        && bytes.first() == Some(&b'M')
        && padding <= 2
        && bytes.iter().take(bytes.len() - padding).all(is_body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::read;

    fn check(text: &str, label: &str) -> Result<(), String> {
        read(text, label).map(|_| ())
    }

    const LABEL: &str = "PUBLIC KEY";
    const BODY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqHd0CqnG1P5nB8v1Jm0GfQy8a3xN\nrw0eSg4nC6p3C8w9n0Rk2yTq6m5X1v7Jz4bD8sU9hWc3oLk2eF5aGxQ1Vw==";

    fn pem(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn a_key_may_have_blanks_around_it_and_lines_of_any_sort() {
        for text in [
            pem(LABEL, BODY),
            pem(LABEL, BODY).trim().to_owned(),
            format!("\n{}\n", pem(LABEL, BODY)),
            pem(LABEL, BODY).replace('\n', "\r\n"),
        ] {
            assert_eq!(check(&text, LABEL), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        for (text, what) in [
            (String::new(), "write PEM text"),
            (BODY.to_owned(), "write PEM text"),
            (pem("CERTIFICATE", BODY), "write PEM text"),
            (pem("RSA PUBLIC KEY", BODY), "write PEM text"),
            (pem("PRIVATE KEY", BODY), "write PEM text"),
            (pem("ENCRYPTED SIGSTORE PRIVATE KEY", BODY), "write PEM text"),
            (pem(LABEL, BODY) + &pem(LABEL, BODY), "holds more than one"),
            (pem(LABEL, BODY).replace('\n', " "), "joined into one"),
            (pem(LABEL, BODY).replace('\n', ""), "joined into one"),
            (pem(LABEL, ""), "base64 is damaged"),
            (pem(LABEL, &BODY.replace('w', "*")), "base64 is damaged"),
            (pem(LABEL, &BODY.replacen('w', "", 1)), "base64 is damaged"),
            (pem(LABEL, &BODY.replacen('M', "A", 1)), "base64 is damaged"),
            (pem(LABEL, &format!("{BODY}====")), "base64 is damaged"),
            (pem(LABEL, "MFkw"), "base64 is damaged"),
        ] {
            let error = check(&text, LABEL).expect_err(&text);
            assert!(error.contains(what) && !error.contains("FkwEw"), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_bytes_are_those_of_any_spelling() {
        let bytes = read(&pem(LABEL, BODY), LABEL).expect("a key");
        // SEQUENCE of 89 bytes: the key of P-256, as RFC 5480 has it.
        assert_eq!((bytes.len(), bytes.get(..4)), (91, Some([0x30, 0x59, 0x30, 0x13].as_slice())));
        let one_line = BODY.replace('\n', "");
        for body in [
            one_line.clone(),
            format!("{} {}", &one_line[..40], &one_line[40..]),
            format!("{}\n\n{}", &one_line[..7], &one_line[7..]),
            // The last letter has bits that belong to no byte.
            one_line.replace("w==", "x=="),
        ] {
            assert_eq!(read(&pem(LABEL, &body), LABEL).as_ref(), Ok(&bytes), "{body}");
        }
        assert_ne!(read(&pem(LABEL, &BODY.replace("qHd0", "qHd1")), LABEL), Ok(bytes));
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_a_panic(text in "\\PC{0,80}", body in "[\\n =A-Za-z-]{0,80}") {
            let _ = check(&text, LABEL);
            let _ = check(&pem(LABEL, &body), LABEL);
        }
    }
}
