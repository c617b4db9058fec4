//! Ended runs on their way to the store, and the permits that go with them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bulkhead_core::{NextStep, Route, Timestamp};
use bulkhead_store::{Claimed, Commit, CommitFate, LeaseId, TaskSeq, WorkSender};
use tokio::sync::Notify;

use crate::metrics::Metrics;
use crate::window::{EndedRate, window};

/// Ended runs that are worth a transaction of their own.
const BATCH: usize = 512;

/// How long ended runs may wait for a fuller batch while every guest thread has work.
pub(crate) const LINGER: Duration = Duration::from_millis(2);

/// An ended run with what its metrics need after the commit.
pub(crate) struct Ended {
    /// What the store writes.
    pub(crate) commit: Commit,
    /// The task's route.
    pub(crate) route: Arc<Route>,
    /// When the task was due.
    pub(crate) due_at: Timestamp,
}

/// What is remembered of a commit until the store says what became of it.
struct Note {
    seq: TaskSeq,
    route: Arc<Route>,
    due_at: Timestamp,
    sent_at: Instant,
}

/// Gathers ended runs into batches and keeps the account of tasks held and permits given.
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Woken when the first run of a batch has ended.
    pub(crate) began: Notify,
    /// Woken when nothing is held any more.
    pub(crate) emptied: Notify,
    max_concurrent: usize,
    started: Instant,
}

struct State {
    sender: Option<Arc<dyn WorkSender>>,
    pending: Vec<Commit>,
    notes: VecDeque<Note>,
    /// Claimed, and not yet handed back as a commit.
    held: usize,
    /// Given to the store and not yet used.
    permits: usize,
    claiming: bool,
    rate: EndedRate,
    /// The newest lease seen on any line; leases only grow.
    newest: LeaseId,
    /// Leases up to this one went with an earlier line; what runs under them is nobody's business any more.
    void: LeaseId,
}

impl Outbox {
    /// An outbox that sends nothing before [`Outbox::open`].
    pub(crate) fn new(max_concurrent: usize) -> Self {
        let state = State {
            sender: None,
            pending: Vec::with_capacity(BATCH),
            notes: VecDeque::new(),
            held: 0,
            permits: 0,
            claiming: false,
            rate: EndedRate::default(),
            newest: LeaseId(i64::MIN),
            void: LeaseId(i64::MIN),
        };
        Self {
            state: Mutex::new(state),
            began: Notify::new(),
            emptied: Notify::new(),
            max_concurrent,
            started: Instant::now(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends through a new line from here on, and offers the whole window where the worker is to claim.
    pub(crate) fn open(&self, sender: Arc<dyn WorkSender>, claims: impl FnOnce() -> bool) {
        let mut state = self.lock();
        state.sender = Some(sender);
        state.pending.clear();
        state.notes.clear();
        state.held = 0;
        state.permits = 0;
        // Asked under the lock: whoever changes its state tells the outbox afterwards, and is heard once the line is open.
        state.claiming = claims();
        self.send(&mut state);
    }

    /// Offers permits again.
    pub(crate) fn start_claiming(&self) {
        let mut state = self.lock();
        // Those that were offered before were taken back.
        (state.claiming, state.permits) = (true, 0);
        self.send(&mut state);
    }

    /// Forgets the line: its leases are void, up to the one that is given, and so is everything that was to be sent.
    pub(crate) fn shut(&self) -> LeaseId {
        let mut state = self.lock();
        state.sender = None;
        state.pending.clear();
        state.notes.clear();
        state.held = 0;
        state.permits = 0;
        state.claiming = false;
        state.void = state.newest;
        self.emptied.notify_waiters();
        state.void
    }

    /// Offers no more permits.
    pub(crate) fn stop_claiming(&self) {
        self.lock().claiming = false;
    }

    /// Notes that the store has sent tasks.
    pub(crate) fn claimed(&self, tasks: &[Claimed]) {
        let mut state = self.lock();
        state.held += tasks.len();
        state.permits = state.permits.saturating_sub(tasks.len());
        state.newest = tasks.iter().map(|task| task.lease).fold(state.newest, LeaseId::max);
    }

    /// Notes that tasks were given back unstarted.
    pub(crate) fn released(&self, count: usize) {
        let mut state = self.lock();
        state.held = state.held.saturating_sub(count);
        self.tell_if_empty(&state);
    }

    /// Takes ended runs; sends them on unless the guests are busy enough to wait for a fuller batch.
    pub(crate) fn push(&self, ended: &mut Vec<Ended>, guests_busy: bool) {
        if ended.is_empty() {
            return;
        }
        let sent_at = Instant::now();
        let mut state = self.lock();
        if state.sender.is_none() {
            ended.clear();
            return;
        }
        let first = state.pending.is_empty();
        for Ended { commit, route, due_at } in ended.drain(..) {
            if commit.lease <= state.void {
                continue;
            }
            state.notes.push_back(Note { seq: commit.seq, route, due_at, sent_at });
            state.pending.push(commit);
        }
        if state.pending.len() >= BATCH || !guests_busy {
            self.send(&mut state);
        } else if first {
            drop(state);
            self.began.notify_one();
        }
    }

    /// Sends whatever has gathered.
    pub(crate) fn flush(&self) {
        let mut state = self.lock();
        if !state.pending.is_empty() {
            self.send(&mut state);
        }
    }

    fn send(&self, state: &mut State) {
        let commits = std::mem::replace(&mut state.pending, Vec::with_capacity(BATCH));
        state.held = state.held.saturating_sub(commits.len());
        let rate = state.rate.count(commits.len(), self.started.elapsed());
        let wanted = if state.claiming { window(self.max_concurrent, rate) } else { 0 };
        let permits = wanted.saturating_sub(state.held + state.permits);
        state.permits += permits;
        if let Some(sender) = &state.sender {
            sender.send(commits, permits);
        }
    }

    /// Counts what became of commits; called after they are durable.
    pub(crate) fn committed(&self, fates: &[(TaskSeq, CommitFate)], metrics: &Metrics) {
        metrics.commit_batch_size.observe(fates.len() as f64);
        let now = crate::now();
        let mut state = self.lock();
        let mut latency: Option<(Arc<Route>, prometheus::local::LocalHistogram)> = None;
        for (index, (seq, fate)) in fates.iter().enumerate() {
            let Some(note) = state.notes.front().filter(|note| note.seq == *seq) else { continue };
            if index == 0 {
                metrics.commit_duration.observe(note.sent_at.elapsed().as_secs_f64());
            }
            let CommitFate::Written(step) = fate else {
                state.notes.pop_front();
                continue;
            };
            if matches!(step, NextStep::Succeed | NextStep::Die(_)) {
                let waited = (now.as_millis() - note.due_at.as_millis()).max(0) as f64 / 1e3;
                match &mut latency {
                    Some((route, histogram)) if route.kind == note.route.kind => histogram.observe(waited),
                    _ => {
                        let histogram = metrics.task_latency(note.route.kind.as_str()).local();
                        histogram.observe(waited);
                        latency = Some((Arc::clone(&note.route), histogram));
                    }
                }
            }
            state.notes.pop_front();
        }
        self.tell_if_empty(&state);
    }

    fn tell_if_empty(&self, state: &State) {
        if state.held == 0 && state.pending.is_empty() && state.notes.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    /// Whether every task that was claimed is committed, durably, or given back.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.held == 0 && state.pending.is_empty() && state.notes.is_empty()
    }

    /// Tasks held now.
    pub(crate) fn held(&self) -> usize {
        self.lock().held
    }
}
