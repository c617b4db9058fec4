//! What must hold, and what must be possible for that to mean anything.

use std::collections::BTreeSet;

use stateright::Property;

use crate::worker::Footing;
use crate::{LeaseModel, RunNumber, State, TaskNumber};

/// A task's end is written at most once, so the effects of at most one attempt are committed.
pub const ENDS_ONCE: &str = "each task ends at most once";
/// An accepted task is ready, leased or ended: one of them, and in one lease.
pub const ONE_PLACE: &str = "each task is in exactly one place";
/// A commit is taken only from the run that holds the task at that moment.
pub const HOLDER_COMMITS: &str = "only the holder's commit is taken";
/// Of all runs of a task, live or with a commit under way, the commit of one at most could be taken.
pub const ONE_COMMITTER: &str = "at most one run could commit";
/// What a worker runs that does not stand still is under a lease that nobody else can be given.
pub const STOPS_IN_TIME: &str = "runs stop before their lease is void";
/// A cancelled task ends, and is not run again.
pub const CANCEL_HOLDS: &str = "a cancelled task is not ready again";
/// From whatever state the faults left, every task ends.
pub const ALL_END: &str = "every task ends";

/// Possible: a worker stands still while its task is leased to another. Only the fence helps then.
pub const OUTLIVES: &str = "a worker that stands still outlives its lease";
/// Possible: a task ends under another lease than its first.
pub const TAKEN_OVER: &str = "a task ends after a second claim";

/// What must hold.
pub fn required() -> Vec<Property<LeaseModel>> {
    vec![
        Property::always(ENDS_ONCE, |_, state: &State| state.store.tasks.iter().all(|task| task.ends <= 1)),
        Property::always(ONE_PLACE, |_, state| each_task(state, |task| places(state, task) == 1)),
        Property::always(HOLDER_COMMITS, |_, state: &State| !state.store.took_stale_commit),
        Property::always(ONE_COMMITTER, |model, state| each_task(state, |task| committers(model, state, task) <= 1)),
        Property::always(STOPS_IN_TIME, |_, state| attentive_runs_hold(state)),
        Property::always(CANCEL_HOLDS, |_, state| {
            each_task(state, |task| {
                !(state.store.ready.contains(task) && state.store.tasks[task.index()].cancelled_at.is_some())
            })
        }),
        Property::eventually(ALL_END, |_, state: &State| state.store.all_ended()),
    ]
}

/// What must be possible.
pub fn possible(model: &LeaseModel) -> Vec<Property<LeaseModel>> {
    let mut possible = vec![Property::sometimes(TAKEN_OVER, |_, state: &State| {
        each_task(state, |task| state.store.ended.contains(task))
            && state.store.tasks.iter().any(|task| task.run > RunNumber(1))
    })];
    if model.scenario.faults.pauses > 0 {
        possible.push(Property::sometimes(OUTLIVES, |_, state: &State| {
            let standing = state.workers.iter().filter(|worker| worker.footing == Footing::Paused);
            let mut runs = standing.flat_map(|worker| &worker.runs);
            runs.any(|right| state.store.is_leased(right.task) && !state.store.holds(right))
        }));
    }
    possible
}

fn each_task(state: &State, holds: impl Fn(TaskNumber) -> bool) -> bool {
    (0..state.store.tasks.len() as u8).map(TaskNumber).all(holds)
}

fn places(state: &State, task: TaskNumber) -> usize {
    let store = &state.store;
    let leases = store.leases.iter().filter(|lease| lease.tasks.contains(task)).count();
    usize::from(store.ready.contains(task)) + usize::from(store.ended.contains(task)) + leases
}

/// How many runs of a task hold a right that the store would take.
fn committers(model: &LeaseModel, state: &State, task: TaskNumber) -> usize {
    let live = state.workers.iter().flat_map(|worker| &worker.runs).copied();
    let sent = state.commits.iter().map(|commit| commit.right);
    let takeable = live.chain(sent).filter(|right| right.task == task && state.store.would_take(right, model.flaw));
    takeable.map(|right| right.run).collect::<BTreeSet<_>>().len()
}

/// Whether every run of a worker that goes on, and has looked at its clock since it last stood still, is under a lease
/// that holds.
fn attentive_runs_hold(state: &State) -> bool {
    let attentive = state.workers.iter().filter(|worker| worker.footing == Footing::Up && !worker.is_dazed);
    attentive.flat_map(|worker| &worker.runs).all(|right| state.store.holds(right))
}
