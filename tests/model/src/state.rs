//! One moment of the whole: store, workers, and what is under way between them.

use crate::message::{Answer, Commit};
use crate::scenario::{Faults, Scenario};
use crate::worker::Footing;
use crate::{AttachmentNumber, Flaw, Store, StoreTime, Worker, WorkerNumber};

/// A state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The store's clock.
    pub now: StoreTime,
    /// Faults have stopped: everybody runs, and whatever is under way arrives before time goes on.
    pub is_calm: bool,
    /// Faults that may still happen.
    pub faults: Faults,
    /// The store.
    pub store: Store,
    /// The workers.
    pub workers: Vec<Worker>,
    /// Every commit that was ever sent, sorted.
    pub commits: Vec<Commit>,
}

impl State {
    /// The start: every task ready, no worker attached.
    pub fn initial(scenario: &Scenario) -> Self {
        let now = StoreTime(0);
        let store = Store::with_tasks(scenario.tasks);
        let workers: Vec<Worker> = scenario.clocks.iter().map(|clock| Worker::started(*clock)).collect();
        Self { now, is_calm: false, faults: scenario.faults, store, workers, commits: Vec::new() }
    }

    /// The workers with their numbers.
    pub fn workers(&self) -> impl Iterator<Item = (WorkerNumber, &Worker)> {
        (0..).map(WorkerNumber).zip(&self.workers)
    }

    /// Whether a worker still sends this commit: as long as it is on the line on which the task was claimed.
    pub fn is_sent_again(&self, commit: &Commit) -> bool {
        let on_line = |worker: &Worker| worker.attachment == Some(commit.right.attachment);
        self.workers.iter().any(|worker| worker.footing == Footing::Up && on_line(worker))
    }

    /// Drops what can do nothing any more, so that states which differ by it alone are one.
    ///
    /// Numbers only grow, so a right that does not hold never holds again; a flawed fence may think otherwise, and then
    /// every commit is kept.
    pub fn forget_the_dead(&mut self, flaw: Option<Flaw>) {
        let Self { store, workers, commits, .. } = self;
        let is_used = |number: AttachmentNumber| workers.iter().any(|worker| worker.uses(number));
        store.attachments.retain(|attachment| {
            store.leases.iter().any(|lease| lease.attachment == attachment.number) || is_used(attachment.number)
        });
        if flaw.is_none_or(|flaw| !flaw.is_of_the_fence()) {
            commits.retain(|commit| store.holds(&commit.right));
            self.renumber_attachments();
        }
        let Self { store, workers, .. } = self;
        for worker in &mut *workers {
            if worker.leaves.is_some_and(|attachment| store.attachment(attachment).is_none()) {
                worker.leaves = None;
            }
        }
        if flaw.is_none() {
            // Nobody knows a worker by its number. The steps to what a flaw breaks are for people, who do.
            workers.sort_unstable();
        }
    }

    fn renumber_attachments(&mut self) {
        let mut used: Vec<AttachmentNumber> = Vec::new();
        self.each_attachment(|number| used.push(*number));
        used.sort_unstable();
        used.dedup();
        let place = |number: AttachmentNumber| used.binary_search(&number).unwrap_or_default() as u8 + 1;
        self.each_attachment(|number| *number = AttachmentNumber(place(*number)));
        self.store.last_attachment = AttachmentNumber(used.len() as u8);
    }

    fn each_attachment(&mut self, mut each: impl FnMut(&mut AttachmentNumber)) {
        let Self { store, workers, commits, .. } = self;
        store.attachments.iter_mut().for_each(|attachment| each(&mut attachment.number));
        store.leases.iter_mut().for_each(|lease| each(&mut lease.attachment));
        commits.iter_mut().for_each(|commit| each(&mut commit.right.attachment));
        for worker in workers {
            worker.attachment.iter_mut().for_each(&mut each);
            worker.leaves.iter_mut().for_each(&mut each);
            let handed = worker.deliveries.iter_mut().flatten();
            worker.runs.iter_mut().chain(handed).for_each(|right| each(&mut right.attachment));
            if let Some(question) = &mut worker.question {
                question.renews.iter_mut().for_each(&mut each);
                if let Some(Answer::Confirmed(number)) = &mut question.answer {
                    each(number);
                }
            }
        }
    }
}
