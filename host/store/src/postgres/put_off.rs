//! What is put off until something is asked, and is then on its way together with it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql as Parameter, Type};

use crate::sql::{Error, Result, Table, ToSql, Value};

use super::client::{Client, Prepared, Typed};
use super::combined::combined;
use super::gathered::Gathered;
use super::values::{Bound, Owned};

/// A value of a statement that is put off, and its type.
pub(crate) type OwnValue = (Box<dyn Parameter + Sync + Send>, Type);

/// A statement that is put off.
struct Later {
    prepared: Prepared,
    values: Vec<OwnValue>,
    /// Whose rows are wanted.
    ticket: Option<Ticket>,
}

/// A statement that goes together with new rows.
struct Along {
    text: &'static str,
    values: Vec<OwnValue>,
}

/// A question that is put off; its rows come with the answer to whatever is asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ticket(u64);

/// All that is put off on one connection, in the order in which the server hears of it.
#[derive(Default)]
pub(super) struct PutOff {
    /// What begins a transaction.
    pub(super) beginning: RefCell<Option<String>>,
    /// New rows.
    gathered: RefCell<Vec<Gathered>>,
    /// Statements of the same one.
    along: RefCell<Vec<Along>>,
    /// Statements.
    later: RefCell<Vec<Later>>,
    /// What those brought that were asked ahead.
    answers: RefCell<HashMap<Ticket, Vec<Row>>>,
    /// The number of the last ticket.
    last_ticket: Cell<u64>,
}

impl PutOff {
    /// Forgets what the server has not been told of, and answers that nobody has asked for; whether a transaction was
    /// yet to begin.
    pub(super) fn forget(&self) -> bool {
        self.gathered.borrow_mut().clear();
        self.along.borrow_mut().clear();
        self.later.borrow_mut().clear();
        self.answers.borrow_mut().clear();
        self.beginning.take().is_some()
    }
}

impl Client {
    /// Puts a row into a table, together with others of its kind, before anything else is asked.
    pub(crate) fn insert(&self, table: &'static Table, values: &[&dyn ToSql]) -> Result<()> {
        let mut gathered = self.waiting.gathered.borrow_mut();
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

    /// Takes rows back that are not on their way yet: those with these numbers in a column. False where any of them is not
    /// here, and then all stay.
    pub(crate) fn take_back(&self, table: &'static Table, column: &str, numbers: &[i64]) -> bool {
        let mut gathered = self.waiting.gathered.borrow_mut();
        let Some(rows) = gathered.iter_mut().find(|gathered| gathered.table.place == table.place) else { return false };
        let Some(places) = rows.places(column, numbers) else { return false };
        rows.remove(&places);
        gathered.retain(|rows| rows.rows > 0);
        true
    }

    /// Some columns of rows that are not on their way yet: those with these numbers in a column, in their order. Nothing
    /// where any of them is not here.
    pub(crate) fn waiting_rows(
        &self,
        table: &'static Table,
        column: &str,
        numbers: &[i64],
        wanted: &[&str],
    ) -> Option<Vec<Vec<Value>>> {
        let gathered = self.waiting.gathered.borrow();
        let rows = gathered.iter().find(|gathered| gathered.table.place == table.place)?;
        rows.places(column, numbers)?.into_iter().map(|place| rows.row(place, wanted)).collect()
    }

    /// Carries out a statement in one with new rows: no row that it changes is read or changed by another of them.
    pub(crate) fn along(&self, text: &'static str, values: Vec<OwnValue>) {
        self.waiting.along.borrow_mut().push(Along { text, values });
    }

    /// Carries out a statement together with whatever is asked next; nobody waits for how many rows it changes.
    pub(crate) fn later(&self, text: &str, values: Vec<OwnValue>) -> Result<()> {
        let prepared = self.prepared(text)?;
        self.waiting.later.borrow_mut().push(Later { prepared, values, ticket: None });
        Ok(())
    }

    /// The same with values of any column.
    pub(crate) fn put_off(&self, text: &str, values: &[&dyn ToSql]) -> Result<()> {
        self.later(text, values.iter().map(owned).collect())
    }

    /// Asks something together with whatever is asked next.
    pub(crate) fn ask_ahead(&self, text: &str, values: Vec<OwnValue>) -> Result<Ticket> {
        let prepared = self.prepared(text)?;
        let ticket = Ticket(self.waiting.last_ticket.get() + 1);
        self.waiting.last_ticket.set(ticket.0);
        self.waiting.later.borrow_mut().push(Later { prepared, values, ticket: Some(ticket) });
        Ok(ticket)
    }

    /// What a question brings that was asked ahead.
    pub(crate) fn answer(&self, ticket: Ticket) -> Result<Vec<Row>> {
        if !self.waiting.answers.borrow().contains_key(&ticket) {
            self.flush()?;
        }
        self.waiting.answers.borrow_mut().remove(&ticket).ok_or(Error::NoRow)
    }

    /// Tells the server of everything that was put off.
    pub(crate) fn flush(&self) -> Result<()> {
        self.ask(async { Ok(()) })
    }

    /// Asks something, with all that was put off before it on its way at once: the server takes it in order.
    pub(super) fn ask<T>(
        &self,
        call: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let gathered = std::mem::take(&mut *self.waiting.gathered.borrow_mut());
        let along = std::mem::take(&mut *self.waiting.along.borrow_mut());
        let later = std::mem::take(&mut *self.waiting.later.borrow_mut());
        let beginning = self.waiting.beginning.take();
        if gathered.is_empty() && along.is_empty() && later.is_empty() && beginning.is_none() {
            return self.wait(call);
        }
        let inserts = gathered.iter().map(|rows| (rows.table.insert_many(), rows.values()));
        let changes = along.iter().map(|change| (change.text, typed(&change.values)));
        let mut put_off = Vec::with_capacity(1 + later.len());
        if let Some((text, values)) = combined(inserts.chain(changes)) {
            put_off.push((self.prepared(&text)?, values));
        }
        let ahead_of_later = put_off.len();
        for Later { prepared, values, .. } in &later {
            put_off.push((prepared.clone(), typed(values)));
        }
        let begin = async {
            match &beginning {
                Some(begin) => self.client.batch_execute(begin).await,
                None => Ok(()),
            }
        };
        let before = put_off.iter().map(|(prepared, values)| self.send_query(prepared, values));
        let (rows, answer) = self.wait(async {
            let before = futures::future::try_join_all(before);
            futures::future::try_join3(begin, before, call).await.map(|((), rows, answer)| (rows, answer))
        })?;
        let tickets = later.iter().map(|later| later.ticket);
        let answered = tickets.zip(rows.into_iter().skip(ahead_of_later));
        self.waiting.answers.borrow_mut().extend(answered.filter_map(|(ticket, rows)| Some((ticket?, rows))));
        Ok(answer)
    }
}

/// A value of any column, of its own.
pub(crate) fn owned(value: &&dyn ToSql) -> OwnValue {
    let value = value.value();
    (Box::new(Owned(Value::from(value))), Bound(value).kind())
}

fn typed(values: &[OwnValue]) -> Vec<Typed<'_>> {
    values.iter().map(|(value, kind)| (&**value as &(dyn Parameter + Sync), kind.clone())).collect()
}
