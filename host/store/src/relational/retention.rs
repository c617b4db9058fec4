//! Removing what ended long ago, a little at a time.

use std::time::Duration;

use bulkhead_core::{State, Timestamp};

use crate::TaskSeq;
use crate::ending::{state_number, state_of};
use crate::postgres::first_number;
use crate::sql::{OptionalExtension, Value, ValueRef, params};

use super::cycle::Cycle;
use super::failure::Halt;
use super::ids;

/// Ended tasks that one cycle looks at, and the most that it removes: some milliseconds at most.
const LOOKED_AT: i64 = 2_000;
const REMOVED: usize = 200;

/// How long the cycle after that waits, so that those who submit and commit hardly notice.
const PAUSE: Duration = Duration::from_millis(20);

/// Where the walk over ended tasks is, and when it goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    pub(super) next_at: Timestamp,
    after: TaskSeq,
}

impl Walk {
    /// A walk that begins at this moment.
    pub(super) const fn from(next_at: Timestamp) -> Self {
        Self { next_at, after: TaskSeq(i64::MIN) }
    }
}

impl Cycle<'_> {
    /// Goes on with the walk where that is due.
    pub(super) fn sweep_ended(&mut self) -> Result<(), Halt> {
        let walk = self.memory.retention_walk;
        if walk.next_at > self.now {
            return Ok(());
        }
        if walk.after == Walk::from(walk.next_at).after {
            self.sweep_workflows()?;
        }
        let retention = self.memory.settings.retention;
        let looked_at: Vec<(TaskSeq, State, Timestamp)> = {
            let select = "SELECT seq, state, ended_at FROM ended WHERE seq > ?1 AND seq <= ?3 ORDER BY seq LIMIT ?2";
            let last = self.last_of_old()?;
            let mut statement = self.connection.prepare_cached(select)?;
            let rows = statement.query_map(params![walk.after.0, LOOKED_AT, last], |row| {
                let state = state_of(row.get(1)?).unwrap_or(State::Ready);
                Ok((TaskSeq(row.get(0)?), state, Timestamp::from_millis(row.get(2)?)))
            })?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        let all_of_told = self.sweep_kept_told()?;
        let (mut after, mut removed) = (walk.after, 0);
        let mut whole = all_of_told && looked_at.len() < LOOKED_AT as usize;
        for (seq, state, ended_at) in looked_at {
            if retention.is_over(state, ended_at, self.now) && self.remove(seq, state)? {
                removed += 1;
            }
            after = seq;
            if removed >= REMOVED {
                whole = false;
                break;
            }
        }
        self.memory.retention_walk = if whole {
            Walk::from(self.now.after(retention.look_every()))
        } else {
            Walk { next_at: self.now.after(PAUSE), after }
        };
        Ok(())
    }

    /// The greatest number of a task that is removed by itself: the others go with their partitions.
    fn last_of_old(&self) -> Result<i64, Halt> {
        if !self.is_shared() {
            return Ok(i64::MAX);
        }
        const SELECT: &str = "SELECT min(number) FROM partitions";
        let oldest: Option<i64> = self.connection.prepare_cached(SELECT)?.query_row([], |row| row.get(0))?;
        Ok(oldest.map_or(i64::MAX, first_number))
    }

    /// Removes a task that has ended, with everything that is known of it but what it told and is kept for longer; whether it
    /// could be.
    ///
    /// A child stays for as long as its parent does, which may ask how it ended.
    pub(super) fn remove(&mut self, seq: TaskSeq, state: State) -> Result<bool, Halt> {
        if self.memory.has_kin {
            let select = "SELECT EXISTS (SELECT 1 FROM kin WHERE child = ?1)";
            if self.connection.prepare_cached(select)?.query_row([seq.0], |row| row.get(0))? {
                return Ok(false);
            }
            self.connection.prepare_cached("DELETE FROM kin WHERE parent = ?1")?.execute([seq.0])?;
            self.connection.prepare_cached("DELETE FROM trees WHERE root = ?1")?.execute([seq.0])?;
        }
        if self.memory.has_steps {
            // A later step may ask how this one ended, and somebody may ask for the workflow.
            let select = "SELECT EXISTS (SELECT 1 FROM steps WHERE seq = ?1)";
            if self.connection.prepare_cached(select)?.query_row([seq.0], |row| row.get(0))? {
                return Ok(false);
            }
        }
        // What is told of its end needs its row.
        self.save_events()?;
        self.keep_names(seq, state)?;
        if self.memory.has_told {
            self.keep_what_it_told(seq)?;
            for table in super::told::TABLES {
                self.connection.prepare_cached(&format!("DELETE FROM {table} WHERE seq = ?1"))?.execute([seq.0])?;
            }
        }
        for table in ["ended", "history", "attempts", "tasks"] {
            self.connection.prepare_cached(&format!("DELETE FROM {table} WHERE seq = ?1"))?.execute([seq.0])?;
        }
        Ok(true)
    }

    /// Notes how a task had ended beside the key and the own id that still stand for it.
    fn keep_names(&mut self, seq: TaskSeq, state: State) -> Result<(), Halt> {
        let found: Option<(Value, Option<String>, i64)> = self
            .connection
            .prepare_cached("SELECT id, extras, created_at FROM tasks WHERE seq = ?1")?
            .query_row([seq.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((id, extras, created_at)) = found else { return Ok(()) };
        let id = ValueRef::from(&id);
        if ids::is_own(id) {
            let expires_at = Timestamp::from_millis(created_at).after(self.memory.settings.key_ttl);
            self.connection
                .prepare_cached("UPDATE own_ids SET state = ?3, expires_at = ?4 WHERE id = ?1 AND seq = ?2")?
                .execute(params![ids::read(id).as_str(), seq.0, state_number(state), expires_at.as_millis()])?;
        }
        let key = extras.and_then(|text| serde_json::from_str::<bulkhead_core::Extras>(&text).ok()?.key);
        if let Some(key) = key {
            self.connection
                .prepare_cached(
                    "UPDATE keys SET state = ?3, id = (SELECT id FROM tasks WHERE seq = ?1) \
                     WHERE key = ?2 AND seq = ?1",
                )?
                .execute(params![seq.0, key, state_number(state)])?;
        }
        Ok(())
    }
}
