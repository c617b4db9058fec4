//! Transactions of one connection: how they begin, and how they end.

use std::cell::{Cell, RefCell};

use bulkhead_core::Timestamp;

use crate::sql::{Error, Result};

use super::client::{Client, settings_by};
use super::put_off::Ticket;

const BEGIN: &str = "BEGIN";
const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// What begins each cycle: the lock first, so that the time is that after it.
const BEGUN: &str = "SELECT pg_advisory_xact_lock_shared(1112295497, hashtext(current_schema())), \
    floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, pg_current_xact_id()::text";
/// Waits for the cycles that hosts have begun, and holds off those to come.
pub(super) const HOLD: &str = "SELECT pg_advisory_xact_lock(1112295497, hashtext(current_schema()))";

/// What is known of a connection's transaction.
#[derive(Default)]
pub(super) struct Transaction {
    is_open: Cell<bool>,
    /// What asks for the time and the number of one that has begun.
    begun: Cell<Option<Ticket>>,
    /// The number of the one that was begun last.
    number: RefCell<Option<String>>,
}

impl Client {
    /// Begins a transaction that others can hold off ([`Client::hold_cycles`]), together with what is asked next.
    pub(crate) fn begin(&self) -> Result<()> {
        self.begin_by(BEGIN);
        self.transaction.number.take();
        self.transaction.begun.set(Some(self.ask_ahead(BEGUN, Vec::new())?));
        Ok(())
    }

    /// The server's time after a transaction has begun, whose number is kept.
    pub(crate) fn time(&self) -> Result<Timestamp> {
        let rows = self.answer(self.transaction.begun.take().ok_or(Error::NoRow)?)?;
        let row = rows.first().ok_or(Error::NoRow)?;
        self.transaction.number.replace(Some(row.get(2)));
        Ok(Timestamp::from_millis(row.get(1)))
    }

    /// Begins a transaction for which every other of hosts of this store is waited for, and held off until it is over;
    /// tables that others hold are not waited for long.
    pub(crate) fn begin_alone(&self) -> Result<()> {
        self.begin_with(&format!("SET LOCAL lock_timeout = 0; {HOLD}; SET LOCAL lock_timeout = '2s'"))
    }

    /// Begins a transaction with these statements, which hosts do not hold off.
    pub(super) fn begin_with(&self, statements: &str) -> Result<()> {
        self.transaction.is_open.set(true);
        self.transaction.number.take();
        self.batch(&format!("{}; {statements}", self.beginning_by(BEGIN)))
    }

    /// Waits until every other transaction of hosts of this store is over, and holds off those to come until this one is.
    pub(crate) fn hold_cycles(&self) -> Result<()> {
        self.batch(HOLD)
    }

    /// The number of the transaction that was begun last.
    pub(crate) fn transaction(&self) -> Option<String> {
        self.transaction.number.borrow().clone()
    }

    /// Whether a transaction is under way, on whichever connection.
    pub(crate) fn is_open(&self, transaction: &str) -> Result<bool> {
        // After a crash, the server may not have come as far as this number again.
        const SELECT: &str = "SELECT CASE WHEN ?1::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) THEN FALSE \
            ELSE coalesce(pg_xact_status(?1::text::xid8) = 'in progress', FALSE) END";
        let rows = self.query(&self.prepared(SELECT)?, &[&transaction])?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    /// Begins to read one state of the database, that of when the first question comes.
    pub(crate) fn begin_reading(&self) {
        self.begin_by(BEGIN_READING);
    }

    /// Begins a transaction together with what is asked next.
    fn begin_by(&self, begin: &str) {
        self.waiting.forget();
        self.transaction.is_open.set(true);
        self.waiting.beginning.replace(Some(self.beginning_by(begin)));
    }

    /// What begins a transaction: with the settings, where the connection is not our own.
    fn beginning_by(&self, begin: &str) -> String {
        if self.pooled { format!("{begin}; {}", settings_by("SET LOCAL")) } else { begin.to_owned() }
    }

    /// Makes it durable, with all that was put off: where any of it is refused, the server takes everything back.
    pub(crate) fn commit(&self) -> Result<()> {
        self.transaction.is_open.set(false);
        self.batch("COMMIT")
    }

    /// Takes everything back since the transaction began.
    pub(crate) fn rollback(&self) -> Result<()> {
        self.transaction.is_open.set(false);
        // Of one that the server has not heard of, nothing is to be taken back.
        if self.waiting.forget() { Ok(()) } else { self.batch("ROLLBACK") }
    }

    /// Goes back to a savepoint.
    pub(crate) fn go_back(&self, statement: &str) -> Result<()> {
        self.waiting.forget();
        self.batch(statement)
    }

    /// Whether one has begun, and has not ended.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.transaction.is_open.get() && !self.is_closed()
    }
}
