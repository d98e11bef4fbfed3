//! The answers of `run`: one line each, as kwctl writes them.

use std::io::{self, Write};

use crate::commands::run::{Answered, RunReport};
use crate::policy::{Entry, Level};

/// Writes the answers to `out`, and what policies said on the way to `err`; of their log, what is worth knowing unless
/// all of it is wanted.
///
/// # Errors
///
/// When one of them cannot be written to.
pub fn write_run(report: &RunReport, verbose: bool, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    for answered in &report.answers {
        write_aside(answered, verbose, err)?;
        serde_json::to_writer(&mut *out, &answered.response)?;
        writeln!(out)?;
    }
    Ok(())
}

fn write_aside(answered: &Answered, verbose: bool, err: &mut dyn Write) -> io::Result<()> {
    for entry in answered.aside.output.entries() {
        match entry {
            Entry::Logged(level, _) if *level < Level::Info && !verbose => {}
            Entry::Logged(level, text) => writeln!(err, "{}: {text}", level.name())?,
            Entry::Printed(bytes) => {
                err.write_all(bytes)?;
                if !bytes.ends_with(b"\n") {
                    writeln!(err)?;
                }
            }
        }
    }
    for cause in &answered.aside.unanswered {
        writeln!(err, "warning: the policy was told that this could not be answered: {cause}")?;
    }
    Ok(())
}
