//! Does one operation after the other, on the store and in the model.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bulkhead_core::Timestamp;
use bulkhead_store::{BatchRefusal, Claimed, CommitFate, ServedRoutes, WorkLine};

use super::hosts::Hosts;
use super::model::{Model, ROUTES, Worker, bit};
use super::operation::{Operation, Outcome, Step};
use super::outcomes::Maker;
use super::task::{Number, Place, WorkerNumber};
use crate::harness::{START, kind};

/// What is wrong, for people.
pub(super) type Checked = Result<(), String>;

/// How often workers renew their leases while time goes on.
const RENEW_EVERY: u64 = 14_000;

/// Workers at once.
pub(super) const SLOTS: usize = 3;

/// A worker's end of its line.
pub(super) struct Hand {
    pub(super) line: WorkLine,
    pub(super) host: usize,
    generation: u64,
}

pub(super) struct Driver<H> {
    pub(super) hosts: H,
    pub(super) model: Model,
    pub(super) maker: Maker,
    pub(super) hands: BTreeMap<WorkerNumber, Hand>,
    pub(super) slots: [Option<WorkerNumber>; SLOTS],
    /// The latest claim of each task.
    pub(super) claimed: HashMap<Number, Claimed>,
    /// Every claim, the latest last.
    pub(super) claims: Vec<(WorkerNumber, Claimed)>,
    workers: WorkerNumber,
    /// Whether exactly what is sent to whom can be told.
    pub(super) exact: bool,
    /// What became of commits, as the model has it, until the store says.
    pub(super) fates: BTreeMap<WorkerNumber, Vec<CommitFate>>,
}

/// Checks that two things are the same.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, store: &T, model: &T) -> Checked {
    if store == model { Ok(()) } else { Err(format!("{what}: the store says {store:?}, the model {model:?}")) }
}

impl<H: Hosts> Driver<H> {
    /// Of tasks of kind `A` at most so many run at once.
    pub(super) async fn start(limit: Option<u32>) -> Self {
        Self {
            hosts: H::start(limit).await,
            model: Model::new(Timestamp::from_millis(START), limit),
            maker: Maker::default(),
            hands: BTreeMap::new(),
            slots: [None; SLOTS],
            claimed: HashMap::new(),
            claims: Vec::new(),
            workers: 0,
            exact: H::COUNT == 1 && limit.is_none(),
            fates: BTreeMap::new(),
        }
    }

    /// All steps, then the way of every task to its end.
    pub(super) async fn run(mut self, steps: &[Step]) -> Checked {
        for (place, (host, operation)) in steps.iter().enumerate() {
            let done = self.step(usize::from(*host) % H::COUNT, operation).await;
            done.map_err(|wrong| format!("step {place}, {operation:?}: {wrong}"))?;
        }
        self.drain().await.map_err(|wrong| format!("at the end: {wrong}"))
    }

    async fn step(&mut self, host: usize, operation: &Operation) -> Checked {
        match operation {
            Operation::Submit(specs) => {
                let model = &self.model;
                let tasks: Vec<_> = specs.iter().map(|spec| self.maker.task(spec, model, Duration::ZERO)).collect();
                let answer = self.hosts.store(host).submit(tasks.clone()).await.unwrap();
                let expected = self.model.submit(&tasks);
                self.check_submitted(answer, expected)?;
                self.settle().await
            }
            Operation::Serve { slot, serves, permits } => self.serve(host, *slot, *serves, *permits).await,
            Operation::Permit { slot, permits } => match self.attached(*slot) {
                Some(worker) => self.permit(worker, *permits).await,
                None => Ok(()),
            },
            Operation::StopClaiming { slot } => {
                let Some(worker) = self.attached(*slot) else { return Ok(()) };
                self.hands[&worker].line.sender.stop_claiming().await.unwrap();
                self.model.workers.get_mut(&worker).unwrap().permits = 0;
                self.settle().await
            }
            Operation::Detach { slot } => {
                let Some(worker) = self.attached(*slot) else { return Ok(()) };
                self.drop_hands(&[worker]);
                self.model.detach(worker);
                self.settle().await
            }
            Operation::End { slot, runs, permits } => match self.busy(*slot) {
                Some(worker) => self.end(worker, runs, *permits).await,
                None => Ok(()),
            },
            Operation::EndStale { slot, run } => self.end_stale(*slot, *run).await,
            Operation::Release { run } => self.release(*run).await,
            Operation::Advance { millis, renew } => self.advance(*millis, *renew).await,
            Operation::Change { tasks, asked } => self.change(host, tasks, *asked).await,
            Operation::Hold { kind: which, held } => {
                let which = which.map(|which| kind(["A", "B", "C"][usize::from(which) % 3]));
                self.hold(host, which, *held).await
            }
            Operation::Crash => self.crash(host).await,
            Operation::Reopen => self.reopen(host).await,
            Operation::Look => self.look().await,
        }
    }

