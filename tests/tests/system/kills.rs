//! The short form of `cargo xtask torture -- kills` and `-- workflows`, on each engine.

use bulkhead_tests::killed_workflows::kill_workflows;
use bulkhead_tests::kills::{Engine, Plan, kills};
use bulkhead_tests::{places, skipped};

/// Another each day would find more, and would fail on somebody who changed nothing; the long form does that.
const SEED: u64 = 20_261_121;

fn kill_on(engine: Engine) {
    let plan = Plan::new(SEED, 2_000, 6, 2).on(engine);
    let mut said = Vec::new();
    let ledger = kills(&plan, &mut |line| said.push(line)).unwrap_or_else(|error| panic!("{error:#}\n{said:#?}"));
    ledger.check().unwrap_or_else(|error| panic!("{error:#}\n{said:#?}"));
}

#[test]
fn no_task_is_lost_and_none_committed_twice_when_the_host_is_killed() {
    kill_on(Engine::Sqlite);
}

#[test]
fn no_task_is_lost_and_none_committed_twice_when_the_host_of_a_server_is_killed() {
    if places::postgres_programs().is_none() {
        return skipped("there is no PostgreSQL");
    }
    kill_on(Engine::Postgres);
}

fn kill_workflows_on(engine: Engine) {
    let plan = Plan::new(SEED, 60, 6, 3).with_releases().on(engine);
    let mut said = Vec::new();
    let ledger =
        kill_workflows(&plan, &mut |line| said.push(line)).unwrap_or_else(|error| panic!("{error:#}\n{said:#?}"));
    ledger.check().unwrap_or_else(|error| panic!("{error:#}\n{said:#?}"));
}

#[test]
fn no_step_is_lost_and_none_committed_twice_when_the_host_is_killed() {
    kill_workflows_on(Engine::Sqlite);
}

#[test]
fn no_step_is_lost_and_none_committed_twice_when_the_host_of_a_server_is_killed() {
    if places::postgres_programs().is_none() {
        return skipped("there is no PostgreSQL");
    }
    kill_workflows_on(Engine::Postgres);
}
