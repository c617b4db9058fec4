//! A database of a test's own on a PostgreSQL server.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::{Cluster, Folder, places};

/// A database, gone with its test.
#[derive(Debug)]
pub struct Database {
    /// Its address, as a host is told.
    pub url: String,
    server: String,
    name: String,
    /// The server, where it was started for this test.
    own: Option<Cluster>,
}

impl Database {
    /// An empty database on the server that tests are told of, else on one of its own; none where there is no PostgreSQL.
    ///
    /// # Panics
    ///
    /// Where the server refuses.
    pub fn make() -> Option<Self> {
        match places::postgres() {
            Some(server) => Some(Self::on(server, None)),
            None => Cluster::start().map(|cluster| Self::on(cluster.url(), Some(cluster))),
        }
    }

    fn on(server: String, own: Option<Cluster>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("system_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        ask(&server, &format!("CREATE DATABASE {name}"));
        Self { url: of_name(&server, &name), server, name, own }
    }

    /// The address of the same database behind a pooler in transaction mode, where there is one.
    pub fn pooled_url(&self) -> Option<String> {
        let pooler = places::pgbouncer().filter(|_| self.own.is_none());
        pooler.map(|pooler| of_name(&pooler, &self.name))
    }

    /// What the database answers, row by row, each value as text.
    ///
    /// # Panics
    ///
    /// Where it refuses.
    pub fn ask(&self, statements: &str) -> Vec<Vec<String>> {
        ask(&self.url, statements)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A database that stays behind goes with its server.
        let _ = try_ask(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

impl Folder {
    /// A folder with these guests, whose host works on a PostgreSQL server; `more` is added to its settings.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    pub fn on_server(url: &str, worker: &str, guests: &[&str], more: &str) -> Self {
        let folder = Self::with_guests(guests);
        folder.write("address", url);
        let settings = format!("store.url = \"file:address\"\nworker.name = \"{worker}\"\n{more}");
        folder.write("bulkhead.toml", settings);
        folder
    }
}

/// The same server's address, with another database.
fn of_name(server: &str, name: &str) -> String {
    let (address, options) = server.split_once('?').unwrap_or((server, ""));
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..].find('/').map_or(address.len(), |at| authority + at);
    let joint = if options.is_empty() { "" } else { "?" };
    format!("{}/{name}{joint}{options}", &address[..end])
}

/// What a server answers, row by row, each value as text.
///
/// # Panics
///
/// Where it refuses.
pub fn ask(url: &str, statements: &str) -> Vec<Vec<String>> {
    try_ask(url, statements).unwrap_or_else(|error| panic!("{statements}: {error:#}"))
}

fn try_ask(url: &str, statements: &str) -> Result<Vec<Vec<String>>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("no connection")?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(statements).await?;
        drop(client);
        connection.await??;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|place| row.get(place).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    })
}
