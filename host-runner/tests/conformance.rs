//! kwctl's behaviour, row by row: each row is a test of its own, and together they are the table in README.md.
//!
//! `BLESS=1` writes the table. What kwctl does was observed on the real program and its source; see the version below.

#[path = "conformance/capabilities.rs"]
mod capabilities;
#[path = "conformance/evaluation.rs"]
mod evaluation;
#[path = "conformance/guests.rs"]
mod guests;
#[path = "conformance/inputs.rs"]
mod inputs;
#[path = "conformance/others.rs"]
mod others;
#[path = "conformance/resources.rs"]
mod resources;
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use libtest_mimic::{Arguments, Failed, Trial};

/// One thing that kwctl does, what host-runner does, and the test that shows it.
struct Row {
    kwctl: &'static str,
    ours: Ours,
    shown: fn(),
}

/// What host-runner does.
enum Ours {
    Same,
    /// What, and why.
    Differs(&'static str),
}

/// A part of the table.
struct Part {
    title: &'static str,
    rows: Vec<Row>,
}

fn row(kwctl: &'static str, shown: fn()) -> Row {
    Row { kwctl, ours: Ours::Same, shown }
}

fn differs(kwctl: &'static str, ours: &'static str, shown: fn()) -> Row {
    Row { kwctl, ours: Ours::Differs(ours), shown }
}

const BEGIN: &str = "<!-- conformance: written by tests/conformance.rs -->\n";
const END: &str = "<!-- end of conformance -->\n";

fn parts() -> Vec<Part> {
    vec![inputs::part(), evaluation::part(), resources::part(), others::part()]
}

fn table(parts: &[Part]) -> String {
    let mut text = String::new();
    for is_same in [false, true] {
        text.push_str(if is_same {
            "\n#### The same\n\n"
        } else {
            "\n#### Different, and why\n\n| kwctl | host-runner |\n| --- | --- |\n"
        });
        for part in parts {
            let rows: Vec<&Row> = part.rows.iter().filter(|row| matches!(row.ours, Ours::Same) == is_same).collect();
            if is_same && !rows.is_empty() {
                text.push_str(&format!("{}:\n\n", part.title));
            }
            for row in &rows {
                match row.ours {
                    Ours::Same => text.push_str(&format!("- {}\n", row.kwctl)),
                    Ours::Differs(ours) => {
                        // A bar would end the cell.
                        let cell = |text: &str| text.replace('|', "\\|");
                        text.push_str(&format!("| {} | {} |\n", cell(row.kwctl), cell(ours)));
                    }
                }
            }
            if is_same && !rows.is_empty() {
                text.push('\n');
            }
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// The table in README.md is this one.
fn readme_is_true() -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let (before, rest) = readme.split_once(BEGIN).ok_or("README.md has no table")?;
    let (written, after) = rest.split_once(END).ok_or("README.md's table has no end")?;
    let table = table(&parts());
    if env::var_os("BLESS").is_some() {
        fs::write(&path, [before, BEGIN, &table, END, after].concat()).map_err(|error| error.to_string())?;
    } else if written != table {
        return Err("README.md has another table: BLESS=1 writes this one".into());
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut trials = vec![Trial::test("the table in README.md", readme_is_true)];
    for part in parts() {
        for row in part.rows {
            let name = format!("{}: {}", part.title, row.kwctl);
            trials.push(Trial::test(name, move || {
                (row.shown)();
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
