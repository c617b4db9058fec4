//! B8: what a vacuum that cannot run costs on PostgreSQL. `cargo xtask bench b8`
//!
//! A transaction is held open by somebody else for ten minutes, so that no row that is removed meanwhile can be cleared away.
//! Before that, and each minute of it, the same number of tasks is submitted, claimed and committed. On the empty database that
//! `BULKHEAD_BENCH_POSTGRES` names.
#![allow(clippy::print_stdout, reason = "a probe for people")]

mod noop;
mod server;

use std::time::{Duration, Instant};

use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_store::{ServedRoutes, Store};
use noop::{BATCH, WINDOW, drain, task};

/// Tasks of one minute.
const TASKS: usize = 600_000;
/// Tables that are small as long as few tasks wait or run.
const HOT: &str = "'ready_0', 'ready_1', 'delayed', 'leases', 'depths', 'attachments', 'cycles'";

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let url = std::env::var("BULKHEAD_BENCH_POSTGRES").expect("BULKHEAD_BENCH_POSTGRES names an empty database");
    let quick = std::env::var_os("BULKHEAD_BENCH_QUICK").is_some();
    let (minutes, minute, tasks) =
        if quick { (2, Duration::from_secs(2), TASKS / 30) } else { (10, Duration::from_secs(60), TASKS) };
    let store = postgres::open(PostgresSettings::at(&url)).unwrap();
    let (holder, looker) = (server::connect(&url).await, server::connect(&url).await);
    let sizes = async || -> (f64, f64) {
        let select = format!(
            "SELECT sum(pg_total_relation_size(oid)) FILTER (WHERE relname IN ({HOT}))::float8, \
             sum(pg_total_relation_size(oid)) FILTER (WHERE relname NOT IN ({HOT}))::float8 \
             FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        );
        let row = looker.query_one(&select, &[]).await.unwrap();
        (row.get::<_, f64>(0) / 1e6, row.get::<_, f64>(1) / 1e6)
    };
    println!(
        "{:>7} {:>10} {:>12} {:>9} {:>10} {:>11}",
        "minute", "submit/s", "claim+commit", "of clean", "hot MB", "others MB"
    );
    let mut clean = None;
    let mut is_held = false;
    for number in 0..=minutes {
        let began = Instant::now();
        let mut left = tasks;
        while left > 0 {
            let count = left.min(10_000);
            store.submit(vec![task("NOOP".to_owned()); count]).await.unwrap().unwrap();
            left -= count;
        }
        let submitted = tasks as f64 / began.elapsed().as_secs_f64();
        // Anew each time, since nobody renews its leases in between.
        let mut line = store.attach("bench").await.unwrap();
        line.sender.serve(ServedRoutes::new(1, |_| true));
        let draining = Instant::now();
        drain(&mut line, tasks, BATCH, WINDOW).await;
        let rate = tasks as f64 / draining.elapsed().as_secs_f64();
        let (hot, others) = sizes().await;
        let share = rate / *clean.get_or_insert(rate);
        let name = if number == 0 { "clean".to_owned() } else { number.to_string() };
        println!("{name:>7} {submitted:>10.0} {rate:>12.0} {share:>9.2} {hot:>10.1} {others:>11.1}");
        if !is_held {
            // What was done before may be cleared away by now.
            const HOLD: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()";
            holder.batch_execute(HOLD).await.unwrap();
            is_held = true;
        } else {
            tokio::time::sleep(minute.saturating_sub(began.elapsed())).await;
        }
    }
    store.close().await.unwrap();
}
