//! How old a report may be.

use std::fmt;

use serde::Deserialize;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Below this, clocks and the time that a scan takes decide.
const SHORTEST: i64 = 10 * MINUTE;

/// Beyond this, nobody would call it continuous.
const LONGEST: i64 = 90 * DAY;

/// A length of time as settings write it: `90m`, `24h`, `7d`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MaxAge {
    text: String,
    seconds: i64,
}

impl MaxAge {
    /// The length in seconds.
    pub(crate) fn seconds(&self) -> i64 {
        self.seconds
    }
}

impl Default for MaxAge {
    fn default() -> Self {
        MaxAge { text: "24h".to_owned(), seconds: DAY }
    }
}

impl TryFrom<String> for MaxAge {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match read(&text) {
            None => Err(format!("{text:?} is no length of time: write minutes, hours or days, such as 90m, 24h or 7d")),
            Some(seconds) if (SHORTEST..=LONGEST).contains(&seconds) => Ok(MaxAge { text, seconds }),
            Some(_) => Err(format!("{text:?} is out of range: write a length of time from 10m to 90d, such as 24h")),
        }
    }
}

impl fmt::Display for MaxAge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn read(text: &str) -> Option<i64> {
    let unit = match text.bytes().last()? {
        b'm' => MINUTE,
        b'h' => HOUR,
        b'd' => DAY,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What does not fit is out of range, and said so.
    Some(digits.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(unit))
}

/// A length of time for messages, in its largest unit and rounded down: `3d`.
pub(crate) fn shown(seconds: i64) -> String {
    match seconds {
        seconds if seconds >= DAY => format!("{}d", seconds / DAY),
        seconds if seconds >= HOUR => format!("{}h", seconds / HOUR),
        seconds => format!("{}m", seconds / MINUTE),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, expected) in [
            ("10m", Ok(600)),
            ("90m", Ok(5_400)),
            ("24h", Ok(86_400)),
            ("7d", Ok(604_800)),
            ("90d", Ok(7_776_000)),
            ("0h", Err("is out of range")),
            ("9m", Err("is out of range")),
            ("91d", Err("is out of range")),
            ("99999999999999999999d", Err("is out of range")),
            ("9223372036854775807d", Err("is out of range")),
            ("", Err("is no length of time")),
            ("h", Err("is no length of time")),
            ("24", Err("is no length of time")),
            ("-24h", Err("is no length of time")),
            ("+24h", Err("is no length of time")),
            ("1.5h", Err("is no length of time")),
            ("24 h", Err("is no length of time")),
            ("24H", Err("is no length of time")),
            ("1d12h", Err("is no length of time")),
            ("86400s", Err("is no length of time")),
            ("７d", Err("is no length of time")),
            ("24小", Err("is no length of time")),
        ] {
            match (MaxAge::try_from(text.to_owned()), expected) {
                (Ok(read), Ok(seconds)) => assert_eq!(read.seconds(), seconds, "{text}"),
                (Err(error), Err(cause)) => assert!(error.contains(cause), "{text}: {error}"),
                (read, expected) => panic!("{text}: {read:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn ages_are_shown_in_their_largest_unit() {
        for (seconds, expected) in [(0, "0m"), (59, "0m"), (3_599, "59m"), (3_600, "1h"), (90_000, "1d"), (-5, "0m")] {
            assert_eq!(shown(seconds), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_a_panic(text in "\\PC{0,12}") {
            let _ = MaxAge::try_from(text);
        }
    }
}
