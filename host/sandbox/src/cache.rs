//! Compiled components on disk, so that a warm start neither compiles nor runs a guest.
//!
//! Beside each compiled component (`DIGEST-ENGINE.cwasm`) lies what is known of it (`DIGEST-ENGINE.json`): its checksum and
//! what the component says of itself. The second is written last, so that it never speaks of a file that is not whole.

use std::collections::hash_map::DefaultHasher;
use std::fs::{DirBuilder, File, Metadata};
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bulkhead_core::{Digest, Size};
use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::component::Description;
use crate::{SandboxError, artifact, prune};

/// The cache of one engine in one folder.
pub(crate) struct Cache {
    folder: PathBuf,
    /// How much it may hold, of all engines together.
    size: Size,
    /// Tells apart what engines of other versions, settings or processors have compiled.
    engine: u64,
}

/// What lies beside a compiled component.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    checksum: Digest,
    description: Description,
}

impl Cache {
    /// Opens the folder, made where it is missing, and refuses one that others could write to.
    pub(crate) fn open(folder: &Path, size: Size, engine: &Engine) -> Result<Self, SandboxError> {
        let refuse = |problem: String| SandboxError::Cache { folder: folder.to_owned(), problem };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| refuse(format!("it cannot be made: {error}")))?;
        let found = std::fs::symlink_metadata(folder).map_err(|error| refuse(format!("it cannot be read: {error}")))?;
        if !found.is_dir() {
            return Err(refuse("it is a link or no folder; name the folder itself".to_owned()));
        }
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(refuse("it belongs to another user; give this host a folder of its own".to_owned()));
        }
        if found.permissions().mode() & 0o022 != 0 {
            return Err(refuse("others may write to it; run `chmod 700` on it after looking what is in it".to_owned()));
        }
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { folder: folder.to_owned(), size, engine: hasher.finish() })
    }

    /// What was kept of these bytes; whatever is wrong with it, it is simply not there and is compiled again.
    pub(crate) fn take(&self, engine: &Engine, digest: &Digest) -> Option<(Component, Description)> {
        let (code, record) = (self.file(digest, "cwasm"), self.file(digest, "json"));
        if !code.exists() || !record.exists() {
            return None;
        }
        match self.verified(engine, &code, &record) {
            Ok(found) => {
                prune::touch(&record);
                Some(found)
            }
            Err(problem) => {
                tracing::warn!(file = %code.display(), problem, "a cached component is not used; it is compiled again");
                // Gone first, so that a failure to write the new one does not leave the bad one.
                let _ = std::fs::remove_file(&record);
                let _ = std::fs::remove_file(&code);
                None
            }
        }
    }

    fn verified(&self, engine: &Engine, code: &Path, record: &Path) -> Result<(Component, Description), String> {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut open(record)?, &mut text).map_err(|error| error.to_string())?;
        let record: Record = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(open(code)?).map_err(|error| error.to_string())?;
        if hasher.finalize().as_bytes() != record.checksum.as_bytes() {
            return Err("its checksum is wrong".to_owned());
        }
        let component = artifact::map(engine, code).map_err(|error| format!("{error:#}"))?;
        Ok((component, record.description))
    }

    /// Keeps a compiled component; a cache that cannot be written to is a warning and no more.
    pub(crate) fn keep(&self, digest: &Digest, code: &[u8], description: &Description) {
        if let Err(problem) = self.try_keep(digest, code, description) {
            tracing::warn!(folder = %self.folder.display(), problem, "a compiled component could not be cached");
        }
    }

    fn try_keep(&self, digest: &Digest, code: &[u8], description: &Description) -> Result<(), String> {
        let checksum = Digest::from_bytes(*blake3::hash(code).as_bytes());
        let record = serde_json::to_vec(&Record { checksum, description: description.clone() });
        let record = record.map_err(|error| error.to_string())?;
        let file = self.file(digest, "cwasm");
        self.write(&file, code).map_err(|error| error.to_string())?;
        self.write(&self.file(digest, "json"), &record).map_err(|error| error.to_string())?;
        prune::prune(&self.folder, self.size, &file).map_err(|error| error.to_string())
    }

    fn file(&self, digest: &Digest, extension: &str) -> PathBuf {
        self.folder.join(format!("{digest}-{:016x}.{extension}", self.engine))
    }

    /// Writes beside, then renames over, so that nobody ever maps half a file.
    fn write(&self, file: &Path, bytes: &[u8]) -> std::io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let beside = self.folder.join(format!("new-{}-{number}.tmp", std::process::id()));
        let written = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut new| new.write_all(bytes))
            .and_then(|()| std::fs::rename(&beside, file));
        if written.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        written
    }
}

/// Opens a file of the cache: a plain one, this user's own, that nobody else may write to and that has no second name.
fn open(file: &Path) -> Result<File, String> {
    let found = std::fs::symlink_metadata(file).map_err(|error| error.to_string())?;
    let own = |found: &Metadata| {
        found.is_file()
            && found.nlink() == 1
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.permissions().mode() & 0o022 == 0
    };
    if !own(&found) {
        return Err("it is no private file of this user".to_owned());
    }
    let opened = File::open(file).map_err(|error| error.to_string())?;
    let now = opened.metadata().map_err(|error| error.to_string())?;
    if now.ino() != found.ino() || now.dev() != found.dev() {
        return Err("it changed while it was opened".to_owned());
    }
    Ok(opened)
}
