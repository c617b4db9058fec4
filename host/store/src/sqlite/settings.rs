//! What a SQLite store is told.

use std::path::PathBuf;

use crate::QueueSettings;

/// The settings of one SQLite store.
#[derive(Debug, Clone)]
pub struct SqliteSettings {
    /// The database file; made where absent.
    pub path: PathBuf,
    /// Memory for the writer's page cache, in bytes.
    pub cache_bytes: u64,
    /// The database's largest size in pages of 4 KiB; `None` leaves it to the disk.
    pub max_pages: Option<u32>,
    /// What is the same on every database.
    pub queue: QueueSettings,
}

impl SqliteSettings {
    /// The defaults, for the database at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), cache_bytes: 64 << 20, max_pages: None, queue: QueueSettings::default() }
    }
}