    /// One of the workers that are there.
    fn attached(&self, which: usize) -> Option<WorkerNumber> {
        self.hands.keys().nth(which % self.hands.len().max(1)).copied()
    }

    /// One of the workers that run something, or, where none does, any.
    fn busy(&self, which: usize) -> Option<WorkerNumber> {
        let busy = |worker: &WorkerNumber| !self.model.running(*worker).is_empty();
        let busy: Vec<WorkerNumber> = self.hands.keys().copied().filter(busy).collect();
        busy.get(which % busy.len().max(1)).copied().or_else(|| self.attached(which))
    }

    fn check_submitted(
        &self,
        answer: Result<Vec<bulkhead_store::Submitted>, BatchRefusal>,
        expected: Result<Vec<super::model::Accepted>, (usize, super::model::Taken)>,
    ) -> Checked {
        match (answer, expected) {
            (Ok(answers), Ok(accepted)) => {
                same("accepted", &answers.len(), &accepted.len())?;
                for (answer, accepted) in answers.iter().zip(accepted) {
                    same("duplicate", &answer.duplicate, &accepted.duplicate)?;
                    let task = &self.model.tasks[accepted.number];
                    if accepted.duplicate {
                        let known = task.id.as_ref().is_none_or(|id| *id == answer.id);
                        same("the first task is given again", &known, &true)?;
                    }
                }
                Ok(())
            }
            (Err(BatchRefusal::Taken { index, what, holder, .. }), Err((place, taken))) => {
                same("the one to blame", &(index, what), &(place, taken.what))?;
                // Where that is in the same batch, it was not stored either.
                let known = self.model.tasks.get(taken.holder).and_then(|task| task.id.as_ref());
                same("the holder", &known.is_none_or(|id| *id == holder), &true)
            }
            (answer, expected) => Err(format!("a submit: the store says {answer:?}, the model {expected:?}")),
        }
    }

    pub(super) async fn serve(&mut self, host: usize, slot: usize, serves: u8, permits: usize) -> Checked {
        let worker = match self.slots[slot] {
            Some(worker) => worker,
            None => self.attach(host, slot).await?,
        };
        // Routes are unparked one after the other, so others may be served in between.
        let parked = self.model.tasks.iter().filter(|task| task.place == Place::Parked);
        let unparked = parked.filter(|task| bit(&task.new.route) & serves != 0).count();
        let hand = self.hands.get_mut(&worker).unwrap();
        hand.generation += 1;
        let served = ServedRoutes::new(hand.generation, move |route| serves & bit(route) != 0);
        hand.line.sender.serve(served);
        self.model.serve(worker, serves);
        let exact = self.exact;
        self.exact &= unparked < 2;
        let settled = self.settle().await;
        self.exact = exact;
        settled?;
        if permits > 0 { self.permit(worker, permits).await } else { Ok(()) }
    }

