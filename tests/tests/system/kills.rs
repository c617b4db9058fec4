//! The short form of `cargo xtask torture -- kills`.

use bulkhead_tests::kills::{Plan, kills};

/// Another each day would find more, and would fail on somebody who changed nothing; the long form does that.
const SEED: u64 = 20_261_121;

#[test]
fn no_task_is_lost_and_none_committed_twice_when_the_host_is_killed() {
    let plan = Plan::new(SEED, 2_000, 4, 2);
    let mut said = Vec::new();
    let ledger = kills(&plan, &mut |line| said.push(line)).unwrap_or_else(|error| panic!("{error:#}\n{said:#?}"));
    ledger.check().unwrap_or_else(|error| panic!("{error:#}\n{said:#?}"));
}
