//! What follows from how a run ended: the contract's table of outcomes, as one pure function.

use std::time::Duration;

use crate::{Backoff, DeadReason, Fuel, Interruption, Limit, OnTrap, Options, ReadyReason, RunEnd};

/// The longest wait that a failure may ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Lost workers after which a task runs only alone on a worker.
pub const LOSSES_BEFORE_ALONE: u32 = 2;

/// Lost workers, while it ran alone, after which a task is dead as poison.
pub const LOSSES_WHILE_ALONE: u32 = 3;

/// Waits of 1 s, 2 s, 4 s … 60 s for what is not charged as an attempt.
const UNCHARGED: Backoff = Backoff {
    curve: crate::BackoffCurve::Exponential,
    base: crate::Span::from_secs(1),
    max: crate::Span::from_secs(60),
    jitter: 0.1,
};

/// Where the task stood when the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The number of this attempt; the first is 1.
    pub attempt: u32,
    /// The stage of this run.
    pub stage: u32,
    /// Fuel that all of the task's runs in this epoch have used, this one included.
    pub fuel_total: u64,
    /// How often in a row it was declined or interrupted before this run.
    pub deferrals: u32,
    /// Whether a live handler is left that has not declined the task.
    pub others_may_serve: bool,
}

/// The options that decide what follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conduct {
    /// Attempts in all.
    pub max_attempts: u32,
    /// The wait between attempts.
    pub backoff: Backoff,
    /// What follows a trap.
    pub on_trap: OnTrap,
    /// Whether a run out of fuel is tried again.
    pub retry_on_fuel: bool,
    /// Runs that resume a task, before it is ended.
    pub max_stages: u32,
    /// Fuel of all the task's runs, before it is ended.
    pub max_fuel_total: Fuel,
}

impl From<&Options> for Conduct {
    fn from(options: &Options) -> Self {
        Self {
            max_attempts: options.max_attempts,
            backoff: options.backoff,
            on_trap: options.on_trap,
            retry_on_fuel: options.retry_on_fuel,
            max_stages: options.max_stages,
            max_fuel_total: options.max_fuel_total,
        }
    }
}

/// What the store writes. Waits are durations; the store adds its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Ended well; what was to follow is submitted in the same commit.
    Succeed,
    /// Charged, and tried again after the wait.
    Retry(Duration),
    /// Charged, and a dead letter.
    Die(DeadReason),
    /// Not charged; ready again after the wait, for the reason.
    Defer(Duration, ReadyReason),
    /// Not charged; out of the claim index until the catalogue changes.
    Park,
    /// Not charged, and as if it had not been begun; ready at once where its workspace is.
    Move,
    /// Not charged; ready at once, one stage on, with its new state.
    Advance,
    /// Not charged; out of the queue until its children, or somebody outside, let it go on, one stage on.
    Suspend,
    /// Ended by somebody's wish.
    Cancel,
    /// Ended without having run, since its condition is not met.
    Skip,
}

impl NextStep {
    /// Whether the step uses up an attempt.
    pub const fn charges(self) -> bool {
        match self {
            Self::Succeed | Self::Retry(_) | Self::Die(_) => true,
            Self::Defer(..) | Self::Park | Self::Move | Self::Advance | Self::Suspend | Self::Cancel | Self::Skip => {
                false
            }
        }
    }
}

/// The end of a run as the task's own bounds have it: what would go on for ever is a limit.
pub fn bounded(standing: &Standing, conduct: &Conduct, end: RunEnd) -> RunEnd {
    let goes_on = matches!(end, RunEnd::Checkpointed(_) | RunEnd::Spawned(_) | RunEnd::Suspended(_));
    if goes_on && standing.stage.saturating_add(1) >= conduct.max_stages {
        return RunEnd::LimitReached(Limit::Stages);
    }
    if goes_on && standing.fuel_total >= conduct.max_fuel_total.units() {
        return RunEnd::LimitReached(Limit::TotalFuel);
    }
    end
}

