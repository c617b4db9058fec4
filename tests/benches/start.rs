//! B10: from the start of the process to the first task done, with one handler and with a hundred, all in the cache.
//!
//! Both take turns; the floor is the same binary saying its version. `cargo xtask bench b10`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

use std::time::{Duration, Instant};

use bulkhead_tests::{Folder, Host, variant_of};
use serde_json::json;

fn folder(handlers: usize) -> Folder {
    let folder = Folder::with_settings("[log]\nfilter = \"warn\"\n");
    let noop = bulkhead_test_guests::guest_bytes("noop");
    for number in 0..handlers {
        folder.drop_in(&format!("noop_{number}"), &variant_of(&noop, &format!("start {number}")));
    }
    folder
}

/// Once from nothing to the first result, in milliseconds: until the host answers, and in all.
fn start(folder: &Folder) -> (f64, f64) {
    let began = Instant::now();
    let host = Host::start(folder, &[]).expect("the host starts");
    let ready = began.elapsed();
    let task = host.client.ended(&host.client.submit(&json!({"kind": "NOOP"})));
    let done = began.elapsed();
    assert_eq!(task["state"], "succeeded");
    assert_eq!(host.stop(), Some(0));
    (millis(ready), millis(done))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0], values[values.len() - 1])
}

fn main() {
    let rounds = if std::env::var_os("BULKHEAD_BENCH_QUICK").is_some() { 2 } else { 15 };
    let folders = [(1, folder(1)), (100, folder(100))];
    // Compiles what is not in the cache, and is the time without one.
    let cold: Vec<f64> = folders.iter().map(|(_, folder)| start(folder).1).collect();
    let mut seen = vec![(Vec::new(), Vec::new()); folders.len()];
    let mut floor = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        assert_eq!(folders[0].1.bulkhead(&["--version"]).code, Some(0));
        floor.push(millis(began.elapsed()));
        for ((_, folder), (ready, done)) in folders.iter().zip(&mut seen) {
            let (answers, first) = start(folder);
            ready.push(answers);
            done.push(first);
        }
    }
    println!("{:>9} {:>10} {:>14} {:>8} {:>15}", "handlers", "ready ms", "first done ms", "ratio", "min–max ms");
    let floor = median(floor);
    println!("{:>9} {:>10.1} {:>14} {:>8} {:>7.1}–{:.1}", "--version", floor.0, "", "", floor.1, floor.2);
    let mut one = None;
    for ((handlers, _), (ready, done)) in folders.iter().zip(seen) {
        let (ready, done) = (median(ready), median(done));
        let one = *one.get_or_insert(done.0);
        println!(
            "{handlers:>9} {:>10.1} {:>14.1} {:>8.2} {:>7.1}–{:.1}",
            ready.0,
            done.0,
            done.0 / one,
            done.1,
            done.2
        );
    }
    println!("the first start, which may have compiled: {:.0} ms and {:.0} ms", cold[0], cold[1]);
}
