//! The store: what is durable, and the clock that decides.

use crate::message::{Answer, Commit, Question, Right, RunEnding};
use crate::next_step::{NextStep, next_step};
use crate::scenario::{CANCEL_GRACE, LEASE};
use crate::{AttachmentNumber, Flaw, LeaseNumber, RunNumber, StoreTime, TaskNumber, TaskSet};

/// What is known of one task, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Task {
    /// Attempts charged so far.
    pub attempts: u8,
    /// When it was cancelled, while that has had no effect yet.
    pub cancelled_at: Option<StoreTime>,
    /// The newest claim of it. Only the properties look at this.
    pub run: RunNumber,
    /// How often an end was written. Only the properties look at this.
    pub ends: u8,
}

/// One claimed batch, with the tasks that are not done yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Its number.
    pub number: LeaseNumber,
    /// Whose it is.
    pub attachment: AttachmentNumber,
    /// What still runs under it.
    pub tasks: TaskSet,
}

/// One worker's attachment; the row that a renewal touches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attachment {
    /// Its number.
    pub number: AttachmentNumber,
    /// By the store's clock.
    pub renewed_at: StoreTime,
}

impl Attachment {
    /// Whether it was not renewed in time.
    pub const fn is_lost(&self, now: StoreTime) -> bool {
        now.since(self.renewed_at) > LEASE
    }
}

/// Everything that the store keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Store {
    /// One for each task.
    pub tasks: Vec<Task>,
    /// The tasks that may be claimed.
    pub ready: TaskSet,
    /// The tasks that have ended.
    pub ended: TaskSet,
    /// The batches that are out.
    pub leases: Vec<Lease>,
    /// The workers that are attached.
    pub attachments: Vec<Attachment>,
    /// The last number given to a lease.
    pub last_lease: LeaseNumber,
    /// The last number given to an attachment.
    pub last_attachment: AttachmentNumber,
    /// Whether ever a commit was taken from a run that did not hold its task. Only the properties look at this.
    pub took_stale_commit: bool,
}

impl Store {
    /// A store with so many tasks, all ready.
    pub fn with_tasks(count: u8) -> Self {
        let task = Task { attempts: 0, cancelled_at: None, run: RunNumber(0), ends: 0 };
        Self {
            tasks: vec![task; usize::from(count)],
            ready: TaskSet::first(count),
            ended: TaskSet::default(),
            leases: Vec::new(),
            attachments: Vec::new(),
            last_lease: LeaseNumber(0),
            last_attachment: AttachmentNumber(0),
            took_stale_commit: false,
        }
    }

    /// Whether every task has ended.
    pub fn all_ended(&self) -> bool {
        self.ended == TaskSet::first(self.tasks.len() as u8)
    }

    /// An attachment that is there.
    pub fn attachment(&self, number: AttachmentNumber) -> Option<&Attachment> {
        self.attachments.iter().find(|attachment| attachment.number == number)
    }

    /// Whether a right still holds: its batch is out, its task not done under it.
    pub fn holds(&self, right: &Right) -> bool {
        self.leases.iter().any(|lease| {
            lease.number == right.lease && lease.attachment == right.attachment && lease.tasks.contains(right.task)
        })
    }

    /// Whether the task is leased to anybody.
    pub fn is_leased(&self, task: TaskNumber) -> bool {
        self.leases.iter().any(|lease| lease.tasks.contains(task))
    }

    /// The fence: whether a commit under this right would be written now.
    pub fn would_take(&self, right: &Right, flaw: Option<Flaw>) -> bool {
        match flaw {
            Some(Flaw::CommitsAreNotFenced) => !self.is_ended_by(right),
            Some(Flaw::CommitsAreFencedByTaskAlone) => self.is_leased(right.task),
            Some(Flaw::RepeatedCommitIsWrittenAgain) => self.is_ended_by(right) || self.holds(right),
            _ => self.holds(right),
        }
    }

    /// Attaches a worker, or renews its leases.
    pub fn answer(&mut self, question: &Question, now: StoreTime, flaw: Option<Flaw>) -> Answer {
        let renewed_at = match flaw {
            Some(Flaw::RenewalsAreStampedByTheWorker) => StoreTime(question.asked_at.0),
            _ => now,
        };
        let Some(number) = question.renews else {
            return Answer::Confirmed(self.attach(renewed_at));
        };
        match self.attachments.iter_mut().find(|attachment| attachment.number == number) {
            Some(attachment) if !attachment.is_lost(now) => {
                attachment.renewed_at = renewed_at;
                Answer::Confirmed(number)
            }
            _ => Answer::Void,
        }
    }

    /// Attaches a worker.
    pub fn attach(&mut self, renewed_at: StoreTime) -> AttachmentNumber {
        self.last_attachment = self.last_attachment.next();
        self.attachments.push(Attachment { number: self.last_attachment, renewed_at });
        self.last_attachment
    }

