//! What PostgreSQL's refusals mean here.

use tokio_postgres::error::{Severity, SqlState};

use crate::sql::Error;

/// What helps where the role may not do something.
const GRANT: &str = "make the role of store.url the owner of the database or of its schema";

/// An error of the client, told apart.
pub(super) fn read(error: &tokio_postgres::Error) -> Error {
    let Some(said) = error.as_db_error() else {
        let words = words(error);
        return if error.is_closed() || is_io(error) { Error::Gone(words) } else { Error::Other(words) };
    };
    let words = said.message().to_owned();
    // The server has closed the connection, whatever it says of why.
    if matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
        return Error::Gone(words);
    }
    match said.code() {
        &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::LOCK_NOT_AVAILABLE => {
            Error::Raced(words)
        }
        &SqlState::DISK_FULL => Error::Full,
        &SqlState::ADMIN_SHUTDOWN
        | &SqlState::CRASH_SHUTDOWN
        | &SqlState::CANNOT_CONNECT_NOW
        | &SqlState::READ_ONLY_SQL_TRANSACTION
        | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Error::Gone(words),
        &SqlState::RAISE_EXCEPTION => Error::Refused(words),
        &SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::INVALID_SCHEMA_NAME => Error::Other(format!("{words}; {GRANT}")),
        // Integrity and data: the row is to blame.
        code if code.code().starts_with("23") || code.code().starts_with("22") => Error::Refused(words),
        code => Error::Other(format!("{words} ({})", code.code())),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(|source| source.is::<std::io::Error>())
}

/// All that an error says, its causes included.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        source = cause.source();
    }
    words
}
