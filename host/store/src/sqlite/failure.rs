//! What SQLite's refusals mean here.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::StoreError;
use crate::sql::Error;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
                Self::Refused(words(&error))
            }
            Some(ErrorCode::DiskFull) => Self::Full,
            _ if matches!(error, rusqlite::Error::QueryReturnedNoRows) => Self::NoRow,
            _ => Self::Other(words(&error)),
        }
    }
}

/// The database's own words.
fn words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(code, message) => message.clone().unwrap_or_else(|| code.to_string()),
        other => other.to_string(),
    }
}

/// An error while the store is opened, told apart for people.
pub(super) fn opening(path: &Path, error: &rusqlite::Error) -> StoreError {
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
