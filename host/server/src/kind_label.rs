//! The label `kind` of what is counted for the queue.

use std::collections::HashSet;

use bulkhead_core::Kind;

/// The label of kinds that no live handler serves; their names come from callers and are not bounded.
const OTHER: &str = "other";

/// The kind's own name while live handlers serve it.
pub(crate) fn kind_label<'a>(kind: &'a Kind, live: &HashSet<Kind>) -> &'a str {
    if live.contains(kind) { kind.as_str() } else { OTHER }
}
