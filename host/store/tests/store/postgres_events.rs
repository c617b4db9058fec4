//! Events of several hosts on one database: one order, without gaps, and one host that sends.

use std::collections::BTreeMap;

use bulkhead_core::{EventType, NextStep, RunEnd, Suspension, TaskId};
use bulkhead_store::{Change, DatabaseStore, DealRules, Delivery, EventStore, Fate, Store, WorkLine, postgres};

use crate::harness::{Engine, ended, json, seconds, succeeded, task};
use crate::postgres_engine::Postgres;

/// Tasks of each host.
const TASKS: usize = 60;

async fn line(store: &DatabaseStore, permits: usize) -> WorkLine {
    let line = store.attach("worker").await.unwrap();
    line.sender.serve(bulkhead_store::ServedRoutes::new(1, |_| true));
    line.sender.send(Vec::new(), permits);
    line
}

/// Runs tasks until all of these have ended anywhere: each is suspended first, and resumed by way of the other host.
async fn work(store: &DatabaseStore, other: &DatabaseStore, ids: &[TaskId]) {
    let mut line = line(store, 8).await;
    let all_ended = async {
        for id in ids {
            store.wait(id, seconds(60)).await.unwrap();
        }
    };
    let mut all_ended = std::pin::pin!(all_ended);
    loop {
        let delivery = tokio::select! {
            () = &mut all_ended => return,
            delivery = line.deliveries.recv() => delivery.expect("an open line"),
        };
        let Delivery::Claimed { tasks, .. } = delivery else { continue };
        let count = tasks.len();
        let commits = tasks.iter().map(|task| match task.history {
            Some(_) => succeeded(task),
            None => {
                let suspension =
                    Suspension { reason: "wait".to_owned(), metadata: json("{}"), timeout: None, state: None };
                ended(task, NextStep::Suspend, RunEnd::Suspended(suspension))
            }
        });
        line.sender.send(commits.collect(), count);
        for task in tasks.iter().filter(|task| task.history.is_none()) {
            let resume = || other.change(vec![task.id.clone()], Change::Resume(Some(json("1"))));
            while resume().await.unwrap() != [Fate::Done] {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_two_hosts_have_one_order_without_gaps() {
    let engine = Postgres::start().await;
    let [one, two] = [(); 2].map(|()| postgres::open(engine.settings()).unwrap());
    let position = one.keep_stream(seconds(3_600)).await.unwrap();
    let ids: Vec<TaskId> = engine
        .submit((0..TASKS * 2).map(|number| task("A", &number.to_string())).collect())
        .await
        .into_iter()
        .map(|submitted| submitted.id)
        .collect();
    let read = async {
        let mut seen: BTreeMap<TaskId, Vec<EventType>> = BTreeMap::new();
        let (mut last, mut count) = (position, 0);
        while count < ids.len() * 2 {
            let page = engine.store().events(last, 7).await.unwrap();
            for kept in page.items {
                // Whoever has read a number has all before it, at whatever moment it looked.
                assert_eq!(kept.number, last + 1);
                last = kept.number;
                count += 1;
                seen.entry(kept.event.data.task).or_default().push(kept.event.event_type);
            }
            tokio::task::yield_now().await;
        }
        seen
    };
    let run = async {
        tokio::join!(work(&one, &two, &ids), work(&two, &one, &ids));
        std::future::pending::<()>().await
    };
    // The tests' clock stands still, so each host is told to look at what the other has done.
    let look = async {
        loop {
            one.tick().await.unwrap();
            two.tick().await.unwrap();
        }
    };
    let seen = tokio::select! {
        seen = tokio::time::timeout(seconds(60), read) => seen.expect("every event within a minute"),
        () = run => unreachable!("it is pending"),
        () = look => unreachable!("it is pending"),
    };
    assert_eq!(seen.len(), ids.len());
    assert!(seen.values().all(|events| *events == [EventType::Suspended, EventType::Succeeded]), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_host_sends_until_it_is_gone() {
    let engine = Postgres::start().await;
    let other = postgres::open(engine.settings()).unwrap();
    engine.store().keep_stream(seconds(3_600)).await.unwrap();
    let id = engine.submit_one(task("A", "1")).await;
    engine.store().change(vec![id], Change::Cancel).await.unwrap();
    let rules =
        DealRules { hold: seconds(15), keep_for: seconds(3_600), keep_count: 1_000, keep_parked: seconds(3_600) };
    assert!(engine.store().deal(rules).await.unwrap().sends);
    assert!(!other.deal(rules).await.unwrap().sends);
    engine.advance(seconds(14)).await;
    assert!(engine.store().deal(rules).await.unwrap().sends, "it holds on");
    engine.advance(seconds(14)).await;
    assert!(!other.deal(rules).await.unwrap().sends);
    engine.advance(seconds(2)).await;
    assert!(other.deal(rules).await.unwrap().sends, "the first is gone");
    assert!(!engine.store().deal(rules).await.unwrap().sends);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_subscribed_at_one_host_is_kept_by_all() {
    let engine = Postgres::start().await;
    let other = postgres::open(engine.settings()).unwrap();
    let mut line = line(&other, 2).await;
    let position = engine.store().keep_stream(seconds(60)).await.unwrap();
    let id = engine.submit_one(task("A", "1")).await;
    other.tick().await.unwrap();
    let claimed = loop {
        if let Some(Delivery::Claimed { tasks, .. }) = line.deliveries.recv().await {
            break tasks;
        }
    };
    line.sender.send(claimed.iter().map(succeeded).collect(), 0);
    while !matches!(line.deliveries.recv().await, Some(Delivery::Committed(_))) {}
    let page = engine.store().events(position, 10).await.unwrap();
    assert_eq!(page.items.iter().map(|kept| &kept.event.data.task).collect::<Vec<_>>(), [&id]);
}
