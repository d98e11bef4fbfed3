//! A reader of shell text: the grammar of POSIX.1-2024 (XCU 2.10) and what bash adds to it.
//!
//! `sh` is bash in one image and dash or busybox in the next, and the image does not say which. Where they read a text
//! differently, this reader takes what starts more processes, or refuses the text. It runs nothing and expands nothing.
//!
//! ```text
//! grammar ─► compound, redirect ─► word ─► expansion ─► grammar again, inside `$( … )`
//!                    all of them read with cursor, and make syntax
//! ```

mod compound;
mod cursor;
mod expansion;
mod grammar;
mod redirect;
mod syntax;
mod word;

use crate::budget::Budget;
use cursor::Cursor;
pub(crate) use syntax::{Command, Item, Kind, Part, Pipeline, Redirect, RedirectKind, Script, Span, Word};

/// The longest text that is read, in bytes. What people write into a manifest is a hundredth of it.
pub(crate) const LONGEST: usize = 64 << 10;

/// Reads a text.
///
/// # Errors
///
/// When it is no shell text, is too long, nests too deeply, or costs more than the budget: a shell might run what this reader does not see.
pub(crate) fn read(text: &str, budget: &Budget) -> Result<Script, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {} KiB", LONGEST >> 10));
    }
    let mut cursor = Cursor::new(text, budget);
    let list = cursor.whole().map_err(|mistake| format!("{mistake} (at byte {})", cursor.at))?;
    Ok(Script { list, documents: cursor.documents })
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
