//! The queue as the contract has it, in plain memory: no batches, no transactions, no order but that of the requests.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bulkhead_core::{DeadReason, Kind, NewTask, Route, State, TaskId, Timestamp};

use super::task::{End, Number, Place, Task, WorkerNumber};

/// A worker, as the store should see it.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) name: String,
    /// Which routes it serves, a bit each.
    pub(super) serves: u8,
    /// Whether it has said so.
    pub(super) has_said: bool,
    pub(super) permits: usize,
    pub(super) renewed_at: Timestamp,
    /// Its host is gone, and nobody knows yet.
    pub(super) orphaned: bool,
}

/// A child as its parent knows it.
#[derive(Debug, Clone)]
pub(super) struct Kin {
    pub(super) parent: Number,
    pub(super) epoch: u32,
    pub(super) stage: u32,
    pub(super) position: u32,
    pub(super) child: Number,
    /// Created for this parent, not there before.
    pub(super) own: bool,
    pub(super) name: Option<String>,
}

/// A key or an own id belongs to another body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) what: &'static str,
    pub(super) holder: Number,
}

/// A task that was accepted, now or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) number: Number,
    pub(super) duplicate: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) now: Timestamp,
    pub(super) tasks: Vec<Task>,
    pub(super) keys: HashMap<String, Number>,
    pub(super) own_ids: HashMap<TaskId, Number>,
    pub(super) kin: Vec<Kin>,
    pub(super) workers: BTreeMap<WorkerNumber, Worker>,
    pub(super) all_held: bool,
    pub(super) held: BTreeSet<Kind>,
    /// How many tasks of kind `A` may run at once.
    pub(super) limit: Option<u32>,
    /// Running tasks that were cancelled since the last look; their workers are to be told.
    pub(super) marked: Vec<Number>,
}

impl Model {
    pub(super) fn new(now: Timestamp, limit: Option<u32>) -> Self {
        Self {
            now,
            tasks: Vec::new(),
            keys: HashMap::new(),
            own_ids: HashMap::new(),
            kin: Vec::new(),
            workers: BTreeMap::new(),
            all_held: false,
            held: BTreeSet::new(),
            limit,
            marked: Vec::new(),
        }
    }

    /// All of a batch, or nothing and the place of the one to blame.
    pub(super) fn submit(&mut self, tasks: &[NewTask]) -> Result<Vec<Accepted>, (usize, Taken)> {
        let before = self.clone();
        let mut accepted = Vec::new();
        for (place, task) in tasks.iter().enumerate() {
            match self.accept(task) {
                Ok(one) => accepted.push(one),
                Err(taken) => {
                    *self = before;
                    return Err((place, taken));
                }
            }
        }
        Ok(accepted)
    }

    pub(super) fn accept(&mut self, new: &NewTask) -> Result<Accepted, Taken> {
        let key = new.extras.as_ref().and_then(|extras| extras.key.clone());
        let by_id = new.id.as_ref().and_then(|id| self.named(id)).map(|number| ("id", number));
        let by_key = key.as_ref().and_then(|key| self.keys.get(key)).map(|number| ("key", *number));
        if let Some((what, number)) = by_id.or(by_key) {
            let named = what == "key" || self.own_ids.contains_key(new.id.as_ref().unwrap());
            return if named && self.tasks[number].new == *new {
                Ok(Accepted { number, duplicate: true })
            } else {
                Err(Taken { what, holder: number })
            };
        }
        let number = self.tasks.len();
        self.tasks.push(Task::new(new, self.now));
        if let Some(key) = key {
            self.keys.insert(key, number);
        }
        if let Some(id) = &new.id {
            self.own_ids.insert(id.clone(), number);
        }
        Ok(Accepted { number, duplicate: false })
    }

    /// The task of this name; its own name stands for one that was removed, too.
    fn named(&self, id: &TaskId) -> Option<Number> {
        let there = || self.tasks.iter().position(|task| !task.removed && task.id.as_ref() == Some(id));
        self.own_ids.get(id).copied().or_else(there)
    }

    pub(super) fn number_of(&self, id: &TaskId) -> Option<Number> {
        self.tasks.iter().position(|task| task.id.as_ref() == Some(id))
    }

    /// The end of a task by a run, which is its last attempt.
    pub(super) fn end_by_run(&mut self, number: Number, state: State, reason: Option<DeadReason>, end: &str) {
        let worker = self.name_of_holder(number);
        let task = &mut self.tasks[number];
        task.note_attempt(end, &worker, self.now);
        let attempt = task.known().attempts + 1;
        self.end(number, state, reason, attempt);
    }

