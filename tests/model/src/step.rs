//! What an action makes of a state.

use crate::message::{Commit, Question, RunEnding};
use crate::scenario::Faults;
use crate::worker::Footing;
use crate::{Action, Flaw, State, TaskSet, Worker, WorkerNumber};

/// The state after an action.
pub(crate) fn step(flaw: Option<Flaw>, before: &State, action: Action) -> State {
    let mut state = before.clone();
    let now = state.now;
    match action {
        Action::Tick(loser) => {
            if let Some(number) = loser {
                state.faults.lost_ticks -= 1;
                state.workers[number.index()].clock -= 1;
            }
            state.now.0 += 1;
        }
        Action::Calm => {
            state.is_calm = true;
            state.faults = Faults::default();
        }
        Action::Ask(number) => state.worker(number).ask(now),
        Action::HearQuestion(number) => {
            if let Some(question) = state.worker(number).question {
                let answer = state.store.answer(&question, now, flaw);
                state.worker(number).question = Some(Question { answer: Some(answer), ..question });
            }
        }
        Action::HearAnswer(number) => {
            state.worker(number).hear_answer(now, flaw);
        }
        Action::GuardFires(number) => {
            state.worker(number).guard_fires(flaw);
        }
        Action::HearLeave(number) => {
            if let Some(attachment) = state.worker(number).leaves.take() {
                state.store.detach(attachment);
            }
        }
        Action::ClaimOne(number) => state.claim(number, state.store.ready.head()),
        Action::ClaimAll(number) => state.claim(number, state.store.ready),
        Action::HearClaim(number) => {
            state.worker(number).hear_claim();
        }
        Action::RunEnds(number, task, ending) => {
            let runs = &mut state.worker(number).runs;
            if let Some(place) = runs.iter().position(|right| right.task == task) {
                let right = runs.remove(place);
                state.commits.push(Commit { right, ending });
                state.commits.sort_unstable();
            }
            if ending == RunEnding::Failed {
                state.faults.failures -= 1;
            }
        }
        Action::HearCommit(commit) => {
            state.store.commit(&commit, now, flaw);
        }
        Action::Refuse(commit) => {
            state.faults.refusals -= 1;
            state.store.refuse(&commit, flaw);
            state.commits.retain(|other| *other != commit);
        }
        Action::Sweep(attachment) => state.store.sweep(attachment, flaw),
        Action::Pause(number) => {
            state.faults.pauses -= 1;
            state.worker(number).footing = Footing::Paused;
        }
        Action::Resume(number) => state.worker(number).resume(now, flaw),
        Action::Crash(number) => {
            state.faults.crashes -= 1;
            state.worker(number).crash();
        }
        Action::BreakLine(number) => {
            state.faults.broken_lines -= 1;
            state.worker(number).break_line(flaw);
        }
        Action::TakeOver => {
            state.faults.takeovers -= 1;
            state.store.take_over(flaw);
            if flaw != Some(Flaw::TakeoverWithoutTheLock) {
                state.workers.iter_mut().for_each(Worker::crash);
            }
        }
        Action::Cancel(task) => {
            state.faults.cancels -= 1;
            state.store.cancel(task, now);
        }
    }
    state.forget_the_dead(flaw);
    state
}

impl State {
    fn worker(&mut self, number: WorkerNumber) -> &mut Worker {
        &mut self.workers[number.index()]
    }

    fn claim(&mut self, number: WorkerNumber, tasks: TaskSet) {
        if let Some(attachment) = self.workers[number.index()].attachment {
            let rights = self.store.claim(attachment, tasks);
            self.worker(number).deliveries.push(rights);
        }
    }
}
