//! The versions of the schema on PostgreSQL, and how one becomes the next; forward only.

use crate::StoreError;
use crate::relational::reading;
use crate::sql::{Connection, OptionalExtension, Result};

use super::address::shown_url;

/// The schema that this host writes.
pub const SCHEMA_VERSION: i64 = 2;

/// The oldest schema whose hosts can still work with what this one writes.
const MIN_COMPATIBLE: i64 = 2;

/// Each takes the schema from its place in the list to the next; never changed once released.
const MIGRATIONS: [&str; SCHEMA_VERSION as usize] =
    [include_str!("migrations/0001_first.sql"), include_str!("migrations/0002_events.sql")];

/// Brings the schema up to date, or says why that cannot be. Hosts that start at once wait for each other.
pub(super) fn migrate(connection: &Connection, url: &str) -> std::result::Result<(), StoreError> {
    let failed = |error| reading(&error);
    if let Some((found, least)) = versions(connection).map_err(failed)?
        && found >= SCHEMA_VERSION
    {
        return compatible(found, least, url);
    }
    connection.begin().map_err(failed)?;
    let done = upgrade(connection, url);
    match done {
        Ok(()) => connection.commit().map_err(failed),
        Err(error) => {
            let _ = connection.rollback();
            Err(error)
        }
    }
}

fn compatible(found: i64, least: i64, url: &str) -> std::result::Result<(), StoreError> {
    if least > SCHEMA_VERSION {
        let path = shown_url(url).into();
        return Err(StoreError::NewerSchema { path, found, known: SCHEMA_VERSION });
    }
    Ok(())
}

fn upgrade(connection: &Connection, url: &str) -> std::result::Result<(), StoreError> {
    let failed = |error| reading(&error);
    let Some(client) = connection.postgres() else { return Ok(()) };
    // One at a time, for this schema of this database; held until the transaction ends, so that poolers do no harm.
    client.batch("SELECT pg_advisory_xact_lock(1112295496, hashtext(current_schema()))").map_err(failed)?;
    client.batch("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)").map_err(failed)?;
    let found = match versions(connection).map_err(failed)? {
        Some((found, least)) => {
            compatible(found, least, url)?;
            found
        }
        None => 0,
    };
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        client.batch(migration).map_err(failed)?;
    }
    if found < SCHEMA_VERSION {
        for (name, value) in [("schema_version", SCHEMA_VERSION), ("min_compatible", MIN_COMPATIBLE)] {
            let upsert = "INSERT INTO meta (name, value) VALUES (?1, ?2) \
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            connection.execute(upsert, crate::sql::params![name, value]).map_err(failed)?;
        }
    }
    Ok(())
}

/// The schema's version and the least that a host must know; `None` where there is none yet.
fn versions(connection: &Connection) -> Result<Option<(i64, i64)>> {
    const IS_THERE: &str = "SELECT to_regclass('meta') IS NOT NULL";
    if !connection.prepare_cached(IS_THERE)?.query_row([], |row| row.get::<bool>(0))? {
        return Ok(None);
    }
    let fact = |name: &str| {
        let select = "SELECT value FROM meta WHERE name = ?1";
        connection.prepare_cached(select)?.query_row([name], |row| row.get::<i64>(0)).optional()
    };
    Ok(fact("schema_version")?.zip(fact("min_compatible")?))
}