    /// The end of a task outside of any run.
    pub(super) fn end_unrun(&mut self, number: Number, state: State, reason: Option<DeadReason>) {
        let attempt = self.tasks[number].known().attempts;
        let error = reason.map(|reason| reason.as_str().to_owned());
        self.tasks[number].error = error;
        self.end(number, state, reason, attempt);
    }

    /// The end of a task that waits: the attempt under way is cut short.
    pub(super) fn end_waiting(&mut self, number: Number, state: State, reason: Option<DeadReason>) {
        let now = self.now;
        let task = &mut self.tasks[number];
        let Place::Suspended(wait) = &task.place else { panic!("{task:?}") };
        let worker = wait.worker.clone();
        task.note_attempt("waited", &worker, now);
        let before = std::mem::take(&mut task.before_wait);
        let history = task.keep();
        (history.state, history.answer) = before;
        task.error = reason.map(|reason| reason.as_str().to_owned());
        let attempt = task.known().attempts + 1;
        self.end(number, state, reason, attempt);
    }

    fn end(&mut self, number: Number, state: State, reason: Option<DeadReason>, attempt: u32) {
        let task = &mut self.tasks[number];
        assert!(!task.is_ended(), "the model ends a task twice: {task:?}");
        task.place = Place::Ended(End { state, reason, at: self.now, attempt });
        (task.pausing, task.cancelled_at) = (false, None);
        if state != State::Dead {
            task.error = None;
        }
        if state == State::Cancelled {
            self.cancel_children(number);
        }
        self.tell_parents(number);
    }

    pub(super) fn name_of_holder(&self, number: Number) -> String {
        match &self.tasks[number].place {
            Place::Running { worker, .. } => self.workers[worker].name.clone(),
            place => panic!("{place:?}"),
        }
    }

    /// Tasks that a worker runs.
    pub(super) fn running(&self, of: WorkerNumber) -> Vec<Number> {
        let runs = |task: &Task| matches!(task.place, Place::Running { worker, .. } if worker == of);
        (0..self.tasks.len()).filter(|number| runs(&self.tasks[*number])).collect()
    }

    /// A run that was never begun: ready at once, nothing charged.
    pub(super) fn take_back(&mut self, number: Number) {
        if self.tasks[number].cancelled_at.is_some() {
            self.end_unrun(number, State::Cancelled, None);
        } else {
            self.tasks[number].put_back(false);
        }
    }

    /// A worker leaves in an orderly way.
    pub(super) fn detach(&mut self, worker: WorkerNumber) {
        for number in self.running(worker) {
            self.take_back(number);
        }
        self.workers.remove(&worker);
    }

    /// A worker says what it serves from here on; what is parked for that is offered again.
    pub(super) fn serve(&mut self, worker: WorkerNumber, serves: u8) {
        let serving = self.workers.get_mut(&worker).unwrap();
        (serving.serves, serving.has_said) = (serves, true);
        for task in &mut self.tasks {
            let served = serves & bit(&task.new.route) != 0;
            match &mut task.place {
                Place::Parked if served => (task.place, task.reason) = (Place::Queue, None),
                Place::Paused { parked } => *parked = false,
                _ => {}
            }
        }
    }

    /// Whether nothing of a route may be claimed for now, by an operator's wish or by a limit.
    pub(super) fn is_held(&self, route: &Route) -> bool {
        self.all_held || self.held.contains(&route.kind) || self.is_at_limit(&route.kind)
    }

    fn is_at_limit(&self, kind: &Kind) -> bool {
        let limited = self.limit.filter(|_| kind.as_str() == "A");
        limited.is_some_and(|limit| self.running_of(kind).len() >= limit as usize)
    }

    /// The tasks of a kind that run.
    pub(super) fn running_of(&self, kind: &Kind) -> Vec<Number> {
        let runs = |task: &Task| task.new.route.kind == *kind && matches!(task.place, Place::Running { .. });
        (0..self.tasks.len()).filter(|number| runs(&self.tasks[*number])).collect()
    }
}

/// The routes of these tests; each has a bit.
pub(super) const ROUTES: [(&str, &[&str]); 4] = [("A", &[]), ("B", &[]), ("B", &["gpu"]), ("C", &[])];

pub(super) fn bit(route: &Route) -> u8 {
    let same = |(name, tags): &(&str, &[&str])| *route == crate::harness::route(name, tags);
    1 << ROUTES.iter().position(same).unwrap()
}