/// The step that follows a run's end; `dice` decides the jitter of waits.
pub fn decide(standing: &Standing, conduct: &Conduct, end: &RunEnd, dice: u64) -> NextStep {
    let retry = |retry_after: Option<Duration>, exhausted: DeadReason| {
        if standing.attempt >= conduct.max_attempts {
            return NextStep::Die(exhausted);
        }
        let wait = retry_after
            .map_or_else(|| conduct.backoff.delay(standing.attempt, dice), |asked| asked.min(MAX_RETRY_AFTER));
        NextStep::Retry(wait)
    };
    let deferred = |reason| NextStep::Defer(UNCHARGED.delay(standing.deferrals.saturating_add(1), dice), reason);
    match end {
        RunEnd::Completed(_) | RunEnd::Decided(_) | RunEnd::Batched(_) => NextStep::Succeed,
        RunEnd::Skipped => NextStep::Skip,
        RunEnd::Checkpointed(_) => NextStep::Advance,
        RunEnd::Spawned(_) | RunEnd::Suspended(_) => NextStep::Suspend,
        RunEnd::Declined(_) if standing.others_may_serve => deferred(ReadyReason::Declined),
        RunEnd::Declined(_) => NextStep::Park,
        RunEnd::Failed(failure) if failure.retryable => retry(failure.retry_after, DeadReason::MaxAttempts),
        RunEnd::Failed(_) => NextStep::Die(DeadReason::Permanent),
        RunEnd::Trapped { .. } => match conduct.on_trap {
            OnTrap::Dead => NextStep::Die(DeadReason::Trap),
            OnTrap::Retry => retry(None, DeadReason::Trap),
        },
        RunEnd::OutOfFuel if conduct.retry_on_fuel => retry(None, DeadReason::OutOfFuel),
        RunEnd::OutOfFuel => NextStep::Die(DeadReason::OutOfFuel),
        RunEnd::TimedOut => retry(None, DeadReason::Timeout),
        RunEnd::LimitReached(_) => NextStep::Die(DeadReason::Limit),
        RunEnd::Invalid(_) => NextStep::Die(DeadReason::InvalidOutcome),
        RunEnd::Interrupted(Interruption::WorkspaceElsewhere) => NextStep::Move,
        RunEnd::Interrupted(_) => deferred(ReadyReason::Interrupted),
        RunEnd::Cancelled => NextStep::Cancel,
    }
}

/// What follows when the worker that ran a task was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossStep {
    /// Ready after the wait, beside others.
    Again(Duration),
    /// Ready after the wait, but only alone on a worker.
    Alone(Duration),
    /// Dead as poison.
    Poison,
}

