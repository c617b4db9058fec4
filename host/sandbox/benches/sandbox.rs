//! What a run costs over a bare wasmtime loop that does the same: a fresh store, instantiate, dispatch, handle, with fuel,
//! epochs and a limiter, from a pool of the same settings.
//!
//! Rounds of both alternate, so that a machine that drifts drifts for both. `cargo bench -p bulkhead-sandbox`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

#[expect(unreachable_pub, reason = "shared with the worker's bench")]
mod bare_loop;

use std::sync::Arc;
use std::time::Duration;

use bare_loop::{ALL, BareLoop, ID, PAYLOAD, median, rate};
use bulkhead_core::{Fuel, HandlerName, RunEnd, Size, TagSet};
use bulkhead_sandbox::{Handler, RunControl, RunFacts, RunLimits, RunRequest, Sandbox, SandboxSettings};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(400);

async fn ours(sandbox: &Sandbox, handler: &Handler, requires: &TagSet) {
    let report = sandbox
        .run(
            handler,
            RunRequest {
                id: ID,
                kind: "NOOP",
                payload: PAYLOAD,
                requires,
                attempt: 1,
                max_attempts: 3,
                stage: 0,
                facts: RunFacts::default(),
                limits: RunLimits {
                    timeout: Duration::from_secs(60),
                    fuel: Fuel::try_new(10_000_000_000).unwrap(),
                    memory: Size::from_mib(64),
                    result: Size::from_mib(1),
                    logs: Size::from_kib(256),
                },
                control: Arc::new(RunControl::new()),
                observer: None,
                workspace: None,
            },
        )
        .await;
    assert!(matches!(report.end, RunEnd::Completed(_)), "{:?}", report.end);
}

fn main() {
    let bytes = bulkhead_test_guests::guest_bytes("noop");
    let bare = BareLoop::new(&bytes, ALL);
    let sandbox = Sandbox::try_new(&SandboxSettings::default()).unwrap();
    let handler = sandbox.load(&HandlerName::parse("noop").unwrap(), &bytes).unwrap();
    let requires = TagSet::default();
    println!("{:>7} {:>12} {:>12} {:>8} {:>15}", "threads", "bare/s", "sandbox/s", "ratio", "ratio min–max");
    for threads in [1, 2] {
        let (mut bares, mut sandboxes, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let bare_rate = rate(threads, ROUND, async || bare.run(PAYLOAD).await);
            let our_rate = rate(threads, ROUND, async || ours(&sandbox, &handler, &requires).await);
            // The first round warms both up.
            if round > 0 {
                bares.push(bare_rate);
                sandboxes.push(our_rate);
                ratios.push(our_rate / bare_rate);
            }
        }
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
