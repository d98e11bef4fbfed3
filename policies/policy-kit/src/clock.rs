//! Time stamps, as Kubernetes and settings write them.

/// Seconds since 1970-01-01T00:00:00Z of an RFC 3339 time stamp (`2026-12-31T00:00:00Z`, with a fraction or an
/// offset if need be) or of the beginning of a date in UTC (`2026-12-31`).
pub fn seconds_since_epoch(text: &str) -> Option<i64> {
    let date = text.get(..10)?;
    let days = days_since_epoch(number(date, 0, 4)?, number(date, 5, 7)?, number(date, 8, 10)?)?;
    if date.as_bytes()[4] != b'-' || date.as_bytes()[7] != b'-' {
        return None;
    }
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(days * 86_400);
    }
    let bytes = rest.as_bytes();
    let separators =
        matches!(bytes.first(), Some(b'T' | b't' | b' ')) && bytes.get(3) == Some(&b':') && bytes.get(6) == Some(&b':');
    let (hour, minute, second) = (number(rest, 1, 3)?, number(rest, 4, 6)?, number(rest, 7, 9)?);
    // 60 is a leap second.
    if !separators || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let offset = offset_seconds(skip_fraction(rest.get(9..)?)?)?;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second - offset)
}

fn number(text: &str, start: usize, end: usize) -> Option<i64> {
    let digits = text.get(start..end)?;
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn skip_fraction(text: &str) -> Option<&str> {
    match text.strip_prefix('.') {
        None => Some(text),
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (rest.len() < fraction.len()).then_some(rest)
        }
    }
}

fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (number(text, 1, 3)?, number(text, 4, 6)?);
    let valid = text.len() == 6 && text.as_bytes()[3] == b':' && hours <= 23 && minutes <= 59;
    valid.then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Days of the proleptic Gregorian calendar; years are counted from March, so that the leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > longest {
        return None;
    }
    let shifted = if month > 2 { year } else { year - 1 };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::seconds_since_epoch;

    #[test]
    fn time_stamps_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2026-12-31T00:00:00Z", Some(1_798_675_200)),
            ("2026-12-31", Some(1_798_675_200)),
            ("2026-12-31T02:00:00.123456789+02:00", Some(1_798_675_200)),
            ("2026-12-30t19:00:00-05:00", Some(1_798_675_200)),
            ("2026-02-29", None),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-12-32", None),
            ("2026-12-31T24:00:00Z", None),
            ("2026-12-31T00:00:00", None),
            ("2026-12-31T00:00:00.Z", None),
            ("2026-12-31T00:00:00+0200", None),
            ("2026/12/31", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(seconds_since_epoch(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_a_panic(text in "\\PC{0,40}") {
            let _ = seconds_since_epoch(&text);
        }

        #[test]
        fn days_follow_each_other(day in 0i64..60_000) {
            // Rebuilds the date by counting, the slow and obvious way.
            let (mut year, mut rest) = (1970, day);
            let length = |year: i64| if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 };
            while rest >= length(year) { rest -= length(year); year += 1; }
            let months = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let mut month = 0;
            while rest >= months[month] { rest -= months[month]; month += 1; }
            let text = format!("{year:04}-{:02}-{:02}", month + 1, rest + 1);
            prop_assert_eq!(seconds_since_epoch(&text), Some(day * 86_400));
        }
    }
}