    async fn attach(&mut self, host: usize, slot: usize) -> Result<WorkerNumber, String> {
        self.workers += 1;
        let (worker, name) = (self.workers, format!("worker-{slot}"));
        let line = self.hosts.store(host).attach(&name).await.unwrap();
        self.hands.insert(worker, Hand { line, host, generation: 0 });
        let renewed_at = self.model.now;
        let (serves, has_said, permits, orphaned) = (0, false, 0, false);
        self.model.workers.insert(worker, Worker { name, serves, has_said, permits, renewed_at, orphaned });
        self.slots[slot] = Some(worker);
        self.settle().await?;
        Ok(worker)
    }

    pub(super) async fn permit(&mut self, worker: WorkerNumber, permits: usize) -> Checked {
        self.hands[&worker].line.sender.send(Vec::new(), permits);
        self.model.workers.get_mut(&worker).unwrap().permits += permits;
        self.settle().await
    }

    pub(super) async fn end(&mut self, worker: WorkerNumber, runs: &[(usize, Outcome)], permits: usize) -> Checked {
        let running = self.model.running(worker);
        if running.is_empty() {
            return self.permit(worker, permits).await;
        }
        let mut commits = Vec::new();
        for (run, outcome) in runs {
            let number = running[run % running.len()];
            commits.push((number, self.maker.commit(&self.claimed[&number], number, outcome, &self.model)));
        }
        self.model.workers.get_mut(&worker).unwrap().permits += permits;
        self.hands[&worker].line.sender.send(commits.iter().map(|(_, commit)| commit.clone()).collect(), permits);
        let fates = commits.iter().map(|(number, commit)| self.model.commit(worker, *number, commit)).collect();
        self.fates.insert(worker, fates);
        self.settle().await
    }

    async fn end_stale(&mut self, slot: usize, run: usize) -> Checked {
        let Some(worker) = self.attached(slot) else { return Ok(()) };
        let running = self.model.running(worker);
        let over: Vec<_> = self
            .claims
            .iter()
            .filter_map(|(by, claimed)| {
                let number = self.model.number_of(&claimed.id)?;
                let runs = running.contains(&number) && self.claimed[&number].lease == claimed.lease && *by == worker;
                (!runs).then(|| (number, claimed.clone()))
            })
            .collect();
        if over.is_empty() {
            return Ok(());
        }
        let (number, claimed) = &over[run % over.len()];
        let commit = self.maker.commit(claimed, *number, &Outcome::Succeed, &self.model);
        self.hands[&worker].line.sender.send(vec![commit], 0);
        self.fates.insert(worker, vec![CommitFate::Fenced]);
        self.settle().await
    }

    async fn release(&mut self, run: usize) -> Checked {
        let all: Vec<_> = self
            .hands
            .keys()
            .flat_map(|worker| self.model.running(*worker).into_iter().map(|number| (*worker, number)))
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        let (worker, number) = all[run % all.len()];
        let claimed = &self.claimed[&number];
        self.hands[&worker].line.sender.release(vec![(claimed.lease, claimed.seq)]).await.unwrap();
        self.model.take_back(number);
        self.settle().await
    }

    pub(super) async fn advance(&mut self, millis: u64, renew: bool) -> Checked {
        let mut left = millis;
        while left > 0 {
            let time = if renew { left.min(RENEW_EVERY) } else { left };
            left -= time;
            let time = Duration::from_millis(time);
            self.model.advance(time);
            let lost = self.model.lose_late();
            self.hosts.advance(time).await;
            self.forget(&lost).await?;
            self.settle().await?;
            if renew {
                self.renew().await?;
            }
        }
        Ok(())
    }

    async fn renew(&mut self) -> Checked {
        for (worker, hand) in &self.hands {
            let renewed = hand.line.sender.renew().await.unwrap();
            same("a worker renews in time", &renewed, &true)?;
            self.model.workers.get_mut(worker).unwrap().renewed_at = self.model.now;
        }
        // The answer comes before the store has gone to sleep again; the clock must not move before that.
        self.hosts.settle().await;
        Ok(())
    }
}

/// How many kinds and tag sets there are, as bits.
pub(super) const EVERYTHING: u8 = (1 << ROUTES.len()) - 1;
