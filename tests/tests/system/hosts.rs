//! The short form of `cargo xtask torture -- hosts`.

use bulkhead_tests::hosts::{Plan, hosts};
use bulkhead_tests::{places, skipped};

/// Another each day would find more, and would fail on somebody who changed nothing; the long form does that.
const SEED: u64 = 20_261_121;

#[test]
fn every_task_ends_once_whichever_host_is_killed_cut_off_frozen_or_drained_and_when_the_server_is_killed_or_its_disk_full()
 {
    if places::postgres_programs().is_none() {
        return skipped("there is no PostgreSQL");
    }
    let plan = Plan::new(SEED, 3_000, 6);
    let mut said = Vec::new();
    let ledger = hosts(&plan, &mut |line| said.push(line)).unwrap_or_else(|error| panic!("{error:#}\n{said:#?}"));
    ledger.check().unwrap_or_else(|error| panic!("{error:#}\n{said:#?}"));
}
