//! One task, as the plain model has it.

use bulkhead_core::{
    Answer, DeadReason, Digest, Join, JsonText, NewTask, ReadyReason, State, TaskId, Timestamp, WaitLimits,
};
use bulkhead_store::{History, LeaseId, Spawned};

/// The number of a task in its model, by age.
pub(super) type Number = usize;

/// A worker's number; none is given twice.
pub(super) type WorkerNumber = u32;

/// Where a task is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// In the queue; claimed once it is due.
    Queue,
    /// Until the catalogue changes.
    Parked,
    Running {
        worker: WorkerNumber,
        lease: LeaseId,
    },
    Suspended(Wait),
    Paused {
        parked: bool,
    },
    Ended(End),
}

/// What a suspended task waits for, and how long.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wait {
    pub(super) since: Timestamp,
    pub(super) limits: WaitLimits,
    pub(super) flagged: bool,
    /// The join of its children; none where it waits for an answer.
    pub(super) join: Option<Join>,
    /// Who ran it last.
    pub(super) worker: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub(super) state: State,
    pub(super) reason: Option<DeadReason>,
    pub(super) at: Timestamp,
    /// Attempts charged, the last included, or the one that was cut short.
    pub(super) attempt: u32,
}

/// An attempt that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) number: u32,
    pub(super) epoch: u32,
    pub(super) end: String,
    pub(super) worker: String,
    pub(super) ended_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    /// Not known of a child before the store was asked.
    pub(super) id: Option<TaskId>,
    pub(super) new: NewTask,
    pub(super) created_at: Timestamp,
    pub(super) due: Timestamp,
    /// Where chance has a part in when it is due: the latest moment; `due` is the earliest.
    pub(super) due_by: Option<Timestamp>,
    pub(super) place: Place,
    pub(super) reason: Option<ReadyReason>,
    /// What a run finds of earlier ones; absent until something is kept.
    pub(super) history: Option<History>,
    pub(super) max_attempts: Option<u32>,
    /// The state and the answer of the stage in which it began to wait.
    pub(super) before_wait: (Option<JsonText>, Option<Answer>),
    /// The code of the error of its last attempt.
    pub(super) error: Option<String>,
    /// To be paused when it comes back to the queue.
    pub(super) pausing: bool,
    /// Cancelled while it runs.
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) result: Option<JsonText>,
    /// Dead letters may be removed.
    pub(super) removed: bool,
}

impl Task {
    pub(super) fn new(new: &NewTask, now: Timestamp) -> Self {
        let due = match new.due {
            bulkhead_core::Due::Now => now,
            bulkhead_core::Due::After(delay) => now.after(delay),
            bulkhead_core::Due::At(moment) => moment,
        };
        let own = new.extras.as_ref().and_then(|extras| extras.options.max_attempts);
        Self {
            id: new.id.clone(),
            new: new.clone(),
            created_at: now,
            due,
            due_by: None,
            place: Place::Queue,
            reason: None,
            history: None,
            max_attempts: own,
            before_wait: (None, None),
            error: None,
            pausing: false,
            cancelled_at: None,
            attempts: Vec::new(),
            result: None,
            removed: false,
        }
    }

    pub(super) fn known(&self) -> History {
        self.history.clone().unwrap_or(History { epoch: 1, ..History::default() })
    }

    pub(super) fn keep(&mut self) -> &mut History {
        self.history.get_or_insert(History { epoch: 1, ..History::default() })
    }

    pub(super) const fn state(&self) -> State {
        match &self.place {
            Place::Queue | Place::Parked => State::Ready,
            Place::Running { .. } => State::Running,
            Place::Suspended(_) => State::Suspended,
            Place::Paused { .. } => State::Paused,
            Place::Ended(end) => end.state,
        }
    }

    pub(super) const fn is_ended(&self) -> bool {
        matches!(self.place, Place::Ended(_))
    }

    /// Claimed only while its worker has nothing else.
    pub(super) fn runs_alone(&self) -> bool {
        self.known().losses >= bulkhead_core::LOSSES_BEFORE_ALONE
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        let expires_at = self.new.extras.as_ref().and_then(|extras| extras.expires_at);
        matches!(self.place, Place::Queue | Place::Parked)
            && !self.known().past().was_begun()
            && expires_at.is_some_and(|moment| moment <= now)
    }

    /// What belongs to one attempt is over with it.
    pub(super) fn end_attempt(&mut self) {
        let history = self.keep();
        (history.deferrals, history.elapsed_micros) = (0, 0);
        history.digests.clear();
    }

    /// Goes one stage on.
    pub(super) fn advance(&mut self, upstream: Option<Spawned>, answer: Option<Answer>, now: Timestamp) {
        let history = self.keep();
        history.stage += 1;
        history.deferrals = 0;
        (history.upstream, history.answer) = (upstream, answer);
        (self.due, self.reason) = (now, None);
    }

    /// Comes back to the queue, or is put aside where that was asked for.
    pub(super) fn put_back(&mut self, parked: bool) {
        self.place = match (self.pausing, parked) {
            (true, parked) => Place::Paused { parked },
            (false, true) => Place::Parked,
            (false, false) => Place::Queue,
        };
        self.pausing = false;
    }

    pub(super) fn note_attempt(&mut self, end: &str, worker: &str, now: Timestamp) {
        let History { attempts, epoch, .. } = self.known();
        let (end, worker) = (end.to_owned(), worker.to_owned());
        self.attempts.push(Attempt { number: attempts + 1, epoch, end, worker, ended_at: now });
    }

    pub(super) fn decline(&mut self, digests: &[Digest]) {
        let declined = &mut self.keep().declined;
        for digest in digests {
            if !declined.contains(digest) {
                declined.push(*digest);
            }
        }
        let excess = declined.len().saturating_sub(16);
        declined.drain(..excess);
    }
}
