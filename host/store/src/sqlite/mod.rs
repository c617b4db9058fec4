//! SQLite, embedded: the default.
//!
//! One host has one file, and holds a lock beside it (`lock_file`). The schema and its reasons are in
//! docs/adr/0002-sqlite-schema.md.

mod failure;
mod lock_file;
pub mod maintenance;
mod open;
mod schema;
mod settings;
mod values;

pub(crate) use lock_file::LockFile;
pub use open::open;
pub use schema::SCHEMA_VERSION;
pub use settings::SqliteSettings;
pub(crate) use values::{Bound, read_value};
