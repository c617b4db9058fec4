//! B15: what counting fuel and looking at the epoch cost a guest that computes, against the same guest with neither.
//!
//! Every engine takes its turn at every round. `cargo xtask bench b15`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

#[expect(unreachable_pub, reason = "shared with other benches")]
#[expect(dead_code, reason = "shared with other benches")]
mod bare_loop;

use std::time::Instant;

use bare_loop::{BareLoop, Metering, median};

const WORK: [&str; 4] = ["\"sieve\"", "\"matrix\"", "\"sort\"", "\"hash\""];

fn main() {
    let rounds = if std::env::var_os("BULKHEAD_BENCH_QUICK").is_some() { 2 } else { 21 };
    let bytes = bulkhead_test_guests::guest_bytes("computes");
    let engine = |fuel, epochs| BareLoop::new(&bytes, Metering { fuel, epochs });
    let engines = [engine(false, false), engine(true, false), engine(false, true), engine(true, true)];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{:<8} {:>10} {:>9} {:>9} {:>9}", "work", "neither ms", "fuel", "epochs", "both");
    for work in WORK {
        let mut took = [const { Vec::new() }; 4];
        for round in 0..=rounds {
            for (engine, took) in engines.iter().zip(&mut took) {
                let began = Instant::now();
                runtime.block_on(engine.run(work));
                // The first round warms up.
                if round > 0 {
                    took.push(began.elapsed().as_secs_f64() * 1e3);
                }
            }
        }
        let [neither, fuel, epochs, both] = took.map(|mut took| median(&mut took));
        let times = |with: f64| format!("×{:.3}", with / neither);
        let name = work.trim_matches('"');
        println!("{name:<8} {neither:>10.2} {:>9} {:>9} {:>9}", times(fuel), times(epochs), times(both));
    }
}
