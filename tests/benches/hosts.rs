//! B14: what a second host on the same PostgreSQL is worth where the work is computing: each has one core for its guests, and
//! the server what is left. One host and two take turns; no task may be run by both. `cargo xtask bench b14`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

use std::time::{Duration, Instant};

use bulkhead_tests::{Database, Folder, Host};
use serde_json::{Value, json};

/// One core for guests.
const SETTINGS: &str = "worker.cpu_slots = 1\nlog.filter = \"warn\"\n";

/// All must be done by then.
const LIMIT: Duration = Duration::from_secs(300);

/// Tasks a second by so many hosts, and how many runs there were for which there was no task.
fn drain(hosts: usize, tasks: usize) -> (f64, f64) {
    let database = Database::make().expect("a PostgreSQL");
    let names = &["host-0", "host-1"][..hosts];
    let folders: Vec<Folder> =
        names.iter().map(|name| Folder::on_server(&database.url, name, &["computes"], SETTINGS)).collect();
    let hosts: Vec<Host> = folders.iter().map(Folder::host).collect();
    let client = &hosts[0].client;
    assert_eq!(client.post("/v1/queue/pause", &Value::Null).status, 200);
    // About five milliseconds each.
    let all: Vec<Value> = (0..tasks).map(|_| json!({ "kind": "COMPUTE", "payload": "hash" })).collect();
    client.submit_all(&all);
    let began = Instant::now();
    client.post("/v1/queue/resume", &Value::Null);
    // A host that has ended none yet has no such line.
    let sum = |metric: &str| hosts.iter().filter_map(|host| host.client.try_metric(metric)).sum::<f64>();
    while sum("task_latency_seconds_count{kind=\"COMPUTE\"}") < tasks as f64 {
        assert!(began.elapsed() < LIMIT, "not all are done");
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = began.elapsed().as_secs_f64();
    let runs = sum("handler_duration_seconds_count{handler=\"computes\",status=\"succeeded\"}");
    for host in hosts {
        assert_eq!(host.stop(), Some(0));
    }
    (tasks as f64 / took, runs - tasks as f64)
}

fn main() {
    let (rounds, tasks) = if std::env::var_os("BULKHEAD_BENCH_QUICK").is_some() { (1, 200) } else { (5, 2_000) };
    println!(
        "{:>6} {:>11} {:>11} {:>7} {:>13} {:>10}",
        "tasks", "one host/s", "two hosts/s", "ratio", "min–max", "run twice"
    );
    let (mut ones, mut twos, mut ratios, mut twice) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for _ in 0..rounds {
        let (one, _) = drain(1, tasks);
        let (two, again) = drain(2, tasks);
        ones.push(one);
        twos.push(two);
        ratios.push(two / one);
        twice += again;
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ratio = median(&mut ratios);
    println!(
        "{tasks:>6} {:>11.0} {:>11.0} {ratio:>7.2} {:>6.2}–{:<6.2} {twice:>10}",
        median(&mut ones),
        median(&mut twos),
        ratios[0],
        ratios[ratios.len() - 1],
    );
}
