//! The queue before the store's thread.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::request::Request;

/// Requests in the order they came. Those from outside are bounded by permits, those of workers by what was claimed.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    closed: bool,
    asleep: bool,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a request in; it is dropped, and whoever waits for its answer told so, where the store is closed.
    pub(super) fn push(&self, request: Request) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.requests.push(request);
        let asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.arrived.notify_one();
        }
    }

    /// Takes everything that is there; waits for the first at most `limit`, for ever where that is `None`.
    pub(super) fn take(&self, limit: Option<Duration>, into: &mut Vec<Request>) {
        let mut state = self.lock();
        if state.requests.is_empty() && limit != Some(Duration::ZERO) {
            state.asleep = true;
            state = match limit {
                None => self
                    .arrived
                    .wait_while(state, |state| state.requests.is_empty())
                    .unwrap_or_else(PoisonError::into_inner),
                Some(limit) => {
                    self.arrived
                        .wait_timeout_while(state, limit, |state| state.requests.is_empty())
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
            state.asleep = false;
        }
        std::mem::swap(&mut state.requests, into);
    }

    /// Accepts nothing more and drops what is there.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let dropped = std::mem::take(&mut state.requests);
        drop(state);
        // Outside the lock: dropping a request may drop a line, which sends another.
        drop(dropped);
    }
}
