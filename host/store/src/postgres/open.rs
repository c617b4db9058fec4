//! Opening a database on a server.

use std::sync::Arc;

use crate::StoreError;
use crate::relational::{DatabaseStore, ManyHosts, Opened, Source, reading};
use crate::sql::Connection;

use super::client::Client;
use super::listener;
use super::schema;
use super::settings::PostgresSettings;

/// Opens the store, and makes its tables where there are none. Other hosts may have it open, too.
pub fn open(settings: PostgresSettings) -> Result<DatabaseStore, StoreError> {
    // On a thread of its own: connections wait for their answers, which a caller's runtime would not let them.
    let opening = std::thread::spawn(move || open_here(settings));
    opening.join().unwrap_or_else(|_| Err(StoreError::Database("the store could not be opened".to_owned())))
}

fn open_here(settings: PostgresSettings) -> Result<DatabaseStore, StoreError> {
    let connection = settings.writer()?;
    schema::migrate(&connection, &settings.url)?;
    let host = register(&connection).map_err(|error| reading(&error))?;
    drop(connection);
    let many_hosts = Some(ManyHosts::new(host, &settings));
    let queue = settings.queue.clone();
    let listen = listener::listen(&settings);
    DatabaseStore::begin(Opened { listen, source: Arc::new(settings), lock: None, many_hosts, settings: queue })
}

/// A number for this host that no other has or had.
fn register(connection: &Connection) -> crate::sql::Result<i64> {
    const INSERT: &str = "INSERT INTO hosts (id, since) \
        VALUES (nextval('host_numbers'), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) RETURNING id";
    connection.prepare_cached(INSERT)?.query_row([], |row| row.get(0))
}

impl Source for PostgresSettings {
    fn writer(&self) -> Result<Connection, StoreError> {
        Client::connect(self).map(|client| Connection::Postgres(Box::new(client)))
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        Client::connect(self).map(|client| Connection::Postgres(Box::new(client)))
    }
}
