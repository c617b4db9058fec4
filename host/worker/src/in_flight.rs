//! The runs that can be stopped from outside.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulkhead_sandbox::{RunControl, Stop};
use bulkhead_store::{LeaseId, TaskSeq};

/// Controls of the runs that did not end at their first poll, and tasks whose cancel came before their run.
///
/// A run that ends at once is never entered here: it lasts less than an epoch tick, and the map would cost more than
/// the sandbox.
#[derive(Debug)]
pub(crate) struct InFlight {
    state: Mutex<State>,
    any_cancelled: AtomicBool,
    /// Nothing is to run any more under leases up to this one.
    void: AtomicI64,
}

#[derive(Debug, Default)]
struct State {
    /// By lease, too: a task that was taken from this worker and came back to it may run while its old run ends.
    runs: BTreeMap<(TaskSeq, LeaseId), Arc<RunControl>>,
    cancelled: HashSet<TaskSeq>,
    why_void: Option<Stop>,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { state: Mutex::default(), any_cancelled: AtomicBool::new(false), void: AtomicI64::new(i64::MIN) }
    }
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing is to run under a lease; none where it may.
    pub(crate) fn why_void(&self, lease: LeaseId) -> Option<Stop> {
        if lease.0 > self.void.load(Ordering::Acquire) { None } else { self.lock().why_void }
    }

    /// Enters a run that goes on; stops it at once where its cancel, or the end of its lease, came first.
    pub(crate) fn enter(&self, lease: LeaseId, seq: TaskSeq, control: Arc<RunControl>) {
        let mut state = self.lock();
        if lease.0 <= self.void.load(Ordering::Acquire)
            && let Some(why) = state.why_void
        {
            control.stop(why);
        }
        if state.cancelled.remove(&seq) {
            control.stop(Stop::Cancel);
        }
        state.runs.insert((seq, lease), control);
    }

    /// Takes out a run that has ended.
    pub(crate) fn leave(&self, lease: LeaseId, seq: TaskSeq) {
        let mut state = self.lock();
        state.runs.remove(&(seq, lease));
        state.cancelled.remove(&seq);
    }

    /// Stops a run, or keeps in mind to do so when it goes on.
    pub(crate) fn cancel(&self, tasks: &[TaskSeq]) {
        let mut state = self.lock();
        for seq in tasks {
            let runs = state.runs.range((*seq, LeaseId(i64::MIN))..=(*seq, LeaseId(i64::MAX)));
            match runs.last() {
                Some((_, control)) => control.stop(Stop::Cancel),
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

    /// Stops every run under leases up to this one, and those that are about to begin; gives how many had begun.
    pub(crate) fn stop_all(&self, up_to: LeaseId, why: Stop) -> usize {
        let mut state = self.lock();
        state.why_void = Some(why);
        self.void.fetch_max(up_to.0, Ordering::AcqRel);
        let stopped = state.runs.iter().filter(|((_, lease), _)| *lease <= up_to);
        stopped.map(|(_, control)| control.stop(why)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: TaskSeq = TaskSeq(1);

    fn entered(runs: &InFlight, lease: i64) -> Arc<RunControl> {
        let control = Arc::new(RunControl::new());
        runs.enter(LeaseId(lease), TASK, Arc::clone(&control));
        control
    }

    #[test]
    fn what_begins_under_a_void_lease_is_stopped_and_what_begins_under_a_new_one_is_not() {
        let runs = InFlight::default();
        let before = entered(&runs, 5);
        assert_eq!((runs.stop_all(LeaseId(7), Stop::LeaseLost), before.stopped()), (1, Some(Stop::LeaseLost)));
        // It was between its claim and its first wait when the leases were lost.
        assert_eq!(runs.why_void(LeaseId(7)), Some(Stop::LeaseLost));
        assert_eq!(entered(&runs, 7).stopped(), Some(Stop::LeaseLost));
        assert_eq!((runs.why_void(LeaseId(8)), entered(&runs, 8).stopped()), (None, None));
    }

    #[test]
    fn the_end_of_an_old_run_leaves_the_new_one_of_the_same_task_in_reach() {
        let runs = InFlight::default();
        let (_old, new) = (entered(&runs, 5), entered(&runs, 8));
        runs.leave(LeaseId(5), TASK);
        runs.cancel(&[TASK]);
        assert_eq!(new.stopped(), Some(Stop::Cancel));
    }
}
