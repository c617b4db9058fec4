//! Workflows of random shape whose steps end at random, over crashes, end as a plain walk through the plan says.

use std::collections::BTreeMap;
use std::time::Duration;

use bulkhead_core::{DeadReason, JsonText, NextStep, PlanStep, State, StepRole, TaskId, WorkflowState};
use bulkhead_store::{Change, Claimed, Commit, Delivery, Resolution};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::harness::{Engine, Worker, ended, failed, retried, succeeded};
use crate::workflow_harness::{Workflows as _, decided, step, workflow};

/// The most steps of one workflow.
const STEPS: usize = 200;

/// What a step does when it runs.
#[derive(Debug, Clone)]
struct Script {
    /// Of the steps before it, those that it depends on, as chances out of 256.
    dependencies: Vec<u8>,
    role: StepRole,
    /// Runs that fail before the last.
    retries: u8,
    /// Its last run ends badly, the first time.
    dies: bool,
    /// Where it is a decision: which of those behind it it chooses.
    choice: u64,
}

fn script() -> impl Strategy<Value = Script> {
    let role = prop_oneof![
        6 => Just(StepRole::Standard),
        1 => Just(StepRole::Decision),
        2 => Just(StepRole::Convergence),
    ];
    (proptest::collection::vec(any::<u8>(), 4), role, 0u8..3, proptest::bool::weighted(0.04), any::<u64>())
        .prop_map(|(dependencies, role, retries, dies, choice)| Script { dependencies, role, retries, dies, choice })
}

/// The plan of these scripts: each step may depend on up to four before it.
fn plan(scripts: &[Script]) -> Vec<PlanStep> {
    scripts
        .iter()
        .enumerate()
        .map(|(place, script)| {
            let mut depends_on: Vec<u32> = Vec::new();
            for (number, chance) in script.dependencies.iter().enumerate() {
                // Mostly near ones, so that there are long paths, and some far.
                let back = 1 + (*chance as usize % 7) * if number == 3 { 11 } else { 1 };
                if back <= place && (number == 0 || chance % 3 == 0) {
                    depends_on.push(u32::try_from(place - back).unwrap());
                }
            }
            depends_on.sort_unstable();
            depends_on.dedup();
            PlanStep { role: script.role, ..step(&format!("s{place}"), &depends_on) }
        })
        .collect()
}

/// The steps that a decision chooses between, and those of them that it chooses.
fn chosen(plan: &[PlanStep], scripts: &[Script], place: usize) -> Vec<u32> {
    let mine = u32::try_from(place).unwrap();
    let behind = (0_u32..).zip(plan).filter(|(_, step)| step.depends_on.contains(&mine));
    let choices = behind.filter(|(_, step)| step.role != StepRole::Convergence);
    choices.enumerate().filter(|(nth, _)| scripts[place].choice >> (nth % 64) & 1 == 1).map(|(_, (at, _))| at).collect()
}

/// How every step ends, worked out without a store: a walk through the plan in its order. `helped`: dead steps were
/// requeued and ended well.
fn oracle(plan: &[PlanStep], scripts: &[Script], helped: bool) -> Vec<State> {
    let mut ends: Vec<State> = Vec::new();
    for (place, step) in plan.iter().enumerate() {
        let mine = u32::try_from(place).unwrap();
        let before: Vec<State> = step
            .depends_on
            .iter()
            .map(|dependency| {
                let at = *dependency as usize;
                let passed_over = plan[at].role == StepRole::Decision
                    && ends[at] == State::Succeeded
                    && step.role != StepRole::Convergence
                    && !chosen(plan, scripts, at).contains(&mine);
                if passed_over { State::Skipped } else { ends[at] }
            })
            .collect();
        let converges = step.role == StepRole::Convergence;
        let end = if !converges && before.contains(&State::Skipped) {
            State::Skipped
        } else if before.iter().any(|state| matches!(state, State::Dead | State::Blocked)) {
            State::Blocked
        } else if !before.is_empty() && before.iter().all(|state| *state == State::Skipped) {
            State::Skipped
        } else if scripts[place].dies && !helped {
            State::Dead
        } else {
            State::Succeeded
        };
        ends.push(end);
    }
    ends
}

/// Plays the scripts.
struct Player<'a> {
    plan: &'a [PlanStep],
    scripts: &'a [Script],
    /// Runs of each step so far, and whether it has died.
    runs: BTreeMap<usize, u8>,
    died: Vec<usize>,
}

