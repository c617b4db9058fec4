//! What tasks leave behind goes partition by partition.

use bulkhead_core::{DeadReason, NextStep, State};
use bulkhead_store::{Change, Fate, TaskFilter, postgres};

use crate::harness::{Engine, ended, failed, seconds, succeeded, task};
use crate::postgres_engine::{Postgres, connect};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// The partitions of tasks.
const PARTITIONS: &str = "SELECT string_agg(relid::text, ' ' ORDER BY relid::text) \
    FROM pg_partition_tree('tasks') WHERE isleaf";

async fn partitions(client: &tokio_postgres::Client) -> String {
    client.query_one(PARTITIONS, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_goes_whole_once_its_tasks_are_over_and_what_is_left_of_it_is_kept() {
    let engine = Postgres::start().await;
    let client = connect(&engine.settings().url).await;
    let waiting = engine.submit_one(task("WAITS", "1")).await;
    let badly = engine.submit_one(task("BAD", "2")).await;
    engine.submit((0..20).map(|number| task("A", &number.to_string())).collect()).await;
    let mut worker = engine.worker_for(21, |route| route.kind.as_str() != "WAITS").await;
    let claimed = worker.claimed().await;
    let end = |task: &bulkhead_store::Claimed| match task.id == badly {
        true => ended(task, NextStep::Die(DeadReason::Permanent), failed()),
        false => succeeded(task),
    };
    worker.commit_all(claimed.iter().map(end).collect(), 0).await;
    drop(worker);
    assert_eq!(partitions(&client).await, "tasks_0 tasks_1 tasks_old");

    // The next partition is begun; tasks go on there, with greater numbers.
    engine.advance(seconds(HOUR)).await;
    assert_eq!(partitions(&client).await, "tasks_0 tasks_1 tasks_2 tasks_old");
    let later = engine.submit_one(task("A", "3")).await;
    engine.advance(seconds(DAY - HOUR - 1)).await;
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 23);
    engine.advance(seconds(2 * HOUR)).await;
    let found = partitions(&client).await;
    assert!(!found.contains("tasks_0") && found.contains("tasks_old"), "{found}");
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 3);

    // What is left is as it was: it runs, and can be brought back.
    assert_eq!(engine.get(&badly).await.error.unwrap().code, "BROKEN");
    assert_eq!(engine.store().change(vec![badly.clone()], Change::Requeue).await.unwrap(), [Fate::Done]);
    let mut worker = engine.worker(3).await;
    let mut claimed = worker.claimed().await;
    while claimed.len() < 3 {
        claimed.extend(worker.claimed().await);
    }
    worker.commit_all(claimed.iter().map(succeeded).collect(), 0).await;
    for id in [&waiting, &badly, &later] {
        assert_eq!(engine.get(id).await.state, State::Succeeded);
    }
    drop(worker);
    assert_eq!(postgres::maintenance::check(&engine.settings()).unwrap(), Vec::<String>::new());
    // The old ones are removed one by one, the later one with its partition.
    engine.walk(seconds(DAY + 2 * HOUR)).await;
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts_fold_a_partition_once() {
    let engine = Postgres::start().await;
    let client = connect(&engine.settings().url).await;
    let others: Vec<_> = (0..3).map(|_| postgres::open(engine.settings()).unwrap()).collect();
    for _ in 0..4 {
        engine.submit((0..10).map(|number| task("A", &number.to_string())).collect()).await;
        let mut worker = engine.worker(10).await;
        let claimed = worker.claimed().await;
        worker.commit_all(claimed.iter().map(succeeded).collect(), 0).await;
        drop(worker);
        engine.clock().advance(seconds(DAY));
        let ticks = others.iter().chain([engine.database()]).map(|store| store.tick());
        futures::future::try_join_all(ticks).await.unwrap();
    }
    engine.advance(seconds(DAY)).await;
    engine.advance(seconds(2 * HOUR)).await;
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 0);
    let first: i64 = client.query_one("SELECT min(number) FROM partitions", &[]).await.unwrap().get(0);
    assert!(first >= 4, "{first}");
    assert_eq!(partitions(&client).await.split(' ').count(), 3);
}
