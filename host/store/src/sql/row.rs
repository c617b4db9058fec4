//! What a statement brings back.

use super::error::{Error, Result};
use super::value::{FromSql, Value, ValueRef};

/// One row.
#[derive(Debug)]
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
    /// One that no database was asked for.
    Own(&'a [Value]),
}

impl Row<'_> {
    /// A column, by its place.
    pub(crate) fn get<T: FromSql>(&self, place: usize) -> Result<T> {
        T::from_sql(self.get_ref(place)?)
    }

    /// A column, by its place, as it is.
    pub(crate) fn get_ref(&self, place: usize) -> Result<ValueRef<'_>> {
        match self {
            Self::Sqlite(row) => crate::sqlite::read_value(row.get_ref(place)?),
            Self::Postgres(row) => row.try_get(place).map_err(|error| Error::Other(error.to_string())),
            Self::Own(values) => {
                let value = values.get(place).map(ValueRef::from);
                value.ok_or_else(|| Error::Other(format!("a row of {} columns has none at {place}", values.len())))
            }
        }
    }
}

/// Rows, one after the other.
pub(crate) enum Rows<'a> {
    Sqlite(rusqlite::Rows<'a>),
    Postgres { rows: std::vec::IntoIter<tokio_postgres::Row>, current: Option<tokio_postgres::Row> },
    Own { rows: std::vec::IntoIter<Vec<Value>>, current: Option<Vec<Value>> },
}

impl Rows<'_> {
    /// Rows that a server has sent.
    pub(crate) fn of_server(rows: Vec<tokio_postgres::Row>) -> Self {
        Self::Postgres { rows: rows.into_iter(), current: None }
    }

    /// Rows that no database was asked for.
    pub(crate) fn own(rows: Vec<Vec<Value>>) -> Self {
        Self::Own { rows: rows.into_iter(), current: None }
    }

    /// The next one, while there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>> {
        match self {
            Self::Sqlite(rows) => Ok(rows.next()?.map(Row::Sqlite)),
            Self::Postgres { rows, current } => {
                *current = rows.next();
                Ok(current.as_ref().map(Row::Postgres))
            }
            Self::Own { rows, current } => {
                *current = rows.next();
                Ok(current.as_deref().map(Row::Own))
            }
        }
    }
}
