//! The leases that are out, in memory: what fences a commit.

use std::collections::HashMap;

use bulkhead_core::Timestamp;

use crate::{LeaseId, TaskSeq, WorkerId};

use super::slot::Slot;

/// A task under a lease.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) slot: Slot,
    /// Committed or given back: nothing more is taken for it under this lease.
    pub(super) done: bool,
}

/// One claimed batch.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) worker: WorkerId,
    pub(super) claimed_at: Timestamp,
    /// Sorted by task.
    tasks: Vec<Held>,
    left: usize,
}

impl Lease {
    /// A lease on these tasks, sorted by number.
    pub(super) fn new(worker: WorkerId, claimed_at: Timestamp, slots: impl Iterator<Item = Slot>) -> Self {
        let tasks: Vec<Held> = slots.map(|slot| Held { slot, done: false }).collect();
        Self { worker, claimed_at, left: tasks.len(), tasks }
    }

    /// The tasks that are still running.
    pub(super) fn running(&self) -> impl Iterator<Item = Slot> + '_ {
        self.tasks.iter().filter(|held| !held.done).map(|held| held.slot)
    }

    /// Which are done, a bit each.
    pub(super) fn done(&self) -> Vec<u8> {
        let mut bits = vec![0; self.tasks.len().div_ceil(8)];
        for (place, held) in self.tasks.iter().enumerate() {
            bits[place / 8] |= u8::from(held.done) << (place % 8);
        }
        bits
    }

    /// How many still run.
    pub(super) const fn left(&self) -> usize {
        self.left
    }
}

/// All leases that are out.
#[derive(Debug, Default)]
pub(super) struct Leases {
    leases: HashMap<LeaseId, Lease>,
}

impl Leases {
    /// Marks a task as done under a lease, where this worker holds it and it is not done yet.
    pub(super) fn finish(&mut self, worker: WorkerId, lease: LeaseId, seq: TaskSeq) -> Option<Slot> {
        let lease = self.leases.get_mut(&lease).filter(|lease| lease.worker == worker)?;
        let place = lease.tasks.binary_search_by_key(&seq, |held| held.slot.seq).ok()?;
        let held = lease.tasks.get_mut(place).filter(|held| !held.done)?;
        held.done = true;
        lease.left -= 1;
        Some(held.slot)
    }

    /// Takes [`Leases::finish`] back.
    pub(super) fn unfinish(&mut self, lease: LeaseId, seq: TaskSeq) {
        let Some(lease) = self.leases.get_mut(&lease) else { return };
        if let Ok(place) = lease.tasks.binary_search_by_key(&seq, |held| held.slot.seq)
            && let Some(held) = lease.tasks.get_mut(place).filter(|held| held.done)
        {
            held.done = false;
            lease.left += 1;
        }
    }

    /// A task's place in the queue, were it there, as long as it runs under this lease.
    pub(super) fn slot(&self, lease: LeaseId, seq: TaskSeq) -> Option<Slot> {
        let lease = self.leases.get(&lease)?;
        let place = lease.tasks.binary_search_by_key(&seq, |held| held.slot.seq).ok()?;
        lease.tasks.get(place).filter(|held| !held.done).map(|held| held.slot)
    }

    /// Who runs a task, and under which lease.
    pub(super) fn holder(&self, seq: TaskSeq) -> Option<(WorkerId, LeaseId)> {
        self.leases.iter().find_map(|(id, lease)| {
            let place = lease.tasks.binary_search_by_key(&seq, |held| held.slot.seq).ok()?;
            (!lease.tasks[place].done).then_some((lease.worker, *id))
        })
    }

    /// The leases of a worker.
    pub(super) fn of(&self, worker: WorkerId) -> Vec<LeaseId> {
        let of = self.leases.iter().filter(|(_, lease)| lease.worker == worker);
        let mut of: Vec<LeaseId> = of.map(|(id, _)| *id).collect();
        of.sort_unstable();
        of
    }

    pub(super) fn get(&self, id: LeaseId) -> Option<&Lease> {
        self.leases.get(&id)
    }

    pub(super) fn insert(&mut self, id: LeaseId, lease: Lease) {
        self.leases.insert(id, lease);
    }

    pub(super) fn remove(&mut self, id: LeaseId) {
        self.leases.remove(&id);
    }
}
