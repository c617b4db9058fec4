//! Values as SQLite has them.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef as Column};

use crate::sql::{Error, Result, ValueRef};

/// A value on its way into a statement.
pub(crate) struct Bound<'a>(pub(crate) ValueRef<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            ValueRef::Null => Column::Null,
            ValueRef::Bool(is) => Column::Integer(i64::from(is)),
            ValueRef::Integer(number) => Column::Integer(number),
            ValueRef::Real(number) => Column::Real(number),
            ValueRef::Text(text) => Column::Text(text.as_bytes()),
            ValueRef::Blob(bytes) => Column::Blob(bytes),
        }))
    }
}

/// A value from a row.
pub(crate) fn read_value(column: Column<'_>) -> Result<ValueRef<'_>> {
    Ok(match column {
        Column::Null => ValueRef::Null,
        Column::Integer(number) => ValueRef::Integer(number),
        Column::Real(number) => ValueRef::Real(number),
        Column::Text(text) => {
            ValueRef::Text(std::str::from_utf8(text).map_err(|_| Error::Other("a text is no UTF-8".to_owned()))?)
        }
        Column::Blob(bytes) => ValueRef::Blob(bytes),
    })
}
