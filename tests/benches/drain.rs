//! Bulkhead as one of the peers that `cargo xtask bench peers` measures: a preloaded backlog until the last task is durably
//! finished, then one task after the other on the idle host. Prints one line of JSON, as they do.
//!
//! On a PostgreSQL server where `DATABASE_URL` names an empty one, else on SQLite. Argument: `--tasks N`.

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bulkhead_tests::{Client, Folder, Host};
use serde_json::{Value, json};

/// Tasks in one request.
const CHUNK: usize = 10_000;
/// Tasks whose latency counts, after those that warm everything up; as with the others.
const SAMPLES: usize = 300;
const WARM_UP: usize = 50;
/// What counts the tasks whose end is durable.
const ENDED: &str = "task_latency_seconds_count{kind=\"NOOP\"}";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--tasks");
    let tasks = arguments.nth(1).and_then(|count| count.parse().ok()).unwrap_or(200_000);
    let server = std::env::var("DATABASE_URL").ok();
    let folder = match &server {
        Some(url) => Folder::on_server(url, "drain", &["noop"], ""),
        None => Folder::with_guests(&["noop"]),
    };
    let host = Host::start(&folder, &[("BULKHEAD_LOG__FILTER", "warn")])?;
    let rate = drain(&host.client, tasks)?;
    let mut latencies: Vec<Duration> = Vec::with_capacity(SAMPLES);
    for number in 0..WARM_UP + SAMPLES {
        let began = Instant::now();
        let id = host.client.submit(&json!({ "kind": "NOOP", "payload": { "n": number } }));
        let task = host.client.ended(&id);
        ensure!(task["state"] == "succeeded", "{task}");
        if number >= WARM_UP {
            latencies.push(began.elapsed());
        }
    }
    ensure!(host.stop() == Some(0), "the host did not stop in order");
    latencies.sort();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let line = json!({
        "peer": if server.is_some() { "bulkhead, PostgreSQL" } else { "bulkhead, SQLite" },
        "version": env!("CARGO_PKG_VERSION"),
        "what": "drain and latency of tasks that do nothing, each in a fresh sandbox",
        "tasks": tasks,
        "rate": rate,
        "samples": SAMPLES,
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "settings": "as it comes; latency by HTTP",
        "server": if server.is_some() { "PostgreSQL, as it comes" } else { "none; SQLite with synchronous=FULL" },
    });
    println!("{line}");
    Ok(())
}

/// Tasks a second, from the moment that they may be claimed until the last is durably done.
fn drain(client: &Client, tasks: usize) -> Result<f64> {
    let paused = client.post("/v1/queue/pause", &Value::Null);
    ensure!(paused.status == 200, "{paused:?}");
    let line = r#"{"kind":"NOOP","payload":{"n":1}}"#;
    let mut left = tasks;
    while left > 0 {
        let count = left.min(CHUNK);
        let answer = client.try_post("/v1/tasks", "application/x-ndjson", [line; CHUNK][..count].join("\n").as_bytes());
        let answer = answer.context("tasks can be submitted")?;
        ensure!(answer.status == 201, "{answer:?}");
        left -= count;
    }
    let began = Instant::now();
    client.post("/v1/queue/resume", &Value::Null);
    loop {
        if client.try_metric(ENDED) == Some(tasks as f64) {
            return Ok(tasks as f64 / began.elapsed().as_secs_f64());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
