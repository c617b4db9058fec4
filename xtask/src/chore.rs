//! Where things are, and how cargo is called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What guests and handlers are compiled to.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// What cargo tells this program of its own package. Passed on, build scripts that look at them would run again, and all that
/// depends on them be built again, whenever cargo was last called by hand or in another checkout.
const OUR_PACKAGE: [&str; 8] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

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
    for name in OUR_PACKAGE {
        command.env_remove(name);
    }
    command
}

/// A cargo command in a workspace of its own, built into `into`, a folder inside the target folder.
pub(crate) fn cargo_in(workspace: &Path, into: &str, arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.arg("--target-dir").arg(target().join(into)).current_dir(workspace).env_remove("CARGO_TARGET_DIR");
    command
}
