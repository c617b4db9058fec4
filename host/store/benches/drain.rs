//! How fast the store hands out and takes back tasks that do nothing: `cargo bench -p bulkhead-store --bench drain`.
//!
//! Arguments: tasks (400,000), batch (512), window (2,048), routes (1). On the empty PostgreSQL database that
//! `BULKHEAD_BENCH_POSTGRES` names, where it is set.
#![allow(clippy::print_stdout, reason = "a probe for people")]

mod noop;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_store::sqlite::{self, SqliteSettings};
use bulkhead_store::{Delivery, ServedRoutes, Store};
use noop::{done, handler, task};

fn argument(place: usize, default: usize) -> usize {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    arguments.nth(place).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Processor time of the store's thread so far.
fn thread_time() -> Duration {
    for entry in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let path = entry.path();
        if std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "bulkhead-store") {
            let stat = std::fs::read_to_string(path.join("schedstat")).unwrap();
            let nanos = stat.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0);
            return Duration::from_nanos(nanos);
        }
    }
    Duration::ZERO
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let (tasks, batch, window, routes) = (argument(0, 400_000), argument(1, 512), argument(2, 2_048), argument(3, 1));
    let folder = tempfile::tempdir().unwrap();
    let store = match std::env::var("BULKHEAD_BENCH_POSTGRES") {
        Ok(url) => postgres::open(PostgresSettings::at(url)).unwrap(),
        Err(_) => sqlite::open(SqliteSettings::at(folder.path().join("drain.db"))).unwrap(),
    };

    let (before, clock) = (thread_time(), Instant::now());
    let mut left = tasks;
    while left > 0 {
        let count = left.min(5_000);
        store
            .submit((0..count).map(|number| task(format!("NOOP{}", number % routes))).collect())
            .await
            .unwrap()
            .unwrap();
        left -= count;
    }
    report("submit, 5,000 at a time", tasks, clock.elapsed(), thread_time() - before);

    let handler = handler();
    let mut line = store.attach("bench").await.unwrap();
    line.sender.serve(ServedRoutes { generation: 1, serves: Arc::new(|_| true) });
    let (before, clock) = (thread_time(), Instant::now());
    line.sender.send(Vec::new(), window);
    let (mut committed, mut gathered) = (0, VecDeque::new());
    while committed < tasks {
        match line.deliveries.recv().await.unwrap() {
            Delivery::Claimed { tasks: claimed, .. } => {
                gathered.extend(claimed.iter().map(|task| done(task, &handler)));
                while gathered.len() >= batch {
                    line.sender.send(gathered.drain(..batch).collect(), batch);
                }
                if committed + gathered.len() + window >= tasks && !gathered.is_empty() {
                    let rest: Vec<_> = gathered.drain(..).collect();
                    let count = rest.len();
                    line.sender.send(rest, count);
                }
            }
            Delivery::Committed(fates) => committed += fates.len(),
            other => println!("{other:?}"),
        }
    }
    report(
        &format!("claim and commit, batch {batch}, window {window}, {routes} routes"),
        tasks,
        clock.elapsed(),
        thread_time() - before,
    );
    let clock = Instant::now();
    drop(line);
    store.close().await.unwrap();
    println!("close: {:?}", clock.elapsed());
}

fn report(what: &str, tasks: usize, wall: Duration, thread: Duration) {
    println!(
        "{what}: {:.0} tasks/s, {:.2} µs/task wall, {:.2} µs/task of the store's thread",
        tasks as f64 / wall.as_secs_f64(),
        wall.as_secs_f64() * 1e6 / tasks as f64,
        thread.as_secs_f64() * 1e6 / tasks as f64
    );
}
