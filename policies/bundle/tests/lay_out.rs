//! The command that writes the modules into a folder.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

#[test]
fn every_module_is_laid_out_under_its_name() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policies");
    let status = Command::new(env!("CARGO_BIN_EXE_lay-out-policies")).arg(&folder).status().expect("it runs");
    assert!(status.success());
    for policy in bundle::POLICIES {
        let written = fs::read(folder.join(policy.name).with_extension("wasm")).expect("a module");
        assert!(written == policy.wasm && written.starts_with(b"\0asm"), "{}", policy.name);
    }
}
