//! What the steps tell each other of a batch.

use serde::{Deserialize, Serialize};

use crate::Totals;

/// Where the rows of a batch are in the file: the bytes [from, to).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first byte of the first row.
    pub from: u64,
    /// The byte after the last row.
    pub to: u64,
}

/// What came of the rows [start, end).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The first row.
    pub start: u64,
    /// The row after the last.
    pub end: u64,
    /// What they add up to.
    pub totals: Totals,
}
