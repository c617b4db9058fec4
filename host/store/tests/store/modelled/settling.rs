//! After each operation: what the store has sent is taken, and checked against the model.

use std::collections::BTreeMap;

use bulkhead_store::{Claimed, CommitFate, Delivery, TaskFilter, TaskSeq, TaskView};

use super::driver::{Checked, Driver, same};
use super::hosts::Hosts;
use super::task::{Number, WorkerNumber};
use crate::harness::select;

/// What workers were sent.
#[derive(Debug, Default)]
struct Sent {
    batches: Vec<(WorkerNumber, Vec<Claimed>)>,
    fates: BTreeMap<WorkerNumber, Vec<CommitFate>>,
    cancels: Vec<(WorkerNumber, TaskSeq)>,
    lost: Vec<WorkerNumber>,
}

impl<H: Hosts> Driver<H> {
    /// Lets the store do all it was asked, and compares.
    pub(super) async fn settle(&mut self) -> Checked {
        self.model.sweep();
        self.hosts.settle().await;
        let sent = self.take_sent();
        let views = self.list().await;
        self.learn(&views)?;
        self.check_fates(&sent)?;
        self.check_cancels(&sent)?;
        for worker in &sent.lost {
            same("a worker that was lost", &self.model.workers.contains_key(worker), &false)?;
        }
        self.check_claims(sent)?;
        self.compare(&views)
    }

    fn take_sent(&mut self) -> Sent {
        let mut sent = Sent::default();
        for (worker, hand) in &mut self.hands {
            while let Ok(delivery) = hand.line.deliveries.try_recv() {
                match delivery {
                    Delivery::Claimed { tasks, .. } => sent.batches.push((*worker, tasks)),
                    Delivery::Committed(fates) => {
                        sent.fates.entry(*worker).or_default().extend(fates.into_iter().map(|(_, fate)| fate));
                    }
                    Delivery::Cancel(tasks) => sent.cancels.extend(tasks.into_iter().map(|task| (*worker, task))),
                    Delivery::LeasesLost => sent.lost.push(*worker),
                    Delivery::Troubled(error) => panic!("{error}"),
                }
            }
        }
        sent
    }

    /// Every task, the newest first.
    async fn list(&self) -> Vec<TaskView> {
        let mut selection = select(TaskFilter::default());
        selection.limit = 1_000;
        self.hosts.store(0).list(selection).await.unwrap().items
    }

    /// Learns the names of tasks that are new.
    fn learn(&mut self, views: &[TaskView]) -> Checked {
        let known = |view: &&TaskView| self.model.number_of(&view.id).is_some();
        let new: Vec<_> = views.iter().rev().filter(|view| !known(view)).map(|view| view.id.clone()).collect();
        let mut nameless: Vec<Number> =
            (0..self.model.tasks.len()).filter(|number| self.model.tasks[*number].id.is_none()).collect();
        same("new tasks", &new.len(), &nameless.len())?;
        nameless.drain(..).zip(new).for_each(|(number, id)| self.model.tasks[number].id = Some(id));
        Ok(())
    }

    fn check_fates(&mut self, sent: &Sent) -> Checked {
        let expected = std::mem::take(&mut self.fates);
        same("what became of commits", &sent.fates, &expected)
    }

    /// Who runs a task that was cancelled is told, once.
    fn check_cancels(&mut self, sent: &Sent) -> Checked {
        let holder = |number: &Number| {
            let claimed = self.claimed.get(number)?;
            let holds = |worker: &&WorkerNumber| self.model.running(**worker).contains(number);
            Some((*self.hands.keys().find(holds)?, claimed.seq))
        };
        let mut expected: Vec<_> = self.model.marked.iter().filter_map(holder).collect();
        let running = |sent: &&(WorkerNumber, TaskSeq)| {
            let runs = |number: &Number| self.claimed.get(number).is_some_and(|claimed| claimed.seq == sent.1);
            self.model.running(sent.0).iter().any(runs)
        };
        let mut told: Vec<_> = sent.cancels.iter().filter(running).copied().collect();
        self.model.marked.clear();
        expected.sort();
        told.sort();
        same("cancels", &told, &expected)
    }

    fn check_claims(&mut self, sent: Sent) -> Checked {
        let exact = self.exact && !self.model.is_anything_alone();
        if exact {
            let mut shares: BTreeMap<WorkerNumber, Vec<Number>> = BTreeMap::new();
            for (worker, batch) in &sent.batches {
                let numbers = batch.iter().filter_map(|claimed| self.model.number_of(&claimed.id));
                shares.entry(*worker).or_default().extend(numbers);
            }
            let workers: Vec<WorkerNumber> = self.hands.keys().copied().collect();
            let possible: Vec<_> = turns(&workers).iter().map(|turns| self.model.shares(turns)).collect();
            if !possible.contains(&shares) {
                return Err(format!("claims: the store sends {shares:?}, the model one of {possible:?}"));
            }
        }
        for (worker, batch) in sent.batches {
            self.model.claim(worker, &batch)?;
            for claimed in batch {
                let number = self.model.number_of(&claimed.id).unwrap();
                self.claims.push((worker, claimed.clone()));
                self.claimed.insert(number, claimed);
            }
        }
        if !self.model.is_anything_alone() {
            same("a worker with nothing to do, though there is something", &self.model.idle_worker(), &None)?;
        }
        Ok(())
    }

    /// Workers whose leases have run out are told so at the latest when they renew.
    pub(super) async fn forget(&mut self, lost: &[WorkerNumber]) -> Checked {
        for worker in lost {
            self.slots.iter_mut().filter(|slot| **slot == Some(*worker)).for_each(|slot| *slot = None);
            let Some(mut hand) = self.hands.remove(worker) else { continue };
            same("a lost worker renews", &hand.line.sender.renew().await.unwrap(), &false)?;
            let mut told = false;
            while let Ok(delivery) = hand.line.deliveries.try_recv() {
                match delivery {
                    Delivery::LeasesLost => told = true,
                    // Another host may have found a parent lost, and cancelled its children, before this one found theirs.
                    Delivery::Cancel(_) if H::COUNT > 1 => {}
                    other => return Err(format!("a lost worker is sent {other:?}")),
                }
            }
            same("a lost worker is told", &told, &true)?;
        }
        Ok(())
    }
}

/// Every order of these workers.
fn turns(workers: &[WorkerNumber]) -> Vec<Vec<WorkerNumber>> {
    if workers.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in workers {
        let rest: Vec<WorkerNumber> = workers.iter().copied().filter(|worker| worker != first).collect();
        all.extend(turns(&rest).into_iter().map(|mut turn| {
            turn.insert(0, *first);
            turn
        }));
    }
    all
}
