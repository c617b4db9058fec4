//! Notes of what happens, taken where it does.

use std::sync::Arc;

use bulkhead_core::{EventFacts, EventType, JsonText, TaskId};
use serde_json::json;

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::request::Prepared;
use super::super::slot::{RouteId, Slot};
use super::desk::RunOf;
use crate::ending::Ending;
use crate::history::HistoryRow;
use crate::sql::OptionalExtension;
use crate::{Audit, Commit, ProgressNote, TaskSeq, WorkerId};

/// Something that happened, to be kept or told at the end of the cycle.
#[derive(Debug)]
pub(in crate::relational) struct Noted {
    pub(super) event: EventType,
    pub(super) seq: TaskSeq,
    pub(super) route: RouteId,
    pub(super) facts: EventFacts,
    /// Name and tenant of the task, where they are known without asking.
    pub(super) named: Option<(TaskId, Option<String>)>,
}

/// More about an event, as JSON.
fn details(value: &serde_json::Value) -> Option<JsonText> {
    JsonText::from_value(value).ok()
}

/// What a task's history says of an event.
fn facts_of(history: Option<&HistoryRow>) -> EventFacts {
    let (epoch, attempt, stage) = history.map_or((1, 0, 0), |kept| (kept.epoch, kept.attempts, kept.stage));
    EventFacts { epoch, attempt, stage, ..EventFacts::default() }
}

/// The epoch, attempt and stage of the run that follows what is kept.
pub(in crate::relational) fn run_after(history: Option<&HistoryRow>) -> (u32, u32, u32) {
    history.map_or((1, 1, 0), |kept| (kept.epoch, kept.attempts + 1, kept.stage))
}

