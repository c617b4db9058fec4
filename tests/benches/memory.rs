//! B9: what a host holds after its start, and what each suspended sandbox adds.
//!
//! A thousand tasks that sleep are claimed, run and wait inside their sandboxes all at once; resident memory before and then,
//! divided. `cargo xtask bench b9`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

use bulkhead_tests::{Folder, eventually, resident};
use serde_json::{Value, json};

fn main() {
    let sleepers = if std::env::var_os("BULKHEAD_BENCH_QUICK").is_some() { 50 } else { 1000 };
    let rounds = if sleepers == 50 { 1 } else { 5 };
    println!("{:>8} {:>16} {:>18} {:>14}", "sleeping", "after start KiB", "all asleep KiB", "KiB each");
    for _ in 0..rounds {
        let folder =
            Folder::with_settings(&format!("[worker]\nmax_concurrent = {sleepers}\n[log]\nfilter = \"warn\"\n"));
        folder.drop_in("nap", &bulkhead_test_guests::guest_bytes("nap"));
        let host = folder.host();
        // One run, so that what is made once is there.
        let first = host.client.submit(&json!({"kind": "NAP", "payload": 1}));
        host.client.ended(&first);
        let before = resident(host.pid()).expect("the host runs");
        let tasks: Vec<Value> =
            (0..sleepers).map(|_| json!({"kind": "NAP", "payload": 600_000, "timeout": "1h"})).collect();
        host.client.submit_all(&tasks);
        eventually("all are asleep", || {
            let workers = host.client.get("/v1/workers").body;
            (workers.pointer("/items/0/in_flight").and_then(Value::as_u64) == Some(sleepers)).then_some(())
        });
        // All of them have begun; give each its turn to reach its sleep.
        let after = eventually("memory is at rest", || {
            let (now, then) = (resident(host.pid()).ok()?, {
                std::thread::sleep(std::time::Duration::from_millis(300));
                resident(host.pid()).ok()?
            });
            (now == then).then_some(then)
        });
        let each = (after - before) as f64 / sleepers as f64;
        println!("{sleepers:>8} {before:>16} {after:>18} {each:>14.1}");
        host.kill();
    }
}
