//! One way to ask a database, whichever it is: the same statements, with `?1` for values, on SQLite and on PostgreSQL.
//!
//! What the store writes is said once, in `relational`; this room carries it to the engine at hand and brings rows back.
//! The words are those of the `rusqlite` crate.

mod connection;
mod error;
mod row;
mod table;
mod value;

pub(crate) use connection::{Ahead, Connection, Savepoint, Statement};
pub(crate) use error::{Error, OptionalExtension, Result};
pub(crate) use row::{Row, Rows};
pub(crate) use table::{Kind, Table};
pub(crate) use value::{Params, ToSql, Value, ValueRef, params};
