//! What is kept of a task's earlier runs, on every store.

use bulkhead_core::{Digest, Past, Timestamp};

/// The most digests kept of versions that declined a task, and of earlier runs of one attempt.
const MAX_DECLINED: usize = 16;
const MAX_DIGESTS: usize = 1_000;

/// A row of `history`, but for the texts that only a run needs: the task's state and the answer it was given.
#[derive(Debug, Clone)]
pub(crate) struct HistoryRow {
    /// When the task is, or was last, due.
    pub(crate) due: Timestamp,
    /// Why it is ready and does not run.
    pub(crate) reason: Option<String>,
    pub(crate) epoch: u32,
    /// Attempts charged in this epoch.
    pub(crate) attempts: u32,
    pub(crate) stage: u32,
    pub(crate) deferrals: u32,
    pub(crate) losses: u32,
    pub(crate) max_attempts: Option<u32>,
    /// Of earlier runs of the present attempt, in microseconds.
    pub(crate) elapsed: u64,
    /// Of the whole epoch.
    pub(crate) fuel: u64,
    /// Tokens of language models, of the whole epoch.
    pub(crate) tokens: u64,
    /// Of earlier runs of the present attempt.
    pub(crate) attempt_fuel: u64,
    /// Of earlier runs of the present attempt, in bytes.
    pub(crate) attempt_peak: u64,
    /// Versions that declined the task, 32 bytes each.
    pub(crate) declined: Vec<u8>,
    /// Versions of earlier runs of the present attempt, 32 bytes each.
    pub(crate) digests: Vec<u8>,
    /// Why the last attempt failed, as JSON.
    pub(crate) error: Option<String>,
    /// Whose ends the present stage may ask for.
    pub(crate) upstream: Option<Spawned>,
}

/// The children of one spawn: of which epoch and stage of their parent, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spawned {
    /// The parent's epoch when it spawned them.
    pub epoch: u32,
    /// The parent's stage when it spawned them.
    pub stage: u32,
    /// How many they are.
    pub count: u32,
}

/// What becomes of a text that is kept beside a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// It stays as it is.
    Stays,
    /// It is gone.
    Gone,
    /// It is this from now on.
    Is(&'a str),
}

/// What becomes of the answer to a suspension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered<'a> {
    /// It stays as it is.
    Stays,
    /// There is none in this stage.
    Gone,
    /// It is this.
    Given(&'a str),
    /// Nobody answered in time.
    TimedOut,
}

impl HistoryRow {
    /// Of a task that has not run yet.
    pub(crate) const fn fresh(due: Timestamp) -> Self {
        Self {
            due,
            reason: None,
            epoch: 1,
            attempts: 0,
            stage: 0,
            deferrals: 0,
            losses: 0,
            max_attempts: None,
            elapsed: 0,
            fuel: 0,
            tokens: 0,
            attempt_fuel: 0,
            attempt_peak: 0,
            declined: Vec::new(),
            digests: Vec::new(),
            error: None,
            upstream: None,
        }
    }

    /// What its runs have done so far.
    pub(crate) const fn past(&self) -> Past {
        let Self { epoch, attempts, stage, losses, .. } = *self;
        Past { epoch, attempts, stage, losses, has_run: !self.digests.is_empty() }
    }

    /// Forgets what belongs to one attempt, since it is over.
    pub(crate) fn end_attempt(&mut self) {
        self.deferrals = 0;
        self.elapsed = 0;
        self.attempt_fuel = 0;
        self.attempt_peak = 0;
        self.digests.clear();
    }

    /// Keeps who declined the task; of more than 16, the latest.
    pub(crate) fn decline(&mut self, digests: &[Digest]) {
        for digest in digests {
            if !self.declined.chunks_exact(32).any(|known| known == digest.as_bytes()) {
                self.declined.extend_from_slice(digest.as_bytes());
            }
        }
        let excess = self.declined.len().saturating_sub(MAX_DECLINED * 32);
        self.declined.drain(..excess);
    }

    /// Goes one stage on, within the same attempt.
    pub(crate) fn advance(&mut self, upstream: Option<Spawned>) {
        self.stage += 1;
        self.deferrals = 0;
        self.upstream = upstream;
    }

    /// Keeps the version of a run of the attempt under way.
    pub(crate) fn add_digest(&mut self, digest: &Digest) {
        if self.digests.len() < MAX_DIGESTS * 32 {
            self.digests.extend_from_slice(digest.as_bytes());
        }
    }
}

/// Digests as one column has them, 32 bytes each.
pub(crate) fn digests(bytes: &[u8]) -> Vec<Digest> {
    bytes.as_chunks::<32>().0.iter().map(|bytes| Digest::from_bytes(*bytes)).collect()
}

/// Databases' integers are signed; what is larger is kept as the largest.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The other way; a negative one, which this host never writes, is 0.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
