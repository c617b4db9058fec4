//! The versions of the schema on PostgreSQL, and how one becomes the next; forward only.
//!
//! Hosts of two versions may work on one database for as long as an upgrade goes from host to host: a migration that older
//! hosts can live with leaves `min_compatible` where it is. One that they cannot live with is refused while any of them is
//! there, and whoever comes back after it writes nothing any more.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::StoreError;
use crate::relational::reading;
use crate::sql::{Connection, Error, OptionalExtension, Result, params};

use super::address::shown_url;
use super::client::Client;

/// The schema that this host writes.
pub const SCHEMA_VERSION: i64 = 7;

/// The oldest schema whose hosts can still work with what this one writes: earlier ones cannot read a route with a home.
const MIN_COMPATIBLE: i64 = 4;

/// Each takes the schema from its place in the list to the next; never changed once released.
const MIGRATIONS: [&str; SCHEMA_VERSION as usize] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_events.sql"),
    include_str!("migrations/0003_workflows.sql"),
    include_str!("migrations/0004_homes.sql"),
    include_str!("migrations/0005_before_waits.sql"),
    include_str!("migrations/0006_kept_told.sql"),
    include_str!("migrations/0007_pausing_all.sql"),
];

/// A host that has not renewed its leases for so long does not count as there.
const GONE: Duration = Duration::from_secs(60);

/// How long a migration waits for readers, such as a backup, that hold the tables.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// A schema as a host knows it.
#[derive(Debug)]
pub(super) struct Schema {
    /// Its version.
    pub(super) version: i64,
    /// The oldest version whose hosts can work with it.
    least: i64,
    migrations: Vec<&'static str>,
}

/// The schema of this host.
pub(super) fn ours() -> &'static Schema {
    static OURS: OnceLock<Schema> = OnceLock::new();
    OURS.get_or_init(|| {
        let ours = Schema { version: SCHEMA_VERSION, least: MIN_COMPATIBLE, migrations: MIGRATIONS.to_vec() };
        #[cfg(feature = "test-hooks")]
        let ours = super::next_schema::following(ours);
        ours
    })
}

impl Schema {
    /// The one that follows it.
    #[cfg(feature = "test-hooks")]
    pub(super) fn next(mut self, migration: &'static str, is_breaking: bool) -> Self {
        self.migrations.push(migration);
        self.version += 1;
        self.least = if is_breaking { self.version } else { self.least };
        self
    }
}

/// Brings the schema up to date, or says why that cannot be. Hosts that start at once wait for each other.
pub(super) fn migrate(connection: &Connection, url: &str) -> std::result::Result<(), StoreError> {
    let Some(client) = connection.postgres() else { return Ok(()) };
    let ours = ours();
    let began = Instant::now();
    loop {
        let found = versions(connection).map_err(|error| reading(&error))?;
        if let Some((found, least)) = found
            && found >= ours.version
        {
            return check_least(least, found, url);
        }
        match upgrade(connection, client, ours, url) {
            Err(Trouble::Database(Error::Raced(_))) if began.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            Err(Trouble::Database(Error::Raced(words))) => return Err(StoreError::TablesHeld { words }),
            Err(Trouble::Database(error)) => return Err(reading(&error)),
            Err(Trouble::Refused(error)) => return Err(error),
            Ok(()) => return Ok(()),
        }
    }
}

/// Refuses a schema that this host can no longer work with.
pub(crate) fn check_least(least: i64, found: i64, place: &str) -> std::result::Result<(), StoreError> {
    let known = ours().version;
    if least > known {
        return Err(StoreError::NewerSchema { path: shown_url(place).into(), found, known });
    }
    Ok(())
}

/// Why a schema was not brought up to date.
enum Trouble {
    Database(Error),
    Refused(StoreError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

fn upgrade(connection: &Connection, client: &Client, ours: &Schema, url: &str) -> std::result::Result<(), Trouble> {
    client.begin_alone()?;
    let done = upgrade_alone(connection, client, ours, url);
    match done {
        Ok(()) => Ok(connection.commit()?),
        Err(trouble) => {
            let _ = connection.rollback();
            Err(trouble)
        }
    }
}

/// No other host writes meanwhile.
fn upgrade_alone(
    connection: &Connection,
    client: &Client,
    ours: &Schema,
    url: &str,
) -> std::result::Result<(), Trouble> {
    client.batch("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)")?;
    let found = match versions(connection)? {
        Some((found, least)) => {
            check_least(least, found, url).map_err(Trouble::Refused)?;
            found
        }
        None => 0,
    };
    if found > 0 && found < ours.least {
        let hosts = hosts_there(connection)?;
        if hosts > 0 {
            return Err(Trouble::Refused(StoreError::OlderHosts { hosts, found, wanted: ours.version }));
        }
    }
    for migration in ours.migrations.iter().skip(usize::try_from(found).unwrap_or(0)) {
        client.batch(migration)?;
    }
    if found < ours.version {
        for (name, value) in [("schema_version", ours.version), ("min_compatible", ours.least)] {
            let upsert = "INSERT INTO meta (name, value) VALUES (?1, ?2) \
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            connection.execute(upsert, params![name, value])?;
        }
    }
    Ok(())
}

/// How many hosts work on the database.
fn hosts_there(connection: &Connection) -> Result<i64> {
    const COUNT: &str = "SELECT count(DISTINCT host) FROM attachments \
        WHERE renewed_at > floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - ?1";
    let gone = i64::try_from(GONE.as_millis()).unwrap_or(i64::MAX);
    connection.prepare_cached(COUNT)?.query_row([gone], |row| row.get(0))
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
