//! What a protocol can get wrong: each flaw is one step done as it must not be done.

/// One thing done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// The store writes an end whoever brings it.
    CommitsAreNotFenced,
    /// A commit is asked whether its task is leased, and not under which number.
    CommitsAreFencedByTaskAlone,
    /// After a restart of the store, leases and attachments are numbered from the start again.
    LeaseNumbersAreReused,
    /// A commit that comes again, its COMMIT having been unknown to the worker, is written again.
    RepeatedCommitIsWrittenAgain,
    /// A worker trusts a renewal from when the answer came, not from when it asked.
    TrustCountsFromTheAnswer,
    /// A worker goes on with its runs until the store tells it that they are void.
    WorkersDoNotStopThemselves,
    /// The store notes a renewal by the worker's clock, and sweeps by its own.
    RenewalsAreStampedByTheWorker,
    /// A worker's clock may lose as many ticks as the lease is longer than the trust.
    ClocksLoseTheWholeMargin,
    /// A worker that was cut off takes its lease up again when a late renewal is confirmed.
    LeaseIsTakenUpAgain,
    /// What was claimed before a cut-off and handed over after it is started.
    LateDeliveryIsStarted,
    /// A cut-off worker gives its tasks back before its runs have stopped.
    TasksAreGivenBackBeforeRunsStop,
    /// A worker whose line broke goes on renewing, and never hears of a batch that was on its way.
    BrokenLineIsKept,
    /// An end that the database refuses to write is answered, and its task stays under a lease that is renewed.
    RefusedEndIsForgotten,
    /// An expired lease is voided, and its tasks are put nowhere.
    SweepForgetsTasks,
    /// The tasks of an expired lease are ready again, and the lease is still good.
    SweepKeepsTheLease,
    /// Nobody looks for expired leases.
    NobodySweeps,
    /// A new holder takes the store over while workers of the old one still run.
    TakeoverWithoutTheLock,
    /// A cancelled task whose worker is lost becomes ready as any other.
    LossForgetsTheCancel,
}

impl Flaw {
    /// Whether a commit that is refused now could be taken later.
    pub const fn is_of_the_fence(self) -> bool {
        matches!(
            self,
            Self::CommitsAreNotFenced
                | Self::CommitsAreFencedByTaskAlone
                | Self::LeaseNumbersAreReused
                | Self::RepeatedCommitIsWrittenAgain
        )
    }

    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::CommitsAreNotFenced,
        Self::CommitsAreFencedByTaskAlone,
        Self::LeaseNumbersAreReused,
        Self::RepeatedCommitIsWrittenAgain,
        Self::TrustCountsFromTheAnswer,
        Self::WorkersDoNotStopThemselves,
        Self::RenewalsAreStampedByTheWorker,
        Self::ClocksLoseTheWholeMargin,
        Self::LeaseIsTakenUpAgain,
        Self::LateDeliveryIsStarted,
        Self::TasksAreGivenBackBeforeRunsStop,
        Self::BrokenLineIsKept,
        Self::RefusedEndIsForgotten,
        Self::SweepForgetsTasks,
        Self::SweepKeepsTheLease,
        Self::NobodySweeps,
        Self::TakeoverWithoutTheLock,
        Self::LossForgetsTheCancel,
    ];
}
