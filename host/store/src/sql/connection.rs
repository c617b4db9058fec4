//! A connection to a database, and statements prepared on it.

use bulkhead_core::Timestamp;
use tokio_postgres::types::Type;

use super::error::{Error, Result};
use super::row::{Row, Rows};
use super::value::{Params, ToSql, Value};
use crate::postgres::{Client, Prepared, Ticket, owned};

/// A connection.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Box<Client>),
}

/// A prepared statement.
pub(crate) enum Statement<'a> {
    Sqlite(rusqlite::CachedStatement<'a>),
    Postgres { client: &'a Client, prepared: Prepared },
}

impl Connection {
    /// Prepares a statement, or finds it prepared.
    pub(crate) fn prepare_cached(&self, text: &str) -> Result<Statement<'_>> {
        match self {
            Self::Sqlite(connection) => Ok(Statement::Sqlite(connection.prepare_cached(text)?)),
            Self::Postgres(client) => Ok(Statement::Postgres { client, prepared: client.prepared(text)? }),
        }
    }

    /// Carries out a statement that changes rows; how many.
    pub(crate) fn execute(&self, text: &str, values: impl Params) -> Result<usize> {
        self.prepare_cached(text)?.execute(values)
    }

    /// Carries out a statement, by the next one that is waited for at the latest.
    pub(crate) fn put_off(&self, text: &str, values: impl Params) -> Result<()> {
        match self {
            Self::Sqlite(_) => self.execute(text, values).map(drop),
            Self::Postgres(client) => values.with(|values| client.put_off(text, values)),
        }
    }

    /// The client, where this is PostgreSQL.
    pub(crate) const fn postgres(&self) -> Option<&Client> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(client) => Some(client),
        }
    }

    /// Begins a transaction that writes; a server hears of it together with what is asked next.
    pub(crate) fn begin(&self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => drop(connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?),
            Self::Postgres(client) => client.begin()?,
        }
        Ok(())
    }

    /// A server's time after [`Connection::begin`], to be asked for once.
    pub(crate) fn time(&self) -> Result<Option<Timestamp>> {
        self.postgres().map(Client::time).transpose()
    }

    /// Begins to read one state of the database, that of when the first question comes; ended by [`Connection::rollback`].
    pub(crate) fn begin_reading(&self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => drop(connection.prepare_cached("BEGIN")?.execute([])?),
            Self::Postgres(client) => client.begin_reading(),
        }
        Ok(())
    }

    /// Asks something whose answer will be needed; a server hears of it together with what is asked next.
    pub(crate) fn ask_ahead<'a>(&'a self, text: &'a str, values: impl Params) -> Result<Ahead<'a>> {
        values.with(|values| match self {
            Self::Sqlite(_) => {
                let values = values.iter().map(|value| Value::from(value.value())).collect();
                Ok(Ahead::Sqlite { connection: self, text, values })
            }
            Self::Postgres(client) => {
                let ticket = client.ask_ahead(text, values.iter().map(owned).collect())?;
                Ok(Ahead::Postgres { client, ticket })
            }
        })
    }

    /// Whether nothing can be asked any more, since the server or the way to it is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.postgres().is_some_and(Client::is_closed)
    }

    /// Makes everything since [`Connection::begin`] durable.
    pub(crate) fn commit(&self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => drop(connection.prepare_cached("COMMIT")?.execute([])?),
            Self::Postgres(client) => client.commit()?,
        }
        Ok(())
    }

    /// Takes everything since [`Connection::begin`] back, where that was not done by the failure itself.
    pub(crate) fn rollback(&self) -> Result<()> {
        if self.is_autocommit() {
            return Ok(());
        }
        match self {
            Self::Sqlite(connection) => connection.execute_batch("ROLLBACK")?,
            Self::Postgres(client) => client.rollback()?,
        }
        Ok(())
    }

    /// Ends it in an orderly way.
    pub(crate) fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                // The log is folded into the file, so that a copy of the file alone is whole.
                if let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
                    tracing::warn!(%error, "the write-ahead log could not be folded into the store");
                }
                connection.close().map_err(|(_, error)| Error::from(error))
            }
            Self::Postgres(client) => {
                drop(client);
                Ok(())
            }
        }
    }

    /// Whether no transaction is under way.
    pub(crate) fn is_autocommit(&self) -> bool {
        match self {
            Self::Sqlite(connection) => connection.is_autocommit(),
            Self::Postgres(client) => !client.is_in_transaction(),
        }
    }

    /// Marks a place to go back to, goes back to it, or forgets it.
    pub(crate) fn savepoint(&self, statement: Savepoint) -> Result<()> {
        let text = match statement {
            Savepoint::Set => "SAVEPOINT guarded",
            Savepoint::GoBack => "ROLLBACK TO guarded",
            Savepoint::Release => "RELEASE guarded",
        };
        match self {
            Self::Sqlite(connection) => drop(connection.prepare_cached(text)?.execute([])?),
            Self::Postgres(client) if statement == Savepoint::GoBack => client.go_back(text)?,
            Self::Postgres(client) => client.batch(text)?,
        }
        Ok(())
    }

    /// Has everything carried out that was put off; what is refused of it is heard of here at the latest.
    pub(crate) fn flush(&self) -> Result<()> {
        self.postgres().map_or(Ok(()), Client::flush)
    }
}

