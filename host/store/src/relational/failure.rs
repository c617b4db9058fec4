//! What a database's refusals mean here.

use crate::StoreError;
use crate::sql::Error;

/// Why a step inside a transaction could not be done.
#[derive(Debug)]
pub(crate) enum Halt {
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
    /// Another host was quicker: all of it is to be done again, on what is there now.
    Raced,
    /// The connection was lost before the database said whether the transaction is written.
    Unknown,
    /// Nothing can be written for now.
    Trouble(StoreError),
}

impl Halt {
    /// As trouble with the store as a whole.
    pub(super) fn trouble(self) -> StoreError {
        match self {
            Self::Trouble(error) => error,
            Self::Row(message) => StoreError::Database(message),
            Self::Taken { name, .. } => StoreError::Database(format!("`{name}` is taken")),
            Self::QueueFull { .. } => StoreError::Database("the queue is full".to_owned()),
            Self::Unknown => StoreError::Database("the connection was lost".to_owned()),
            Self::Raced => StoreError::Database("other hosts were quicker again and again".to_owned()),
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(words) => Self::Row(words),
            Error::Raced(_) => Self::Raced,
            Error::Full => Self::Trouble(StoreError::Full),
            Error::Gone(reason) => Self::Trouble(StoreError::Unreachable { reason }),
            other => Self::Trouble(StoreError::Database(other.words().to_owned())),
        }
    }
}

/// An error of a read.
pub(crate) fn reading(error: &Error) -> StoreError {
    match error {
        Error::Gone(reason) => StoreError::Unreachable { reason: reason.clone() },
        error => StoreError::Database(error.words().to_owned()),
    }
}
