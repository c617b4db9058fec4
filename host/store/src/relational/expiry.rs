//! Tasks that must start by a moment, and did not.

use bulkhead_core::{DeadReason, Extras, State, Timestamp};

use crate::sql::params;
use crate::{Claimed, TaskSeq};

use super::cycle::Cycle;
use super::failure::Halt;
use super::memory::earlier;
use super::place::{Place, locate};
use super::slot::Slot;
use crate::ending::Ending;
use crate::history::HistoryRow;

impl Cycle<'_> {
    /// Whether a task should have started before now, and never did.
    pub(super) fn is_late(&self, task: &Claimed) -> bool {
        let expires_at = task.extras.as_ref().and_then(|extras| extras.expires_at);
        let begun = task.history.as_ref().is_some_and(|history| history.past().was_begun());
        !begun && expires_at.is_some_and(|moment| moment <= self.now)
    }

    /// Ends the tasks that were taken and not claimed.
    pub(super) fn bury_late(&mut self, slots: &[Slot], claimed: &[(u32, Claimed)]) -> Result<(), Halt> {
        let mut kept = claimed.iter().map(|(_, task)| task.seq).collect::<Vec<TaskSeq>>();
        kept.sort_unstable();
        for slot in slots {
            if kept.binary_search(&slot.seq).is_err() {
                self.count_limited(slot.route, -1)?;
                self.expire(*slot)?;
            }
        }
        Ok(())
    }

    /// Ends a task, already out of the queue, that did not start in time.
    pub(super) fn expire(&mut self, slot: Slot) -> Result<(), Halt> {
        let history = HistoryRow::load(self.connection, slot.seq)?;
        let ending = Ending::dead(DeadReason::Expired, "the task was not started by its expires_at", history.as_ref());
        debug_assert_eq!(ending.state, State::Dead);
        self.end(slot, &ending, history.is_some())
    }

    /// Looks again at when a task had to start that comes back to the queue and may not have begun: while it was out of
    /// it, its moment may have passed.
    pub(super) fn heed_expiry(&mut self, seq: TaskSeq) -> Result<(), Halt> {
        let extras: Option<String> = self
            .connection
            .prepare_cached("SELECT extras FROM tasks WHERE seq = ?1")?
            .query_row([seq.0], |row| row.get(0))?;
        let expires_at = extras.and_then(|text| serde_json::from_str::<Extras>(&text).ok()?.expires_at);
        if let Some(moment) = expires_at.filter(|moment| *moment <= self.now) {
            self.connection
                .prepare_cached("INSERT INTO expiring (expires_at, seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute([moment.as_millis(), seq.0])?;
            self.memory.next_expiry = earlier(self.memory.next_expiry, moment);
        }
        Ok(())
    }

    /// Ends tasks that have not started by their `expires_at`, at most a batch at a time.
    pub(super) fn sweep_expired(&mut self) -> Result<(), Halt> {
        const BATCH: i64 = 1_000;
        if self.memory.next_expiry.is_none_or(|next| next > self.now) {
            return Ok(());
        }
        const SELECT: &str =
            "SELECT expires_at, seq FROM expiring WHERE expires_at <= ?1 ORDER BY expires_at, seq LIMIT ?2";
        /// The same where other hosts do so, too.
        const TAKE: &str = "DELETE FROM expiring WHERE (expires_at, seq) IN (SELECT expires_at, seq FROM expiring \
            WHERE expires_at <= ?1 ORDER BY expires_at, seq LIMIT ?2 FOR UPDATE) RETURNING expires_at, seq";
        let due = {
            let mut statement = self.connection.prepare_cached(if self.is_shared() { TAKE } else { SELECT })?;
            let due = statement.query_map(params![self.now.as_millis(), BATCH], |row| {
                Ok((Timestamp::from_millis(row.get(0)?), TaskSeq(row.get(1)?)))
            })?;
            due.collect::<crate::sql::Result<Vec<_>>>()?
        };
        if let Some((moment, seq)) = due.last().filter(|_| !self.is_shared()) {
            self.connection
                .prepare_cached("DELETE FROM expiring WHERE (expires_at, seq) <= (?1, ?2)")?
                .execute([moment.as_millis(), seq.0])?;
        }
        for (_, seq) in due {
            let Some((slot, Place::Waiting(waits))) = locate(self.connection, seq)? else { continue };
            let history = HistoryRow::load(self.connection, seq)?;
            if history.is_none_or(|history| !history.past().was_begun()) {
                self.displace(slot, waits)?;
                self.expire(slot)?;
            }
        }
        self.memory.next_expiry = self.next_of("SELECT min(expires_at) FROM expiring")?;
        Ok(())
    }
}
