//! What can happen in a state: everything while there are faults, only what must happen once they have stopped.

use crate::message::RunEnding;
use crate::scenario::{IdleWorker, Scenario};
use crate::worker::Footing;
use crate::{Action, Flaw, State, TaskSet, Worker, WorkerNumber};

/// Everything that can happen, in any order and at any time, faults included.
pub(crate) fn in_storm(scenario: &Scenario, flaw: Option<Flaw>, state: &State, actions: &mut Vec<Action>) {
    if state.store.all_ended() {
        // Only an old commit could still do anything.
        actions.extend(state.commits.iter().map(|commit| Action::HearCommit(*commit)));
        return;
    }
    for (number, worker) in state.workers() {
        faults_of(state, flaw, number, worker, actions);
        let is_wanted = scenario.idle == IdleWorker::IsAttached || has_reason_to_ask(state, worker);
        if is_wanted && worker.can_ask(state.now, flaw) {
            actions.push(Action::Ask(number));
        }
        if state.store.last_lease.0 < scenario.claims && can_claim(state, worker) {
            actions.push(Action::ClaimAll(number));
            if state.store.ready.head() != state.store.ready {
                actions.push(Action::ClaimOne(number));
            }
        }
        if state.faults.failures > 0 {
            end_runs(number, worker, RunEnding::Failed, actions);
        }
        arrivals(state, flaw, number, worker, actions);
    }
    for commit in &state.commits {
        actions.push(Action::HearCommit(*commit));
        if state.faults.refusals > 0 {
            actions.push(Action::Refuse(*commit));
        }
    }
    if state.faults.takeovers > 0 {
        actions.push(Action::TakeOver);
    }
    if state.faults.cancels > 0 {
        let tasks = TaskSet::first(scenario.tasks).iter();
        actions.extend(tasks.filter(|task| !state.store.ended.contains(*task)).map(Action::Cancel));
    }
    sweeps(state, flaw, actions);
    if state.now.0 >= scenario.calm_from {
        actions.push(Action::Calm);
    } else if !guards_are_due(state, flaw) {
        actions.push(Action::Tick(None));
        if state.faults.lost_ticks > 0 {
            actions.extend(state.workers().map(|(number, _)| Action::Tick(Some(number))));
        }
    }
}

/// What happens before time goes on, now that nothing fails any more; and time, where there is nothing else.
pub(crate) fn in_calm(flaw: Option<Flaw>, state: &State, actions: &mut Vec<Action>) {
    if state.store.all_ended() {
        return;
    }
    for (number, worker) in state.workers() {
        if worker.footing == Footing::Paused {
            actions.push(Action::Resume(number));
        }
        let must_ask = worker.attachment.is_none() || worker.trust_left(state.now) <= 1;
        if must_ask && worker.can_ask(state.now, flaw) && has_reason_to_ask(state, worker) {
            actions.push(Action::Ask(number));
        }
        if can_claim(state, worker) {
            actions.push(Action::ClaimAll(number));
        }
        arrivals(state, flaw, number, worker, actions);
    }
    let sent_again = state.commits.iter().filter(|commit| state.is_sent_again(commit));
    let taken = sent_again.filter(|commit| state.store.would_take(&commit.right, flaw));
    actions.extend(taken.map(|commit| Action::HearCommit(*commit)));
    sweeps(state, flaw, actions);
    if actions.is_empty() {
        actions.push(Action::Tick(None));
    }
}

/// What goes wrong with one worker, and how it comes back.
fn faults_of(state: &State, flaw: Option<Flaw>, number: WorkerNumber, worker: &Worker, actions: &mut Vec<Action>) {
    let faults = &state.faults;
    match worker.footing {
        Footing::Up => {
            if faults.pauses > 0 && worker.attachment.is_some() {
                actions.push(Action::Pause(number));
            }
            if faults.broken_lines > 0 && worker.attachment.is_some() {
                actions.push(Action::BreakLine(number));
            }
        }
        Footing::Paused => actions.push(Action::Resume(number)),
    }
    if faults.crashes > 0 {
        actions.push(Action::Crash(number));
    }
    if worker.must_stop(state.now, flaw) {
        actions.push(Action::GuardFires(number));
    }
}

/// What can reach a worker or come out of it.
fn arrivals(state: &State, flaw: Option<Flaw>, number: WorkerNumber, worker: &Worker, actions: &mut Vec<Action>) {
    if worker.question.is_some_and(|question| question.answer.is_none()) {
        actions.push(Action::HearQuestion(number));
    }
    if worker.leaves.is_some_and(|attachment| state.store.attachment(attachment).is_some()) {
        actions.push(Action::HearLeave(number));
    }
    if worker.footing != Footing::Up {
        return;
    }
    if worker.question.is_some_and(|question| question.answer.is_some()) {
        actions.push(Action::HearAnswer(number));
    }
    if !worker.deliveries.is_empty() {
        actions.push(Action::HearClaim(number));
    }
    if state.is_calm && worker.must_stop(state.now, flaw) {
        actions.push(Action::GuardFires(number));
    }
    end_runs(number, worker, RunEnding::Completed, actions);
}

/// What the store can do by itself.
fn sweeps(state: &State, flaw: Option<Flaw>, actions: &mut Vec<Action>) {
    if flaw != Some(Flaw::NobodySweeps) {
        let lost = state.store.attachments.iter().filter(|attachment| attachment.is_lost(state.now));
        actions.extend(lost.map(|attachment| Action::Sweep(attachment.number)));
    }
}

fn end_runs(number: WorkerNumber, worker: &Worker, ending: RunEnding, actions: &mut Vec<Action>) {
    if worker.footing == Footing::Up {
        actions.extend(worker.runs.iter().map(|right| Action::RunEnds(number, right.task, ending)));
    }
}

/// Whether the worker holds something, or could be given something once it is attached.
fn has_reason_to_ask(state: &State, worker: &Worker) -> bool {
    let Some(attachment) = worker.attachment else { return !state.store.ready.is_empty() };
    let holds = state.store.leases.iter().any(|lease| lease.attachment == attachment);
    holds || !worker.deliveries.is_empty() || !worker.runs.is_empty()
}

/// Whether the store may claim for the worker: it sweeps before it claims, so never for an attachment that is lost.
fn can_claim(state: &State, worker: &Worker) -> bool {
    let attached = worker.attachment.and_then(|number| state.store.attachment(number));
    !state.store.ready.is_empty() && attached.is_some_and(|attachment| !attachment.is_lost(state.now))
}

/// Whether a worker that goes on must still look at its clock before time goes on.
fn guards_are_due(state: &State, flaw: Option<Flaw>) -> bool {
    state.workers.iter().any(|worker| worker.must_stop(state.now, flaw))
}
