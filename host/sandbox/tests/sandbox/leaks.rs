//! Nothing is left of a run.

use std::time::Duration;

use bulkhead_core::{RunEnd, Size};
use bulkhead_sandbox::{Sandbox, SandboxSettings};

use crate::harness::{Run, guest, name};

#[tokio::test]
async fn a_sandbox_finds_nothing_of_the_one_before_it() {
    let run = Run::of("leak_check");
    for _ in 0..200 {
        assert_eq!(run.result().await, "\"clean\"");
    }
}

fn small() -> Sandbox {
    Sandbox::try_new(&SandboxSettings { max_concurrent: 1, max_memory: Size::from_mib(64), ..Default::default() })
        .unwrap()
}

#[tokio::test]
async fn runs_that_are_dropped_midway_give_their_sandbox_back() {
    let sandbox = small();
    let load = |of: &str| Run::handler(sandbox.load(&name(of), &guest(of)).unwrap());
    let hostile = [load("sleep_forever"), load("loop_forever").fuel(u64::MAX)];
    for round in 0..1000u64 {
        let run = &hostile[usize::try_from(round % 2).unwrap()];
        let cut = Duration::from_micros(round * 37 % 4000);
        assert!(tokio::time::timeout(cut, run.report_in(&sandbox)).await.is_err());
    }
    let report = load("noop").report_in(&sandbox).await;
    assert!(matches!(report.end, RunEnd::Completed(_)), "{:?}", report.end);
}

#[tokio::test]
async fn a_full_pool_interrupts_at_once_and_recovers() {
    let sandbox = small();
    let sleeper = Run::handler(sandbox.load(&name("nap"), &guest("nap")).unwrap()).payload(300);
    // More than one run may take, and more than are kept spare for loading.
    let mut runs: Vec<_> = (0..64).map(|_| Box::pin(sleeper.report_in(&sandbox))).collect();
    let mut full = 0;
    for run in &mut runs {
        if let Ok(report) = tokio::time::timeout(Duration::from_millis(1), run).await {
            assert_eq!(report.end, RunEnd::Interrupted(bulkhead_core::Interruption::PoolFull));
            full += 1;
        }
    }
    assert!(full > 0, "the pool was never full");
    drop(runs);
    assert!(matches!(sleeper.report_in(&sandbox).await.end, RunEnd::Completed(_)));
}
