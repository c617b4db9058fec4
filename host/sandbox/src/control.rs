//! How the host ends a run from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use atomic_waker::AtomicWaker;
use bulkhead_core::{Interruption, RunEnd};
use tokio::sync::Notify;

/// Why the host ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stop {
    /// Somebody cancelled the task.
    Cancel,
    /// The host is shutting down.
    Drain,
    /// The worker could not confirm its lease.
    LeaseLost,
}

impl Stop {
    /// How the run ends.
    pub(crate) const fn run_end(self) -> RunEnd {
        match self {
            Self::Cancel => RunEnd::Cancelled,
            Self::Drain => RunEnd::Interrupted(Interruption::Drain),
            Self::LeaseLost => RunEnd::Interrupted(Interruption::LeaseLost),
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Cancel => 1,
            Self::Drain => 2,
            Self::LeaseLost => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Cancel),
            2 => Some(Self::Drain),
            3 => Some(Self::LeaseLost),
            _ => None,
        }
    }
}

/// Shared with one run (or with several that follow each other) by whoever may end it.
///
/// Read whenever the epoch moves, and awaited while the run waits for something.
#[derive(Debug)]
pub struct RunControl {
    word: AtomicU8,
    changed: Notify,
    /// How long the run stood aside for others on its thread, in nanoseconds.
    aside: AtomicU64,
    made: Instant,
    /// When what the guest waits for was there, in nanoseconds since `made`; 0 while it is not.
    woken: AtomicU64,
    /// Whom to wake then.
    driver: AtomicWaker,
}

impl Default for RunControl {
    fn default() -> Self {
        Self {
            word: AtomicU8::default(),
            changed: Notify::default(),
            aside: AtomicU64::default(),
            made: Instant::now(),
            woken: AtomicU64::default(),
            driver: AtomicWaker::default(),
        }
    }
}

/// As the waker a guest is polled with, it notes when the guest could have gone on.
impl Wake for RunControl {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let now = nanos(self.made.elapsed()).max(1);
        // An error means that it was ready before.
        let _ = self.woken.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
        self.driver.wake();
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl RunControl {
    /// A control that lets the run go on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whom to wake once the guest can go on; to be told before each poll of it.
    ///
    /// From being ready to being polled, the guest stood aside for others on its thread.
    pub(crate) fn before_poll(&self, driver: &Waker) {
        self.driver.register(driver);
        let woken = self.woken.swap(0, Ordering::AcqRel);
        if woken != 0 {
            self.aside.fetch_add(nanos(self.made.elapsed()).saturating_sub(woken), Ordering::Relaxed);
        }
    }

    /// The moment by the run's own clock, which stands still while the run stands aside for others: what it may take does
    /// not depend on its neighbours.
    pub(crate) fn now(&self) -> Instant {
        let now = Instant::now();
        now.checked_sub(self.stood_aside()).unwrap_or(now)
    }

    /// How long the run stood aside so far.
    pub(crate) fn stood_aside(&self) -> Duration {
        Duration::from_nanos(self.aside.load(Ordering::Relaxed))
    }

    /// Lets the others on this thread have their turn.
    pub(crate) async fn stand_aside(&self) {
        let (since, counted) = (Instant::now(), self.stood_aside());
        // Tokio's own yield, which is woken only after timers and I/O were polled; wasmtime's plain yield wakes itself at
        // once and starves them.
        tokio::task::yield_now().await;
        // Part of it was counted by the poll that brought the run back.
        let counted = self.stood_aside().saturating_sub(counted);
        self.aside.fetch_add(nanos(since.elapsed().saturating_sub(counted)), Ordering::Relaxed);
    }

    /// Follows the end of a run that begins now and may take so long: when that is by the host's clock, as far as it is known
    /// at the moment of asking.
    pub fn end_after(self: &Arc<Self>, timeout: Duration) -> impl Fn() -> Instant + Send + Sync + use<> {
        let (control, deadline) = (Arc::clone(self), self.now() + timeout);
        move || deadline + control.stood_aside()
    }

    /// Ends the run; the first reason stands.
    pub fn stop(&self, why: Stop) {
        // An error means that there is a reason already.
        let _ = self.word.compare_exchange(0, why.code(), Ordering::AcqRel, Ordering::Acquire);
        self.changed.notify_one();
    }

    /// Why the run is to end, once it is.
    pub fn stopped(&self) -> Option<Stop> {
        Stop::from_code(self.word.load(Ordering::Acquire))
    }

    /// Waits until the run is to end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost by dropping the future: the word stays.
    pub(crate) async fn wait(&self) -> Stop {
        loop {
            if let Some(why) = self.stopped() {
                return why;
            }
            self.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stands() {
        let control = RunControl::new();
        assert_eq!(control.stopped(), None);
        control.stop(Stop::Drain);
        control.stop(Stop::Cancel);
        assert_eq!(control.stopped(), Some(Stop::Drain));
    }

    #[test]
    fn the_end_of_a_run_is_later_by_what_it_stood_aside() {
        let control = Arc::new(RunControl::new());
        let end = control.end_after(Duration::from_secs(60));
        let before = end();
        while control.stood_aside().is_zero() {
            control.wake_by_ref();
            control.before_poll(Waker::noop());
        }
        assert_eq!(end(), before + control.stood_aside());
    }

    #[tokio::test]
    async fn a_stop_before_the_wait_is_seen_by_every_later_wait() {
        let control = RunControl::new();
        control.stop(Stop::LeaseLost);
        assert_eq!(control.wait().await, Stop::LeaseLost);
        assert_eq!(control.wait().await, Stop::LeaseLost);
    }
}
