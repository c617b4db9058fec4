//! One connection to a server, for one thread at a time: each call waits for its answer.
//!
//! The store's thread and those who read have nothing else to do meanwhile, and a call that is driven by the thread that
//! waits for it is quicker than one that is handed to another.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use bulkhead_core::Timestamp;
use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql as Parameter, Type};
use tokio_postgres::{Row, SimpleQueryMessage, Statement};

use crate::StoreError;
use crate::sql::{Error, Result, Table, ToSql, Value};

use super::gathered::Gathered;
use super::settings::PostgresSettings;
use super::values::{Bound, Owned};

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

const BEGIN: &str = "BEGIN";
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

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

/// A statement that is put off.
struct Later {
    prepared: Prepared,
    values: Vec<(Box<dyn Parameter + Sync + Send>, Type)>,
}

/// A connection.
pub(crate) struct Client {
    /// Drives the connection while a call waits; taken only when the client is dropped.
    runtime: Option<Runtime>,
    client: tokio_postgres::Client,
    statements: RefCell<HashMap<Box<str>, Statement>>,
    in_transaction: Cell<bool>,
    /// The number of the transaction that was begun last.
    transaction: RefCell<Option<String>>,
    /// New rows that the server has not been told of; it is, before anything else is asked of it.
    gathered: RefCell<Vec<Gathered>>,
    /// Statements likewise, after those rows.
    later: RefCell<Vec<Later>>,
    /// Whether another server connection may serve each transaction.
    pooled: bool,
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
            in_transaction: Cell::new(false),
            transaction: RefCell::default(),
            gathered: RefCell::default(),
            later: RefCell::default(),
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

    fn wait<T>(&self, call: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>) -> Result<T> {
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

    /// Puts a row into a table, together with others of its kind, before anything else is asked.
    pub(crate) fn insert(&self, table: &'static Table, values: &[&dyn ToSql]) -> Result<()> {
        let mut gathered = self.gathered.borrow_mut();
        match gathered.iter_mut().find(|gathered| gathered.table.place == table.place) {
            Some(rows) => rows.add(values),
            None => {
                let mut rows = Gathered::new(table);
                rows.add(values)?;
                gathered.push(rows);
                Ok(())
            }
        }
    }

    /// Carries out a statement together with whatever is asked next; nobody waits for how many rows it changes.
    pub(crate) fn later(&self, text: &str, values: Vec<(Box<dyn Parameter + Sync + Send>, Type)>) -> Result<()> {
        let prepared = self.prepared(text)?;
        self.later.borrow_mut().push(Later { prepared, values });
        Ok(())
    }

    /// The same with values of any column.
    pub(crate) fn put_off(&self, text: &str, values: &[&dyn ToSql]) -> Result<()> {
        let owned = |value: &&dyn ToSql| -> (Box<dyn Parameter + Sync + Send>, Type) {
            let value = value.value();
            (Box::new(Owned(Value::from(value))), Bound(value).kind())
        };
        self.later(text, values.iter().map(owned).collect())
    }

    /// Tells the server of everything that was put off.
    pub(crate) fn flush(&self) -> Result<()> {
        self.ask(async { Ok(()) })
    }

    /// Asks something, with all that was put off before it on its way at once: the server takes it in order.
    fn ask<T>(&self, call: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>) -> Result<T> {
        let gathered = std::mem::take(&mut *self.gathered.borrow_mut());
        let later = std::mem::take(&mut *self.later.borrow_mut());
        if gathered.is_empty() && later.is_empty() {
            return self.wait(call);
        }
        let mut put_off = Vec::with_capacity(gathered.len() + later.len());
        for rows in &gathered {
            put_off.push((self.prepared(rows.table.insert_many())?, rows.values()));
        }
        for Later { prepared, values } in &later {
            let values = values.iter().map(|(value, kind)| (&**value as &(dyn Parameter + Sync), kind.clone()));
            put_off.push((prepared.clone(), values.collect()));
        }
        let before = put_off.iter().map(|(prepared, values)| self.send_execute(prepared, values));
        self.wait(async {
            let before = futures::future::try_join_all(before);
            futures::future::try_join(before, call).await.map(|(_, answer)| answer)
        })
    }

    /// Forgets new rows that the server has not been told of.
    fn forget(&self) {
        self.gathered.borrow_mut().clear();
        self.later.borrow_mut().clear();
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
        self.ask(async {
            match prepared {
                Prepared::Statement(statement) => self.client.query(statement, &untyped(values)).await,
                Prepared::Text(text) => self.client.query_typed(text, values).await,
            }
        })
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

    /// Begins a transaction that others can hold off ([`Client::hold_cycles`]); gives the server's time, and keeps the
    /// transaction's number.
    pub(crate) fn begin(&self) -> Result<Timestamp> {
        self.in_transaction.set(true);
        self.transaction.take();
        let begin = self.beginning(BEGIN);
        let messages = self.wait(self.client.simple_query(&format!("{begin}; {BEGUN}")))?;
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((row.get(1)?.parse().ok()?, row.get(2)?.to_owned())),
            _ => None,
        });
        let (now, number) = row.ok_or(Error::NoRow)?;
        self.transaction.replace(Some(number));
        Ok(Timestamp::from_millis(now))
    }