    /// Leases ready tasks to an attachment, as one batch.
    pub fn claim(&mut self, attachment: AttachmentNumber, tasks: TaskSet) -> Vec<Right> {
        self.last_lease = self.last_lease.next();
        let lease = self.last_lease;
        self.leases.push(Lease { number: lease, attachment, tasks });
        let right = |task: TaskNumber| {
            self.ready.remove(task);
            let record = &mut self.tasks[task.index()];
            record.run = record.run.next();
            Right { task, lease, attachment, run: record.run }
        };
        tasks.iter().map(right).collect()
    }

    /// Writes the end of a run where its right holds; says whether it did.
    pub fn commit(&mut self, commit: &Commit, now: StoreTime, flaw: Option<Flaw>) -> bool {
        let Commit { right, ending } = commit;
        if !self.would_take(right, flaw) {
            return false;
        }
        let holder = self.is_leased(right.task).then_some(self.tasks[right.task.index()].run);
        self.took_stale_commit |= holder != Some(right.run);
        self.finish(right.task);
        let task = &mut self.tasks[right.task.index()];
        let mut next = next_step(task.attempts, *ending);
        if let Some(cancelled_at) = task.cancelled_at.take()
            && !(*ending == RunEnding::Completed && now.since(cancelled_at) <= CANCEL_GRACE)
        {
            next = NextStep::End;
        }
        match next {
            NextStep::End => self.end(right.task),
            NextStep::Retry => {
                task.attempts += 1;
                self.ready.insert(right.task);
            }
        }
        true
    }

    /// Ends a task by itself whose run brought what the database refuses to write.
    pub fn refuse(&mut self, commit: &Commit, flaw: Option<Flaw>) {
        if self.holds(&commit.right) && flaw != Some(Flaw::RefusedEndIsForgotten) {
            self.finish(commit.right.task);
            self.end(commit.right.task);
        }
    }

    /// Takes the tasks of an attachment that was not renewed in time from it.
    pub fn sweep(&mut self, number: AttachmentNumber, flaw: Option<Flaw>) {
        let tasks: Vec<TaskNumber> = self.leased_to(number);
        if flaw == Some(Flaw::SweepKeepsTheLease) {
            tasks.into_iter().for_each(|task| self.ready.insert(task));
        } else {
            self.void(number);
            match flaw {
                Some(Flaw::SweepForgetsTasks) => {}
                Some(Flaw::LossForgetsTheCancel) => tasks.into_iter().for_each(|task| self.ready.insert(task)),
                _ => tasks.into_iter().for_each(|task| self.take_back(task)),
            }
        }
    }

    /// Takes back what an attachment holds that leaves in an orderly way.
    pub fn detach(&mut self, number: AttachmentNumber) {
        let tasks = self.leased_to(number);
        self.void(number);
        tasks.into_iter().for_each(|task| self.take_back(task));
    }

    /// Opens the store anew, after its process died: every older lease is void.
    pub fn take_over(&mut self, flaw: Option<Flaw>) {
        let numbers: Vec<_> = self.attachments.iter().map(|attachment| attachment.number).collect();
        numbers.into_iter().for_each(|number| self.detach(number));
        if flaw == Some(Flaw::LeaseNumbersAreReused) {
            self.last_lease = LeaseNumber(0);
            self.last_attachment = AttachmentNumber(0);
        }
    }

    /// Cancels a task: at once where it waits, by a mark where it runs.
    pub fn cancel(&mut self, task: TaskNumber, now: StoreTime) {
        if self.ready.contains(task) {
            self.ready.remove(task);
            self.end(task);
        } else if self.is_leased(task) {
            self.tasks[task.index()].cancelled_at.get_or_insert(now);
        }
    }

    fn is_ended_by(&self, right: &Right) -> bool {
        self.ended.contains(right.task) && self.tasks[right.task.index()].run == right.run
    }

    fn leased_to(&self, number: AttachmentNumber) -> Vec<TaskNumber> {
        let leases = self.leases.iter().filter(|lease| lease.attachment == number);
        leases.flat_map(|lease| lease.tasks.iter()).collect()
    }

    fn void(&mut self, number: AttachmentNumber) {
        self.leases.retain(|lease| lease.attachment != number);
        self.attachments.retain(|attachment| attachment.number != number);
    }

    fn take_back(&mut self, task: TaskNumber) {
        if self.tasks[task.index()].cancelled_at.take().is_some() {
            self.end(task);
        } else {
            self.ready.insert(task);
        }
    }

    /// Takes a task from wherever it is, so that it can be put elsewhere.
    fn finish(&mut self, task: TaskNumber) {
        self.ready.remove(task);
        self.leases.iter_mut().for_each(|lease| lease.tasks.remove(task));
        self.leases.retain(|lease| !lease.tasks.is_empty());
    }

    fn end(&mut self, task: TaskNumber) {
        self.ended.insert(task);
        let record = &mut self.tasks[task.index()];
        record.ends = record.ends.saturating_add(1).min(2);
    }
}