/// A question that was asked ahead.
pub(crate) enum Ahead<'a> {
    Sqlite { connection: &'a Connection, text: &'a str, values: Vec<Value> },
    Postgres { client: &'a Client, ticket: Ticket },
}

impl Ahead<'_> {
    /// What is made of each row that it brings.
    pub(crate) fn map<T>(self, mut each: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        match self {
            Self::Sqlite { connection, text, values } => {
                connection.prepare_cached(text)?.query_map(values, each)?.collect()
            }
            Self::Postgres { client, ticket } => {
                client.answer(ticket)?.iter().map(|row| each(&Row::Postgres(row))).collect()
            }
        }
    }

    /// What is made of its first row, where there is one.
    pub(crate) fn first<T>(self, each: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Option<T>> {
        Ok(self.map(each)?.into_iter().next())
    }
}

/// What is done with a savepoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Savepoint {
    Set,
    GoBack,
    Release,
}

impl Statement<'_> {
    /// Carries it out; how many rows it changed.
    pub(crate) fn execute(&mut self, values: impl Params) -> Result<usize> {
        values.with(|values| match self {
            Self::Sqlite(statement) => {
                bind(statement, values)?;
                Ok(statement.raw_execute()?)
            }
            Self::Postgres { client, prepared } => client.execute(prepared, values),
        })
    }

    /// Its rows.
    pub(crate) fn query(&mut self, values: impl Params) -> Result<Rows<'_>> {
        values.with(|values| match self {
            Self::Sqlite(statement) => {
                bind(statement, values)?;
                Ok(Rows::Sqlite(statement.raw_query()))
            }
            Self::Postgres { client, prepared } => Ok(Rows::of_server(client.query(prepared, values)?)),
        })
    }

    /// Its rows, where its one value is a list of numbers; for PostgreSQL alone.
    pub(crate) fn query_numbers(&mut self, numbers: &[i64]) -> Result<Rows<'_>> {
        match self {
            Self::Sqlite(_) => Err(Error::Other("SQLite has no lists".to_owned())),
            Self::Postgres { client, prepared } => {
                Ok(Rows::of_server(client.query_prepared(prepared, &[(&numbers, Type::INT8_ARRAY)])?))
            }
        }
    }

    /// What is made of each of its rows.
    pub(crate) fn query_map<T>(
        &mut self,
        values: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<std::vec::IntoIter<Result<T>>> {
        let mut rows = self.query(values)?;
        let mut made = Vec::new();
        while let Some(row) = rows.next()? {
            made.push(each(&row));
        }
        Ok(made.into_iter())
    }

    /// What is made of its first row.
    pub(crate) fn query_row<T>(&mut self, values: impl Params, each: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<T> {
        let mut rows = self.query(values)?;
        let row = rows.next()?.ok_or(Error::NoRow)?;
        each(&row)
    }
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, values: &[&dyn ToSql]) -> Result<()> {
    for (place, value) in (1..).zip(values) {
        statement.raw_bind_parameter(place, crate::sqlite::Bound(value.value()))?;
    }
    Ok(())
}
