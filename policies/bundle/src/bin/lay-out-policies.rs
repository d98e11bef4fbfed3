//! Writes the modules into a folder, one `<policy>.wasm` each: `lay-out-policies target/policies`.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| "target/policies".into()));
    fs::create_dir_all(&folder)?;
    for policy in bundle::POLICIES {
        fs::write(folder.join(policy.name).with_extension("wasm"), policy.wasm)?;
    }
    Ok(())
}
