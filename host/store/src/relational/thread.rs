//! The store's one writing thread: takes what is waiting, writes it in one transaction, and only then tells.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::Timestamp;

use crate::postgres::rotate;
use crate::sql::Connection;
use crate::sqlite::LockFile;
use crate::{Delivery, StoreError};

use super::bell::Bell;
use super::inbox::Inbox;
use super::many_hosts::LOOK_EVERY;
use super::memory::Memory;
use super::outcome::Outcome;
use super::request::{Answer, Request};
use super::slot::RouteId;
use super::source::Source;
use super::todo::Todo;

/// Tasks submitted in one transaction; what is beyond waits for the next, which follows at once.
const CYCLE_TASKS: usize = 20_000;

/// The longest sleep while something is scheduled: the wall clock may be set meanwhile.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How soon deliveries are tried again that a worker had no room for.
pub(super) const DELIVER_AGAIN: Duration = Duration::from_millis(10);

/// The waits between attempts to write while nothing can be written.
pub(super) const TROUBLE_FIRST: Duration = Duration::from_millis(100);
const TROUBLE_MOST: Duration = Duration::from_secs(5);

/// How long it is tried to find out what became of a transaction; by then the leases have run out.
pub(super) const FIND_OUT_FOR: Duration = Duration::from_secs(30);

/// The thread's belongings.
pub(super) struct Thread {
    pub(super) source: Arc<dyn Source>,
    pub(super) connection: Connection,
    pub(super) memory: Memory,
    pub(super) inbox: Arc<Inbox>,
    lock: Option<LockFile>,
    bell: Option<Arc<dyn Bell>>,
    /// Taken from the inbox, and too much for one transaction.
    pub(super) backlog: VecDeque<Request>,
    /// What must be written and could not be yet.
    kept: Todo,
    pub(super) trouble: Option<Trouble>,
    pub(super) latest: Timestamp,
    /// When that was, in time since boot.
    pub(super) latest_at: Duration,
}

/// Nothing can be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    pub(super) wait: Duration,
    pub(super) again_at: Duration,
}

/// Why the thread ends.
enum End {
    Close(Option<Answer<()>>),
    Abandon,
}

