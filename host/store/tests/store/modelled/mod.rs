//! The store beside a plain model of the queue, which does the same operations at random.
//!
//! `model` is written from what users are promised, not from how the store does it. After each operation the store is
//! settled, and all that can be seen of it is compared: what each worker was sent, in its order; what became of commits
//! and requests; every task as lists show it; depths. At the end everything runs until each task has ended.
//!
//! `PROPTEST_CASES` runs more cases than the few that are run every time. A sequence that fails is shrunk, and its seed
//! is kept in `seeds.txt`; what was wrong becomes a named test in `regressions`.

mod asking;
mod changes;
mod claims;
mod commits;
mod comparing;
mod driver;
mod ending;
mod families;
mod hosts;
mod model;
mod operation;
mod outcomes;
mod regressions;
mod settling;
mod task;
mod time;

use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use tokio::runtime::Handle;

use self::driver::Driver;
use self::hosts::{Hosts, One, Two};
pub(crate) use self::regressions::*;
use crate::harness::Engine;
use crate::postgres_engine::Postgres;

/// Where the seeds of failures are kept.
const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/store/modelled/seeds.txt");

/// Operations in one sequence, at most.
const STEPS: usize = 60;

/// Sequences that are tried every time: on SQLite, and on a server.
const CASES: u32 = 32;
const CASES_ON_A_SERVER: u32 = 4;

fn check<H: Hosts>(cases: u32, limit: Option<u32>) {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = Config {
        cases: if asked { Config::default().cases } else { cases },
        max_shrink_iters: 2_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        ..Config::default()
    };
    let done = TestRunner::new(config).run(&operation::steps(STEPS), |steps| {
        let run = async { Driver::<H>::start(limit).await.run(&steps).await };
        let done = tokio::task::block_in_place(|| Handle::current().block_on(run));
        done.map_err(TestCaseError::fail)
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

fn cases<E: Engine>() -> u32 {
    let on_a_server = std::any::type_name::<E>() == std::any::type_name::<Postgres>();
    if on_a_server { CASES_ON_A_SERVER } else { CASES }
}

pub(crate) async fn whatever_happens_is_what_a_plain_model_says<E: Engine>() {
    check::<One<E>>(cases::<E>(), None);
}

pub(crate) async fn whatever_happens_no_more_of_a_kind_run_at_once_than_may<E: Engine>() {
    check::<One<E>>(cases::<E>(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_on_one_database_do_what_a_plain_model_says() {
    check::<Two>(CASES_ON_A_SERVER, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_on_one_database_heed_the_limits_of_kinds() {
    check::<Two>(CASES_ON_A_SERVER, Some(2));
}