/// The step after the `losses`-th lost worker of a task (the first is 1), all of them counted.
pub fn after_loss(losses: u32, dice: u64) -> LossStep {
    let wait = UNCHARGED.delay(losses, dice);
    if losses >= LOSSES_BEFORE_ALONE + LOSSES_WHILE_ALONE {
        LossStep::Poison
    } else if losses >= LOSSES_BEFORE_ALONE {
        LossStep::Alone(wait)
    } else {
        LossStep::Again(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Category, Checkpoint, Completion, Failure, Interruption, Join, JsonText, Limit, Spawn, Suspension};
    use proptest::prelude::*;

    fn standing(attempt: u32) -> Standing {
        Standing { attempt, stage: 0, fuel_total: 0, deferrals: 0, others_may_serve: true }
    }

    fn conduct(max_attempts: u32) -> Conduct {
        Conduct { max_attempts, ..Conduct::from(&Options::default()) }
    }

    fn failed(retryable: bool, retry_after: Option<Duration>) -> RunEnd {
        RunEnd::Failed(Failure {
            category: Category::Handler,
            code: "X".to_owned(),
            message: String::new(),
            retryable,
            retry_after,
            details: JsonText::null(),
        })
    }

    fn spawned() -> RunEnd {
        RunEnd::Spawned(Spawn { children: Vec::new(), join: Join::BestEffort, state: None })
    }

    fn any_end() -> impl Strategy<Value = RunEnd> {
        prop_oneof![
            Just(RunEnd::Completed(Completion { result: JsonText::null(), metadata: JsonText::null(), then: vec![] })),
            Just(RunEnd::Checkpointed(Checkpoint { state: JsonText::null(), processed: 1, total: None })),
            Just(spawned()),
            Just(RunEnd::Suspended(Suspension {
                reason: String::new(),
                metadata: JsonText::null(),
                state: None,
                timeout: None,
            })),
            Just(RunEnd::Declined(String::new())),
            (any::<bool>(), proptest::option::of(any::<u32>()))
                .prop_map(|(retryable, after)| failed(retryable, after.map(|s| Duration::from_secs(s.into())))),
            Just(RunEnd::Trapped { code: String::new(), backtrace: String::new() }),
            Just(RunEnd::OutOfFuel),
            Just(RunEnd::TimedOut),
            Just(RunEnd::LimitReached(Limit::Memory)),
            Just(RunEnd::Invalid(String::new())),
            Just(RunEnd::Interrupted(Interruption::Drain)),
            Just(RunEnd::Cancelled),
        ]
    }

    #[test]
    fn retry_after_wins_over_backoff_up_to_an_hour() {
        let after = |seconds| decide(&standing(1), &conduct(3), &failed(true, Some(Duration::from_secs(seconds))), 0);
        assert_eq!(after(7), NextStep::Retry(Duration::from_secs(7)));
        assert_eq!(after(7200), NextStep::Retry(MAX_RETRY_AFTER));
    }

    #[test]
    fn a_trap_is_final_unless_the_handler_asks_otherwise() {
        let trap = RunEnd::Trapped { code: String::new(), backtrace: String::new() };
        assert_eq!(decide(&standing(1), &conduct(3), &trap, 0), NextStep::Die(DeadReason::Trap));
        let lenient = Conduct { on_trap: OnTrap::Retry, ..conduct(3) };
        assert!(matches!(decide(&standing(1), &lenient, &trap, 0), NextStep::Retry(_)));
        assert_eq!(decide(&standing(3), &lenient, &trap, 0), NextStep::Die(DeadReason::Trap));
    }

    #[test]
    fn a_task_that_every_handler_declined_is_parked() {
        let nobody_left = Standing { others_may_serve: false, ..standing(1) };
        assert_eq!(decide(&nobody_left, &conduct(3), &RunEnd::Declined(String::new()), 0), NextStep::Park);
    }

    #[test]
    fn a_task_whose_workspace_is_elsewhere_goes_there_at_once() {
        let end = RunEnd::Interrupted(Interruption::WorkspaceElsewhere);
        assert_eq!(decide(&standing(9), &conduct(1), &end, 0), NextStep::Move);
        assert!(!NextStep::Move.charges());
    }

    #[test]
    fn going_on_for_ever_ends() {
        let checkpoint = RunEnd::Checkpointed(Checkpoint { state: JsonText::null(), processed: 0, total: None });
        let conduct = Conduct { max_stages: 10, max_fuel_total: Fuel::try_new(100).unwrap(), ..conduct(3) };
        for end in [checkpoint, spawned()] {
            let after =
                |stage, fuel_total| bounded(&Standing { stage, fuel_total, ..standing(1) }, &conduct, end.clone());
            assert_eq!(after(8, 99), end);
            assert_eq!(after(9, 99), RunEnd::LimitReached(Limit::Stages));
            assert_eq!(after(8, 100), RunEnd::LimitReached(Limit::TotalFuel));
        }
        // What has come to its end has done so, however long it took.
        let late = Standing { stage: 999, fuel_total: 999, ..standing(1) };
        assert_eq!(bounded(&late, &conduct, failed(true, None)), failed(true, None));
    }

    #[test]
    fn losses_lead_to_running_alone_and_then_to_poison() {
        let steps: Vec<_> = (1..=5).map(|losses| after_loss(losses, 0)).collect();
        assert!(matches!(
            steps[..],
            [LossStep::Again(_), LossStep::Alone(_), LossStep::Alone(_), LossStep::Alone(_), LossStep::Poison]
        ));
    }

    proptest! {
        #[test]
        fn a_charged_attempt_beyond_the_last_never_retries(end in any_end(), attempt in 1u32.., dice: u64) {
            let step = decide(&standing(attempt), &conduct(attempt), &end, dice);
            prop_assert!(!matches!(step, NextStep::Retry(_)));
        }

        #[test]
        fn interruptions_and_declines_are_never_charged(deferrals: u32, dice: u64, others_may_serve: bool) {
            let standing = Standing { deferrals, others_may_serve, ..standing(99) };
            for end in [RunEnd::Interrupted(Interruption::LeaseLost), RunEnd::Declined(String::new())] {
                let step = decide(&standing, &conduct(1), &end, dice);
                prop_assert!(!step.charges());
                if let NextStep::Defer(wait, _) = step {
                    prop_assert!(wait >= Duration::from_millis(900) && wait <= Duration::from_secs(66));
                }
            }
        }

        #[test]
        fn the_same_arguments_give_the_same_step(end in any_end(), attempt in 1u32..9, dice: u64) {
            let once = decide(&standing(attempt), &conduct(3), &end, dice);
            prop_assert_eq!(once, decide(&standing(attempt), &conduct(3), &end, dice));
        }
    }
}
