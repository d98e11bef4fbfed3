//! The answers of `run`: one line each, as kwctl writes them.

use std::io::{self, Write};

use super::human::plain;
use crate::commands::run::Answered;
use crate::policy::{Entry, Level};

/// Writes an answer to `out`, and what the policy said on the way to `err`; of its log, what is worth knowing unless all of
/// it is wanted.
///
/// # Errors
///
/// When one of them cannot be written to.
pub fn write_answer(answered: &Answered, verbose: bool, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    write_aside(answered, verbose, err)?;
    serde_json::to_writer(&mut *out, &answered.response)?;
    writeln!(out)?;
    out.flush()
}

fn write_aside(answered: &Answered, verbose: bool, err: &mut dyn Write) -> io::Result<()> {
    for entry in answered.aside.output.entries() {
        match entry {
            Entry::Logged(level, _) if *level < Level::Info && !verbose => {}
            Entry::Logged(level, text) => writeln!(err, "{}: {}", level.name(), plain(text))?,
            Entry::Printed(bytes) => {
                for line in String::from_utf8_lossy(bytes).lines() {
                    writeln!(err, "{}", plain(line))?;
                }
            }
        }
    }
    for cause in &answered.aside.unanswered {
        writeln!(err, "warning: the policy was told that this could not be answered: {}", plain(cause))?;
    }
    Ok(())
}
