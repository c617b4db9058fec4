//! What may happen to a queue, at random. Tasks, runs and workers are named by numbers that are taken modulo how many
//! there are, so that whatever is left of a sequence means something.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

/// A task that is to be submitted.
#[derive(Debug, Clone)]
pub(super) struct NewSpec {
    pub(super) route: u8,
    pub(super) priority: i8,
    /// In seconds.
    pub(super) delay: u64,
    /// In seconds from now.
    pub(super) expires_in: Option<u64>,
    /// In seconds.
    pub(super) stale_after: Option<u64>,
    pub(super) max_attempts: Option<u32>,
    pub(super) name: Name,
}

/// What a task is called; tasks of one name have the same body, except where that is altered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    None,
    Key(u8, Altered),
    OwnId(u8, Altered),
    /// The name of a task that is there already.
    Existing(usize),
}

pub(super) type Altered = bool;

/// How a run ends.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Succeed,
    SucceedThen(Vec<NewSpec>),
    Fail { retryable: bool, after: Option<u64>, from_start: bool },
    Trap,
    TimeOut,
    Decline { digest: u8, others: bool },
    Interrupt,
    Checkpoint,
    Ask { timeout: Option<u64> },
    Spawn { children: Vec<NewSpec>, join: JoinSpec },
    Stop,
}

/// A join; numbers are taken modulo how many children there are.
#[derive(Debug, Clone)]
pub(super) enum JoinSpec {
    BestEffort,
    Strict,
    AtLeast(u8),
    Critical(Vec<u8>),
}

/// What callers ask of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Cancel,
    Pause,
    Resume,
    Answer,
    Requeue,
    Resolve,
    Remove,
}

#[derive(Debug, Clone)]
pub(super) enum Operation {
    Submit(Vec<NewSpec>),
    /// A worker comes, or says anew what it serves.
    Serve {
        slot: usize,
        serves: u8,
        permits: usize,
    },
    Permit {
        slot: usize,
        permits: usize,
    },
    StopClaiming {
        slot: usize,
    },
    Detach {
        slot: usize,
    },
    /// Runs of one worker end, in one batch.
    End {
        slot: usize,
        runs: Vec<(usize, Outcome)>,
        permits: usize,
    },
    /// A run ends that has ended before, or another worker's.
    EndStale {
        slot: usize,
        run: usize,
    },
    Release {
        run: usize,
    },
    /// In milliseconds; where the workers do not renew their leases meanwhile, they may lose them.
    Advance {
        millis: u64,
        renew: bool,
    },
    Change {
        tasks: Vec<usize>,
        asked: Asked,
    },
    Hold {
        kind: Option<u8>,
        held: bool,
    },
    Crash,
    Reopen,
    /// Looks at every task as a whole, at filters and counts.
    Look,
}

/// An operation, and the host that does it where there are several.
pub(super) type Step = (u8, Operation);

fn name() -> impl Strategy<Value = Name> {
    let altered = || prop::bool::weighted(0.15);
    prop_oneof![
        12 => Just(Name::None),
        2 => (0u8..4, altered()).prop_map(|(key, altered)| Name::Key(key, altered)),
        1 => (0u8..3, altered()).prop_map(|(id, altered)| Name::OwnId(id, altered)),
        1 => (0usize..50).prop_map(Name::Existing),
    ]
}

fn new_spec() -> impl Strategy<Value = NewSpec> {
    let delay = prop_oneof![4 => Just(0u64), 1 => Just(2), 1 => Just(20)];
    let expires_in = weighted(0.1, prop_oneof![1 => Just(0u64), 3 => Just(5), 3 => Just(20)]);
    let stale_after = weighted(0.3, prop_oneof![Just(10u64), Just(30)]);
    let max_attempts = weighted(0.3, 1u32..3);
    (0u8..4, -1i8..=1, delay, expires_in, stale_after, max_attempts, name()).prop_map(
        |(route, priority, delay, expires_in, stale_after, max_attempts, name)| NewSpec {
            route,
            priority,
            delay,
            expires_in,
            stale_after,
            max_attempts,
            name,
        },
    )
}

fn join() -> impl Strategy<Value = JoinSpec> {
    prop_oneof![
        Just(JoinSpec::BestEffort),
        Just(JoinSpec::Strict),
        (0u8..4).prop_map(JoinSpec::AtLeast),
        vec(0u8..4, 1..3).prop_map(JoinSpec::Critical),
    ]
}

/// What a sequence is mostly about: how much more often than elsewhere its own kind of thing happens.
#[derive(Debug, Clone, Copy)]
struct Profile {
    /// Spawns, and tasks that ask.
    families: u32,
    /// Crashes, workers that do not renew.
    losses: u32,
    /// Requests about tasks.
    changes: u32,
}

