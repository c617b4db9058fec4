//! What ends a run that does not end by itself: fuel, the epoch and the wall clock.
//!
//! Fuel is counted by the guest's own code. The epoch is looked at by the guest's own code too, and brings it to
//! [`on_epoch`], where deadline and control are read and the thread is lent to others. The wall clock is the only bound
//! on a guest that waits for something, so it is started when a guest first does ([`fenced`]): a run that is over at its
//! first poll never pays for a timer.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bulkhead_core::{Interruption, Limit, RunEnd};
use wasmtime::{Result, StoreContextMut, UpdateDeadline};

use crate::host_state::HostState;
use crate::{RunControl, Stop};

/// Ticks until a guest first looks up, so that it has at least one whole tick for itself.
pub(crate) const FIRST_LOOK: u64 = 2;
/// Ticks between looks after that.
const NEXT_LOOK: u64 = 1;

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
    #[error("{0}")]
    Breach(String),
}

impl Fence {
    pub(crate) fn run_end(&self) -> RunEnd {
        match self {
            Self::Stopped(why) => why.run_end(),
            Self::TimedOut => RunEnd::TimedOut,
            Self::OutOfFuel => RunEnd::OutOfFuel,
            Self::HostCalls => RunEnd::LimitReached(Limit::HostCalls),
            Self::Breach(what) => RunEnd::Invalid(what.clone()),
        }
    }
}

/// Called on the guest's fiber when the epoch has passed its deadline.
pub(crate) fn on_epoch(mut store: StoreContextMut<'_, HostState>) -> Result<UpdateDeadline> {
    let host = store.data_mut();
    if let Some(why) = host.control.stopped() {
        return Err(Fence::Stopped(why).into());
    }
    if host.control.now() >= host.deadline {
        return Err(Fence::TimedOut.into());
    }
    let owed = host.meter.settle()?;
    if owed > 0 {
        let left = store.get_fuel()?;
        store.set_fuel(left.checked_sub(owed).ok_or(Fence::OutOfFuel)?)?;
    }
    let control = Arc::clone(&store.data().control);
    Ok(UpdateDeadline::YieldCustom(NEXT_LOOK, Box::pin(async move { control.stand_aside().await })))
}

/// Drives one entry into the guest, and ends it at the deadline, by the run's own clock, or when it is stopped.
///
/// A panic inside a host call ends the run, not the worker.
pub(crate) async fn fenced<T>(
    guest: impl Future<Output = Result<T>>,
    deadline: Instant,
    control: &RunControl,
) -> Result<Result<T>, RunEnd> {
    let mut guest = pin!(guest);
    let mut clock = pin!(None);
    let mut stop = pin!(None);
    poll_fn(|context| {
        if let Poll::Ready(answer) = poll_guarded(guest.as_mut(), context) {
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
