//! One host at a time on one database file.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::StoreError;

/// A lock on `<database>.lock`, held for as long as this lives; the file says which process holds it.
#[derive(Debug)]
pub(crate) struct LockFile {
    _file: File,
}

impl LockFile {
    /// Takes the lock, or says who has it.
    pub(super) fn acquire(database: &Path) -> Result<Self, StoreError> {
        let read_only =
            |error: std::io::Error| StoreError::ReadOnly { path: database.to_owned(), reason: error.to_string() };
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let mut options = File::options();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(read_only)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(StoreError::InUse { path: database.to_owned(), holder: holder.trim().parse().ok() });
            }
            Err(error) => return Err(StoreError::Database(format!("the lock file cannot be locked: {error}"))),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(read_only)?;
        writeln!(file, "{}", std::process::id()).map_err(read_only)?;
        Ok(Self { _file: file })
    }
}
