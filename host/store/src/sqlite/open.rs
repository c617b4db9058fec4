//! Opening the database file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::relational::{DatabaseStore, Opened, Source};
use crate::{StoreError, sql};

use super::failure::opening;
use super::lock_file::LockFile;
use super::schema;
use super::settings::SqliteSettings;

/// Others (a backup, an operator's shell) may hold the file for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages of 4 KiB in the write-ahead log before they are copied into the file: the copy and its fsync cost about as much
/// as a few commits, so they are made rarely; 32 MiB is read back in well under a second after a crash.
const CHECKPOINT_PAGES: u32 = 8_192;

/// Statements kept prepared on each connection; more than there are.
const STATEMENTS: usize = 128;

/// Opens the store, and makes it where there is none. Leases that an earlier host left are void from here on.
pub fn open(settings: SqliteSettings) -> Result<DatabaseStore, StoreError> {
    let lock = Some(LockFile::acquire(&settings.path)?);
    let queue = settings.queue.clone();
    DatabaseStore::begin(Opened { listen: None, source: Arc::new(settings), lock, many_hosts: None, settings: queue })
}

impl Source for SqliteSettings {
    fn writer(&self) -> Result<sql::Connection, StoreError> {
        writer(self).map(sql::Connection::Sqlite)
    }

    fn reader(&self) -> Result<sql::Connection, StoreError> {
        reader(&self.path).map(sql::Connection::Sqlite)
    }
}

/// Opens the one connection that writes, with the schema up to date.
pub(super) fn writer(settings: &SqliteSettings) -> Result<Connection, StoreError> {
    let path = settings.path.as_path();
    let failed = |error: rusqlite::Error| opening(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        let reason = "the file is read-only".to_owned();
        return Err(StoreError::ReadOnly { path: path.to_owned(), reason });
    }
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // FULL: every commit is on the disk before anybody hears of it. temp_store: savepoints keep their pages in memory.
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = 4096;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -{cache};
             PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
             PRAGMA journal_size_limit = {limit};",
            cache = settings.cache_bytes >> 10,
            limit = u64::from(CHECKPOINT_PAGES) * 2 * 4096,
        ))
        .map_err(failed)?;
    if let Some(pages) = settings.max_pages {
        connection.pragma_update(None, "max_page_count", pages).map_err(failed)?;
    }
    schema::migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens a connection that reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let failed = |error: rusqlite::Error| opening(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;").map_err(failed)?;
    Ok(connection)
}