    /// Begins a transaction for which every other of hosts of this store is waited for, and held off until it is over;
    /// tables that others hold are not waited for long.
    pub(crate) fn begin_alone(&self) -> Result<()> {
        self.begin_with(&format!("SET LOCAL lock_timeout = 0; {HOLD}; SET LOCAL lock_timeout = '2s'"))
    }

    /// Begins a transaction with these statements, which hosts do not hold off.
    pub(super) fn begin_with(&self, statements: &str) -> Result<()> {
        self.in_transaction.set(true);
        self.transaction.take();
        self.batch(&format!("{}; {statements}", self.beginning(BEGIN)))
    }

    /// Waits until every other transaction of hosts of this store is over, and holds off those to come until this one is.
    pub(crate) fn hold_cycles(&self) -> Result<()> {
        self.batch(HOLD)
    }

    /// The number of the transaction that was begun last.
    pub(crate) fn transaction(&self) -> Option<String> {
        self.transaction.borrow().clone()
    }

    /// Whether a transaction is under way, on whichever connection.
    pub(crate) fn is_open(&self, transaction: &str) -> Result<bool> {
        // After a crash, the server may not have come as far as this number again.
        const SELECT: &str = "SELECT CASE WHEN ?1::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) THEN FALSE \
            ELSE coalesce(pg_xact_status(?1::text::xid8) = 'in progress', FALSE) END";
        let rows = self.query(&self.prepared(SELECT)?, &[&transaction])?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    /// Begins to read one state of the database.
    pub(crate) fn begin_reading(&self) -> Result<()> {
        self.in_transaction.set(true);
        self.batch(&self.beginning(BEGIN_READING))
    }

    /// What begins a transaction: with the settings, where the connection is not our own.
    fn beginning(&self, begin: &str) -> String {
        if self.pooled { format!("{begin}; {}", settings_by("SET LOCAL")) } else { begin.to_owned() }
    }

    /// With all that was put off: where any of it is refused, the server takes everything back.
    pub(crate) fn commit(&self) -> Result<()> {
        self.in_transaction.set(false);
        self.batch("COMMIT")
    }

    pub(crate) fn rollback(&self) -> Result<()> {
        self.forget();
        self.in_transaction.set(false);
        self.batch("ROLLBACK")
    }

    /// Goes back to a savepoint.
    pub(crate) fn go_back(&self, statement: &str) -> Result<()> {
        self.forget();
        self.batch(statement)
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        self.in_transaction.get() && !self.is_closed()
    }

    /// Whether nothing can be asked any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.gone.get() || self.client.is_closed()
    }
}

/// What begins each cycle: the lock first, so that the time is that after it.
const BEGUN: &str = "SELECT pg_advisory_xact_lock_shared(1112295497, hashtext(current_schema())), \
    floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, pg_current_xact_id()";
/// Waits for the cycles that hosts have begun, and holds off those to come.
pub(super) const HOLD: &str = "SELECT pg_advisory_xact_lock(1112295497, hashtext(current_schema()))";

fn settings_by(set: &str) -> String {
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
        formatter.debug_struct("Client").field("in_transaction", &self.in_transaction).finish_non_exhaustive()
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
