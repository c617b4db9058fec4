//! Ends what fills a workspace beyond its bounds.
//!
//! Guests are counted while they write; containers and programs write by themselves, so that their workspace is looked at
//! now and then.

use std::time::{Duration, Instant};

use bulkhead_core::{Caller, CallerWorkspace, DelegateError};
use tokio::time::sleep;

/// How long after a look, or after the start, comes the next.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// So many times as long as a look took, the next is waited for: looks take a twentieth of the time, unless they are slow.
const REST: u32 = 20;

/// The next is never waited for longer: where looks are slow since many files are made, even more would be made meanwhile.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(5);

/// Does the work unless what it works on grows beyond its bounds; then it is dropped, which ends it.
pub(crate) async fn within_bounds<T>(
    caller: &Caller,
    work: impl Future<Output = Result<T, DelegateError>>,
) -> Result<T, DelegateError> {
    let Some(workspace) = caller.workspace.as_ref().filter(|workspace| workspace.writable) else { return work.await };
    tokio::select! {
        biased;
        done = work => done,
        bound = overrun(workspace) => Err(DelegateError::Failed(format!("it was ended: {bound}"))),
    }
}

/// Waits until the workspace holds more than it may; says which bound that is.
async fn overrun(workspace: &CallerWorkspace) -> String {
    let mut wait = LOOK_EVERY;
    loop {
        sleep(wait).await;
        let (overrun, began) = (workspace.overrun.clone(), Instant::now());
        if let Ok(Some(bound)) = tokio::task::spawn_blocking(move || overrun.look()).await {
            return bound;
        }
        wait = rest_after(began.elapsed());
    }
}

/// How long to wait after a look that took so long.
fn rest_after(look: Duration) -> Duration {
    (look * REST).clamp(LOOK_EVERY, LOOK_AT_LEAST_EVERY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_take_little_of_the_time_and_however_slow_they_are_the_next_comes_soon() {
        for (look, rest) in [(1, 500), (25, 500), (100, 2_000), (250, 5_000), (2_000, 5_000), (60_000, 5_000)] {
            assert_eq!(rest_after(Duration::from_millis(look)), Duration::from_millis(rest), "{look} ms");
        }
    }
}
