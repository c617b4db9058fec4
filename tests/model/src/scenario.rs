//! How much of everything there is: small enough to be gone through whole.

/// Ticks that a lease lasts without renewal. With the trust below, the product's 15 s and 10 s in units of 5 s.
pub const LEASE: i8 = 3;

/// Ticks for which a worker trusts a renewal, from when it asked.
pub const TRUST: i8 = 2;

/// Attempts that a task has.
pub const MAX_ATTEMPTS: u8 = 2;

/// Ticks within which a run may still end well after its task was cancelled.
pub const CANCEL_GRACE: i8 = 1;

/// Faults that may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Faults {
    /// A worker stands still, and later goes on where it was.
    pub pauses: u8,
    /// A worker's process dies, and is started again.
    pub crashes: u8,
    /// A worker's clock misses a tick.
    pub lost_ticks: u8,
    /// The line between a worker and the store breaks, and both sides see it sooner or later.
    pub broken_lines: u8,
    /// The store's process dies, with the workers in it; the next holder voids every lease.
    pub takeovers: u8,
    /// A task is cancelled: no fault, but nothing that must happen either.
    pub cancels: u8,
    /// A run fails, and may be tried again.
    pub failures: u8,
    /// The database refuses to write what a run brought.
    pub refusals: u8,
}

/// Whether a worker is attached that holds nothing and could be given nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleWorker {
    /// It attaches when there is something to claim: its renewals alone would make most of the states.
    StaysAway,
    /// It attaches and renews as any other.
    IsAttached,
}

/// The bounds of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// Tasks, all accepted at the start.
    pub tasks: u8,
    /// By how much each worker's clock is before the store's; as many as there are workers.
    pub clocks: &'static [i8],
    /// The tick at which faults stop and everything under way arrives.
    pub calm_from: i8,
    /// Claims that are made before then.
    pub claims: u8,
    /// What workers with nothing to do are like.
    pub idle: IdleWorker,
    /// What may happen besides, each at any moment.
    pub faults: Faults,
}

/// No faults but those of the network: messages that come late, again, or never.
const NETWORK_ONLY: Faults = Faults {
    pauses: 0,
    crashes: 0,
    lost_ticks: 0,
    broken_lines: 0,
    takeovers: 0,
    cancels: 0,
    failures: 0,
    refusals: 0,
};

impl Scenario {
    /// Two workers and one task, with a worker that stands still.
    pub const PAUSES: Self = Self {
        name: "pauses",
        tasks: 1,
        clocks: &[0, 0],
        calm_from: 8,
        claims: 3,
        idle: IdleWorker::StaysAway,
        faults: Faults { pauses: 1, ..NETWORK_ONLY },
    };

    /// Two workers and one task, with processes that die: a worker's, and the store's with all in it.
    pub const CRASHES: Self = Self {
        name: "crashes",
        tasks: 1,
        clocks: &[0, 0],
        calm_from: 5,
        claims: 3,
        idle: IdleWorker::StaysAway,
        faults: Faults { crashes: 1, takeovers: 1, ..NETWORK_ONLY },
    };

    /// Two workers and one task, with a line that breaks and a run that fails and is tried again.
    pub const LINES: Self = Self {
        name: "lines",
        tasks: 1,
        clocks: &[0, 0],
        calm_from: 5,
        claims: 3,
        idle: IdleWorker::StaysAway,
        faults: Faults { broken_lines: 1, failures: 1, ..NETWORK_ONLY },
    };

    /// Two workers and one task, with a clock that loses a tick.
    pub const SLOW_CLOCKS: Self = Self {
        name: "slow clocks",
        tasks: 1,
        clocks: &[0, 0],
        calm_from: 5,
        claims: 2,
        idle: IdleWorker::StaysAway,
        faults: Faults { lost_ticks: 1, ..NETWORK_ONLY },
    };

    /// Two workers and one task, with clocks that disagree, and workers that are attached at all times.
    pub const SKEWED_CLOCKS: Self = Self {
        name: "skewed clocks",
        clocks: &[0, -2],
        idle: IdleWorker::IsAttached,
        faults: NETWORK_ONLY,
        ..Self::SLOW_CLOCKS
    };

    /// Two workers and one task, with a clock that loses more than the lease is longer than the trust. Only a flaw allows it.
    pub const SLOWER_CLOCKS: Self =
        Self { name: "slower clocks", faults: Faults { lost_ticks: 2, ..NETWORK_ONLY }, ..Self::SLOW_CLOCKS };

    /// Two workers and one task, with an end that the database refuses to write.
    pub const REFUSALS: Self =
        Self { name: "refusals", faults: Faults { refusals: 1, ..NETWORK_ONLY }, ..Self::SLOW_CLOCKS };

    /// Two workers and two tasks, claimed one by one or both under one lease.
    pub const BATCHES: Self = Self {
        name: "batches",
        tasks: 2,
        clocks: &[0, 0],
        calm_from: 4,
        claims: 2,
        idle: IdleWorker::StaysAway,
        faults: NETWORK_ONLY,
    };

    /// Three workers and one task.
    pub const THREE: Self = Self {
        name: "three",
        tasks: 1,
        clocks: &[0, 0, 0],
        calm_from: 4,
        claims: 2,
        idle: IdleWorker::StaysAway,
        faults: NETWORK_ONLY,
    };

    /// Two workers and one task, which is cancelled at any moment.
    pub const CANCELS: Self = Self {
        name: "cancels",
        tasks: 1,
        clocks: &[0, 0],
        calm_from: 5,
        claims: 2,
        idle: IdleWorker::StaysAway,
        faults: Faults { crashes: 1, cancels: 1, ..NETWORK_ONLY },
    };

    /// Those in which the protocol must hold.
    pub const ALL: [Self; 9] = [
        Self::PAUSES,
        Self::CRASHES,
        Self::LINES,
        Self::SLOW_CLOCKS,
        Self::SKEWED_CLOCKS,
        Self::REFUSALS,
        Self::BATCHES,
        Self::THREE,
        Self::CANCELS,
    ];

    /// The last tick at all: what has not ended by then, quiet as it was, is stuck.
    pub const fn last_tick(&self) -> i8 {
        self.calm_from + LEASE + 3
    }
}
