//! The store's one writing thread: takes what is waiting, writes it in one transaction, and only then tells.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::Timestamp;

use crate::sql::Connection;
use crate::sqlite::LockFile;
use crate::{Delivery, StoreError, WorkerId};

use super::attached::{AloneTurn, Attached};
use super::claim::DRAIN_PATIENCE;
use super::cycle::{self, Todo};
use super::inbox::Inbox;
use super::memory::Memory;
use super::request::{Answer, Request};
use super::source::Source;

/// Tasks submitted in one transaction; what is beyond waits for the next, which follows at once.
const CYCLE_TASKS: usize = 20_000;

/// The longest sleep while something is scheduled: the wall clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How soon deliveries are tried again that a worker had no room for.
const DELIVER_AGAIN: Duration = Duration::from_millis(10);

/// The waits between attempts to write while nothing can be written.
const TROUBLE_FIRST: Duration = Duration::from_millis(100);
const TROUBLE_MOST: Duration = Duration::from_secs(5);

/// The thread's belongings.
pub(super) struct Thread {
    source: Arc<dyn Source>,
    pub(super) connection: Connection,
    pub(super) memory: Memory,
    pub(super) inbox: Arc<Inbox>,
    lock: Option<LockFile>,
    /// Taken from the inbox, and too much for one transaction.
    backlog: VecDeque<Request>,
    /// What must be written and could not be yet.
    kept: Todo,
    trouble: Option<Trouble>,
    latest: Timestamp,
}

/// Nothing can be written.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    wait: Duration,
    again_at: Duration,
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
        lock: Option<LockFile>,
        now: Timestamp,
    ) -> Self {
        let (backlog, kept, trouble) = (VecDeque::new(), Todo::default(), None);
        Self { source, connection, memory, inbox, lock, backlog, kept, trouble, latest: now }
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
                    Request::Change(asked) => {
                        tasks += asked.ids.len().max(1);
                        todo.changes.push(asked);
                    }
                    Request::Schedule(asked) => {
                        tasks += 1;
                        todo.schedules.push(asked);
                    }
                    Request::Hold { kind, held, answer } => todo.holds.push((kind, held, answer)),
                    Request::Tick { answer } => ticks.push(answer),
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
        self.latest = self.latest.max(self.memory.settings.clock.now());
        let now = self.latest;
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
        let from_outside =
            !(todo.submits.is_empty() && todo.changes.is_empty() && todo.schedules.is_empty() && todo.holds.is_empty());
        if !again && !from_outside && todo.releases.is_empty() {
            // Only what is kept, and it is not time yet.
            self.kept = todo;
            return;
        }
        // While nothing can be written, claims would only add to what is to be written.
        todo.claim = self.trouble.is_none() || (again && todo.commits.is_empty());
        match cycle::run(&self.connection, &mut self.memory, &todo, now, boot) {
            Ok(outcome) => {
                if self.trouble.take().is_some() {
                    tracing::info!("the store can be written again");
                }
                let lines_changed = !outcome.lost.is_empty() || !outcome.detached.is_empty();
                let holds = std::mem::take(&mut todo.holds);
                super::publish::publish(&mut self.memory, todo, outcome, now);
                if lines_changed {
                    self.show_served();
                }
                for (kind, held, answer) in holds {
                    self.held(kind, held);
                    let _ = answer.send(Ok(()));
                }
            }
            Err(error) => self.keep(todo, error, boot),
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
    }

    /// Whether something is to be done that nobody asked for.
    fn is_due(&self, now: Timestamp, boot: Duration, asked: bool) -> bool {
        let memory = &self.memory;
        let past = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
        past(memory.next_delayed)
            || past(memory.next_expiry)
            || past(memory.next_wake)
            || past(memory.limits.next_at(now))
            || past(memory.agenda.next())
            // What fell due in a cycle that was rolled back is due still, and only the file knows of it.
            || memory.stale
            || past(Some(memory.retention_walk.next_at))
            || !memory.unparking.is_empty()
            || (asked && memory.next_name_sweep <= now)
            || memory.workers.iter().any(|(id, attached)| {
                boot.saturating_sub(attached.renewed_at) > memory.settings.lease_duration
                    || self.can_claim(*id, attached, boot)
            })
    }

    /// Whether a claim for the worker would bring something, or move its turn on.
    fn can_claim(&self, worker: WorkerId, attached: &Attached, boot: Duration) -> bool {
        if attached.permits == 0 || attached.gone || !attached.is_caught_up() {
            return false;
        }
        let lone = || self.memory.alone.iter().any(|lone| self.memory.ready.servers(lone.route).contains(&worker));
        match attached.alone {
            AloneTurn::Running if attached.in_flight > 0 => false,
            AloneTurn::Draining(since) if attached.in_flight > 0 => boot.saturating_sub(since) >= DRAIN_PATIENCE,
            _ => self.memory.ready.has_work(worker) || lone(),
        }
    }

    /// How long the thread may sleep; `None`: until somebody asks.
    fn idle_for(&self) -> Option<Duration> {
        let clock = &self.memory.settings.clock;
        let (now, boot) = (self.latest.max(clock.now()), clock.since_boot());
        if !self.backlog.is_empty() {
            return Some(Duration::ZERO);
        }
        let mut sleep: Option<Duration> = None;
        let mut at_most = |limit: Duration| sleep = Some(sleep.map_or(limit, |sleep| sleep.min(limit)));
        if self.memory.workers.values().any(|attached| !attached.is_caught_up()) {
            at_most(DELIVER_AGAIN);
        }
        if let Some(trouble) = self.trouble {
            at_most(trouble.again_at.saturating_sub(boot));
            return sleep;
        }
        if self.is_due(now, boot, false) {
            return Some(Duration::ZERO);
        }
        let Memory { next_delayed, next_expiry, next_wake, .. } = self.memory;
        let (walk, tick) = (Some(self.memory.retention_walk.next_at), self.memory.agenda.next());
        let limits = self.memory.limits.next_at(now);
        for moment in [next_delayed, next_expiry, next_wake, walk, tick, limits].into_iter().flatten() {
            let millis = u64::try_from(moment.as_millis().saturating_sub(now.as_millis())).unwrap_or(0);
            at_most(Duration::from_millis(millis).min(LONGEST_SLEEP));
        }
        for attached in self.memory.workers.values() {
            let lost_at = attached.renewed_at + self.memory.settings.lease_duration + Duration::from_millis(1);
            at_most(lost_at.saturating_sub(boot));
            if let AloneTurn::Draining(since) = attached.alone {
                at_most((since + DRAIN_PATIENCE).saturating_sub(boot).max(Duration::from_millis(1)));
            }
        }
        sleep
    }
}
