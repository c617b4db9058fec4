//! Where things are, and how cargo is called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What guests and handlers are compiled to.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    // Asked when it runs: checkouts that share one target folder also share this binary.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder that everything is built into.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        // A relative one is meant from where cargo was called, which for xtask is any folder of the repository.
        Some(folder) => std::path::absolute(&folder).unwrap_or_else(|_| PathBuf::from(folder)),
        None => root().join("target"),
    }
}

/// A cargo command in the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// A cargo command in a workspace of its own, built into `into`, a folder inside the target folder.
pub(crate) fn cargo_in(workspace: &Path, into: &str, arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.arg("--target-dir").arg(target().join(into)).current_dir(workspace).env_remove("CARGO_TARGET_DIR");
    command
}
