//! What a run costs over a bare wasmtime loop that does the same: a fresh store, instantiate, dispatch, handle, with fuel,
//! epochs and a limiter, from a pool of the same settings.
//!
//! Rounds of both alternate, so that a machine that drifts drifts for both. `cargo bench -p bulkhead-sandbox`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

#[expect(unreachable_pub, reason = "shared with the worker's bench")]
mod bare_loop;
mod product;

use std::time::Duration;

use bare_loop::{ALL, BareLoop, median};
use bulkhead_core::{HandlerName, RunEnd};
use bulkhead_sandbox::{Sandbox, SandboxSettings};
use product::{alternate, one_run};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(400);

fn main() {
    let bytes = bulkhead_test_guests::guest_bytes("noop");
    let bare = BareLoop::new(&bytes, ALL);
    // As a host has them: a pool for each thread.
    let settings = SandboxSettings { pools: 2, ..SandboxSettings::default() };
    let sandbox = Sandbox::try_new(&settings).unwrap();
    let sandboxes = [0, 1].map(|thread| sandbox.for_thread(thread));
    let handler = sandbox.load(&HandlerName::parse("noop").unwrap(), &bytes).unwrap();
    println!("{:>7} {:>12} {:>12} {:>8} {:>15}", "threads", "bare/s", "sandbox/s", "ratio", "ratio min–max");
    for threads in [1, 2] {
        let ours = async |thread: usize| {
            let end = one_run(&sandboxes[thread], &handler).await;
            assert!(matches!(end, RunEnd::Completed(_)), "{end:?}");
        };
        let [mut bares, mut sandboxes, mut ratios] = alternate(&bare, ours, threads, ROUNDS, ROUND);
        let ratio = median(&mut ratios);
        println!(
            "{threads:>7} {:>12.0} {:>12.0} {ratio:>8.3} {:>7.3}–{:.3}",
            median(&mut bares),
            median(&mut sandboxes),
            ratios[0],
            ratios[ratios.len() - 1],
        );
    }
}
