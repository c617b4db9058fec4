//! Builds the guests that tests run, and says where they are.
//!
//! `BULKHEAD_GUESTS` names a folder of built guests; without it they are built once per process by cargo, for
//! wasm32-wasip2, into the folder that `BULKHEAD_GUESTS_TARGET` names (else `guests` in the workspace's target folder).
//! What Rust cannot say is written as WebAssembly text, and made into a component here.

mod text;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rustix::fs::FlockOperation;

/// The built component of one guest of `tests/guests`, e.g. `noop`.
///
/// # Panics
///
/// Where the guests cannot be built, or there is none of that name: a test can do nothing else.
pub fn guest(name: &str) -> PathBuf {
    let file = folder().join(format!("{}.wasm", name.replace('-', "_")));
    assert!(file.is_file(), "there is no guest `{name}`: `{}` is not there", file.display());
    file
}

/// The bytes of one guest.
///
/// # Panics
///
/// As [`guest`].
pub fn guest_bytes(name: &str) -> Vec<u8> {
    let guests = manifest();
    let text = guests.with_file_name("hostile").join(format!("{name}.wat"));
    if text.is_file() {
        return text::component(&text, &guests.with_file_name("../../wit"))
            .unwrap_or_else(|error| panic!("`{}`: {error:#}", text.display()));
    }
    let file = guest(name);
    std::fs::read(&file).unwrap_or_else(|error| panic!("`{}` cannot be read: {error}", file.display()))
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| match std::env::var_os("BULKHEAD_GUESTS") {
        Some(folder) => PathBuf::from(folder),
        None => build(),
    })
}

/// The guests' workspace in the checkout whose test runs: checkouts that share one target folder share this code, built
/// in any of them.
fn manifest() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let found =
        Path::new(&package).ancestors().map(|folder| folder.join("tests/guests/Cargo.toml")).find(|at| at.is_file());
    found.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/Cargo.toml"))
}

/// Builds them all; a lock keeps test processes that start together from building on top of each other.
fn build() -> PathBuf {
    let manifest = manifest();
    let target = std::env::var_os("BULKHEAD_GUESTS_TARGET").map_or_else(default_target, PathBuf::from);
    std::fs::create_dir_all(&target)
        .unwrap_or_else(|error| panic!("`{}` cannot be created: {error}", target.display()));
    let lock = std::fs::File::create(target.join("guests.lock")).expect("the lock file can be created");
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).expect("the lock can be taken");
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--examples",
            "--target",
            "wasm32-wasip2",
            "--manifest-path",
        ])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        // What cargo sets for the test itself is not meant for the guests.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .status()
        .expect("cargo can be started");
    assert!(status.success(), "the guests of `{}` could not be built", manifest.display());
    target.join("wasm32-wasip2/release/examples")
}

/// `guests` in the target folder that this very test was built into.
fn default_target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    target.join("guests")
}
