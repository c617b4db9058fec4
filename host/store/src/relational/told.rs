//! Keeping what runs told of themselves, and reading it.

use bulkhead_core::{JsonText, Timestamp};

use crate::sql::{Connection, Params, Row, params};
use crate::{Audit, AuditView, LogLine, LogPage, ProgressNote, RunLog, StoreError, TaskSeq, Told};

use super::cycle::Cycle;
use super::failure::{Halt, reading};

/// Bytes of log in one answer, and one run's more at most.
const PAGE: usize = 4 << 20;

impl Cycle<'_> {
    /// Keeps what a run of a task told; `of` are the epoch, attempt and stage of the run.
    pub(super) fn keep_told(&mut self, seq: TaskSeq, of: (u32, u32, u32), told: &Told) -> Result<(), Halt> {
        let (epoch, attempt, stage) = of;
        self.memory.has_told = true;
        if !told.lines.is_empty() {
            let lines: Vec<String> = told.lines.iter().filter_map(|line| serde_json::to_string(line).ok()).collect();
            self.connection
                .prepare_cached("INSERT INTO logs (seq, epoch, attempt, stage, lines) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![seq.0, epoch, attempt, stage, lines.join("\n")])?;
        }
        for audit in &told.audits {
            let Audit { at, code, details } = audit;
            self.connection
                .prepare_cached(
                    "INSERT INTO audits (seq, epoch, attempt, stage, at, code, details) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![seq.0, epoch, attempt, stage, at.as_millis(), code, details.as_str()])?;
            self.note_audit(seq, of, audit)?;
        }
        match &told.progress {
            Some(progress) => self.keep_progress(seq, Some(of), progress),
            None => Ok(()),
        }
    }

    /// Keeps how far a task says it has come; the last word stands. `of` as above, where it is known without a look.
    pub(super) fn keep_progress(
        &mut self,
        seq: TaskSeq,
        of: Option<(u32, u32, u32)>,
        progress: &ProgressNote,
    ) -> Result<(), Halt> {
        let ProgressNote { at, stage, text, fraction, metadata } = progress;
        self.memory.has_told = true;
        self.connection
            .prepare_cached(
                "INSERT INTO progress (seq, at, stage, text, fraction, metadata) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                 ON CONFLICT (seq) DO UPDATE SET at = excluded.at, stage = excluded.stage, text = excluded.text, \
                 fraction = excluded.fraction, metadata = excluded.metadata",
            )?
            .execute(params![seq.0, at.as_millis(), stage, text, fraction, metadata.as_str()])?;
        self.note_progress(seq, of, progress)
    }
}

/// The tables of what was told, each by task.
pub(super) const TABLES: [&str; 3] = ["logs", "audits", "progress"];

/// A part of a task's log, behind the row of this number.
pub(super) fn log(connection: &Connection, TaskSeq(seq): TaskSeq, after: i64) -> Result<LogPage, StoreError> {
    const SELECT: &str =
        "SELECT number, epoch, attempt, stage, lines FROM logs WHERE seq = ?1 AND number > ?2 ORDER BY number";
    read_log(connection, SELECT, params![seq, after], after)
}

/// The same of a task that is gone, by the two forms that its name may have.
pub(super) fn kept_log(connection: &Connection, [made, own]: [Vec<u8>; 2], after: i64) -> Result<LogPage, StoreError> {
    const SELECT: &str = "SELECT number, epoch, attempt, stage, lines FROM kept_logs \
        WHERE id IN (?1, ?2) AND number > ?3 ORDER BY number";
    read_log(connection, SELECT, params![made, own, after], after)
}

fn read_log(connection: &Connection, select: &str, values: impl Params, after: i64) -> Result<LogPage, StoreError> {
    let read = || -> crate::sql::Result<LogPage> {
        let mut statement = connection.prepare_cached(select)?;
        let mut rows = statement.query(values)?;
        let (mut page, mut size) = (LogPage { items: Vec::new(), next: None }, 0);
        let mut last = after;
        while let Some(row) = rows.next()? {
            if size > PAGE {
                page.next = Some(last);
                break;
            }
            last = row.get(0)?;
            let text = row.get_ref(4)?.as_str()?;
            size += text.len();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<LogLine>(line).ok()).collect();
            page.items.push(RunLog { epoch: row.get(1)?, attempt: row.get(2)?, stage: row.get(3)?, lines });
        }
        Ok(page)
    };
    read().map_err(|error| reading(&error))
}

/// A task's audit trail.
pub(super) fn audits(connection: &Connection, TaskSeq(seq): TaskSeq) -> Result<Vec<AuditView>, StoreError> {
    const SELECT: &str = "SELECT epoch, attempt, stage, at, code, details FROM audits WHERE seq = ?1 ORDER BY number";
    read_audits(connection, SELECT, params![seq])
}

/// The same of a task that is gone, by the two forms that its name may have.
pub(super) fn kept_audits(connection: &Connection, [made, own]: [Vec<u8>; 2]) -> Result<Vec<AuditView>, StoreError> {
    const SELECT: &str = "SELECT epoch, attempt, stage, at, code, details FROM kept_audits \
        WHERE id IN (?1, ?2) ORDER BY number";
    read_audits(connection, SELECT, params![made, own])
}

fn read_audits(connection: &Connection, select: &str, values: impl Params) -> Result<Vec<AuditView>, StoreError> {
    let read = || -> crate::sql::Result<Vec<AuditView>> {
        let mut statement = connection.prepare_cached(select)?;
        let rows = statement.query_map(values, |row| {
            let audit = Audit {
                at: Timestamp::from_millis(row.get(3)?),
                code: row.get(4)?,
                details: JsonText::from_trusted(row.get_ref(5)?.as_str()?),
            };
            Ok(AuditView { epoch: row.get(0)?, attempt: row.get(1)?, stage: row.get(2)?, audit })
        })?;
        rows.collect()
    };
    read().map_err(|error| reading(&error))
}

/// How far a task says it has come.
pub(super) const PROGRESS: &str = "SELECT at, stage, text, fraction, metadata FROM progress WHERE seq = ?1";

/// A row of [`PROGRESS`].
pub(super) fn read_progress(row: &Row<'_>) -> crate::sql::Result<ProgressNote> {
    Ok(ProgressNote {
        at: Timestamp::from_millis(row.get(0)?),
        stage: row.get(1)?,
        text: row.get(2)?,
        fraction: row.get(3)?,
        metadata: JsonText::from_trusted(row.get_ref(4)?.as_str()?),
    })
}
