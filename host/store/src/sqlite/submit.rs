//! Accepting tasks.

use bulkhead_core::{Due, Route, State, TaskId};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params};

use crate::{BatchRefusal, Submitted, TaskSeq};

use super::cycle::{Cycle, fetched};
use super::failure::Halt;
use super::ids;
use super::interned::route_number;
use super::memory::earlier;
use super::place;
use super::request::Prepared;
use super::slot::{Flags, RouteId, Slot};

impl Cycle<'_> {
    /// Accepts all tasks of a batch, or refuses all and says which is to blame.
    pub(super) fn submit(&mut self, tasks: &[Prepared]) -> Result<(), Halt> {
        let mut accepted = Vec::with_capacity(tasks.len());
        // Only a batch that may be refused by itself pays for a savepoint.
        let done = if self.careful || tasks.iter().any(|task| task.body.is_some()) {
            self.guarded(|cycle| cycle.submit_each(tasks, &mut accepted))
        } else {
            self.submit_each(tasks, &mut accepted)
        };
        let index = accepted.len();
        let answer = match done {
            Ok(()) => Ok(accepted),
            Err(Halt::Trouble(error)) => return Err(Halt::Trouble(error)),
            Err(Halt::Taken { what, name, holder }) => Err(BatchRefusal::Taken { index, what, name, holder }),
            Err(Halt::Row(message)) if self.careful || tasks.iter().any(|task| task.body.is_some()) => {
                Err(BatchRefusal::Refused { index, message })
            }
            Err(refusal) => return Err(refusal),
        };
        self.out.submitted.push(answer);
        Ok(())
    }

    fn submit_each(&mut self, tasks: &[Prepared], accepted: &mut Vec<Submitted>) -> Result<(), Halt> {
        for task in tasks {
            let submitted = self.submit_one(task)?;
            accepted.push(submitted);
        }
        Ok(())
    }

    /// Accepts one task, or finds that it was there before.
    pub(super) fn submit_one(&mut self, task: &Prepared) -> Result<Submitted, Halt> {
        const INSERT: &str = "INSERT INTO tasks (seq, id, route, rank, due, created_at, max_attempts, tenant, extras, \
            payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        if let Some(body) = &task.body
            && let Some(known) = self.known(task, body)?
        {
            return Ok(known);
        }
        let route = self.route_id(&task.route)?;
        let seq = self.memory.new_seq();
        let due = match task.due {
            Due::Now => self.now,
            Due::After(delay) => self.now.after(delay),
            Due::At(moment) => moment,
        };
        let (id, column) = match &task.id {
            Some(id) => (id.clone(), Value::Text(id.as_str().to_owned())),
            None => {
                let uuid = ids::make(seq, self.now, self.memory.dice.throw());
                (ids::name(uuid), Value::Blob(uuid.as_bytes().to_vec()))
            }
        };
        fetched(&mut self.hot.task, self.connection, INSERT)?.execute(params![
            seq.0,
            column,
            route,
            task.rank,
            due.as_millis(),
            self.now.as_millis(),
            task.max_attempts,
            task.tenant,
            task.extras,
            &*task.payload,
        ])?;
        self.place(Slot { seq, due, route, rank: task.rank, flags: Flags::NONE })?;
        if let Some(body) = &task.body {
            self.remember(task, seq, body)?;
        }
        if let Some(expires_at) = task.expires_at {
            self.connection
                .prepare_cached("INSERT INTO expiring (expires_at, seq) VALUES (?1, ?2)")?
                .execute([expires_at.as_millis(), seq.0])?;
            self.memory.next_expiry = earlier(self.memory.next_expiry, expires_at);
        }
        Ok(Submitted { id, state: State::Ready, duplicate: false })
    }

    /// The task that has this one's key or own id, if it has the same body.
    fn known(&mut self, task: &Prepared, body: &[u8; 32]) -> Result<Option<Submitted>, Halt> {
        if let Some(id) = &task.id {
            if let Some((seq, known)) = self.body_of("SELECT seq, body FROM own_ids WHERE id = ?1", id.as_str())? {
                return self.same_or_taken("id", id.as_str(), seq, known == body).map(Some);
            }
            if let Some(found) = place::find(self.connection, id)? {
                return self.same_or_taken("id", id.as_str(), found, false).map(Some);
            }
        }
        let Some(key) = &task.key else { return Ok(None) };
        let select = "SELECT seq, body, expires_at FROM keys WHERE key = ?1";
        let found: Option<(i64, Vec<u8>, i64)> = self
            .connection
            .prepare_cached(select)?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((seq, known, expires_at)) = found else { return Ok(None) };
        let seq = TaskSeq(seq);
        if expires_at <= self.now.as_millis() && place::state(self.connection, seq)?.is_none_or(State::is_ended) {
            return Ok(None);
        }
        self.same_or_taken("key", key, seq, known == body).map(Some)
    }

    fn body_of(&self, select: &str, name: &str) -> Result<Option<(TaskSeq, Vec<u8>)>, Halt> {
        let read = |row: &rusqlite::Row<'_>| Ok((TaskSeq(row.get(0)?), row.get(1)?));
        Ok(self.connection.prepare_cached(select)?.query_row([name], read).optional()?)
    }

    fn same_or_taken(&self, what: &'static str, name: &str, seq: TaskSeq, same: bool) -> Result<Submitted, Halt> {
        let id: TaskId = self
            .connection
            .prepare_cached("SELECT id FROM tasks WHERE seq = ?1")?
            .query_row([seq.0], |row| row.get_ref(0).map(ids::read))?;
        if !same {
            return Err(Halt::Taken { what, name: name.to_owned(), holder: id });
        }
        let state = place::state(self.connection, seq)?.unwrap_or(State::Ready);
        Ok(Submitted { id, state, duplicate: true })
    }

    fn remember(&self, task: &Prepared, seq: TaskSeq, body: &[u8; 32]) -> Result<(), Halt> {
        if let Some(id) = &task.id {
            self.connection
                .prepare_cached("INSERT INTO own_ids (id, seq, body) VALUES (?1, ?2, ?3)")?
                .execute(params![id.as_str(), seq.0, &body[..]])?;
        }
        if let Some(key) = &task.key {
            let expires_at = self.now.after(self.memory.settings.key_ttl);
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO keys (key, seq, body, expires_at) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![key, seq.0, &body[..], expires_at.as_millis()])?;
        }
        Ok(())
    }

    /// The number of a route, which is made where it is new and there is room.
    fn route_id(&mut self, route: &Route) -> Result<RouteId, Halt> {
        if let Some(id) = self.memory.routes.number(route) {
            return Ok(id);
        }
        let max = self.memory.settings.max_routes;
        if self.memory.routes.len() >= max {
            for idle in self.memory.routes.idle() {
                self.memory.routes.forget(idle);
                self.memory.ready.forget(idle);
                self.memory.shared.forget(idle);
            }
            if self.memory.routes.len() >= max {
                return Err(Halt::Row(format!(
                    "tasks of {max} different kinds and tag sets wait already, as many as a store keeps apart"
                )));
            }
        }
        let (id, made) = route_number(self.connection, route)?;
        let route = std::sync::Arc::new(route.clone());
        self.memory.routes.remember(id, std::sync::Arc::clone(&route));
        self.route_is_new(id, &route);
        if made {
            self.out.new_routes.push(id);
        }
        Ok(id)
    }
}
