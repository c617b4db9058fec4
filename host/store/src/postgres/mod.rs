//! PostgreSQL: one database for many hosts.

mod client;
mod failure;
mod settings;
mod values;

pub(crate) use client::{Client, Prepared};
pub use settings::PostgresSettings;
