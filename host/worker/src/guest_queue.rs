//! The claimed tasks that wait for a guest thread.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bulkhead_store::Claimed;
use tokio::sync::Notify;

/// The most tasks that a thread takes at once; a chunk this long makes the lock and the wake-up cheap.
pub(crate) const CHUNK: usize = 32;

/// A queue that all guest threads take from; bounded by the permits that were given to the store.
#[derive(Debug)]
pub(crate) struct GuestQueue {
    state: Mutex<State>,
    arrived: Notify,
    threads: usize,
}

#[derive(Debug, Default)]
struct State {
    tasks: VecDeque<Claimed>,
    closed: bool,
}

impl GuestQueue {
    /// A queue for so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        Self { state: Mutex::default(), arrived: Notify::new(), threads: threads.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds tasks and wakes as many threads as they can occupy.
    pub(crate) fn push(&self, tasks: Vec<Claimed>) {
        let wake = tasks.len().min(self.threads);
        self.lock().tasks.extend(tasks);
        for _ in 0..wake {
            self.arrived.notify_one();
        }
    }

    /// How many tasks wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().tasks.len()
    }

    /// Whether the threads have so much to do that ended runs may wait for a fuller batch.
    pub(crate) fn is_busy(&self) -> bool {
        self.len() > self.threads * CHUNK
    }

    /// Moves this thread's fair share of what waits into `chunk`; false once the queue is closed.
    pub(crate) async fn take(&self, chunk: &mut Vec<Claimed>) -> bool {
        loop {
            // Made before the look, so that what arrives in between is not missed.
            let arrived = self.arrived.notified();
            {
                let mut state = self.lock();
                let share = state.tasks.len().div_ceil(self.threads).min(CHUNK);
                chunk.extend(state.tasks.drain(..share));
                if !chunk.is_empty() {
                    if !state.tasks.is_empty() {
                        self.arrived.notify_one();
                    }
                    return true;
                }
                if state.closed {
                    return false;
                }
            }
            arrived.await;
        }
    }

    /// Takes everything back that no thread has begun.
    pub(crate) fn clear(&self) -> Vec<Claimed> {
        self.lock().tasks.drain(..).collect()
    }

    /// Lets the threads end once nothing waits.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        for _ in 0..self.threads {
            self.arrived.notify_one();
        }
        self.arrived.notify_waiters();
    }
}
