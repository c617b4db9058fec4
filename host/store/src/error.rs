//! What can go wrong with the store, said for people.

use std::path::PathBuf;

/// Why the store could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the store `{}` is in use by another host{}; stop that host, or give this one a store of its own (store.url)", path.display(), holder.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    InUse {
        /// The database file.
        path: PathBuf,
        /// The process that holds it, where known.
        holder: Option<u32>,
    },
    /// It may not be written.
    #[error("the store `{}` cannot be written: {reason}; give the user who runs this host write access to the file and its folder", path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It is not a database, or a damaged one.
    #[error("the store `{}` is not a usable database: {reason}; restore it from a backup, or move it away to begin anew", path.display())]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// A newer host has written it.
    #[error("the store `{}` has schema {found}, and this host knows up to {known}; run the newer bulkhead that wrote it", path.display())]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// The store's schema.
        found: i64,
        /// The newest schema that this host knows.
        known: i64,
    },
    /// Hosts work on it that could not go on with the schema of this one.
    #[error(
        "the store has schema {found}, and {} that cannot go on with schema {wanted}: stop {} first; nothing was changed",
        if *hosts == 1 { "1 host works on it".to_owned() } else { format!("{hosts} hosts work on it") },
        if *hosts == 1 { "it" } else { "them" }
    )]
    OlderHosts {
        /// How many.
        hosts: i64,
        /// The store's schema.
        found: i64,
        /// The schema of this host.
        wanted: i64,
    },
    /// The schema cannot be changed while somebody holds its tables.
    #[error(
        "the schema cannot be brought up to date while others hold its tables, as a backup does: {words}; try again when they are done; nothing was changed"
    )]
    TablesHeld {
        /// What the server said.
        words: String,
    },
    /// The database server cannot be reached.
    #[error("the database cannot be reached: {reason}; see whether the server runs and store.url names it")]
    Unreachable {
        /// What was said.
        reason: String,
    },
    /// No room is left.
    #[error("the disk that holds the store is full; nothing was stored: free some space and try again")]
    Full,
    /// It is shutting down, or its thread has ended.
    #[error("the store is closed")]
    Closed,
    /// A cursor that this store did not give.
    #[error("not a cursor of this list: `{0}`; leave it out to begin at the start")]
    Cursor(String),
    /// Anything else the database says.
    #[error("the store failed: {0}")]
    Database(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_older_host_and_several_are_told_of_in_words_of_their_own() {
        let said = |hosts| StoreError::OlderHosts { hosts, found: 2, wanted: 3 }.to_string();
        assert_eq!(
            said(1),
            "the store has schema 2, and 1 host works on it that cannot go on with schema 3: stop it first; nothing was \
             changed"
        );
        assert_eq!(
            said(2),
            "the store has schema 2, and 2 hosts work on it that cannot go on with schema 3: stop them first; nothing was \
             changed"
        );
    }
}
