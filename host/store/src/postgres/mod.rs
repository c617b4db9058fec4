//! PostgreSQL: one database for many hosts.
//!
//! The queue itself is in `relational`, the same as on SQLite; here is how it is reached (`client`), and its tables.

mod address;
mod client;
mod combined;
mod failure;
mod folding;
mod gathered;
mod listener;
pub mod maintenance;
#[cfg(feature = "test-hooks")]
mod next_schema;
mod open;
mod partitions;
mod put_off;
mod rotation;
mod schema;
mod settings;
mod tls;
mod transaction;
mod values;

pub use address::{check_url, has_password, shown_url};
pub(crate) use client::{Client, Prepared};
pub use open::open;
pub(crate) use partitions::{Partitions, first_number};
pub(crate) use put_off::{OwnValue, Ticket, owned};
pub(crate) use rotation::rotate;
pub use schema::SCHEMA_VERSION;
pub(crate) use schema::check_least;
pub use settings::PostgresSettings;
