//! One connection to a server, for one thread at a time: each call waits for its answer.
//!
//! The store's thread and those who read have nothing else to do meanwhile, and a call that is driven by the thread that
//! waits for it is quicker than one that is handed to another.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql as Parameter, Type};
use tokio_postgres::{Row, Statement};

use crate::StoreError;
use crate::sql::{Error, Result, ToSql};

use super::put_off::PutOff;
use super::settings::PostgresSettings;
use super::transaction::Transaction;
use super::values::Bound;

/// The longest that one statement is waited for; a server that takes longer is as good as gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// Statements kept prepared; more than there are that recur.
const STATEMENTS: usize = 512;

/// What holds for every transaction of ours. Every statement is meant to go by keys: where statistics lag behind a queue
/// that is empty now and full in a second, the planner would read whole tables. A transaction that its host has left, since
/// the network is cut, must not hold the others up.
const SETTINGS: [&str; 7] = [
    "enable_seqscan = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "jit = off",
    "max_parallel_workers_per_gather = 0",
    "idle_in_transaction_session_timeout = '8s'",
    "lock_timeout = '8s'",
];

/// What holds for connections of our own, beside that.
const SESSION: &str = "SET plan_cache_mode = force_generic_plan; SET client_min_messages = warning";

/// A value, and its type for where the server is not asked.
pub(crate) type Typed<'a> = (&'a (dyn Parameter + Sync), Type);

/// A statement that can be carried out again and again.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    /// One that the server has prepared.
    Statement(Statement),
    /// Its text, where each transaction may be on another server connection.
    Text(String),
}

/// A connection.
pub(crate) struct Client {
    /// Drives the connection while a call waits; taken only when the client is dropped.
    runtime: Option<Runtime>,
    pub(super) client: tokio_postgres::Client,
    statements: RefCell<HashMap<Box<str>, Statement>>,
    pub(super) transaction: Transaction,
    pub(super) waiting: PutOff,
    /// Whether another server connection may serve each transaction.
    pub(super) pooled: bool,
    /// Whether it was lost, or an answer was given up that may still come: nothing more can be asked.
    gone: Cell<bool>,
}

impl Client {
    /// Connects.
    pub(super) fn connect(settings: &PostgresSettings) -> std::result::Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Database(format!("no runtime for a connection: {error}")))?;
        let client = runtime.block_on(settings.connect())?;
        let client = Self {
            runtime: Some(runtime),
            client,
            statements: RefCell::default(),
            transaction: Transaction::default(),
            waiting: PutOff::default(),
            pooled: settings.pooled,
            gone: Cell::new(false),
        };
        if !client.pooled {
            client
                .batch(&format!("{}; {SESSION}", settings_by("SET")))
                .map_err(|error| StoreError::Database(error.words().to_owned()))?;
        }
        Ok(client)
    }

    pub(super) fn wait<T>(
        &self,
        call: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let Some(runtime) = &self.runtime else { return Err(Error::Gone("the connection is closed".to_owned())) };
        let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, call).await });
        let answer = match answer {
            Ok(answer) => answer.map_err(|error| super::failure::read(&error)),
            Err(_) => Err(Error::Gone(format!("the database has not answered for {} s", PATIENCE.as_secs()))),
        };
        if matches!(answer, Err(Error::Gone(_))) {
            self.gone.set(true);
        }
        answer
    }

    /// A text with `?1` for values as a statement of this engine, prepared where the connection keeps it.
    pub(crate) fn prepared(&self, text: &str) -> Result<Prepared> {
        if self.pooled {
            return Ok(Prepared::Text(translated(text)));
        }
        if let Some(statement) = self.statements.borrow().get(text) {
            return Ok(Prepared::Statement(statement.clone()));
        }
        let statement = self.wait(self.client.prepare(&translated(text)))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(text.into(), statement.clone());
        Ok(Prepared::Statement(statement))
    }

    /// How many rows a statement changes.
    pub(crate) fn execute(&self, prepared: &Prepared, values: &[&dyn ToSql]) -> Result<usize> {
        let changed = with_types(values, |typed| self.ask(self.send_execute(prepared, typed)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// What a statement brings back.
    pub(crate) fn query(&self, prepared: &Prepared, values: &[&dyn ToSql]) -> Result<Vec<Row>> {
        with_types(values, |typed| self.query_prepared(prepared, typed))
    }

    /// The same with values of the engine's own types, arrays among them.
    pub(crate) fn query_arrays(&self, text: &str, values: &[Typed<'_>]) -> Result<Vec<Row>> {
        self.query_prepared(&self.prepared(text)?, values)
    }

    /// The same with a statement that is prepared.
    pub(crate) fn query_prepared(&self, prepared: &Prepared, values: &[Typed<'_>]) -> Result<Vec<Row>> {
        self.ask(self.send_query(prepared, values))
    }

    pub(super) async fn send_query(
        &self,
        prepared: &Prepared,
        values: &[Typed<'_>],
    ) -> std::result::Result<Vec<Row>, tokio_postgres::Error> {
        match prepared {
            Prepared::Statement(statement) => self.client.query(statement, &untyped(values)).await,
            Prepared::Text(text) => self.client.query_typed(text, values).await,
        }
    }

    async fn send_execute(
        &self,
        prepared: &Prepared,
        values: &[Typed<'_>],
    ) -> std::result::Result<u64, tokio_postgres::Error> {
        match prepared {
            Prepared::Statement(statement) => self.client.execute(statement, &untyped(values)).await,
            Prepared::Text(text) => self.client.execute_typed(text, values).await,
        }
    }

    /// Statements without values.
    pub(crate) fn batch(&self, text: &str) -> Result<()> {
        self.ask(self.client.batch_execute(text))
    }

    /// Whether nothing can be asked any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.gone.get() || self.client.is_closed()
    }
}

pub(super) fn settings_by(set: &str) -> String {
    SETTINGS.map(|setting| format!("{set} {setting}")).join("; ")
}

impl Drop for Client {
    fn drop(&mut self) {
        // A runtime must not be waited for where others are driven.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("in_transaction", &self.is_in_transaction()).finish_non_exhaustive()
    }
}

/// Values of any column with their types.
fn with_types<T>(values: &[&dyn ToSql], each: impl FnOnce(&[Typed<'_>]) -> T) -> T {
    let bound: Vec<Bound<'_>> = values.iter().map(|value| Bound(value.value())).collect();
    let typed: Vec<Typed<'_>> = bound.iter().map(|value| (value as _, value.kind())).collect();
    each(&typed)
}

fn untyped<'a>(values: &[Typed<'a>]) -> Vec<&'a (dyn Parameter + Sync)> {
    values.iter().map(|(value, _)| *value).collect()
}

/// A statement as this engine writes it: `$1` for values, and nothing of what only SQLite's planner is told.
fn translated(text: &str) -> String {
    text.replace('?', "$").replace("CROSS JOIN", "JOIN").replace(" INDEXED BY ended_otherwise", "")
}
