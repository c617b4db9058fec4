//! The components that tests and examples run.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::chore::{cargo, root, step, target};

const TARGET: &str = "wasm32-wasip2";

/// Builds the test guests; gives the folder that holds them.
pub fn build() -> Result<PathBuf> {
    add_target()?;
    let folder = beside(&target(), "guests");
    step(
        "test guests",
        cargo(&["build", "--quiet", "--locked", "--release", "--examples", "--target", TARGET])
            .arg("--manifest-path")
            .arg(root().join("tests/guests/Cargo.toml"))
            .arg("--target-dir")
            .arg(&folder)
            .env_remove("CARGO_TARGET_DIR"),
    )?;
    Ok(folder.join(TARGET).join("release/examples"))
}

/// `rustup` does not add a target to a toolchain that is already there, even where rust-toolchain.toml lists it.
fn add_target() -> Result<()> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()).output()?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if sysroot.join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    step("rustup target", Command::new("rustup").args(["target", "add", TARGET]).current_dir(root())).or_else(|error| {
        bail!("{error:#}\nnext: install rustup (https://rustup.rs), or add the target {TARGET} by your own means")
    })
}

fn beside(folder: &std::path::Path, name: &str) -> PathBuf {
    let mut beside = folder.as_os_str().to_owned();
    beside.push("-");
    beside.push(name);
    PathBuf::from(beside)
}
