//! Compiles each policy for `wasm32-wasip1`, annotates it and writes the table that `src/lib.rs` includes.
//!
//! A policy is a folder beside this one with a `metadata.yml`. Cargo runs inside Cargo here, in a target
//! directory of its own, since the outer one is locked.

#[path = "build/annotate.rs"]
mod annotate;

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-wasip1";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // `error=` stops the build with these words alone, without the backtrace of a panic.
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let policies_folder = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..");
    let policies_folder =
        policies_folder.canonicalize().map_err(|error| format!("{}: {error}", policies_folder.display()))?;
    let policies = policies(&policies_folder)?;
    watch(&policies_folder);
    require_target()?;
    let built = compile(&policies, &policies_folder, &target_folder(&out))?;

    let mut table = String::from("[\n");
    for policy in &policies {
        let folder = policies_folder.join(policy);
        let module = built.join(policy.replace('-', "_")).with_extension("wasm");
        let annotated = annotate::annotate(&read(&module)?, &folder)?;
        let path = out.join(policy).with_extension("wasm");
        fs::write(&path, annotated).map_err(|error| format!("{}: {error}", path.display()))?;
        writeln!(table, "    BundledPolicy {{ name: {policy:?}, wasm: include_bytes!({path:?}) }},")
            .map_err(|error| error.to_string())?;
    }
    table.push(']');
    let path = out.join("policies.rs");
    fs::write(&path, table).map_err(|error| format!("{}: {error}", path.display()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The folders with a `metadata.yml`, sorted.
fn policies(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("metadata.yml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    // Without names, cargo would build something else.
    if names.is_empty() { Err(format!("{}: no folder holds a metadata.yml", folder.display())) } else { Ok(names) }
}

/// What the modules are made of. Suites and samples are not: they change often.
fn watch(policies_folder: &Path) {
    for folder in fs::read_dir(policies_folder).into_iter().flatten().flatten() {
        for part in ["src", "Cargo.toml", "metadata.yml", "README.md", "settings.schema.json"] {
            let path = folder.path().join(part);
            if path.exists() && !folder.path().ends_with("bundle") && !folder.path().ends_with("policy-metadata") {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
    }
    // A new policy is a new member of the workspace, and so a change of the lock file.
    for part in ["../Cargo.toml", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", policies_folder.join(part).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
}

fn require_target() -> Result<(), String> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("rustc: {error}"))?;
    let library_folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && Path::new(&library_folder).is_dir() {
        Ok(())
    } else {
        Err(format!("the policies are compiled to WebAssembly: run `rustup target add {TARGET}` and build again"))
    }
}

/// One folder for all profiles of the outer build: `target/policy-modules`, found from `target/<profile>/build/…`.
fn target_folder(out: &Path) -> PathBuf {
    let profile_folder = out.ancestors().nth(3).unwrap_or(out);
    profile_folder.parent().unwrap_or(profile_folder).join("policy-modules")
}

/// Panics name source files. Without the folders of this machine, the same source gives the same bytes on any.
fn path_names(policies_folder: &Path) -> Vec<String> {
    let home = |name: &str| env::var_os(name).map(PathBuf::from);
    let cargo_home = home("CARGO_HOME").or_else(|| Some(home("HOME")?.join(".cargo")));
    let root = policies_folder.parent().unwrap_or(policies_folder);
    let folders = [cargo_home.as_deref().map(|folder| (folder, "cargo")), Some((root, "source"))];
    let flag = |(folder, name): (&Path, &str)| format!("--remap-path-prefix={}={name}", folder.display());
    folders.into_iter().flatten().map(flag).collect()
}

/// Builds the modules and tells the folder that they are in.
fn compile(policies: &[String], policies_folder: &Path, target_folder: &Path) -> Result<PathBuf, String> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--profile", "policy", "--target", TARGET, "--target-dir"])
        .arg(target_folder)
        .arg("--manifest-path")
        .arg(policies_folder.join("../Cargo.toml"));
    for policy in policies {
        command.args(["--package", policy]);
    }
    // What the outer build was told holds for its own target: coverage flags, linkers, clippy as the compiler.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let is_outer = matches!(&*name, "RUSTFLAGS" | "RUSTC_WRAPPER" | "RUSTC_WORKSPACE_WRAPPER" | "MAKEFLAGS")
            || (name.starts_with("CARGO_") && !matches!(&*name, "CARGO_HOME" | "CARGO_NET_OFFLINE"))
            || name.starts_with("DEP_");
        if is_outer {
            command.env_remove(name);
        }
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", path_names(policies_folder).join("\u{1f}"));
    let output = command.output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the policies do not compile:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(target_folder.join(TARGET).join("policy"))
}
