//! SQLite, embedded: the default.
