//! What ends a run that does not end by itself, and the wall clock among it.
//!
//! Fuel is counted by the guest's own code, and `epoch` reads deadline and control of one that computes. The wall clock
//! is the only bound on a guest that waits for something, so it is started when a guest first does ([`fenced`]): a run
//! that is over at its first poll never pays for a timer.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bulkhead_core::{Interruption, Limit, RunEnd};
use wasmtime::Result;

use crate::{RunControl, Stop};

/// Why the host ended a run, on its way through wasmtime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fence {
    #[error("stopped from outside")]
    Stopped(Stop),
    #[error("the wall clock ran out")]
    TimedOut,
    #[error("the fuel is used up")]
    OutOfFuel,
    #[error("too many calls to the host")]
    HostCalls,
    #[error("too many resources at once")]
    Handles,
    #[error("{0}")]
    Breach(String),
    #[error("what the run needs of the host is not there")]
    Unavailable,
}

impl Fence {
    pub(crate) fn run_end(&self) -> RunEnd {
        match self {
            Self::Stopped(why) => why.run_end(),
            Self::TimedOut => RunEnd::TimedOut,
            Self::OutOfFuel => RunEnd::OutOfFuel,
            Self::HostCalls => RunEnd::LimitReached(Limit::HostCalls),
            Self::Handles => RunEnd::LimitReached(Limit::Handles),
            Self::Breach(what) => RunEnd::Invalid(what.clone()),
            Self::Unavailable => RunEnd::Interrupted(Interruption::EngineGone),
        }
    }
}

/// Drives one entry into the guest, and ends it at the deadline, by the run's own clock, or when it is stopped.
///
/// A panic inside a host call ends the run, not the worker.
pub(crate) async fn fenced<T>(
    guest: impl Future<Output = Result<T>>,
    deadline: Instant,
    control: &Arc<RunControl>,
) -> Result<Result<T>, RunEnd> {
    let mut guest = pin!(guest);
    let woken = Waker::from(Arc::clone(control));
    let mut clock = pin!(None);
    let mut stop = pin!(None);
    poll_fn(|context| {
        control.before_poll(context.waker());
        if let Poll::Ready(answer) = poll_guarded(guest.as_mut(), &mut Context::from_waker(&woken)) {
            return Poll::Ready(answer);
        }
        if clock.is_none() {
            clock.set(Some(tokio::time::sleep_until((deadline + control.stood_aside()).into())));
            stop.set(Some(control.wait()));
        }
        if let Some(Poll::Ready(why)) = stop.as_mut().as_pin_mut().map(|stop| stop.poll(context)) {
            return Poll::Ready(Err(why.run_end()));
        }
        while let Some(Poll::Ready(())) = clock.as_mut().as_pin_mut().map(|clock| clock.poll(context)) {
            if control.now() >= deadline {
                return Poll::Ready(Err(RunEnd::TimedOut));
            }
            // It stood aside since the timer was set.
            clock.set(Some(tokio::time::sleep_until((deadline + control.stood_aside()).into())));
        }
        Poll::Pending
    })
    .await
}

fn poll_guarded<T>(
    guest: Pin<&mut impl Future<Output = Result<T>>>,
    context: &mut Context<'_>,
) -> Poll<Result<Result<T>, RunEnd>> {
    // Whatever a panic left half done is in the store, which is dropped with the run and never looked into.
    match catch_unwind(AssertUnwindSafe(|| guest.poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => {
            tracing::error!("a host call panicked; the run is interrupted and will be made again");
            Poll::Ready(Err(RunEnd::Interrupted(Interruption::EngineGone)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn waiting_for_the_thread_costs_a_run_nothing_of_its_time() {
        let control = Arc::new(RunControl::new());
        let deadline = Instant::now() + Duration::from_millis(200);
        let (begun, begins) = mpsc::channel();
        let (answer, answered) = oneshot::channel();
        let (told, tell) = mpsc::channel();
        // The host's side of a call, on a thread of its own: it answers while the guest's thread is busy with another.
        let host = std::thread::spawn(move || {
            begins.recv().unwrap();
            answer.send(()).unwrap();
            told.send(()).unwrap();
        });
        let neighbour = async move {
            begun.send(()).unwrap();
            tell.recv().unwrap();
            std::thread::sleep(Duration::from_millis(400));
        };
        let guest = fenced(async { Ok(answered.await?) }, deadline, &control);
        let (ended, ()) = tokio::join!(biased; guest, neighbour);
        ended.expect("the call was answered in time").unwrap();
        assert!(control.now() < deadline);
        host.join().unwrap();
    }
}
