//! A worker: what it runs, and what it believes of its leases.

use crate::message::{Answer, Question, Right};
use crate::scenario::TRUST;
use crate::{AttachmentNumber, Flaw, StoreTime, WorkerTime};

/// Whether a worker's process goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Footing {
    /// It runs.
    Up,
    /// It stands still, and knows nothing of it.
    Paused,
}

/// Everything that a worker keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker {
    /// Whether it goes on.
    pub footing: Footing,
    /// By how much its clock is before the store's.
    pub clock: i8,
    /// Its attachment; absent while it is cut off.
    pub attachment: Option<AttachmentNumber>,
    /// Until when it trusts its leases, by its own clock.
    pub trusted_until: WorkerTime,
    /// It stood still past its trust, and has not looked at its clock since.
    pub is_dazed: bool,
    /// What it asks just now.
    pub question: Option<Question>,
    /// The attachment that it has left; the store may hear of that, or not.
    pub leaves: Option<AttachmentNumber>,
    /// Batches claimed for it that it has not heard of yet, the oldest first; they come once.
    pub deliveries: Vec<Vec<Right>>,
    /// What it runs, sorted.
    pub runs: Vec<Right>,
}

impl Worker {
    /// A worker that has just started, with its clock so far before the store's.
    pub const fn started(clock: i8) -> Self {
        Self {
            footing: Footing::Up,
            clock,
            attachment: None,
            trusted_until: WorkerTime(0),
            is_dazed: false,
            question: None,
            leaves: None,
            deliveries: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// What its clock says at a moment of the store's.
    pub const fn time(&self, now: StoreTime) -> WorkerTime {
        WorkerTime(now.0 + self.clock)
    }

    /// Ticks for which it still trusts its leases.
    pub fn trust_left(&self, now: StoreTime) -> i8 {
        (self.trusted_until.0 - self.time(now).0).max(0)
    }

    /// Whether its guard fires before time goes on.
    pub fn must_stop(&self, now: StoreTime, flaw: Option<Flaw>) -> bool {
        let distrusts = match flaw {
            Some(Flaw::WorkersDoNotStopThemselves) => false,
            Some(Flaw::TasksAreGivenBackBeforeRunsStop) if self.attachment.is_none() => !self.runs.is_empty(),
            _ => self.attachment.is_some() && self.trust_left(now) == 0,
        };
        self.footing == Footing::Up && distrusts
    }

    /// Whether it could ask to attach, or to have its leases renewed, at this moment. A renewal is not asked for once the
    /// trust is gone, nor while it waits for an answer on the same line, nor twice at one moment.
    pub fn can_ask(&self, now: StoreTime, flaw: Option<Flaw>) -> bool {
        let is_fresh = self.trusted_until == self.time(now).after(TRUST);
        let has_reason = match (self.attachment, flaw) {
            (None, Some(Flaw::TasksAreGivenBackBeforeRunsStop)) => self.runs.is_empty(),
            (None, _) => true,
            (Some(_), Some(Flaw::WorkersDoNotStopThemselves)) => !is_fresh,
            (Some(_), _) => self.trust_left(now) > 0 && !is_fresh,
        };
        let waits = self.question.is_some_and(|question| question.renews == self.attachment);
        self.footing == Footing::Up && has_reason && !waits
    }

    /// Whether the attachment is its own, or about to be.
    pub fn uses(&self, number: AttachmentNumber) -> bool {
        let is_told =
            |question: Question| question.answer == Some(Answer::Confirmed(number)) && question.renews.is_none();
        self.attachment == Some(number) || self.question.is_some_and(is_told)
    }

    /// Asks to attach, or to have its leases renewed.
    pub fn ask(&mut self, now: StoreTime) {
        self.question = Some(Question { asked_at: self.time(now), renews: self.attachment, answer: None });
    }

    /// Takes the answer to its question.
    pub fn hear_answer(&mut self, now: StoreTime, flaw: Option<Flaw>) {
        let Some(Question { asked_at, renews, answer: Some(answer) }) = self.question.take() else { return };
        let confirmed_at = match flaw {
            Some(Flaw::TrustCountsFromTheAnswer) => self.time(now),
            _ => asked_at,
        };
        match answer {
            Answer::Void if self.attachment == renews => {
                self.cut_off(flaw);
                self.leaves = None;
            }
            Answer::Confirmed(attachment) => {
                let is_new = renews.is_none() && self.attachment.is_none();
                let takes_up_again = flaw == Some(Flaw::LeaseIsTakenUpAgain) && self.attachment.is_none();
                if takes_up_again && !is_new {
                    self.leaves = None;
                }
                if is_new || takes_up_again || self.attachment == Some(attachment) {
                    self.attachment = Some(attachment);
                    self.trusted_until = confirmed_at.after(TRUST);
                    self.is_dazed &= self.trust_left(now) == 0;
                }
            }
            // Of an attachment that it has left since.
            Answer::Void => {}
        }
    }

    /// The guard: stops every run and leaves the attachment, so that its tasks can be given back.
    pub fn guard_fires(&mut self, flaw: Option<Flaw>) {
        if flaw == Some(Flaw::TasksAreGivenBackBeforeRunsStop) && self.attachment.is_some() {
            self.leaves = self.attachment.take();
            self.trusted_until = WorkerTime(0);
            self.deliveries.clear();
        } else {
            self.cut_off(flaw);
        }
    }

    /// Drops everything that it ran, or was to run, under leases which it does not trust any more.
    pub fn cut_off(&mut self, flaw: Option<Flaw>) {
        if self.attachment.is_some() {
            self.leaves = self.attachment.take();
        }
        self.runs.clear();
        if flaw != Some(Flaw::LateDeliveryIsStarted) {
            self.deliveries.clear();
        }
        self.trusted_until = WorkerTime(0);
        self.is_dazed = false;
    }

    /// The line to the store breaks; what was under way on it is lost.
    pub fn break_line(&mut self, flaw: Option<Flaw>) {
        self.deliveries.clear();
        if flaw != Some(Flaw::BrokenLineIsKept) {
            self.cut_off(flaw);
        }
    }

    /// Begins the runs of the oldest batch that was claimed for it.
    pub fn hear_claim(&mut self) {
        self.runs.append(&mut self.deliveries.remove(0));
        self.runs.sort_unstable();
    }

    /// Goes on where it stood still.
    pub fn resume(&mut self, now: StoreTime, flaw: Option<Flaw>) {
        self.footing = Footing::Up;
        self.is_dazed = self.must_stop(now, flaw);
    }

    /// Its process dies, and is started again; how long that takes shows in when it asks to attach.
    pub fn crash(&mut self) {
        *self = Self::started(self.clock);
    }
}
