//! Names that stand for a task: its idempotency key, and its own id where the caller gave one. They outlive it.

use bulkhead_core::{State, TaskId};

use crate::ending::state_of;
use crate::sql::{OptionalExtension, Value, ValueRef, params};
use crate::{Submitted, TaskSeq};

use super::cycle::Cycle;
use super::failure::Halt;
use super::ids;
use super::place;
use super::request::Prepared;
use super::submit::Accepted;

/// What is known of a name.
struct Named {
    seq: TaskSeq,
    body: Vec<u8>,
    /// The task's id, where the task itself was removed.
    id: Option<Value>,
    /// How it had ended, where it was removed.
    state: Option<State>,
    expires_at: Option<i64>,
}

const KEY: &str = "SELECT seq, body, id, state, expires_at FROM keys WHERE key = ?1";
const OWN_ID: &str = "SELECT seq, body, id, state, expires_at FROM own_ids WHERE id = ?1";

impl Cycle<'_> {
    /// The task that has this one's key or own id, if it has the same body.
    pub(super) fn known(&mut self, task: &Prepared, body: &[u8; 32]) -> Result<Option<Accepted>, Halt> {
        if let Some(id) = &task.id {
            if let Some(known) = self.named(OWN_ID, id.as_str())? {
                return self.same_or_taken("id", id.as_str(), known, body).map(Some);
            }
            if let Some(seq) = place::find(self.connection, id)? {
                let known = Named { seq, body: Vec::new(), id: None, state: None, expires_at: None };
                return self.same_or_taken("id", id.as_str(), known, body).map(Some);
            }
        }
        let Some(key) = &task.key else { return Ok(None) };
        let Some(known) = self.named(KEY, key)? else { return Ok(None) };
        let is_over = known.expires_at.is_some_and(|moment| moment <= self.now.as_millis());
        if is_over && self.state_of(&known)?.is_none_or(State::is_ended) {
            return Ok(None);
        }
        self.same_or_taken("key", key, known, body).map(Some)
    }

    fn named(&self, select: &str, name: &str) -> Result<Option<Named>, Halt> {
        let mut statement = self.connection.prepare_cached(select)?;
        let named = statement.query_row([name], |row| {
            Ok(Named {
                seq: TaskSeq(row.get(0)?),
                body: row.get(1)?,
                id: row.get(2)?,
                state: row.get::<Option<i64>>(3)?.and_then(state_of),
                expires_at: row.get(4)?,
            })
        });
        Ok(named.optional()?)
    }

    fn state_of(&self, named: &Named) -> Result<Option<State>, Halt> {
        match named.state {
            Some(state) => Ok(Some(state)),
            None => Ok(place::state(self.connection, named.seq)?),
        }
    }

    /// How a task had ended that was removed, as far as a name of it is still known.
    pub(super) fn state_when_removed(&self, seq: TaskSeq) -> Result<State, Halt> {
        const SELECT: &str = "SELECT state FROM keys WHERE seq = ?1 AND state IS NOT NULL \
            UNION ALL SELECT state FROM own_ids WHERE seq = ?1 AND state IS NOT NULL";
        let state: Option<i64> =
            self.connection.prepare_cached(SELECT)?.query_row([seq.0], |row| row.get(0)).optional()?;
        Ok(state.and_then(state_of).unwrap_or(State::Dead))
    }

    fn same_or_taken(&self, what: &'static str, name: &str, known: Named, body: &[u8; 32]) -> Result<Accepted, Halt> {
        let state = self.state_of(&known)?.unwrap_or(State::Ready);
        let removed = known.id.as_ref().filter(|_| known.state.is_some());
        let id: TaskId = match removed {
            Some(id) => ids::read(ValueRef::from(id)),
            None => self
                .connection
                .prepare_cached("SELECT id FROM tasks WHERE seq = ?1")?
                .query_row([known.seq.0], |row| row.get_ref(0).map(ids::read))?,
        };
        if known.body != body {
            return Err(Halt::Taken { what, name: name.to_owned(), holder: id });
        }
        Ok(Accepted { seq: known.seq, submitted: Submitted { id, state, duplicate: true } })
    }

    /// Notes the names of a task that was just accepted.
    pub(super) fn remember(&self, task: &Prepared, seq: TaskSeq, body: &[u8; 32]) -> Result<(), Halt> {
        if let Some(id) = &task.id {
            let noted = self
                .connection
                .prepare_cached("INSERT INTO own_ids (id, seq, body) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING")?
                .execute(params![id.as_str(), seq.0, &body[..]])?;
            self.first(noted)?;
        }
        if let Some(key) = &task.key {
            let expires_at = self.now.after(self.memory.settings.key_ttl);
            let noted = self
                .connection
                .prepare_cached(
                    "INSERT INTO keys (key, seq, body, expires_at, id, state) VALUES (?1, ?2, ?3, ?4, NULL, NULL) \
                     ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, body = excluded.body, \
                     expires_at = excluded.expires_at, id = NULL, state = NULL WHERE keys.expires_at <= ?5",
                )?
                .execute(params![key, seq.0, &body[..], expires_at.as_millis(), self.now.as_millis()])?;
            self.first(noted)?;
        }
        Ok(())
    }

    /// Forgets names that are over, and keeps keys whose tasks are not; a few at a time.
    pub(super) fn sweep_names(&mut self) -> Result<(), Halt> {
        const BATCH: i64 = 1_000;
        /// How long until names that are over are looked for again.
        const SWEEP_MILLIS: i64 = 60_000;
        if self.memory.next_name_sweep > self.now {
            return Ok(());
        }
        let over: Vec<(String, i64, Option<i64>)> = {
            let select = "SELECT key, seq, state FROM keys WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
            let mut statement = self.connection.prepare_cached(select)?;
            let rows = statement
                .query_map(params![self.now.as_millis(), BATCH], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        for (key, seq, state) in &over {
            if state.is_some() || place::state(self.connection, TaskSeq(*seq))?.is_none_or(State::is_ended) {
                self.connection.prepare_cached("DELETE FROM keys WHERE key = ?1")?.execute([key])?;
            } else {
                let later = self.now.as_millis() + SWEEP_MILLIS;
                self.connection
                    .prepare_cached("UPDATE keys SET expires_at = ?2 WHERE key = ?1")?
                    .execute(params![key, later])?;
            }
        }
        let gone = self
            .connection
            .prepare_cached(
                "DELETE FROM own_ids WHERE id IN \
                 (SELECT id FROM own_ids WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
            )?
            .execute(params![self.now.as_millis(), BATCH])?;
        if over.len().max(gone) < BATCH as usize {
            self.memory.next_name_sweep = bulkhead_core::Timestamp::from_millis(self.now.as_millis() + SWEEP_MILLIS);
        }
        Ok(())
    }
}
