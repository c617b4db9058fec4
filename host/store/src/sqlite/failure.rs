//! What SQLite's refusals mean here.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::StoreError;

/// Why a step inside a transaction could not be done.
#[derive(Debug)]
pub(super) enum Halt {
    /// The database refuses this one row; others may go through.
    Row(String),
    /// A key or an own id belongs to another body.
    Taken {
        /// `key` or `id`.
        what: &'static str,
        /// The key or id.
        name: String,
        /// The task that has it.
        holder: bulkhead_core::TaskId,
    },
    /// More tasks wait than may.
    QueueFull {
        /// How many wait.
        waiting: u64,
        /// How many may.
        most: u64,
    },
    /// Nothing can be written for now.
    Trouble(StoreError),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
                Self::Row(words(&error))
            }
            Some(ErrorCode::DiskFull) => Self::Trouble(StoreError::Full),
            _ => Self::Trouble(StoreError::Database(words(&error))),
        }
    }
}

/// The database's own words.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(code, message) => message.clone().unwrap_or_else(|| code.to_string()),
        other => other.to_string(),
    }
}

/// An error of a read.
pub(super) fn reading(error: &Error) -> StoreError {
    StoreError::Database(words(error))
}

/// An error while the store is opened, told apart for people.
pub(super) fn opening(path: &Path, error: &Error) -> StoreError {
    let path = path.to_owned();
    let reason = words(error);
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Corrupt { path, reason },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::ReadOnly { path, reason }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse { path, holder: None },
        Some(ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Database(reason),
    }
}
