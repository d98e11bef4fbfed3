//! What a guest says beside its answer: its log, and what it prints.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What a guest says beyond this many bytes is dropped.
const LONGEST_OUTPUT: usize = 64 << 10;

/// How much a log entry matters, in the words of Kubewarden's `tracing/log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// What helps to find a mistake.
    Debug,
    /// What happens.
    Info,
    /// What may be wrong.
    Warning,
    /// What is wrong.
    Error,
}

impl Level {
    /// `info`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warning, Level::Error];
        levels.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }
}

/// One thing that a guest said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// To its log.
    Logged(Level, String),
    /// To its stdout or stderr.
    Printed(Vec<u8>),
}

impl Entry {
    /// An entry of `tracing/log`. What cannot be read is kept as it is.
    pub(super) fn logged(payload: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Payload {
            level: String,
            message: String,
            #[serde(flatten)]
            data: Map<String, Value>,
        }
        let parsed = serde_json::from_slice::<Payload>(payload).ok();
        match parsed.and_then(|entry| Level::named(&entry.level).map(|level| (level, entry))) {
            Some((level, entry)) if entry.data.is_empty() => Entry::Logged(level, entry.message),
            Some((level, entry)) => {
                Entry::Logged(level, format!("{} data={}", entry.message, Value::Object(entry.data)))
            }
            None => Entry::Logged(Level::Warning, String::from_utf8_lossy(payload).into_owned()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Entry::Logged(_, text) => text.len(),
            Entry::Printed(bytes) => bytes.len(),
        }
    }
}

/// Everything that a guest said, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    entries: Vec<Entry>,
    length: usize,
}

impl Output {
    /// The entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn push(&mut self, entry: Entry) {
        // An entry without content takes memory, too.
        self.length += entry.len().max(16);
        if self.length <= LONGEST_OUTPUT {
            self.entries.push(entry);
        }
    }

    pub(super) fn print(&mut self, bytes: &[u8]) {
        let kept = &bytes[..bytes.len().min(LONGEST_OUTPUT.saturating_sub(self.length))];
        match self.entries.last_mut() {
            Some(Entry::Printed(before)) => {
                before.extend_from_slice(kept);
                self.length += kept.len();
            }
            _ => self.push(Entry::Printed(kept.to_vec())),
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.length = 0;
    }

    /// What was printed, without the log.
    pub fn printed(&self) -> String {
        let printed: Vec<u8> = self
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Printed(bytes) => Some(bytes.as_slice()),
                Entry::Logged(..) => None,
            })
            .collect::<Vec<_>>()
            .concat();
        String::from_utf8_lossy(&printed).into_owned()
    }
}

impl FromIterator<Entry> for Output {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut output = Output::default();
        entries.into_iter().for_each(|entry| output.push(entry));
        output
    }
}

impl fmt::Display for Output {
    /// A line for each entry of the log, and what was printed as it is.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            match entry {
                Entry::Logged(level, text) => writeln!(formatter, "{}: {text}", level.name())?,
                Entry::Printed(bytes) => formatter.write_str(&String::from_utf8_lossy(bytes))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_entry_is_read_as_kubewarden_reads_it() {
        for (payload, expected) in [
            (r#"{"level":"info","message":"m"}"#, Entry::Logged(Level::Info, "m".to_owned())),
            (
                r#"{"level":"WARNING","message":"m","k":1}"#,
                Entry::Logged(Level::Warning, r#"m data={"k":1}"#.to_owned()),
            ),
            ("no JSON", Entry::Logged(Level::Warning, "no JSON".to_owned())),
        ] {
            assert_eq!(Entry::logged(payload.as_bytes()), expected);
        }
    }

    #[test]
    fn output_is_bounded() {
        let mut output = Output::default();
        for _ in 0..100_000 {
            output.push(Entry::Logged(Level::Info, String::new()));
            output.print(b"0123456789");
        }
        assert!(output.entries().len() <= LONGEST_OUTPUT / 16);
        assert!(output.printed().len() <= LONGEST_OUTPUT);
    }
}