impl Player<'_> {
    fn commit(&mut self, task: &Claimed) -> Commit {
        let place = task.extras.as_ref().unwrap().step.as_ref().unwrap().place as usize;
        let script = &self.scripts[place];
        let runs = self.runs.entry(place).or_default();
        *runs += 1;
        if *runs <= script.retries {
            return retried(task, Duration::ZERO);
        }
        if script.dies && !self.died.contains(&place) {
            self.died.push(place);
            return ended(task, NextStep::Die(DeadReason::Permanent), failed());
        }
        match script.role {
            StepRole::Decision => decided(task, &chosen(self.plan, self.scripts, place)),
            _ => succeeded(task),
        }
    }

    /// Plays until nothing more is to be done; every so often, the store crashes with what it was given and did not answer.
    async fn play<E: Engine>(&mut self, mut engine: E, crashes: &[u16]) -> E {
        let mut crashes = crashes.iter().copied();
        let mut until_crash = crashes.next();
        let mut worker: Worker = engine.worker(7).await;
        loop {
            engine.advance(Duration::from_millis(1)).await;
            let mut tasks = Vec::new();
            while let Ok(delivery) = worker.line.deliveries.try_recv() {
                if let Delivery::Claimed { tasks: more, .. } = delivery {
                    tasks.extend(more);
                }
            }
            if tasks.is_empty() {
                return engine;
            }
            if let Some(left) = &mut until_crash {
                *left = left.saturating_sub(u16::try_from(tasks.len()).unwrap());
                if *left == 0 {
                    until_crash = crashes.next();
                    drop(worker);
                    engine = engine.crash().await;
                    // What ran then has lost its worker, and waits a while.
                    engine.advance(Duration::from_secs(70)).await;
                    worker = engine.worker(7).await;
                    continue;
                }
            }
            let commits: Vec<Commit> = tasks.iter().map(|task| self.commit(task)).collect();
            let permits = commits.len();
            worker.line.sender.send(commits, permits);
        }
    }
}

/// The result with which somebody closes a step by hand: of a decision, the steps that run next.
fn by_hand(plan: &[PlanStep], scripts: &[Script], place: usize) -> Resolution {
    let is_decision = plan[place].role == StepRole::Decision;
    Resolution { result: JsonText::null(), chosen: is_decision.then(|| chosen(plan, scripts, place)) }
}

async fn assert_ends<E: Engine>(engine: &E, id: &TaskId, wanted: &[State]) {
    let shown = engine.show(id).await;
    let steps = shown.steps.unwrap();
    for (step, wanted) in steps.iter().zip(wanted) {
        assert_eq!(step.state, *wanted, "{}", step.name);
    }
    let any = |state| wanted.contains(&state);
    let state = match (any(State::Blocked), any(State::Dead)) {
        (true, _) => WorkflowState::Blocked,
        (false, true) => WorkflowState::Failed,
        (false, false) => WorkflowState::Succeeded,
    };
    assert_eq!(shown.state, state);
    let blocked = wanted.iter().filter(|state| **state == State::Blocked).count();
    assert_eq!(shown.blocked as usize, blocked);
}

pub(crate) async fn random_workflows_end_as_a_walk_through_their_plan_says<E: Engine>() {
    let cases = std::env::var("BULKHEAD_RANDOM_WORKFLOWS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(8);
    let mut runner = TestRunner::default();
    let strategy = (proptest::collection::vec(script(), 1..STEPS), proptest::collection::vec(3u16..60, 0..2));
    for _ in 0..cases {
        let (scripts, crashes) = strategy.new_tree(&mut runner).unwrap().current();
        let plan = plan(&scripts);
        let engine = E::start().await;
        let begun = engine.begin(workflow(plan.clone())).await;
        let mut player = Player { plan: &plan, scripts: &scripts, runs: BTreeMap::new(), died: Vec::new() };
        let engine = player.play(engine, &crashes).await;
        assert_ends(&engine, &begun.id, &oracle(&plan, &scripts, false)).await;
        // Whatever is dead is helped, by turns; what was blocked behind it may die in its turn.
        let mut engine = engine;
        loop {
            let steps = engine.show(&begun.id).await.steps.unwrap();
            let dead = steps.into_iter().enumerate().filter(|(_, step)| step.state == State::Dead);
            let dead: Vec<(usize, TaskId)> = dead.map(|(place, step)| (place, step.task)).collect();
            if dead.is_empty() {
                break;
            }
            for (nth, (place, id)) in dead.into_iter().enumerate() {
                let help =
                    if nth % 2 == 0 { Change::Requeue } else { Change::Resolve(by_hand(&plan, &scripts, place)) };
                engine.store().change(vec![id], help).await.unwrap();
            }
            engine = player.play(engine, &[]).await;
        }
        let mut wanted = oracle(&plan, &scripts, true);
        let shown = engine.show(&begun.id).await.steps.unwrap();
        for (wanted, step) in wanted.iter_mut().zip(&shown) {
            if *wanted == State::Succeeded && step.state == State::Resolved {
                *wanted = State::Resolved;
            }
        }
        assert_ends(&engine, &begun.id, &wanted).await;
    }
}
