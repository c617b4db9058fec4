//! When a backend was last heard of, within one try.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// After so long a silence a try that is cut off counts as a failure of the backend. Shorter ones may be a handler's doing,
/// whose task has little time: else one handler could take a backend from all others.
const BLAMED: Duration = Duration::from_secs(10);

/// What was heard of the backend since it was asked.
#[derive(Debug)]
pub(crate) struct Pulse(Mutex<Heard>);

#[derive(Debug)]
struct Heard {
    /// When it was asked, or said something for the last time.
    last: Instant,
    ever: bool,
}

impl Pulse {
    /// Of a backend that is asked now.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Heard { last: Instant::now(), ever: false }))
    }

    /// It said something.
    pub(crate) fn beat(&self) {
        *self.heard() = Heard { last: Instant::now(), ever: true };
    }

    /// Whether it has said anything.
    pub(crate) fn has_beaten(&self) -> bool {
        self.heard().ever
    }

    /// Whether it has said nothing at all for so long that it is to blame.
    pub(crate) fn is_dead(&self) -> bool {
        let heard = self.heard();
        !heard.ever && is_blamed(heard.last.elapsed())
    }

    /// Waits until it has said nothing for so long.
    ///
    /// # Cancel safety
    ///
    /// It only waits.
    pub(crate) async fn stops(&self, limit: Duration) {
        loop {
            let left = limit.saturating_sub(self.heard().last.elapsed());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a backend is to blame that has said nothing at all for so long.
pub(crate) fn is_blamed(silence: Duration) -> bool {
    silence >= BLAMED
}