const PROFILES: [Profile; 4] = [
    Profile { families: 1, losses: 1, changes: 1 },
    Profile { families: 5, losses: 1, changes: 1 },
    Profile { families: 1, losses: 6, changes: 1 },
    Profile { families: 3, losses: 3, changes: 3 },
];

fn outcome(profile: Profile) -> impl Strategy<Value = Outcome> {
    let fail = (prop::bool::weighted(0.6), weighted(0.5, prop_oneof![Just(0u64), Just(3)]), any::<bool>());
    let timeout = weighted(0.5, prop_oneof![Just(0u64), Just(5), Just(20)]);
    let Profile { families, .. } = profile;
    prop_oneof![
        6 => Just(Outcome::Succeed),
        1 => vec(new_spec(), 1..3).prop_map(Outcome::SucceedThen),
        5 => fail.prop_map(|(retryable, after, from_start)| Outcome::Fail { retryable, after, from_start }),
        1 => Just(Outcome::Trap),
        1 => Just(Outcome::TimeOut),
        2 => (0u8..20, prop::bool::weighted(0.4)).prop_map(|(digest, others)| Outcome::Decline { digest, others }),
        1 => Just(Outcome::Interrupt),
        2 => Just(Outcome::Checkpoint),
        2 * families => timeout.prop_map(|timeout| Outcome::Ask { timeout }),
        5 * families => (vec(new_spec(), 1..4), join()).prop_map(|(children, join)| Outcome::Spawn { children, join }),
        1 => Just(Outcome::Stop),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        2 => Just(Asked::Cancel),
        2 => Just(Asked::Pause),
        3 => Just(Asked::Resume),
        2 => Just(Asked::Answer),
        4 => Just(Asked::Requeue),
        1 => Just(Asked::Resolve),
        1 => Just(Asked::Remove),
    ]
}

fn operation(profile: Profile) -> impl Strategy<Value = Operation> {
    let Profile { losses, changes, .. } = profile;
    let slot = || 0usize..3;
    let millis = prop_oneof![Just(1u64), Just(900), Just(2_000), Just(5_000), Just(6_001), Just(16_000), Just(70_000)];
    let renew = prop::bool::weighted(1.0 - 0.08 * f64::from(losses));
    let serves = prop_oneof![3 => Just(15u8), 2 => 1u8..16];
    prop_oneof![
        10 => vec(new_spec(), 1..5).prop_map(Operation::Submit),
        8 => (slot(), serves, 0usize..8)
            .prop_map(|(slot, serves, permits)| Operation::Serve { slot, serves, permits }),
        4 => (slot(), 1usize..4).prop_map(|(slot, permits)| Operation::Permit { slot, permits }),
        1 => slot().prop_map(|slot| Operation::StopClaiming { slot }),
        2 => slot().prop_map(|slot| Operation::Detach { slot }),
        36 => (slot(), vec((0usize..10, outcome(profile)), 1..4), 0usize..5)
            .prop_map(|(slot, runs, permits)| Operation::End { slot, runs, permits }),
        2 => (slot(), 0usize..20).prop_map(|(slot, run)| Operation::EndStale { slot, run }),
        2 => (0usize..10).prop_map(|run| Operation::Release { run }),
        8 + 2 * losses => (millis, renew).prop_map(|(millis, renew)| Operation::Advance { millis, renew }),
        8 * changes => (vec(0usize..60, 1..3), asked()).prop_map(|(tasks, asked)| Operation::Change { tasks, asked }),
        3 => (weighted(0.8, 0u8..3), any::<bool>()).prop_map(|(kind, held)| Operation::Hold { kind, held }),
        losses => Just(Operation::Crash),
        1 => Just(Operation::Reopen),
        2 => Just(Operation::Look),
    ]
}

/// A sequence of about so many operations at most, about any of these things; it begins with tasks and a worker.
pub(super) fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let about = PROFILES.map(|profile| vec((0u8..2, operation(profile)), 1..most).boxed());
    let begin = vec((0u8..2, vec(new_spec(), 4..5), 0usize..3, 1usize..8), 1..3);
    (begin, proptest::strategy::Union::new(about)).prop_map(|(begin, mut rest)| {
        let begin = begin.into_iter().flat_map(|(host, specs, slot, permits)| {
            let serve = Operation::Serve { slot, serves: 15, permits };
            [(host, Operation::Submit(specs)), (host, serve)]
        });
        rest.splice(0..0, begin);
        rest
    })
}
