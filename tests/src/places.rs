//! Where tests find what they run: told by the environment (`cargo xtask test` does), else built here.
//!
//! | name | means |
//! |---|---|
//! | `BULKHEAD_TEST_HOST` | the binary `bulkhead`, built with the feature `test-hooks` |
//! | `BULKHEAD_TEST_HANDLERS` | the folder with the components of `handlers/` and `examples/` |
//! | `BULKHEAD_GUESTS` | the folder with the components of `tests/guests` (see the crate `bulkhead-test-guests`) |
//! | `BULKHEAD_TEST_LANGUAGES` | the folder with the components in Python and JavaScript; without it they are not tested |
//! | `BULKHEAD_TEST_POSTGRES` | the URL of a PostgreSQL server that tests may fill; without it each test starts its own |
//! | `BULKHEAD_TEST_PGBOUNCER` | the URL of a pooler before that server; without it nothing is tested behind one |
//! | `PROMTOOL` | the program `promtool` |
//! | `PYTHON` | the program `python3` |

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the repository.
pub fn root() -> PathBuf {
    // Asked when it runs: checkouts that share one target folder also share this code, once built.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder that everything is built into.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => root().join("target"),
    }
}

/// What the hosts of all tests have compiled.
pub fn cache() -> PathBuf {
    target().join("tmp/bulkhead-cache")
}

/// A cargo command in the root of the repository, without what cargo set for the test itself.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

/// The binary `bulkhead`.
///
/// # Panics
///
/// Where it cannot be built.
pub fn host() -> &'static Path {
    static HOST: OnceLock<PathBuf> = OnceLock::new();
    HOST.get_or_init(|| {
        told("BULKHEAD_TEST_HOST").unwrap_or_else(|| {
            let build = ["build", "--quiet", "--package", "bulkhead", "--features", "test-hooks"];
            succeed(cargo().args(build));
            // A copy, since other builds may put one without the feature in its place; renamed into place, since a host
            // may be running from the one before.
            let folder = target().join("tested");
            let (copy, beside) = (folder.join("bulkhead"), folder.join(format!("bulkhead.{}", std::process::id())));
            std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::copy(target().join("debug/bulkhead"), &beside))
                .and_then(|_| std::fs::rename(&beside, &copy))
                .unwrap_or_else(|error| panic!("`{}`: {error}", copy.display()));
            copy
        })
    })
}

/// The component of a built-in handler or of an example's.
///
/// # Panics
///
/// Where it cannot be built, or there is none of that name.
pub fn handler(workspace: &str, name: &str) -> PathBuf {
    let folder = told("BULKHEAD_TEST_HANDLERS").unwrap_or_else(|| {
        build_component(&root().join(workspace));
        components()
    });
    let file = folder.join(format!("{}.wasm", name.replace('-', "_")));
    assert!(file.is_file(), "there is no handler `{name}`: `{}` is not there", file.display());
    file
}

/// Builds a handler's crate for the sandbox, as its author would; gives the folder with the component.
///
/// # Panics
///
/// Where it cannot be built.
pub fn build_component(workspace: &Path) -> PathBuf {
    let build = ["build", "--quiet", "--release", "--target", "wasm32-wasip2", "--target-dir"];
    succeed(cargo().args(build).arg(target().join("handlers")).current_dir(workspace).env_remove("CARGO_TARGET_DIR"));
    components()
}

fn components() -> PathBuf {
    target().join("handlers/wasm32-wasip2/release")
}

/// The folder with the components in Python and JavaScript, where they were built: their tools take too long to set up
/// for a test.
pub fn languages() -> Option<PathBuf> {
    told("BULKHEAD_TEST_LANGUAGES")
}

/// The server that tests share, where there is one.
pub fn postgres() -> Option<String> {
    std::env::var("BULKHEAD_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// The pooler before it, where there is one.
pub fn pgbouncer() -> Option<String> {
    std::env::var("BULKHEAD_TEST_PGBOUNCER").ok().filter(|url| !url.is_empty())
}

/// The folder of PostgreSQL's programs, where it is installed: on the path, else where Debian has the newest.
pub fn postgres_programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let debian = versions.into_iter().rev().map(|(_, folder)| folder);
    let has_all =
        |folder: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file());
    std::env::split_paths(&path).chain(debian).find(has_all)
}

/// The program `promtool`, where there is one.
pub fn promtool() -> Option<PathBuf> {
    let promtool = told("PROMTOOL").unwrap_or_else(|| "promtool".into());
    let works = Command::new(&promtool).arg("--version").output().is_ok_and(|output| output.status.success());
    works.then_some(promtool)
}

/// The program `python3`, where there is one.
pub fn python() -> Option<PathBuf> {
    let python = told("PYTHON").unwrap_or_else(|| "python3".into());
    let works = Command::new(&python).arg("--version").output().is_ok_and(|output| output.status.success());
    works.then_some(python)
}

fn told(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from)
}

fn succeed(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    assert!(status.success(), "{command:?} failed: {status}");
}
