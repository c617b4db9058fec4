//! The versions of the schema, and how one becomes the next; forward only.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::StoreError;

use super::failure::opening;

/// The schema that this host writes.
pub const SCHEMA_VERSION: i64 = 11;

/// The oldest schema whose hosts can still work with what this one writes.
const MIN_COMPATIBLE: i64 = 8;

/// Each takes the schema from its place in the list to the next; never changed once released.
const MIGRATIONS: [&str; SCHEMA_VERSION as usize] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_waiting.sql"),
    include_str!("migrations/0003_schedules.sql"),
    include_str!("migrations/0004_retention.sql"),
    include_str!("migrations/0005_told.sql"),
    include_str!("migrations/0006_events.sql"),
    include_str!("migrations/0007_tokens.sql"),
    include_str!("migrations/0008_workflows.sql"),
    include_str!("migrations/0009_before_waits.sql"),
    include_str!("migrations/0010_kept_told.sql"),
    include_str!("migrations/0011_pausing_all.sql"),
];

/// `PRAGMA application_id` of a Bulkhead store: `BLKH`.
const APPLICATION_ID: i64 = 0x424c_4b48;

/// Brings the schema up to date, or says why that cannot be.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| opening(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let application: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables > 0 && application != APPLICATION_ID {
        let reason = "it belongs to another program".to_owned();
        return Err(StoreError::Corrupt { path: path.to_owned(), reason });
    }
    transaction
        .execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID};
             CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
        ))
        .map_err(failed)?;
    let fact = |name: &str| {
        transaction
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get::<_, i64>(0))
            .optional()
            .map(Option::unwrap_or_default)
            .map_err(failed)
    };
    let found = fact("schema_version")?;
    if fact("min_compatible")? > SCHEMA_VERSION {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    if found < SCHEMA_VERSION {
        for (name, value) in [("schema_version", SCHEMA_VERSION), ("min_compatible", MIN_COMPATIBLE)] {
            transaction
                .execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", params![name, value])
                .map_err(failed)?;
        }
    }
    transaction.commit().map_err(failed)
}
