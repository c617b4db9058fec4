//! Cursors: where a page ended, sealed so that only this store's own are taken.

use crate::{StoreError, TaskFilter, TaskSeq};

/// The cursor after a task, for one filter.
pub(super) fn make(seq: TaskSeq, filter: &TaskFilter, secret: i64) -> String {
    format!("{:x}-{:016x}", seq.0, seal(seq, filter, secret))
}

/// The task that a cursor names.
pub(super) fn parse(text: &str, filter: &TaskFilter, secret: i64) -> Result<TaskSeq, StoreError> {
    let refuse = || StoreError::Cursor(text.chars().take(80).flat_map(char::escape_debug).collect());
    let (seq, _) = text.split_once('-').ok_or_else(refuse)?;
    let seq = TaskSeq(i64::from_str_radix(seq, 16).map_err(|_| refuse())?);
    if make(seq, filter, secret) == text { Ok(seq) } else { Err(refuse()) }
}

fn seal(seq: TaskSeq, filter: &TaskFilter, secret: i64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&secret.to_le_bytes());
    hasher.update(&seq.0.to_le_bytes());
    hasher.update(format!("{filter:?}").as_bytes());
    let mut seal = [0; 8];
    hasher.finalize_xof().fill(&mut seal);
    u64::from_le_bytes(seal)
}
