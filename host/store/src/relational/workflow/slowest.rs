//! Which attempts of a workflow took longest.

use bulkhead_core::Timestamp;

use super::super::ids;
use crate::ending::state_of;
use crate::history::unsigned;
use crate::sql::{Ahead, Connection, params};
use crate::{SlowAttempt, TaskSeq};

/// Asks for the attempts of all steps, and of the tasks that they made, that ran longest.
pub(super) fn slowest(connection: &Connection, workflow: TaskSeq, count: u32) -> crate::sql::Result<Slowest<'_>> {
    const SELECT: &str = "WITH members AS ( \
            SELECT s.seq AS seq, s.name AS name FROM steps s WHERE s.workflow = ?1 \
            UNION ALL SELECT k.child, coalesce(k.name, s.name) FROM steps s JOIN kin k ON k.parent = s.seq AND k.own \
            WHERE s.workflow = ?1 \
        ) SELECT x.name, t.id, x.attempt, x.epoch, w.name, x.started_at, x.elapsed, x.\"end\", x.state FROM ( \
            SELECT m.name AS name, a.seq AS seq, a.attempt, a.epoch, a.worker, a.started_at, a.elapsed, a.\"end\", \
                CAST(NULL AS BIGINT) AS state FROM members m JOIN attempts a ON a.seq = m.seq \
            UNION ALL SELECT m.name, e.seq, e.attempt, e.epoch, e.worker, e.started_at, e.elapsed, e.\"end\", e.state \
                FROM members m JOIN ended e ON e.seq = m.seq WHERE e.worker IS NOT NULL \
        ) x JOIN tasks t ON t.seq = x.seq LEFT JOIN workers w ON w.id = x.worker \
        ORDER BY x.elapsed DESC, x.seq, x.epoch, x.attempt LIMIT ?2";
    let found = connection.ask_ahead(SELECT, params![workflow.0, count])?;
    Ok(Slowest(found))
}

/// Those attempts, asked for.
pub(super) struct Slowest<'a>(Ahead<'a>);

impl Slowest<'_> {
    /// The attempts, the longest first.
    pub(super) fn read(self) -> crate::sql::Result<Vec<SlowAttempt>> {
        self.0.map(|row| {
            let state = row.get::<Option<i64>>(8)?.and_then(state_of);
            let end: Option<String> = row.get(7)?;
            Ok(SlowAttempt {
                step: row.get(0)?,
                task: ids::read(row.get_ref(1)?),
                attempt: row.get(2)?,
                epoch: row.get(3)?,
                worker: row.get::<Option<String>>(4)?.unwrap_or_default(),
                started_at: row.get::<Option<i64>>(5)?.map(Timestamp::from_millis),
                ran_ms: unsigned(row.get::<Option<i64>>(6)?.unwrap_or_default()) / 1_000,
                end: end.unwrap_or_else(|| state.map_or("", bulkhead_core::State::as_str).to_owned()),
            })
        })
    }
}
