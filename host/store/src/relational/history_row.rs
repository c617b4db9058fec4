//! The rows of `history` in SQLite.

use std::collections::HashMap;

use bulkhead_core::{Answer, JsonText, Timestamp};

use crate::history::{Answered, HistoryRow, Spawned, Text, digests, signed, unsigned};
use crate::sql::{Connection, OptionalExtension, Row, params};
use crate::{History, TaskSeq};

use super::failure::Halt;

const COLUMNS: &str = "due, reason, epoch, attempts, stage, deferrals, losses, max_attempts, elapsed, fuel, \
                       attempt_fuel, attempt_peak, declined, digests, error, upstream_epoch, upstream_stage, upstream_count, \
                       tokens";

/// `history.answered`: the task was given an answer, or nobody answered in time.
const GIVEN: u8 = 1;
const TIMED_OUT: u8 = 2;

impl HistoryRow {
    fn read(row: &Row<'_>) -> crate::sql::Result<Self> {
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
            declined: row.get::<Option<Vec<u8>>>(12)?.unwrap_or_default(),
            digests: row.get::<Option<Vec<u8>>>(13)?.unwrap_or_default(),
            error: row.get(14)?,
            upstream: match (row.get(15)?, row.get(16)?, row.get(17)?) {
                (Some(epoch), Some(stage), Some(count)) => Some(Spawned { epoch, stage, count }),
                _ => None,
            },
            tokens: unsigned(row.get(18)?),
        })
    }

    /// The rows of several tasks, on a server.
    pub(super) fn load_several(connection: &Connection, tasks: &[i64]) -> crate::sql::Result<HashMap<TaskSeq, Self>> {
        let select = format!("SELECT {COLUMNS}, seq FROM history WHERE seq = ANY(?1)");
        let mut statement = connection.prepare_cached(&select)?;
        let mut rows = statement.query_numbers(tasks)?;
        let mut found = HashMap::new();
        while let Some(row) = rows.next()? {
            found.insert(TaskSeq(row.get(19)?), Self::read(&row)?);
        }
        Ok(found)
    }

    /// The row of a task, where it has one.
    pub(super) fn load(connection: &Connection, seq: TaskSeq) -> crate::sql::Result<Option<Self>> {
        connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM history WHERE seq = ?1"))?
            .query_row([seq.0], Self::read)
            .optional()
    }

    /// The row and the state, as a run sees them.
    pub(super) fn load_for_run(connection: &Connection, seq: TaskSeq) -> crate::sql::Result<Option<History>> {
        connection
            .prepare_cached(&format!("SELECT {COLUMNS}, state, answered, answer FROM history WHERE seq = ?1"))?
            .query_row([seq.0], |row| {
                let kept = Self::read(row)?;
                Ok(History {
                    epoch: kept.epoch,
                    attempts: kept.attempts,
                    stage: kept.stage,
                    deferrals: kept.deferrals,
                    losses: kept.losses,
                    state: row.get::<Option<String>>(19)?.map(JsonText::from_trusted),
                    answer: match row.get::<u8>(20)? {
                        GIVEN => row.get::<Option<String>>(21)?.map(JsonText::from_trusted).map(Answer::Given),
                        TIMED_OUT => Some(Answer::TimedOut),
                        _ => None,
                    },
                    upstream: kept.upstream,
                    declined: digests(&kept.declined),
                    elapsed_micros: kept.elapsed,
                    fuel: kept.fuel,
                    tokens: kept.tokens,
                    digests: digests(&kept.digests),
                })
            })
            .optional()
    }

    /// Writes the row, and what becomes of the state and of the answer.
    pub(super) fn save(
        &self,
        connection: &Connection,
        seq: TaskSeq,
        state: Text<'_>,
        answer: Answered<'_>,
    ) -> Result<(), Halt> {
        const SAVE: &str = "INSERT INTO history (seq, due, reason, epoch, attempts, stage, deferrals, losses, \
            max_attempts, elapsed, fuel, attempt_fuel, attempt_peak, declined, digests, error, upstream_epoch, \
            upstream_stage, upstream_count, state, answered, answer, tokens) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
            coalesce(?22, 0), ?23, ?24) \
            ON CONFLICT (seq) DO UPDATE SET due = excluded.due, reason = excluded.reason, epoch = excluded.epoch, \
            attempts = excluded.attempts, stage = excluded.stage, deferrals = excluded.deferrals, \
            losses = excluded.losses, max_attempts = excluded.max_attempts, elapsed = excluded.elapsed, \
            fuel = excluded.fuel, attempt_fuel = excluded.attempt_fuel, attempt_peak = excluded.attempt_peak, \
            declined = excluded.declined, digests = excluded.digests, error = excluded.error, \
            upstream_epoch = excluded.upstream_epoch, upstream_stage = excluded.upstream_stage, \
            upstream_count = excluded.upstream_count, tokens = excluded.tokens, \
            state = CASE WHEN ?21 THEN history.state ELSE excluded.state END, \
            answered = coalesce(?22, history.answered), \
            answer = CASE WHEN ?22 IS NULL THEN history.answer ELSE excluded.answer END";
        let blob = |bytes: &[u8]| (!bytes.is_empty()).then(|| bytes.to_vec());
        let (state_stays, state) = match state {
            Text::Stays => (true, None),
            Text::Gone => (false, None),
            Text::Is(state) => (false, Some(state)),
        };
        let (answered, answer) = match answer {
            Answered::Stays => (None, None),
            Answered::Gone => (Some(0), None),
            Answered::Given(answer) => (Some(GIVEN), Some(answer)),
            Answered::TimedOut => (Some(TIMED_OUT), None),
        };
        connection.put_off(
            SAVE,
            params![
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
                self.upstream.map(|spawned| spawned.epoch),
                self.upstream.map(|spawned| spawned.stage),
                self.upstream.map(|spawned| spawned.count),
                state,
                state_stays,
                answered,
                answer,
                signed(self.tokens),
            ],
        )?;
        Ok(())
    }
}
