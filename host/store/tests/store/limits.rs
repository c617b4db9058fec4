//! Kinds of which only so many may run, or begin.

use std::time::Duration;

use bulkhead_core::{KindLimit, Rate};

use crate::harness::{Engine, kind, retried, seconds, succeeded, task};

pub(crate) async fn no_more_of_a_kind_run_at_once_than_may<E: Engine>() {
    let limit = KindLimit { concurrent: std::num::NonZeroU32::new(2), rate: None };
    let engine = E::start_with_limit(kind("A"), limit).await;
    let tasks = ["A", "A", "A", "A", "A", "B", "B"].map(|of| task(of, "1"));
    engine.submit(tasks.into()).await;
    let kinds = |tasks: &[bulkhead_store::Claimed]| -> Vec<String> {
        tasks.iter().map(|task| task.route.kind.as_str().to_owned()).collect()
    };
    let mut worker = engine.worker(10).await;
    // Two of A, though five come before any B.
    let first = worker.claimed().await;
    assert_eq!(kinds(&first), ["A", "A", "B", "B"]);
    worker.assert_idle(&engine).await;
    worker.commit(succeeded(&first[2]), 1).await;
    worker.assert_idle(&engine).await;
    worker.commit(succeeded(&first[0]), 1).await;
    let second = worker.claimed().await;
    assert_eq!(kinds(&second), ["A"]);
    // A task that waits for its retry does not run.
    worker.commit(retried(&first[1], seconds(60)), 1).await;
    let third = worker.claimed().await;
    assert_eq!(kinds(&third), ["A"]);
    worker.assert_idle(&engine).await;
    // A worker that leaves leaves its places.
    drop(worker);
    let mut worker = engine.worker(10).await;
    assert_eq!(kinds(&worker.claimed().await), ["A", "A", "B"]);
}

pub(crate) async fn no_more_of_a_kind_begin_than_their_rate_lets<E: Engine>() {
    let limit = KindLimit { concurrent: None, rate: Some(Rate::parse("3/3s").unwrap()) };
    let engine = E::start_with_limit(kind("A"), limit).await;
    engine.submit((0..9).map(|number| task("A", &number.to_string())).collect()).await;
    let mut worker = engine.worker(10).await;
    let mut begun = worker.claimed().await;
    assert_eq!(begun.len(), 3);
    let commits = begun.iter().map(succeeded).collect();
    worker.commit_all(commits, 3).await;
    worker.assert_idle(&engine).await;
    for _ in 0..3 {
        engine.advance(Duration::from_millis(1_000)).await;
        begun.extend(worker.claimed().await);
    }
    assert_eq!(begun.len(), 6);
    worker.assert_idle(&engine).await;
}