impl Cycle<'_> {
    /// Whether somebody is to hear of such an event.
    fn is_told(&mut self, event: EventType, route: RouteId) -> Result<bool, Halt> {
        if !event.is_durable() {
            return Ok(self.memory.shared.events.is_heard());
        }
        self.know_interests()?;
        let desk = &self.memory.events;
        if desk.is_idle(self.now) || desk.keeps_stream(self.now) {
            return Ok(!desk.is_idle(self.now));
        }
        let route = self.route(route)?;
        Ok(self.memory.events.may_deliver(event, &route.kind))
    }

    /// Whether anybody listens, or is known to want events that are kept.
    pub(in crate::relational) fn has_listeners(&mut self) -> Result<bool, Halt> {
        self.know_interests()?;
        Ok(self.memory.shared.events.is_heard() || !self.memory.events.is_idle(self.now))
    }

    pub(in crate::relational) fn note_event(
        &mut self,
        event: EventType,
        (seq, route): (TaskSeq, RouteId),
        facts: impl FnOnce() -> EventFacts,
    ) -> Result<(), Halt> {
        if !self.is_told(event, route)? {
            return Ok(());
        }
        let mut facts = facts();
        if let Some(run) = self.memory.events.run.as_ref().filter(|run| run.seq == seq) {
            facts.worker = Some(run.worker.to_string());
            facts.handler = run.handler.as_ref().map(|handler| handler.name.to_string());
            facts.digest = run.handler.as_ref().map(|handler| handler.digest.to_string());
        }
        self.out.events.push(Noted { event, seq, route, facts, named: None });
        Ok(())
    }

    /// Remembers whose end is being written, for the events that come of it.
    pub(in crate::relational) fn note_run(&mut self, worker: WorkerId, commit: &Commit) {
        let nobody = self.memory.events.is_surely_idle(self.now) && !self.memory.shared.events.is_heard();
        if nobody {
            return;
        }
        let worker = self.memory.workers.get(&worker).map(|attached| Arc::clone(&attached.name));
        let handler = commit.handler.clone();
        self.memory.events.run = worker.map(|worker| RunOf { seq: commit.seq, worker, handler });
    }

    /// A task was accepted.
    pub(in crate::relational) fn note_submitted(&mut self, seq: TaskSeq, route: RouteId, id: &TaskId, task: &Prepared) {
        if self.memory.shared.events.is_heard() {
            let facts = EventFacts { epoch: 1, ..EventFacts::default() };
            let named = Some((id.clone(), task.tenant.clone()));
            self.out.events.push(Noted { event: EventType::Submitted, seq, route, facts, named });
        }
    }

    /// A task has ended.
    pub(in crate::relational) fn note_end(&mut self, slot: Slot, ending: &Ending<'_>) -> Result<(), Halt> {
        let Some(event) = EventType::of_end(ending.state) else { return Ok(()) };
        self.note_event(event, (slot.seq, slot.route), || EventFacts {
            epoch: ending.epoch,
            attempt: ending.attempt,
            stage: ending.stage,
            reason: ending.reason.map(|reason| reason.as_str().to_owned()),
            ..EventFacts::default()
        })
    }

    /// A dead letter was closed by hand.
    pub(in crate::relational) fn note_resolved(&mut self, slot: Slot) -> Result<(), Halt> {
        self.note_kept(EventType::Resolved, slot, None, None)
    }

    /// A task will be tried again.
    pub(in crate::relational) fn note_retried(
        &mut self,
        slot: Slot,
        history: &HistoryRow,
        reason: &str,
    ) -> Result<(), Halt> {
        self.note_kept(EventType::Retried, slot, Some(history), Some(reason))
    }

    /// A task waits.
    pub(in crate::relational) fn note_suspended(&mut self, slot: Slot, history: &HistoryRow) -> Result<(), Halt> {
        self.note_under_way(EventType::Suspended, slot, history, None)
    }

    /// A task waits no longer.
    pub(in crate::relational) fn note_resumed(&mut self, slot: Slot, history: &HistoryRow) -> Result<(), Halt> {
        self.note_under_way(EventType::Resumed, slot, history, None)
    }

    fn note_kept(
        &mut self,
        event: EventType,
        slot: Slot,
        history: Option<&HistoryRow>,
        reason: Option<&str>,
    ) -> Result<(), Halt> {
        let reason = reason.map(str::to_owned);
        self.note_event(event, (slot.seq, slot.route), || EventFacts { reason, ..facts_of(history) })
    }

    /// An attempt that is under way has come to something.
    fn note_under_way(
        &mut self,
        event: EventType,
        slot: Slot,
        history: &HistoryRow,
        details: Option<JsonText>,
    ) -> Result<(), Halt> {
        let facts = facts_of(Some(history));
        // What is charged are the attempts before it.
        self.note_event(event, (slot.seq, slot.route), || EventFacts { attempt: facts.attempt + 1, details, ..facts })
    }

    /// A task has made children.
    pub(in crate::relational) fn note_spawned(
        &mut self,
        slot: Slot,
        history: &HistoryRow,
        children: u32,
    ) -> Result<(), Halt> {
        self.note_under_way(EventType::Spawned, slot, history, details(&json!({ "children": children })))
    }

    /// A task has said how far it has come.
    pub(in crate::relational) fn note_progress(
        &mut self,
        seq: TaskSeq,
        of: Option<(u32, u32, u32)>,
        progress: &ProgressNote,
    ) -> Result<(), Halt> {
        let Some(route) = self.route_of_heard(seq)? else { return Ok(()) };
        let (epoch, attempt, stage) = match of {
            Some(of) => of,
            None => run_after(HistoryRow::load(self.connection, seq)?.as_ref()),
        };
        let worker = self.memory.leases.holder(seq).and_then(|(worker, _)| self.memory.workers.get(&worker));
        let worker = worker.map(|attached| attached.name.to_string());
        let details = JsonText::from_value(progress).ok();
        let facts = EventFacts { epoch, attempt, stage, worker, details, ..EventFacts::default() };
        self.note_event(EventType::Progress, (seq, route), || facts)
    }

    /// A task has made an entry in its audit trail.
    pub(in crate::relational) fn note_audit(
        &mut self,
        seq: TaskSeq,
        (epoch, attempt, stage): (u32, u32, u32),
        audit: &Audit,
    ) -> Result<(), Halt> {
        let Some(route) = self.route_of_heard(seq)? else { return Ok(()) };
        let details = JsonText::from_value(audit).ok();
        let facts = EventFacts { epoch, attempt, stage, details, ..EventFacts::default() };
        self.note_event(EventType::Audit, (seq, route), || facts)
    }

    /// The route of a task whose words somebody listens to.
    fn route_of_heard(&self, seq: TaskSeq) -> Result<Option<RouteId>, Halt> {
        if !self.memory.shared.events.is_heard() {
            return Ok(None);
        }
        let mut statement = self.connection.prepare_cached("SELECT route FROM tasks WHERE seq = ?1")?;
        Ok(statement.query_row([seq.0], |row| row.get(0).map(RouteId)).optional()?)
    }
}
