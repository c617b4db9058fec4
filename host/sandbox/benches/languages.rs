//! B12: what a run costs over a bare wasmtime loop where the guest is an interpreter, CPython's or SpiderMonkey's: as the
//! bench `sandbox`, with no-op handlers in Python and JavaScript.
//!
//! `BULKHEAD_TEST_LANGUAGES` names the folder that `cargo xtask languages` builds. `cargo xtask bench b12`

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

#[expect(unreachable_pub, reason = "shared with other benches")]
mod bare_loop;
mod product;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bare_loop::{ALL, BareLoop, median};
use bulkhead_core::{HandlerName, RunEnd};
use bulkhead_sandbox::{Sandbox, SandboxSettings};
use product::{alternate, one_run};

/// Short, so that whatever else the machine does meets both; so many that their median is steady all the same.
const ROUND: Duration = Duration::from_millis(150);
const ROUNDS: usize = 80;

/// Runs that were out of time.
static STALLS: AtomicU32 = AtomicU32::new(0);

fn main() {
    let rounds = if std::env::var_os("BULKHEAD_BENCH_QUICK").is_some() { 4 } else { ROUNDS };
    let folder = std::env::var_os("BULKHEAD_TEST_LANGUAGES").map(PathBuf::from);
    let folder = folder.expect("BULKHEAD_TEST_LANGUAGES names the folder that `cargo xtask languages` builds");
    println!(
        "{:<11} {:>7} {:>9} {:>12} {:>7} {:>15} {:>9} {:>9}",
        "guest", "threads", "bare/s", "sandbox/s", "ratio", "ratio quartiles", "bare ms", "ours ms"
    );
    for (guest, language) in [("noop_py", "Python"), ("noop_js", "JavaScript")] {
        let file = folder.join(format!("{guest}.wasm"));
        let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
        let bare = BareLoop::new(&bytes, ALL);
        let settings = SandboxSettings { pools: 2, ..SandboxSettings::default() };
        let sandbox = Sandbox::try_new(&settings).unwrap();
        let sandboxes = [0, 1].map(|thread| sandbox.for_thread(thread));
        let handler = sandbox.load(&HandlerName::parse(guest).unwrap(), &bytes).unwrap();
        for threads in [1, 2] {
            let ours = async |thread: usize| match one_run(&sandboxes[thread], &handler).await {
                RunEnd::Completed(_) => {}
                // A machine that stalls for the 100 ms that `dispatch` has: it stalls for the bare loop just as well.
                RunEnd::TimedOut => _ = STALLS.fetch_add(1, Ordering::Relaxed),
                other => panic!("{other:?}"),
            };
            let [mut bares, mut sandboxes, mut ratios] = alternate(&bare, ours, threads, rounds, ROUND);
            let (bare_rate, our_rate, ratio) = (median(&mut bares), median(&mut sandboxes), median(&mut ratios));
            let millis = |rate: f64| threads as f64 * 1e3 / rate;
            println!(
                "{language:<11} {threads:>7} {bare_rate:>9.0} {our_rate:>12.0} {ratio:>7.3} {:>7.3}–{:.3} {:>11.2} {:>9.2}",
                ratios[ratios.len() / 4],
                ratios[ratios.len() * 3 / 4],
                millis(bare_rate),
                millis(our_rate),
            );
        }
    }
    let stalls = STALLS.load(Ordering::Relaxed);
    if stalls > 0 {
        println!("the machine stalled: {stalls} runs were out of time");
    }
}
