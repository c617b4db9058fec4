//! Who may be sent what, and in which order, in the model.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use bulkhead_core::Timestamp;
use bulkhead_store::Claimed;

use super::model::{Model, bit};
use super::task::{Number, Place, WorkerNumber};

impl Model {
    /// Whether a task is due and not held back.
    fn is_claimable(&self, number: Number) -> bool {
        let task = &self.tasks[number];
        task.place == Place::Queue && task.due <= self.now && !self.is_held(&task.new.route)
    }

    fn serves(&self, worker: WorkerNumber, number: Number) -> bool {
        let worker = &self.workers[&worker];
        !worker.orphaned && worker.has_said && worker.serves & bit(&self.tasks[number].new.route) != 0
    }

    /// What the worker could be sent now, in the order of claims: by priority, then due time, then age.
    pub(super) fn claimable(&self, worker: WorkerNumber) -> Vec<Number> {
        let mut claimable: Vec<Number> =
            (0..self.tasks.len()).filter(|number| self.is_claimable(*number) && self.serves(worker, *number)).collect();
        claimable.sort_by_key(|number| {
            let task = &self.tasks[*number];
            (-i32::from(task.new.priority.get()), task.due, *number)
        });
        claimable
    }

    /// Whether a worker is running, or is to run, a task alone; others may have to wait for that.
    pub(super) fn is_anything_alone(&self) -> bool {
        self.workers.keys().any(|worker| {
            let alone = |number: &Number| self.tasks[*number].runs_alone();
            self.claimable(*worker).iter().any(alone) || self.running(*worker).iter().any(alone)
        })
    }

    /// What each worker is sent if they have their turns in this order.
    pub(super) fn shares(&self, turns: &[WorkerNumber]) -> BTreeMap<WorkerNumber, Vec<Number>> {
        let mut taken: HashSet<Number> = HashSet::new();
        let mut shares = BTreeMap::new();
        for worker in turns {
            let permits = self.workers[worker].permits;
            let free = self.claimable(*worker).into_iter().filter(|number| !taken.contains(number));
            let share: Vec<Number> = free.take(permits).collect();
            taken.extend(&share);
            if !share.is_empty() {
                shares.insert(*worker, share);
            }
        }
        shares
    }

    /// A worker that has room although something is there for it.
    pub(super) fn idle_worker(&self) -> Option<WorkerNumber> {
        let idle = |worker: &&WorkerNumber| self.workers[*worker].permits > 0 && !self.claimable(**worker).is_empty();
        self.workers.keys().find(idle).copied()
    }

    /// Sends a worker tasks, where it may be sent them; else what is wrong.
    pub(super) fn claim(&mut self, worker: WorkerNumber, batch: &[Claimed]) -> Result<(), String> {
        let order = |claimed: &Claimed| (-i32::from(claimed.priority.get()), claimed.due_at, claimed.seq);
        if !batch.is_sorted_by_key(order) {
            return Err(format!("a batch is out of order: {batch:?}"));
        }
        if !self.workers.contains_key(&worker) {
            return Err(format!("worker {worker} is lost, and is sent {batch:?}"));
        }
        for claimed in batch {
            let number = self.number_of(&claimed.id).ok_or_else(|| format!("nobody submitted {claimed:?}"))?;
            if !self.is_claimable(number) || !self.serves(worker, number) {
                let (route, task) = (&self.tasks[number].new.route, &self.tasks[number]);
                let held = (self.all_held, &self.held, self.running_of(&route.kind));
                return Err(format!("worker {worker} is sent what it may not be (held, running: {held:?}): {task:?}"));
            }
            let mut others = self.running(worker).into_iter();
            if others.any(|other| self.tasks[other].runs_alone() || self.tasks[number].runs_alone()) {
                return Err(format!("something runs beside what runs alone: {:?}", self.tasks[number]));
            }
            self.check_claimed(number, claimed)?;
            let permits = &mut self.workers.get_mut(&worker).unwrap().permits;
            *permits = permits.checked_sub(1).ok_or("more is sent than there were permits")?;
            self.tasks[number].place = Place::Running { worker, lease: claimed.lease };
        }
        Ok(())
    }

    /// A run is given all that is known.
    fn check_claimed(&self, number: Number, claimed: &Claimed) -> Result<(), String> {
        let task = &self.tasks[number];
        let new = &task.new;
        let given = (&*claimed.route, &claimed.payload, claimed.priority, &claimed.extras, claimed.due_at);
        let known = (&new.route, &new.payload, new.priority, &new.extras, task.due);
        if given != known {
            return Err(format!("a run is given {given:?}, not {known:?}"));
        }
        let (given, known) = (claimed.history.as_deref(), task.history.as_ref());
        if given != known {
            return Err(format!("a run is given the history {given:?}, not {known:?}"));
        }
        Ok(())
    }

    /// How much of each route waits, and since when the oldest that is due beside others.
    pub(super) fn depths(&self) -> BTreeMap<u8, (u64, Option<Timestamp>)> {
        let mut depths: BTreeMap<u8, (u64, Option<Timestamp>)> = BTreeMap::new();
        for task in self.tasks.iter().filter(|task| matches!(task.place, Place::Queue | Place::Parked)) {
            let (pending, oldest) = depths.entry(bit(&task.new.route)).or_default();
            *pending += 1;
            if task.place == Place::Queue && task.due <= self.now && !task.runs_alone() {
                *oldest = Some(oldest.map_or(task.due, |oldest| oldest.min(task.due)));
            }
        }
        depths
    }

    pub(super) fn advance(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }
}
