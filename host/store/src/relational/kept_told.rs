//! What tasks told that are gone: logs and audit trails are kept for times of their own.

use bulkhead_core::{Retention, Span, TaskId};

use crate::sql::{Connection, OptionalExtension, params};
use crate::{AuditView, LogPage, StoreError, TaskSeq};

use super::cycle::Cycle;
use super::failure::{Halt, reading};
use super::{ids, place, told};

/// A table of what was told, and the one that takes it from there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptTold {
    pub(crate) from: &'static str,
    pub(crate) into: &'static str,
    /// Those that both have.
    pub(crate) columns: &'static [&'static str],
}

impl KeptTold {
    const LOGS: Self =
        Self { from: "logs", into: "kept_logs", columns: &["number", "epoch", "attempt", "stage", "lines"] };

    const AUDITS: Self = Self {
        from: "audits",
        into: "kept_audits",
        columns: &["number", "epoch", "attempt", "stage", "at", "code", "details"],
    };

    /// Both, and for how long each is kept from the end of its task.
    pub(crate) const fn each(retention: &Retention) -> [(Self, Span); 2] {
        [(Self::LOGS, retention.logs), (Self::AUDITS, retention.audit)]
    }

    /// Takes over from a table what tasks told: where those are that go, `o`, of which the condition is true, and `t` are
    /// their own rows. What was taken over already is passed over.
    pub(crate) fn take_over(self, from: &str, going: &str, condition: &str) -> String {
        let Self { into, columns, .. } = self;
        let taken = columns.iter().map(|column| format!("l.{column}")).collect::<Vec<_>>().join(", ");
        format!(
            "INSERT INTO {into} (id, ended_at, {}) SELECT t.id, o.ended_at, {taken} \
             FROM {from} l JOIN {going} WHERE {condition} ON CONFLICT DO NOTHING",
            columns.join(", ")
        )
    }
}

/// Rows that one cycle removes of each table at most.
const REMOVED: usize = 500;

impl Cycle<'_> {
    /// Takes over what a task told that is about to be removed, where that is to be kept.
    pub(super) fn keep_what_it_told(&self, seq: TaskSeq) -> Result<(), Halt> {
        for (kept, span) in KeptTold::each(&self.memory.settings.retention) {
            let going = "ended o ON o.seq = l.seq JOIN tasks t ON t.seq = l.seq";
            let insert = kept.take_over(kept.from, going, "l.seq = ?1 AND o.ended_at > ?2");
            let since = self.now.before(span.duration()).as_millis();
            self.connection.prepare_cached(&insert)?.execute(params![seq.0, since])?;
        }
        Ok(())
    }

    /// Removes some of what was kept for long enough; whether that was all.
    pub(super) fn sweep_kept_told(&self) -> Result<bool, Halt> {
        let mut is_all = true;
        for (KeptTold { into, .. }, span) in KeptTold::each(&self.memory.settings.retention) {
            let delete = format!(
                "DELETE FROM {into} WHERE (id, number) IN \
                 (SELECT id, number FROM {into} WHERE ended_at <= ?1 ORDER BY ended_at LIMIT {REMOVED})"
            );
            let until = self.now.before(span.duration()).as_millis();
            is_all &= self.connection.prepare_cached(&delete)?.execute([until])? < REMOVED;
        }
        Ok(is_all)
    }
}

/// A part of the log of a task, which may be gone; `None` where nothing is known of it.
pub(super) fn log(connection: &Connection, id: &TaskId, after: i64) -> Result<Option<LogPage>, StoreError> {
    if let Some(seq) = there(connection, id)? {
        return told::log(connection, seq, after).map(Some);
    }
    if !is_kept(connection, KeptTold::LOGS, id)? {
        return Ok(None);
    }
    told::kept_log(connection, names(id), after).map(Some)
}

/// The audit trail of a task, which may be gone; `None` where nothing is known of it.
pub(super) fn audits(connection: &Connection, id: &TaskId) -> Result<Option<Vec<AuditView>>, StoreError> {
    if let Some(seq) = there(connection, id)? {
        return told::audits(connection, seq).map(Some);
    }
    if !is_kept(connection, KeptTold::AUDITS, id)? {
        return Ok(None);
    }
    told::kept_audits(connection, names(id)).map(Some)
}

/// The task of this name, where it is not gone: a caller's own id stands for a while for one that is.
fn there(connection: &Connection, id: &TaskId) -> Result<Option<TaskSeq>, StoreError> {
    const SELECT: &str = "SELECT seq FROM tasks WHERE seq = ?1";
    let read = || match place::find(connection, id)? {
        Some(seq) => connection.prepare_cached(SELECT)?.query_row([seq.0], |row| row.get(0).map(TaskSeq)).optional(),
        None => Ok(None),
    };
    read().map_err(|error| reading(&error))
}

fn is_kept(connection: &Connection, kept: KeptTold, id: &TaskId) -> Result<bool, StoreError> {
    let select = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE id IN (?1, ?2))", kept.into);
    let [made, own] = names(id);
    let read = || connection.prepare_cached(&select)?.query_row(params![made, own], |row| row.get(0));
    read().map_err(|error| reading(&error))
}

/// An id as its column has it: were it made by the store, and as a caller's own.
fn names(id: &TaskId) -> [Vec<u8>; 2] {
    let own = ids::own_column(id);
    [ids::seq_of(id).map_or_else(|| own.clone(), |(_, uuid)| uuid.as_bytes().to_vec()), own]
}
