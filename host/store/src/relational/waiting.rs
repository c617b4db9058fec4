//! Tasks that wait: for their children, or for somebody outside.

use bulkhead_core::{
    DeadReason, Extras, Join, JoinCount, JsonText, Span, State, Suspension, Timestamp, WaitLimits, WaitStep,
};

use crate::ending::{AttemptFacts, Ending, host_error, state_number};
use crate::history::{Answered, HistoryRow, Spawned, Text};
use crate::plan::Ended;
use crate::sql::{OptionalExtension, Row, params};
use crate::{Fate, TaskSeq};

use super::cycle::Cycle;
use super::failure::Halt;
use super::memory::earlier;
use super::place::{Place, locate};
use super::slot::{Flags, Slot};

/// What a task waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wait<'a> {
    Children(&'a Join, JoinCount),
    Answer(&'a Suspension),
}

/// When something happens to a task that waits, or to a workflow that takes too long.
pub(super) const NEXT_WAKE: &str = "SELECT min(at) FROM (SELECT min(wakes_at) AS at FROM waits WHERE wakes_at IS NOT NULL \
    UNION ALL SELECT min(due_by) FROM workflows WHERE due_by IS NOT NULL) AS moments";

/// How an attempt ended that was cut short while its task waited.
const WAITED: &str = "waited";

impl Cycle<'_> {
    /// Lets a task wait for somebody outside.
    pub(super) fn wait_for_answer(
        &mut self,
        slot: Slot,
        ended: &Ended<'_>,
        history: &HistoryRow,
        suspension: &Suspension,
    ) -> Result<(), Halt> {
        self.begin_to_wait(slot, ended, history, Wait::Answer(suspension))
    }

    /// Writes that a task waits.
    pub(super) fn begin_to_wait(
        &mut self,
        slot: Slot,
        ended: &Ended<'_>,
        history: &HistoryRow,
        wait: Wait<'_>,
    ) -> Result<(), Halt> {
        const INSERT: &str = "INSERT INTO waits (seq, state, since, timeout_at, flag_at, stale_at, wakes_at, epoch, \
            stage, worker, started_at, join_policy, total, ended, well, critical, critical_well, critical_badly, \
            reason, metadata) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
        let (join, count, suspension) = match wait {
            Wait::Children(join, count) => (serde_json::to_string(join).ok(), count, None),
            Wait::Answer(suspension) => (None, JoinCount::default(), Some(suspension)),
        };
        let timeout = suspension.and_then(|suspension| suspension.timeout);
        let limits = WaitLimits::starting(self.now, timeout, self.stale_after(slot.seq)?);
        let millis = |moment: Option<Timestamp>| moment.map(Timestamp::as_millis);
        self.connection.prepare_cached(INSERT)?.execute(params![
            slot.seq.0,
            state_number(State::Suspended),
            self.now.as_millis(),
            millis(limits.timeout_at),
            millis(limits.flag_at),
            millis(limits.stale_at),
            millis(limits.next()),
            history.epoch,
            history.stage,
            ended.worker,
            ended.commit.run.started_at.as_millis(),
            join,
            count.total,
            count.ended,
            count.well,
            count.critical,
            count.critical_well,
            count.critical_badly,
            suspension.map(|suspension| suspension.reason.as_str()),
            suspension.map(|suspension| suspension.metadata.as_str()),
        ])?;
        if let Some(next) = limits.next() {
            self.memory.next_wake = earlier(self.memory.next_wake, next);
        }
        self.note_suspended(slot, history)
    }

    /// Gives a task that waits for somebody outside its answer, or lets a paused one go on.
    pub(super) fn resume(&mut self, slot: Slot, place: Place, answer: Option<&JsonText>) -> Result<Fate, Halt> {
        match place {
            Place::Paused if answer.is_none() => self.unpause(slot)?,
            // Whoever takes a pause back has no answer to give.
            Place::Suspended if answer.is_none() && self.take_back_pause(slot.seq)? => {
                return Ok(Fate::Stays(State::Suspended));
            }
            Place::Suspended if self.waits_for_children(slot.seq)? => return Ok(Fate::OnChildren),
            Place::Suspended => {
                let answer = Answered::Given(answer.map_or("null", JsonText::as_str));
                self.resume_task(slot.seq, answer, |_| None)?;
            }
            Place::Running if answer.is_none() && self.take_back_pause(slot.seq)? => {
                return Ok(Fate::Stays(State::Running));
            }
            place => return Ok(Fate::Refused(place.state())),
        }
        Ok(Fate::Done)
    }

    /// Lets a task that waits run again, one stage on.
    pub(super) fn resume_task(
        &mut self,
        seq: TaskSeq,
        answer: Answered<'_>,
        upstream: impl FnOnce(&HistoryRow) -> Option<Spawned>,
    ) -> Result<(), Halt> {
        let Some((slot, Place::Suspended)) = locate(self.connection, seq)? else { return Ok(()) };
        let mut history = HistoryRow::load(self.connection, seq)?.unwrap_or(HistoryRow::fresh(slot.due));
        let woken = self.connection.execute("DELETE FROM waits WHERE seq = ?1", [seq.0])?;
        self.first(woken)?;
        self.forget_before_wait(seq, &history)?;
        let upstream = upstream(&history);
        history.advance(upstream);
        history.due = self.now;
        history.reason = None;
        history.save(self.connection, seq, Text::Stays, answer)?;
        self.note_resumed(slot, &history)?;
        self.place(Slot { due: history.due, flags: slot.flags.with(Flags::HISTORY), ..slot })
    }

    /// Ends a task that waits as a dead letter.
    pub(super) fn end_waiting(&mut self, slot: Slot, reason: DeadReason, message: &str) -> Result<(), Halt> {
        let error = Some(host_error(reason.as_str(), message));
        self.stop_waiting(slot, State::Dead, Some(reason), error)
    }

    /// Ends a task that waits; what its last attempt used so far is kept.
    pub(super) fn stop_waiting(
        &mut self,
        slot: Slot,
        state: State,
        reason: Option<DeadReason>,
        error: Option<String>,
    ) -> Result<(), Halt> {
        let began: Option<(Option<i64>, i64)> = self
            .connection
            .prepare_cached("DELETE FROM waits WHERE seq = ?1 RETURNING worker, started_at")?
            .query_row([slot.seq.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let has_run = began.is_some_and(|(worker, _)| worker.is_some());
        self.first(usize::from(began.is_some()))?;
        let history = HistoryRow::load(self.connection, slot.seq)?;
        if let Some(history) = history.as_ref().filter(|_| has_run) {
            self.go_back_before_wait(slot.seq, history)?;
        }
        let facts = match (&began, &history) {
            (Some((Some(worker), started_at)), Some(history)) => Some(AttemptFacts {
                worker: *worker,
                version: None,
                started_at: *started_at,
                elapsed: history.elapsed,
                fuel: history.attempt_fuel,
                peak: history.attempt_peak,
                end: WAITED,
                digests: &history.digests,
            }),
            _ => None,
        };
        let ending = Ending { reason, error, ..Ending::cut_short(state, history.as_ref(), facts) };
        self.end(slot, &ending, history.is_some())
    }

    /// Does what is due to tasks that wait, at most a batch at a time.
    pub(super) fn sweep_waits(&mut self) -> Result<(), Halt> {
        const BATCH: i64 = 1_000;
        const SELECT: &str = "SELECT seq, timeout_at, flag_at, stale_at FROM waits WHERE wakes_at <= ?1 \
            ORDER BY wakes_at LIMIT ?2";
        /// The same where other hosts do so, too, or give answers meanwhile. They are waited for: what ends with a task that
        /// waits is not to be claimed here meanwhile.
        const LOCK: &str = "SELECT seq, timeout_at, flag_at, stale_at FROM waits WHERE wakes_at <= ?1 \
            ORDER BY wakes_at LIMIT ?2 FOR UPDATE";
        if self.memory.next_wake.is_none_or(|next| next > self.now) {
            return Ok(());
        }
        let due: Vec<(TaskSeq, WaitLimits)> = {
            let mut statement = self.connection.prepare_cached(if self.is_shared() { LOCK } else { SELECT })?;
            let rows = statement.query_map(params![self.now.as_millis(), BATCH], |row| {
                let moment = |place| row.get::<Option<i64>>(place).map(|moment| moment.map(Timestamp::from_millis));
                let limits = WaitLimits { timeout_at: moment(1)?, flag_at: moment(2)?, stale_at: moment(3)? };
                Ok((TaskSeq(row.get(0)?), limits))
            })?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        for (seq, limits) in due {
            match limits.step(self.now) {
                WaitStep::Wait => {}
                WaitStep::Flag => {
                    let next = limits.flagged().next().map(Timestamp::as_millis);
                    self.connection
                        .prepare_cached("UPDATE waits SET flag_at = NULL, wakes_at = ?2 WHERE seq = ?1")?
                        .execute(params![seq.0, next])?;
                    let task = self
                        .connection
                        .prepare_cached("SELECT id FROM tasks WHERE seq = ?1")?
                        .query_row([seq.0], |row| row.get_ref(0).map(super::ids::read))?;
                    tracing::warn!(%task, "a task has waited for four fifths of its stale_after");
                }
                WaitStep::TimeOut => self.resume_task(seq, Answered::TimedOut, |_| None)?,
                WaitStep::Die => {
                    // The end of another wait, just before, may have ended this one.
                    if let Some((slot, Place::Suspended | Place::Dependent { .. })) = locate(self.connection, seq)? {
                        self.end_waiting(slot, DeadReason::Stale, "the task waited longer than its stale_after")?;
                        self.cancel_children(seq)?;
                    }
                }
            }
        }
        self.sweep_overdue()?;
        self.memory.next_wake = self.next_of(NEXT_WAKE)?;
        Ok(())
    }

    fn waits_for_children(&self, seq: TaskSeq) -> Result<bool, Halt> {
        let select = "SELECT join_policy IS NOT NULL FROM waits WHERE seq = ?1";
        Ok(self.connection.prepare_cached(select)?.query_row([seq.0], |row| row.get(0))?)
    }

    /// How long a task may wait, as its submitter said.
    fn stale_after(&self, seq: TaskSeq) -> Result<Option<Span>, Halt> {
        let extras: Option<String> = self
            .connection
            .prepare_cached("SELECT extras FROM tasks WHERE seq = ?1")?
            .query_row([seq.0], |row| row.get(0))?;
        let extras = extras.and_then(|text| serde_json::from_str::<Extras>(&text).ok());
        Ok(extras.and_then(|extras| extras.stale_after))
    }
}

/// A join policy as its column has it.
pub(super) fn read_join(text: &str) -> Join {
    serde_json::from_str(text).unwrap_or_else(|error| {
        tracing::error!(%error, "a join policy cannot be read; the task waits for all of its children");
        Join::BestEffort
    })
}

/// The six counts of `waits`, in their order.
pub(super) fn read_count(row: &Row<'_>, first: usize) -> crate::sql::Result<JoinCount> {
    Ok(JoinCount {
        total: row.get(first)?,
        ended: row.get(first + 1)?,
        well: row.get(first + 2)?,
        critical: row.get(first + 3)?,
        critical_well: row.get(first + 4)?,
        critical_badly: row.get(first + 5)?,
    })
}
