//! What time brings, in the model.

use std::time::Duration;

use bulkhead_core::{Answer, DeadReason, LeaseId, LossStep, ReadyReason, State, WaitStep, after_loss};

use super::model::Model;
use super::task::{Number, Place, WorkerNumber};

/// How long a lease lasts without renewal.
const LEASE: Duration = Duration::from_secs(15);

impl Model {
    /// Workers that have not renewed in time are lost, with all that they run; gives which.
    pub(super) fn lose_late(&mut self) -> Vec<WorkerNumber> {
        let late = self.workers.iter().filter(|(_, worker)| worker.renewed_at.after(LEASE) < self.now);
        let mut late: Vec<WorkerNumber> = late.map(|(number, _)| *number).collect();
        late.sort_by_key(|number| self.workers[number].renewed_at);
        self.lose(&late);
        late
    }

    /// Workers are lost, one after the other.
    pub(super) fn lose(&mut self, workers: &[WorkerNumber]) {
        workers.iter().for_each(|worker| self.lose_together(&[*worker]));
    }

    /// Workers are lost, all at once.
    pub(super) fn lose_together(&mut self, workers: &[WorkerNumber]) {
        self.lose_runs(workers.iter().flat_map(|worker| self.running(*worker)).collect());
        workers.iter().for_each(|worker| drop(self.workers.remove(worker)));
    }

    fn lose_runs(&mut self, mut running: Vec<Number>) {
        // What was claimed first: if that ends, the others that it has begun are cancelled before they are lost.
        running.sort_by_key(|number| match self.tasks[*number].place {
            Place::Running { lease, .. } => lease,
            _ => LeaseId(0),
        });
        running.into_iter().for_each(|number| self.lose_run(number));
    }

    fn lose_run(&mut self, number: Number) {
        let worker = self.name_of_holder(number);
        let now = self.now;
        let task = &mut self.tasks[number];
        if task.cancelled_at.is_some() {
            return self.end_unrun(number, State::Cancelled, None);
        }
        task.note_attempt("worker_lost", &worker, now);
        let history = task.keep();
        history.losses += 1;
        let (least, most) = (after_loss(history.losses, 0), after_loss(history.losses, u64::MAX));
        let (LossStep::Again(least) | LossStep::Alone(least), LossStep::Again(most) | LossStep::Alone(most)) =
            (least, most)
        else {
            return self.end_unrun(number, State::Dead, Some(DeadReason::Poison));
        };
        (task.due, task.due_by) = (now.after(least), Some(now.after(most)));
        (task.reason, task.error) = (Some(ReadyReason::WorkerLost), Some("worker_lost".to_owned()));
        task.put_back(false);
    }

    /// What fell due: tasks that had to start by now, and the ends of waits, the earliest first.
    pub(super) fn sweep(&mut self) {
        let mut late: Vec<Number> =
            (0..self.tasks.len()).filter(|number| self.tasks[*number].is_expired(self.now)).collect();
        late.sort_by_key(|number| self.tasks[*number].new.extras.as_ref().and_then(|extras| extras.expires_at));
        for number in late {
            if self.tasks[number].is_expired(self.now) {
                self.end_unrun(number, State::Dead, Some(DeadReason::Expired));
            }
        }
        let wakes_at = |number: &Number| match &self.tasks[*number].place {
            Place::Suspended(wait) if wait.flagged => wait.limits.flagged().next(),
            Place::Suspended(wait) => wait.limits.next(),
            _ => None,
        };
        let mut waiting: Vec<_> = (0..self.tasks.len())
            .filter_map(|number| Some((wakes_at(&number)?, number)))
            .filter(|(moment, _)| *moment <= self.now)
            .collect();
        waiting.sort();
        for (_, number) in waiting {
            self.wake(number);
        }
    }

    fn wake(&mut self, number: Number) {
        let now = self.now;
        let task = &mut self.tasks[number];
        // What was before it may have let it go on, or ended it.
        let Place::Suspended(wait) = &mut task.place else { return };
        let limits = if wait.flagged { wait.limits.flagged() } else { wait.limits };
        match limits.step(now) {
            WaitStep::Wait => {}
            WaitStep::Flag => wait.flagged = true,
            WaitStep::TimeOut => {
                task.advance(None, Some(Answer::TimedOut), now);
                task.put_back(false);
            }
            WaitStep::Die => {
                self.end_waiting(number, State::Dead, Some(DeadReason::Stale));
                self.cancel_children(number);
            }
        }
    }
}
