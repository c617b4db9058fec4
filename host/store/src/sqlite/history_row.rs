//! What is kept of a task's earlier runs.

use bulkhead_core::{Digest, JsonText, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{History, TaskSeq};

use super::failure::Halt;

/// The most digests kept of versions that declined a task, and of earlier runs of one attempt.
const MAX_DECLINED: usize = 16;
const MAX_DIGESTS: usize = 1_000;

/// A row of `history`, but for the task's state, which is read only for a run.
#[derive(Debug, Clone)]
pub(super) struct HistoryRow {
    pub(super) due: Timestamp,
    pub(super) reason: Option<String>,
    pub(super) epoch: u32,
    pub(super) attempts: u32,
    pub(super) stage: u32,
    pub(super) deferrals: u32,
    pub(super) losses: u32,
    pub(super) max_attempts: Option<u32>,
    pub(super) elapsed: u64,
    pub(super) fuel: u64,
    pub(super) attempt_fuel: u64,
    pub(super) attempt_peak: u64,
    pub(super) declined: Vec<u8>,
    pub(super) digests: Vec<u8>,
    pub(super) error: Option<String>,
}

const COLUMNS: &str = "due, reason, epoch, attempts, stage, deferrals, losses, max_attempts, elapsed, fuel, \
                       attempt_fuel, attempt_peak, declined, digests, error";

impl HistoryRow {
    /// Of a task that has not run yet.
    pub(super) const fn fresh(due: Timestamp) -> Self {
        Self {
            due,
            reason: None,
            epoch: 1,
            attempts: 0,
            stage: 0,
            deferrals: 0,
            losses: 0,
            max_attempts: None,
            elapsed: 0,
            fuel: 0,
            attempt_fuel: 0,
            attempt_peak: 0,
            declined: Vec::new(),
            digests: Vec::new(),
            error: None,
        }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            due: Timestamp::from_millis(row.get(0)?),
            reason: row.get(1)?,
            epoch: row.get(2)?,
            attempts: row.get(3)?,
            stage: row.get(4)?,
            deferrals: row.get(5)?,
            losses: row.get(6)?,
            max_attempts: row.get(7)?,
            elapsed: unsigned(row.get(8)?),
            fuel: unsigned(row.get(9)?),
            attempt_fuel: unsigned(row.get(10)?),
            attempt_peak: unsigned(row.get(11)?),
            declined: row.get::<_, Option<Vec<u8>>>(12)?.unwrap_or_default(),
            digests: row.get::<_, Option<Vec<u8>>>(13)?.unwrap_or_default(),
            error: row.get(14)?,
        })
    }

    /// The row of a task, where it has one.
    pub(super) fn load(connection: &Connection, seq: TaskSeq) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM history WHERE seq = ?1"))?
            .query_row([seq.0], Self::read)
            .optional()
    }

    /// The row and the state, as a run sees them.
    pub(super) fn load_for_run(connection: &Connection, seq: TaskSeq) -> rusqlite::Result<Option<History>> {
        connection
            .prepare_cached(&format!("SELECT {COLUMNS}, state FROM history WHERE seq = ?1"))?
            .query_row([seq.0], |row| {
                let kept = Self::read(row)?;
                Ok(History {
                    epoch: kept.epoch,
                    attempts: kept.attempts,
                    stage: kept.stage,
                    deferrals: kept.deferrals,
                    losses: kept.losses,
                    state: row.get::<_, Option<String>>(15)?.map(JsonText::from_trusted),
                    declined: digests(&kept.declined),
                    elapsed_micros: kept.elapsed,
                    fuel: kept.fuel,
                    digests: digests(&kept.digests),
                })
            })
            .optional()
    }

    /// Writes the row; the state stays as it was where none is given.
    pub(super) fn save(&self, connection: &Connection, seq: TaskSeq, state: Option<&str>) -> Result<(), Halt> {
        const SAVE: &str = "INSERT INTO history (seq, due, reason, epoch, attempts, stage, deferrals, losses, \
            max_attempts, elapsed, fuel, attempt_fuel, attempt_peak, declined, digests, error, state) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
            ON CONFLICT (seq) DO UPDATE SET due = excluded.due, reason = excluded.reason, epoch = excluded.epoch, \
            attempts = excluded.attempts, stage = excluded.stage, deferrals = excluded.deferrals, \
            losses = excluded.losses, max_attempts = excluded.max_attempts, elapsed = excluded.elapsed, \
            fuel = excluded.fuel, attempt_fuel = excluded.attempt_fuel, attempt_peak = excluded.attempt_peak, \
            declined = excluded.declined, digests = excluded.digests, error = excluded.error, \
            state = coalesce(excluded.state, state)";
        let blob = |bytes: &[u8]| (!bytes.is_empty()).then(|| bytes.to_vec());
        connection.prepare_cached(SAVE)?.execute(params![
            seq.0,
            self.due.as_millis(),
            self.reason,
            self.epoch,
            self.attempts,
            self.stage,
            self.deferrals,
            self.losses,
            self.max_attempts,
            signed(self.elapsed),
            signed(self.fuel),
            signed(self.attempt_fuel),
            signed(self.attempt_peak),
            blob(&self.declined),
            blob(&self.digests),
            self.error,
            state,
        ])?;
        Ok(())
    }

    /// Whether the task was ever started in this epoch, declines apart.
    pub(super) const fn was_started(&self) -> bool {
        self.epoch > 1 || self.attempts > 0 || self.stage > 0 || self.losses > 0
    }

    /// Forgets what belongs to one attempt, since it is over.
    pub(super) fn end_attempt(&mut self) {
        self.deferrals = 0;
        self.elapsed = 0;
        self.attempt_fuel = 0;
        self.attempt_peak = 0;
        self.digests.clear();
    }

    /// Keeps who declined the task; of more than 16, the latest.
    pub(super) fn decline(&mut self, digests: &[Digest]) {
        for digest in digests {
            if !self.declined.chunks_exact(32).any(|known| known == digest.as_bytes()) {
                self.declined.extend_from_slice(digest.as_bytes());
            }
        }
        let excess = self.declined.len().saturating_sub(MAX_DECLINED * 32);
        self.declined.drain(..excess);
    }

    /// Keeps the version of a run of the attempt under way.
    pub(super) fn add_digest(&mut self, digest: &Digest) {
        if self.digests.len() < MAX_DIGESTS * 32 {
            self.digests.extend_from_slice(digest.as_bytes());
        }
    }
}

/// Digests as one column has them, 32 bytes each.
pub(super) fn digests(bytes: &[u8]) -> Vec<Digest> {
    bytes.as_chunks::<32>().0.iter().map(|bytes| Digest::from_bytes(*bytes)).collect()
}

/// SQLite's integers are signed; what is larger is kept as the largest.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The other way; a negative one, which this host never writes, is 0.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
