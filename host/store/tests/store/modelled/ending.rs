//! Hosts that end and begin again, and the way of every task to its end.

use bulkhead_store::Change;

use super::driver::{Checked, Driver, EVERYTHING, SLOTS};
use super::hosts::Hosts;
use super::operation::Outcome;
use super::task::{Number, Place, WorkerNumber};

/// Turns after which every task has ended; each is longer than any wait.
const TURNS: usize = 100;

/// In milliseconds.
const TURN: u64 = 70_000;

impl<H: Hosts> Driver<H> {
    fn of_host(&self, host: usize) -> Vec<WorkerNumber> {
        self.hands.iter().filter(|(_, hand)| hand.host == host).map(|(worker, _)| *worker).collect()
    }

    pub(super) fn drop_hands(&mut self, of: &[WorkerNumber]) {
        for worker in of {
            self.hands.remove(worker);
            self.slots.iter_mut().filter(|slot| **slot == Some(*worker)).for_each(|slot| *slot = None);
        }
    }

    pub(super) async fn crash(&mut self, host: usize) -> Checked {
        let workers = self.of_host(host);
        if H::forgets_workers() {
            self.model.lose_together(&workers);
        } else if H::COUNT == 1 {
            self.model.lose(&workers);
        } else {
            workers.iter().for_each(|worker| self.model.workers.get_mut(worker).unwrap().orphaned = true);
        }
        self.hosts.crash(host).await;
        self.drop_hands(&workers);
        self.settle().await
    }

    pub(super) async fn reopen(&mut self, host: usize) -> Checked {
        let workers = self.of_host(host);
        workers.iter().for_each(|worker| self.model.detach(*worker));
        self.hosts.reopen(host).await;
        self.drop_hands(&workers);
        self.settle().await
    }

    /// Lets everything run that can, until each task has ended; then looks at all of them.
    pub(super) async fn drain(&mut self) -> Checked {
        self.look().await?;
        self.hold(0, None, false).await?;
        for kind in self.model.held.clone() {
            self.hold(0, Some(kind), false).await?;
        }
        for _ in 0..TURNS {
            if self.model.tasks.iter().all(super::task::Task::is_ended) {
                return self.look().await;
            }
            self.turn().await?;
        }
        let open: Vec<_> = self.model.tasks.iter().filter(|task| !task.is_ended()).collect();
        Err(format!("never ended: {open:?}"))
    }

    async fn turn(&mut self) -> Checked {
        let stopped: Vec<Number> = (0..self.model.tasks.len())
            .filter(|number| match &self.model.tasks[*number].place {
                Place::Paused { .. } => true,
                Place::Suspended(wait) => wait.join.is_none(),
                _ => false,
            })
            .collect();
        for number in stopped {
            // Its cancel, or its parent's end, may have come first.
            if !self.model.tasks[number].is_ended() {
                self.ask(0, &[number], &Change::Resume(None)).await?;
            }
        }
        for slot in 0..SLOTS {
            self.serve(slot % H::COUNT, slot, EVERYTHING, 2).await?;
        }
        self.advance(TURN, true).await?;
        for slot in 0..SLOTS {
            let Some(worker) = self.slots[slot] else { continue };
            let runs: Vec<_> = (0..self.model.running(worker).len()).map(|run| (run, Outcome::Succeed)).collect();
            if !runs.is_empty() {
                self.end(worker, &runs, 0).await?;
            }
        }
        Ok(())
    }
}
