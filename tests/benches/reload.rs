//! B11: from the moment that a changed handler lies in the folder to the start of the first task on it, under full load,
//! against what loading it took (compiling, checking, describing) by the host's own clock.
//!
//! `cargo xtask bench b11`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bulkhead_tests::{Client, Folder, eventually, variant_of};
use serde_json::{Value, json};

const SETTINGS: &str = "[log]\nfilter = \"warn,bulkhead_sandbox::loader=debug\"\nformat = \"json\"\n";
/// Tasks in one request of the load.
const BATCH: usize = 500;

/// As many tasks as the host can take.
fn load(client: &Client, over: &AtomicBool) -> u64 {
    let mut tasks = 0;
    let mut last: Vec<String> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let batch: Vec<Value> = (0..BATCH).map(|_| json!({"kind": "NOOP"})).collect();
        let ids = client.submit_all(&batch);
        tasks += ids.len() as u64;
        last.extend(ids.last().cloned());
        if let Some(before) = last.len().checked_sub(4).and_then(|at| last.get(at)) {
            client.get(&format!("/v1/tasks/{before}?wait=60s"));
        }
    }
    tasks
}

/// Milliseconds since the epoch at which the first run of this version began, as its attempt says.
fn first_on(client: &Client, digest: &str) -> f64 {
    eventually("a task runs on the new version", || {
        let task = client.ended(&client.submit(&json!({"kind": "NOOP", "priority": 1})));
        let attempt = &task["attempts"][0];
        (attempt["digests"][0] == digest).then(|| {
            let at: jiff::Timestamp = attempt["started_at"].as_str().unwrap_or_default().parse().expect("a time");
            at.as_millisecond() as f64
        })
    })
}

#[expect(clippy::disallowed_methods, reason = "the file is put there by this process, at this time")]
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs_f64() * 1e3
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let rounds = if std::env::var_os("BULKHEAD_BENCH_QUICK").is_some() { 2 } else { 20 };
    let folder = Folder::with_settings(SETTINGS);
    let noop = bulkhead_test_guests::guest_bytes("noop");
    let put = |bytes: &[u8]| {
        let beside = folder.write("handlers/noop.new", bytes);
        std::fs::rename(beside, folder.path().join("handlers/noop.wasm")).expect("it can be renamed");
        now()
    };
    put(&noop);
    let host = folder.host();
    let over = AtomicBool::new(false);
    let (mut took, tasks) = std::thread::scope(|scope| {
        let load = scope.spawn(|| load(&host.client, &over));
        let took: Vec<f64> = (0..rounds)
            .map(|round| {
                // Never seen before, so that the cache knows nothing of it.
                let version = variant_of(&noop, &format!("reload {round} {}", fastrand::u64(..)));
                let digest = blake3::hash(&version).to_hex().to_string();
                let put_at = put(&version);
                let took = first_on(&host.client, &digest) - put_at;
                std::thread::sleep(Duration::from_millis(50));
                took
            })
            .collect();
        over.store(true, Ordering::Relaxed);
        (took, load.join().expect("the load"))
    });
    let loaded = |line: &str| -> Option<f64> {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["fields"]["message"] == "handler loaded").then(|| line["fields"]["millis"].as_f64())?
    };
    // The first is the version that the host started with.
    let mut loads: Vec<f64> = host.log().lines().filter_map(loaded).skip(1).collect();
    let failed = host.client.count("kind=NOOP&state=dead");
    let (took, loads) = (median(&mut took), median(&mut loads));
    println!(
        "{:>8} {:>18} {:>14} {:>12} {:>10} {:>8}",
        "reloads", "first task after ms", "loading ms", "beyond ms", "tasks", "failed"
    );
    println!("{rounds:>8} {took:>18.0} {loads:>14.0} {:>12.0} {tasks:>10} {failed:>8}", took - loads);
}
