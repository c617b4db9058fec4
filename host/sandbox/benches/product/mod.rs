//! The product's own way of one run, in turns with the bare loop.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Options, RunEnd, TagSet};
use bulkhead_sandbox::{Handler, RunControl, RunFacts, RunLimits, RunRequest, Sandbox};

use crate::bare_loop::{BareLoop, ID, PAYLOAD, rate};

/// One run with the default limits.
pub(crate) async fn one_run(sandbox: &Sandbox, handler: &Handler) -> RunEnd {
    let request = RunRequest {
        id: ID,
        kind: handler.kind().as_str(),
        payload: PAYLOAD,
        requires: &TagSet::default(),
        attempt: 1,
        max_attempts: 3,
        stage: 0,
        facts: RunFacts::default(),
        limits: RunLimits::from(&Options::default()),
        control: Arc::new(RunControl::new()),
        observer: None,
        upstream: None,
        delegates: None,
        workspace: None,
    };
    sandbox.run(handler, request).await.end
}

/// Rounds of the bare loop and of ours in turns: the rates of each, and their ratios, round by round.
pub(crate) fn alternate(
    bare: &BareLoop,
    ours: impl AsyncFn(usize) + Sync,
    threads: usize,
    rounds: usize,
    round: Duration,
) -> [Vec<f64>; 3] {
    let [mut bares, mut sandboxes, mut ratios] = [const { Vec::new() }; 3];
    for number in 0..=rounds {
        let bare_rate = rate(threads, round, async |_| bare.run(PAYLOAD).await);
        let our_rate = rate(threads, round, async |thread| ours(thread).await);
        // The first round warms both up.
        if number > 0 {
            bares.push(bare_rate);
            sandboxes.push(our_rate);
            ratios.push(our_rate / bare_rate);
        }
    }
    [bares, sandboxes, ratios]
}
