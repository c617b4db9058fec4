//! B13: how long a container takes as a task, and as `docker run --rm` of the same image under the same limits, in turns.
//!
//! The task is submitted over HTTP and waited for, so its time has the queue, a sandbox and the call to the delegate in it. The
//! time that the host says the attempt's delegate call took is shown beside it. `cargo xtask bench b13`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bulkhead_tests::{Engine, Folder, Host, IMAGE};
use serde_json::json;

fn main() -> Result<()> {
    let runs = if std::env::var_os("BULKHEAD_BENCH_QUICK").is_some() { 3 } else { 40 };
    let engine = Engine::find().context("there is no docker engine")?;
    let folder = Folder::with_settings(&format!(
        "[docker]\nsocket = {:?}\n[handler.asks.grants.docker]\nimages = [{IMAGE:?}]\n",
        engine.socket()
    ));
    folder.drop_in("asks", &bulkhead_test_guests::guest_bytes("delegates"));
    let host = Host::start(&folder, &[("BULKHEAD_LOG__FILTER", "warn")])?;
    let sum = || host.client.try_metric("delegate_duration_seconds_sum{delegate=\"docker\"}").unwrap_or(0.0);
    let (mut tasks, mut calls, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    // The first turn warms both up.
    for turn in 0..=runs {
        let (began, before) = (Instant::now(), sum());
        let task = host.client.ended(&host.client.submit(&json!({"kind": "DELEGATE", "payload": "docker true"})));
        let (took, called) = (began.elapsed(), Duration::from_secs_f64(sum() - before));
        ensure!(task["result"]["code"] == 0, "{task:#}");
        let began = Instant::now();
        engine.run_plainly("true")?;
        if turn > 0 {
            tasks.push(took);
            calls.push(called);
            plain.push(began.elapsed());
        }
    }
    ensure!(host.stop() == Some(0), "the host did not stop in order");
    println!("{:<24} {:>5} {:>9} {:>9} {:>9} {:>8}", "", "runs", "p50 ms", "p10 ms", "p90 ms", "p50/p50");
    let floor = at(&mut plain, 0.5);
    for (name, samples) in
        [("docker run --rm", &mut plain), ("delegate's call", &mut calls), ("task over HTTP", &mut tasks)]
    {
        let (p50, p10, p90) = (at(samples, 0.5), at(samples, 0.1), at(samples, 0.9));
        println!("{name:<24} {:>5} {p50:>9.1} {p10:>9.1} {p90:>9.1} {:>8.2}", samples.len(), p50 / floor);
    }
    Ok(())
}

/// Milliseconds at this share of the samples.
fn at(samples: &mut [Duration], share: f64) -> f64 {
    samples.sort();
    samples[((samples.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
}
