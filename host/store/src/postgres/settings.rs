//! What a PostgreSQL store is told.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{QueueSettings, StoreError};

use super::address::{parse, shown_url};
use super::failure::words;
use super::tls::connector;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// How long nothing may be heard of a server.
const UNHEARD_OF: Duration = Duration::from_secs(10);

/// Tens of thousands of tasks: seldom enough to cost nothing, and passed over in no time.
const PART_SIZE: u64 = 16 << 20;

/// A client, and the connection that has to be driven for it.
pub(super) type Connected = (tokio_postgres::Client, tokio_postgres::Connection<Socket, Stream>);
type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// The settings of a store on a PostgreSQL server.
#[derive(Clone)]
pub struct PostgresSettings {
    /// Where the database is: `postgres://user@host:port/database`, with the options of libpq.
    pub url: String,
    /// Where hosts listen to each other, past a pooler; `url` where there is none.
    pub listen_url: Option<String>,
    /// The authorities whose certificates are trusted where the address asks for TLS, in PEM; those of the system where
    /// there is no such file.
    pub ca: Option<PathBuf>,
    /// Whether a pooler stands between that gives each transaction another connection.
    pub pooled: bool,
    /// Whether times are the database's; otherwise they are the clock's of `queue`, which several hosts would have to share.
    pub database_time: bool,
    /// Bytes after which the other part of the queue's table takes the new rows.
    pub part_size: u64,
    /// What is the same on every database.
    pub queue: QueueSettings,
}

/// By hand, since the addresses may have passwords in them.
impl fmt::Debug for PostgresSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, listen_url, ca, pooled, database_time, part_size, queue } = self;
        formatter
            .debug_struct("PostgresSettings")
            .field("url", &shown_url(url))
            .field("listen_url", &listen_url.as_deref().map(shown_url))
            .field("ca", ca)
            .field("pooled", pooled)
            .field("database_time", database_time)
            .field("part_size", part_size)
            .field("queue", queue)
            .finish()
    }
}

impl PostgresSettings {
    /// The defaults, for the database at `url`.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            listen_url: None,
            ca: None,
            pooled: false,
            database_time: true,
            part_size: PART_SIZE,
            queue: QueueSettings::default(),
        }
    }

    /// Makes a connection, driven by the runtime that this is called on.
    pub(super) async fn connect(&self) -> Result<tokio_postgres::Client, StoreError> {
        let (client, connection) = self.connect_to(&self.url).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the database has ended");
            }
        });
        Ok(client)
    }

    /// Makes a connection to this address, to be driven by who asks.
    pub(super) async fn connect_to(&self, url: &str) -> Result<Connected, StoreError> {
        let unreachable = |reason| StoreError::Unreachable { reason };
        let config = config(url).map_err(|error| unreachable(words(&error)))?;
        let tls = connector(config.get_ssl_mode(), self.ca.as_deref()).map_err(unreachable)?;
        // Each of several servers may take so long.
        let patience = CONNECT * u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1);
        tokio::time::timeout(patience, config.connect(tls))
            .await
            .map_err(|_| unreachable(format!("no answer within {} s", patience.as_secs())))?
            .map_err(|error| unreachable(words(&error)))
    }
}

/// How a server is reached, so that one to which the way is cut is given up.
fn config(url: &str) -> Result<Config, tokio_postgres::Error> {
    let mut config = parse(url)?;
    if config.get_application_name().is_none() {
        config.application_name("bulkhead");
    }
    config.connect_timeout(CONNECT).keepalives_idle(UNHEARD_OF).tcp_user_timeout(UNHEARD_OF);
    Ok(config)
}
