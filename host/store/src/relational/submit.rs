//! Accepting tasks.

use bulkhead_core::{Due, Route, State, Timestamp};

use crate::history::unsigned;
use crate::sql::{Value, params};
use crate::{BatchRefusal, Submitted, TaskSeq};

use super::cycle::Cycle;
use super::failure::Halt;
use super::ids;
use super::interned::route_number;
use super::memory::earlier;
use super::request::Prepared;
use super::slot::{Flags, RouteId, Slot};
use super::tables::TASKS;

/// Who asks for a task to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// Somebody outside, who can wait while the queue is full.
    Caller,
    /// A task that runs, which cannot: it has as much room again.
    Task,
}

/// A task that was accepted, now or before; one that was accepted before may have been removed since.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) seq: TaskSeq,
    pub(super) submitted: Submitted,
}

impl Cycle<'_> {
    /// Accepts all tasks of a batch, or refuses all and says which is to blame.
    pub(super) fn submit(&mut self, tasks: &[Prepared]) -> Result<(), Halt> {
        let mut accepted = Vec::with_capacity(tasks.len());
        // Only a batch that may be refused by itself pays for a savepoint.
        let room = unsigned(self.memory.pending).saturating_add(tasks.len() as u64) <= self.memory.settings.max_pending;
        let done = if self.careful || !room || tasks.iter().any(|task| task.body.is_some()) {
            self.guarded(|cycle| cycle.submit_each(tasks, &mut accepted))
        } else {
            self.submit_each(tasks, &mut accepted)
        };
        let index = accepted.len();
        let answer = match done {
            Ok(()) => Ok(accepted),
            Err(halt @ (Halt::Trouble(_) | Halt::Raced)) => return Err(halt),
            Err(Halt::QueueFull { most, .. }) => {
                let (size, waiting) = (tasks.len(), unsigned(self.memory.pending));
                Err(BatchRefusal::QueueFull { index, size, waiting, most })
            }
            Err(Halt::Taken { what, name, holder }) => Err(BatchRefusal::Taken { index, what, name, holder }),
            // Rows are written several at once: which of them is to blame is known where each is written alone.
            Err(Halt::Row(message)) if self.careful => Err(BatchRefusal::Refused { index, message }),
            Err(refusal) => return Err(refusal),
        };
        self.out.submitted.push(answer);
        Ok(())
    }

    fn submit_each(&mut self, tasks: &[Prepared], accepted: &mut Vec<Submitted>) -> Result<(), Halt> {
        for task in tasks {
            let submitted = self.submit_one(task, Asker::Caller)?;
            if self.careful {
                // So that who is refused is known by its place.
                self.connection.flush()?;
            }
            accepted.push(submitted.submitted);
        }
        Ok(())
    }

    /// Refuses a task where too many wait.
    fn check_room(&self, asker: Asker) -> Result<(), Halt> {
        let waiting = unsigned(self.memory.pending);
        let most = match asker {
            Asker::Caller => self.memory.settings.max_pending,
            Asker::Task => self.memory.settings.max_pending.saturating_mul(2),
        };
        if waiting >= most { Err(Halt::QueueFull { waiting, most }) } else { Ok(()) }
    }

    /// Accepts one task, or finds that it was there before.
    pub(super) fn submit_one(&mut self, task: &Prepared, asker: Asker) -> Result<Accepted, Halt> {
        if let Some(body) = &task.body
            && let Some(known) = self.known(task, body)?
        {
            return Ok(known);
        }
        self.check_room(asker)?;
        let route = self.route_id(&task.route)?;
        let seq = self.new_seq()?;
        let due = self.due_of(task);
        let (id, column) = match &task.id {
            Some(id) => (id.clone(), Value::Blob(ids::own_column(id))),
            None => {
                let uuid = ids::make(seq, self.now, self.memory.dice.throw());
                (ids::name(uuid), Value::Blob(uuid.as_bytes().to_vec()))
            }
        };
        self.insert_task(task, seq, &column, route, due)?;
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
        self.note_submitted(seq, route, &id, task);
        Ok(Accepted { seq, submitted: Submitted { id, state: State::Ready, duplicate: false } })
    }

    /// When a new task may first be claimed.
    pub(super) fn due_of(&self, task: &Prepared) -> Timestamp {
        match task.due {
            Due::Now => self.now,
            Due::After(delay) => self.now.after(delay),
            Due::At(moment) => moment,
        }
    }

    /// Writes what was submitted.
    pub(super) fn insert_task(
        &mut self,
        task: &Prepared,
        seq: TaskSeq,
        id: &Value,
        route: RouteId,
        due: Timestamp,
    ) -> Result<(), Halt> {
        let now = self.now.as_millis();
        self.insert(
            &TASKS,
            params![
                seq.0,
                id,
                route,
                task.rank,
                due.as_millis(),
                now,
                task.max_attempts,
                task.tenant,
                task.extras,
                &*task.payload,
            ],
        )
    }

    /// The number of a route, which is made where it is new and there is room.
    pub(super) fn route_id(&mut self, route: &Route) -> Result<RouteId, Halt> {
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
