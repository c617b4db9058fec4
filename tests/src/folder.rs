//! A fresh folder: settings, handlers, store and log of one test.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::{Host, Ran, places};

/// A folder as `bulkhead init` leaves it, gone with its test.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
}

impl Folder {
    /// A folder with nothing in it.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    pub fn empty() -> Self {
        Self { folder: tempfile::Builder::new().prefix("bulkhead-test-").tempdir().expect("a folder can be made") }
    }

    /// A folder with these settings.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    pub fn with_settings(settings: &str) -> Self {
        let folder = Self::empty();
        std::fs::create_dir(folder.path().join("handlers")).expect("a folder can be made");
        folder.write("bulkhead.toml", settings);
        folder
    }

    /// A folder where nothing is set.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    pub fn fresh() -> Self {
        Self::with_settings("")
    }

    /// A folder with guests of `tests/guests` as its handlers.
    ///
    /// # Panics
    ///
    /// Where they cannot be built.
    pub fn with_guests(guests: &[&str]) -> Self {
        let folder = Self::fresh();
        for guest in guests {
            folder.drop_in(guest, &bulkhead_test_guests::guest_bytes(guest));
        }
        folder
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    ///
    /// # Panics
    ///
    /// Where it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path().join(name);
        std::fs::write(&file, content).unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
        file
    }

    /// Puts a handler into the handlers folder as people do who copy: slowly, under its own name.
    ///
    /// # Panics
    ///
    /// Where it cannot be written.
    pub fn drop_in(&self, name: &str, component: &[u8]) -> PathBuf {
        self.write(&format!("handlers/{name}.wasm"), component)
    }

    /// Starts a host here.
    ///
    /// # Panics
    ///
    /// Where it does not answer within a minute.
    pub fn host(&self) -> Host {
        Host::start(self, &[]).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Runs a command of the binary here, without a host.
    ///
    /// # Panics
    ///
    /// Where the binary cannot be started.
    pub fn bulkhead(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}")).into()
    }

    /// The binary, here, with nothing of the caller's environment that it would heed.
    ///
    /// # Panics
    ///
    /// Where the cache that all tests share cannot be made.
    pub fn command(&self) -> Command {
        let mut command = Command::new(places::host());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("BULKHEAD_") || name.starts_with("WORKER_") || name.starts_with("RUST_LOG") {
                command.env_remove(&*name);
            }
        }
        let cache = places::cache();
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&cache).expect("the cache can be made");
        command.current_dir(self.path()).env("BULKHEAD_HANDLERS__CACHE", cache).env("BULKHEAD_SERVER__LISTEN", FREE);
        command
    }
}

/// Any free port of this machine.
const FREE: &str = "127.0.0.1:0";

/// The same component, as another version: with a custom section at its end that says `label`.
///
/// # Panics
///
/// Where the label is longer than 100 bytes.
pub fn variant_of(component: &[u8], label: &str) -> Vec<u8> {
    let length = u8::try_from(label.len()).ok().filter(|length| *length <= 100).expect("a short label");
    let mut variant = component.to_vec();
    // Section 0, its size, and the name it goes by; nothing else in it.
    variant.extend([0, length + 1, length]);
    variant.extend(label.as_bytes());
    variant
}
