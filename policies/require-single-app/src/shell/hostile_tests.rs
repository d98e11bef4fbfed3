use proptest::prelude::*;

use super::Script;
use crate::budget::{Budget, OF_A_PROCESS};

fn read(text: &str) -> Result<Script, String> {
    super::read(text, &Budget::new(OF_A_PROCESS))
}

#[test]
fn hostile_texts_end() {
    for (opening, closing) in [
        ("(", ")"),
        ("( ", " )"),
        ("((", "))"),
        ("$(", ")"),
        ("\"$(", ")\""),
        ("$((", "))"),
        ("${x:-", "}"),
        ("\"${x:-", "}\""),
        ("`", "`"),
        ("{ ", "; }"),
        ("if a; then ", "; fi"),
        ("while a; do ", "; done"),
        ("case x in x) ", ";; esac"),
        ("f() { ", "; }"),
        ("f() ", ""),
        ("function f ", ""),
        ("coproc ", ""),
        ("! ", ""),
        ("time ", ""),
        ("a <(", ")"),
        ("[[ ( ", " ) ]]"),
        ("a | ", ""),
        ("a && ", ""),
        ("x=(", ")"),
        ("@(", ")"),
        ("{", ","),
        ("a <<E ", ""),
        ("$'", "'"),
        ("'", "'"),
        ("\\\n", ""),
        ("a\n", ""),
    ] {
        for depth in [10, 100, 10_000] {
            let text = format!("a {}a{}", opening.repeat(depth), closing.repeat(depth));
            let _ = read(&text);
            let _ = read(&opening.repeat(depth));
        }
    }
    assert_eq!(read(&"a;".repeat(40_000)).expect_err("too long"), "it is longer than 64 KiB");
    // Too deep to be followed is no arithmetic.
    let deep = format!("{}a & b{}", "(".repeat(60), ")".repeat(60));
    assert!(read(&deep).is_err());
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}") {
        let _ = read(&text);
    }

    #[test]
    fn shell_like_text_is_answered(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..25)) {
        let _ = read(&pieces.concat());
    }
}

const PIECES: &[&str] = &[
    "a",
    " ",
    "&",
    "|",
    ";",
    ";;",
    "\n",
    "(",
    ")",
    "((",
    "))",
    "{ ",
    "}",
    "${",
    "$(",
    "$((",
    "$",
    "`",
    "'",
    "\"",
    "\\",
    "<",
    ">",
    "<<E",
    "\nE\n",
    "<<<",
    "<(",
    "[[ ",
    " ]]",
    "if ",
    "then ",
    "fi",
    "do ",
    "done",
    "for i in ",
    "case x in ",
    "esac",
    "!",
    "#",
    "=",
    "x=",
    "x=(",
    "é",
    "*",
    "{a,b}",
    "@(",
    "=~ ",
    "f() ",
    "function ",
    "coproc ",
    "1>",
    "2>&1",
    "\0",
    "\t",
];
