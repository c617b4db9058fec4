//! The threads that guests execute on, and nothing else does.
//!
//! Each is one core's worth of execution: a current-thread runtime that takes chunks of tasks and polls each run once
//! where it stands. Most runs end there. One that does not (it computes longer than an epoch tick, sleeps, or awaits the
//! host) is spawned on the thread's own runtime, and the thread goes on with the next.

use std::sync::Arc;
use std::task::Poll;

use bulkhead_sandbox::{RunControl, Sandbox, Snapshot};
use bulkhead_store::Claimed;
use futures::FutureExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::LocalSet;

use crate::guest_queue::CHUNK;
use crate::outbox::Ended;
use crate::run_task::{after_host_panic, run_task};
use crate::shared::Shared;

/// Starts a guest thread; it ends when the queue is closed and its last run is over.
pub(crate) fn start(shared: Arc<Shared>, number: u32) -> std::io::Result<std::thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name(format!("guest-{number}")).spawn(move || {
        let local = LocalSet::new();
        let sandbox = shared.sandbox.for_thread(number as usize);
        local.block_on(&runtime, serve(shared, sandbox));
        // Runs that are still pending are finished before the thread ends.
        runtime.block_on(local);
    })
}

async fn serve(shared: Arc<Shared>, sandbox: Sandbox) {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut ended = Vec::with_capacity(CHUNK);
    while shared.queue.take(&mut chunk).await {
        let snapshot = shared.catalogue.snapshot();
        let mut pending = false;
        for task in chunk.drain(..) {
            let slot = match Arc::clone(&shared.slots).try_acquire_owned() {
                Ok(slot) => slot,
                Err(_) => {
                    shared.outbox.push(&mut ended, false);
                    // Only closed when the worker is gone, and then its leases are void.
                    let Ok(slot) = Arc::clone(&shared.slots).acquire_owned().await else { return };
                    slot
                }
            };
            if let Some(end) = poll_once(&shared, &sandbox, &snapshot, task, slot).await {
                ended.push(end);
            } else {
                pending = true;
            }
        }
        shared.outbox.push(&mut ended, shared.queue.is_busy());
        if pending || shared.slots.available_permits() < shared.settings.max_concurrent as usize {
            // Let the pending runs of this thread have their turn, and the timers theirs.
            tokio::task::yield_now().await;
        }
    }
}

/// Polls a run once; gives its end, or spawns what is left of it.
async fn poll_once(
    shared: &Arc<Shared>,
    sandbox: &Sandbox,
    snapshot: &Arc<Snapshot>,
    task: Claimed,
    slot: OwnedSemaphorePermit,
) -> Option<Ended> {
    let control = Arc::new(RunControl::new());
    let (lease, seq) = (task.lease, task.seq);
    if let Some(why) = shared.in_flight.why_void(lease) {
        control.stop(why);
    }
    let run = {
        let (shared, snapshot, control) = (Arc::clone(shared), Arc::clone(snapshot), Arc::clone(&control));
        let sandbox = sandbox.clone();
        async move {
            let _slot = slot;
            let run = run_task(&shared, &sandbox, &snapshot, &task, &control, fastrand::u64(..));
            match std::panic::AssertUnwindSafe(run).catch_unwind().await {
                Ok(ended) => ended,
                Err(_) => after_host_panic(&shared, &task, fastrand::u64(..)),
            }
        }
    };
    let mut run = Box::pin(run);
    let first = std::future::poll_fn(|context| Poll::Ready(run.as_mut().poll(context))).await;
    if let Poll::Ready(ended) = first {
        return Some(ended);
    }
    shared.in_flight.enter(lease, seq, control);
    let shared = Arc::clone(shared);
    tokio::task::spawn_local(async move {
        let ended = run.await;
        shared.in_flight.leave(lease, seq);
        shared.outbox.push(&mut vec![ended], false);
    });
    None
}
