//! A schema that is not there yet, so that tests can upgrade hosts one after the other.

use super::schema::Schema;

/// What such migrations do: columns, an index and a table more, on the tables that hosts write all the time.
const MIGRATION: &str = "ALTER TABLE tasks ADD COLUMN next_note TEXT; \
    ALTER TABLE ended ADD COLUMN next_count BIGINT NOT NULL DEFAULT 0; \
    CREATE INDEX ended_by_next_count ON ended (next_count) WHERE next_count > 0; \
    CREATE TABLE next_things (name TEXT PRIMARY KEY)";

/// The schema after this one, where `BULKHEAD_NEXT_SCHEMA` is `compatible` or `breaking`.
pub(super) fn following(ours: Schema) -> Schema {
    match std::env::var("BULKHEAD_NEXT_SCHEMA").as_deref() {
        Ok("compatible") => ours.next(MIGRATION, false),
        Ok("breaking") => ours.next(MIGRATION, true),
        _ => ours,
    }
}
