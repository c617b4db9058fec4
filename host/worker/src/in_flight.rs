//! The runs that can be stopped from outside.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulkhead_sandbox::{RunControl, Stop};
use bulkhead_store::TaskSeq;

/// Controls of the runs that did not end at their first poll, and tasks whose cancel came before their run.
///
/// A run that ends at once is never entered here: it lasts less than an epoch tick, and the map would cost more than
/// the sandbox.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    state: Mutex<State>,
    any_cancelled: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    runs: HashMap<TaskSeq, Arc<RunControl>>,
    cancelled: HashSet<TaskSeq>,
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a run that goes on; stops it at once where its cancel came first.
    pub(crate) fn enter(&self, seq: TaskSeq, control: Arc<RunControl>) {
        let mut state = self.lock();
        if state.cancelled.remove(&seq) {
            control.stop(Stop::Cancel);
        }
        state.runs.insert(seq, control);
    }

    /// Takes out a run that has ended.
    pub(crate) fn leave(&self, seq: TaskSeq) {
        let mut state = self.lock();
        state.runs.remove(&seq);
        state.cancelled.remove(&seq);
    }

    /// Stops a run, or keeps in mind to do so when it goes on.
    pub(crate) fn cancel(&self, tasks: &[TaskSeq]) {
        let mut state = self.lock();
        for seq in tasks {
            match state.runs.get(seq) {
                Some(control) => control.stop(Stop::Cancel),
                None => {
                    state.cancelled.insert(*seq);
                }
            }
        }
        self.any_cancelled.store(!state.cancelled.is_empty(), Ordering::Relaxed);
    }

    /// Whether a task was cancelled before its run began; forgets it.
    pub(crate) fn was_cancelled(&self, seq: TaskSeq) -> bool {
        if !self.any_cancelled.load(Ordering::Relaxed) {
            return false;
        }
        let mut state = self.lock();
        let cancelled = state.cancelled.remove(&seq);
        self.any_cancelled.store(!state.cancelled.is_empty(), Ordering::Relaxed);
        cancelled
    }

    /// Forgets cancels of tasks that this worker holds no more.
    pub(crate) fn forget_cancels(&self) {
        self.lock().cancelled.clear();
        self.any_cancelled.store(false, Ordering::Relaxed);
    }

    /// Stops every run; gives how many.
    pub(crate) fn stop_all(&self, why: Stop) -> usize {
        let state = self.lock();
        state.runs.values().for_each(|control| control.stop(why));
        state.runs.len()
    }
}