/// Closes the inbox however the thread ends, so that nobody waits for an answer that cannot come.
struct CloseAtEnd(Arc<Inbox>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Thread {
    pub(super) fn new(
        source: Arc<dyn Source>,
        connection: Connection,
        memory: Memory,
        inbox: Arc<Inbox>,
        (lock, bell): (Option<LockFile>, Option<Arc<dyn Bell>>),
        now: Timestamp,
    ) -> Self {
        let (backlog, kept, trouble) = (VecDeque::new(), Todo::default(), None);
        let latest_at = memory.settings.clock.since_boot();
        Self { source, connection, memory, inbox, lock, bell, backlog, kept, trouble, latest: now, latest_at }
    }

    /// Runs until the store is closed.
    pub(super) fn run(mut self) {
        let _closed = CloseAtEnd(Arc::clone(&self.inbox));
        let mut requests = Vec::new();
        let mut ticks = Vec::new();
        let end = loop {
            let limit = self.idle_for();
            self.inbox.take(limit, &mut requests);
            self.backlog.extend(requests.drain(..));
            let boot = self.memory.settings.clock.since_boot();
            let mut todo = std::mem::take(&mut self.kept);
            let mut end = None;
            let mut tasks = 0;
            while tasks < CYCLE_TASKS
                && let Some(request) = self.backlog.pop_front()
            {
                match request {
                    Request::Submit(submit) => {
                        tasks += submit.tasks.len().max(1);
                        todo.submits.push(submit);
                    }
                    Request::Begin(begin) => {
                        tasks += begin.size();
                        todo.begins.push(*begin);
                    }
                    Request::Workflow(asked) => {
                        // It may have as many steps as a transaction takes.
                        tasks += bulkhead_core::MAX_STEPS;
                        todo.workflow_changes.push(asked);
                    }
                    Request::Change(asked) => {
                        tasks += asked.ids.len().max(1);
                        todo.changes.push(asked);
                    }
                    Request::Schedule(asked) => {
                        tasks += 1;
                        todo.schedules.push(asked);
                    }
                    Request::Events(asked) => todo.events.push(asked),
                    Request::Hold { kind, held, answer } => todo.holds.push((kind, held, answer)),
                    Request::Tick { answer } => ticks.push(answer),
                    Request::Look => self.look_soon(boot),
                    Request::Close { answer } => end = Some(End::Close(Some(answer))),
                    Request::Abandon => end = Some(End::Abandon),
                    worker => self.hear(worker, boot, &mut todo),
                }
                if end.is_some() {
                    break;
                }
            }
            if let Some(End::Abandon) = end {
                break End::Abandon;
            }
            if matches!(end, Some(End::Close(_))) {
                todo.detached = self.memory.workers.keys().copied().collect();
            }
            let asked = !ticks.is_empty();
            self.turn(todo, boot, asked);
            ticks.drain(..).for_each(|answer| drop(answer.send(Ok(()))));
            if let Some(end) = end {
                break end;
            }
        };
        self.finish(end);
    }

    fn finish(self, end: End) {
        self.inbox.close();
        if let End::Close(answer) = end {
            let closed = self.connection.close();
            drop(self.memory);
            drop(self.lock);
            if let Some(answer) = answer {
                let _ = answer.send(closed.map_err(|error| super::failure::reading(&error)));
            }
        }
    }

    /// One cycle, where there is anything to do.
    fn turn(&mut self, mut todo: Todo, boot: Duration, asked: bool) {
        let now = self.estimate(boot);
        for (id, attached) in &mut self.memory.workers {
            attached.catch_up();
            if attached.gone && !todo.detached.contains(id) {
                todo.detached.push(*id);
            }
        }
        let again = self.trouble.is_none_or(|trouble| asked || trouble.again_at <= boot);
        if todo.is_empty() && !(again && self.is_due(now, boot, asked)) {
            if again {
                // Nothing is left that could be tried.
                self.trouble = None;
            }
            return;
        }
        let from_outside = !(todo.submits.is_empty()
            && todo.begins.is_empty()
            && todo.workflow_changes.is_empty()
            && todo.changes.is_empty()
            && todo.schedules.is_empty()
            && todo.holds.is_empty());
        let from_workers = !(todo.releases.is_empty()
            && todo.attaches.is_empty()
            && todo.renewals.is_empty()
            && todo.events.is_empty());
        if !again && !from_outside && !from_workers {
            // Only what is kept, and it is not time yet.
            self.kept = todo;
            return;
        }
        // While nothing can be written, claims would only add to what is to be written.
        todo.claim = self.trouble.is_none() || (again && todo.commits.is_empty());
        todo.look = todo.claim && (asked || self.is_time_to_look(boot));
        if let Some(many) = self.memory.many_hosts.as_mut().filter(|_| asked) {
            many.lanes_at = None;
        }
        match self.carry_out(&todo, boot) {
            Ok(outcome) => {
                let now = self.latest;
                if let Some(many) = self.memory.many_hosts.as_mut().filter(|_| todo.look) {
                    many.look_at = boot + LOOK_EVERY;
                    if let Some(client) = self.connection.postgres() {
                        if boot >= many.rotate_at {
                            many.rotate_at = boot + rotate(client, many.part_size);
                        }
                        many.partitions.tend(client, now, boot, asked);
                    }
                }
                if self.trouble.take().is_some() {
                    tracing::info!("the store can be written again");
                }
                let lines_changed = !outcome.lost.is_empty() || !outcome.detached.is_empty();
                self.ring(&todo, &outcome);
                let (holds, attaches) = (std::mem::take(&mut todo.holds), std::mem::take(&mut todo.attaches));
                super::publish::publish(&mut self.memory, todo, outcome, now);
                if lines_changed {
                    self.show_served();
                }
                for (worker, name, answer) in attaches {
                    self.attached(worker, name, answer, boot);
                }
                for (kind, held, answer) in holds {
                    self.held(kind, held);
                    let _ = answer.send(Ok(()));
                }
            }
            Err(error) => self.keep(todo, error, boot),
        }
    }

    /// Looks at what another host has done, where a worker here is out of work.
    fn look_soon(&mut self, boot: Duration) {
        let Memory { workers, ready, .. } = &self.memory;
        let idle = workers.iter().any(|(id, attached)| attached.permits > 0 && !ready.has_work(*id));
        if let Some(many) = self.memory.many_hosts.as_mut().filter(|_| idle) {
            many.look_at = boot;
            many.lanes_at = many.lanes_soonest;
        }
    }

    /// Tells the other hosts, where tasks wait that nobody here has taken, or something is asked of all.
    fn ring(&self, todo: &Todo, outcome: &Outcome) {
        let Some(bell) = &self.bell else { return };
        let mut left: BTreeMap<RouteId, i64> = BTreeMap::new();
        outcome.counts.iter().for_each(|(route, change)| *left.entry(*route).or_default() += change);
        if left.values().any(|change| *change > 0) || !todo.holds.is_empty() {
            bell.ring();
        }
    }

    /// Keeps what must not be lost, and tells everybody else that it was not done.
    fn keep(&mut self, todo: Todo, error: StoreError, boot: Duration) {
        if self.trouble.is_none() {
            tracing::error!(%error, "the store cannot be written; commits are kept and tried again");
            for attached in self.memory.workers.values_mut() {
                attached.deliver(Delivery::Troubled(error.clone()));
            }
        }
        let wait = self.trouble.map_or(TROUBLE_FIRST, |trouble| (trouble.wait * 2).min(TROUBLE_MOST));
        self.trouble = Some(Trouble { wait, again_at: boot + wait });
        self.kept.commits = todo.commits;
        self.kept.detached = todo.detached;
        let refuse = || error.clone();
        todo.releases.into_iter().for_each(|(_, _, answer)| drop(answer.send(Err(refuse()))));
        todo.changes.into_iter().for_each(|asked| drop(asked.answer.send(Err(refuse()))));
        todo.schedules.into_iter().for_each(|asked| drop(asked.answer.send(Err(refuse()))));
        todo.holds.into_iter().for_each(|(_, _, answer)| drop(answer.send(Err(refuse()))));
        todo.submits.into_iter().for_each(|submit| drop(submit.answer.send(Err(refuse()))));
        todo.begins.into_iter().for_each(|begin| drop(begin.answer.send(Err(refuse()))));
        todo.workflow_changes.into_iter().for_each(|asked| drop(asked.answer.send(Err(refuse()))));
        todo.events.into_iter().for_each(|asked| drop(asked.answer.send(Err(refuse()))));
        todo.attaches.into_iter().for_each(|(_, _, answer)| drop(answer.send(Err(refuse()))));
        todo.renewals.into_iter().for_each(|(_, answer)| drop(answer.send(Err(refuse()))));
    }
}
