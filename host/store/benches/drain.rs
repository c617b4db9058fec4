//! How fast the store hands out and takes back tasks that do nothing: `cargo bench -p bulkhead-store --bench drain`.
//!
//! Arguments: tasks (400,000), batch (512), window (2,048), routes (1). On the empty PostgreSQL database that
//! `BULKHEAD_BENCH_POSTGRES` names, where it is set.
#![allow(clippy::print_stdout, reason = "a probe for people")]

mod noop;
mod server;
mod written;

use std::time::{Duration, Instant};

use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_store::sqlite::{self, SqliteSettings};
use bulkhead_store::{ServedRoutes, Store};
use noop::{BATCH, WINDOW, drain, task};
use written::written;

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
    let (tasks, batch, window, routes) =
        (argument(0, 400_000), argument(1, BATCH), argument(2, WINDOW), argument(3, 1));
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

    let mut line = store.attach("bench").await.unwrap();
    line.sender.serve(ServedRoutes::new(1, |_| true));
    let (before, clock) = (thread_time(), Instant::now());
    drain(&mut line, tasks, batch, window).await;
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
    match std::env::var("BULKHEAD_BENCH_POSTGRES") {
        Ok(url) => println!("{}", server_costs(&url, tasks).await),
        Err(_) => println!("a task, from its submission to its end: {:.0} bytes written", written() / tasks as f64),
    }
}

/// What the server did for each task, as its own statistics have it; it counts statements where it has `pg_stat_statements`.
async fn server_costs(url: &str, tasks: usize) -> String {
    const COSTS: &str = "SELECT wal_bytes::float8, coalesce((to_jsonb(w) ->> 'wal_sync')::float8, 0), \
        (SELECT xact_commit::float8 FROM pg_stat_database WHERE datname = current_database()), \
        (SELECT sum(n_tup_upd + n_tup_del)::float8 FROM pg_stat_user_tables) FROM pg_stat_wal w";
    const STATEMENTS: &str = "SELECT sum(calls)::float8 FROM pg_stat_statements";
    // What a connection did is counted at the latest when it has ended.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let client = server::connect(url).await;
    let row = client.query_one(COSTS, &[]).await.unwrap();
    let [bytes, syncs, commits, dead] = [0, 1, 2, 3].map(|place| row.get::<_, f64>(place) / tasks as f64);
    let statements = match client.query_one(STATEMENTS, &[]).await {
        Ok(row) => format!("{:.4} statements, ", row.get::<_, f64>(0) / tasks as f64),
        Err(_) => String::new(),
    };
    format!(
        "a task, from its submission to its end: {statements}{commits:.4} transactions, {bytes:.0} bytes of WAL, \
         {syncs:.4} fsyncs of it, {dead:.2} rows left dead"
    )
}

fn report(what: &str, tasks: usize, wall: Duration, thread: Duration) {
    println!(
        "{what}: {:.0} tasks/s, {:.2} µs/task wall, {:.2} µs/task of the store's thread",
        tasks as f64 / wall.as_secs_f64(),
        wall.as_secs_f64() * 1e6 / tasks as f64,
        thread.as_secs_f64() * 1e6 / tasks as f64
    );
}
