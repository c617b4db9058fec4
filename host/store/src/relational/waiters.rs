//! Those who wait for an end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::{StoreError, TaskSeq};

/// What a look at something that is waited for finds.
#[derive(Debug)]
pub(super) enum Looked<V> {
    /// There is no such thing.
    Absent,
    /// It goes on; its number.
    Open(TaskSeq),
    /// It has ended, and this is how it looks.
    Ended(V),
}

/// When a look comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Before it is known whether it goes on.
    First,
    /// Once it is said to have ended.
    Woken,
}

/// Those who wait for the end of a task or workflow, by its number.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    waiting: Mutex<HashMap<TaskSeq, (Arc<Notify>, usize)>>,
    count: AtomicUsize,
}

impl Waiters {
    /// Waits until something has ended, or at most `limit`; it goes on where that came first.
    ///
    /// `guess` is its number as far as its name tells; the first look may know better.
    pub(super) async fn wait<V, F: Future<Output = Result<Looked<V>, StoreError>>>(
        &self,
        guess: TaskSeq,
        limit: Duration,
        look: impl Fn(When) -> F,
    ) -> Result<Looked<V>, StoreError> {
        let (mut seq, mut when) = (guess, When::First);
        let until_ended = async {
            loop {
                // Who ends it after this line wakes us; who did so before is seen by the look.
                let waiter = self.join(seq);
                let mut woken = std::pin::pin!(waiter.notify.notified());
                woken.as_mut().enable();
                match look(when).await? {
                    Looked::Open(found) if found == seq => {
                        woken.await;
                        when = When::Woken;
                    }
                    Looked::Open(found) => seq = found,
                    ended => return Ok(ended),
                }
            }
        };
        let waited = tokio::time::timeout(limit, until_ended).await;
        waited.unwrap_or(Ok(Looked::Open(seq)))
    }

    /// Begins to wait; what is given is notified at every end of the task from here on.
    fn join(self: &Waiters, seq: TaskSeq) -> Waiter<'_> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (notify, users) = waiting.entry(seq).or_default();
        *users += 1;
        let notify = Arc::clone(notify);
        self.count.fetch_add(1, Ordering::SeqCst);
        Waiter { waiters: self, seq, notify }
    }

    /// The numbers of the tasks that somebody waits for.
    pub(super) fn waited(&self) -> Vec<i64> {
        if self.count.load(Ordering::SeqCst) == 0 {
            return Vec::new();
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).keys().map(|seq| seq.0).collect()
    }

    /// Wakes those who wait for any of these tasks.
    pub(super) fn wake(&self, ended: &[TaskSeq]) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let woken: Vec<Arc<Notify>> =
            ended.iter().filter_map(|seq| waiting.get(seq)).map(|(notify, _)| Arc::clone(notify)).collect();
        drop(waiting);
        woken.iter().for_each(|notify| notify.notify_waiters());
    }
}

/// One who waits; leaves when dropped.
#[derive(Debug)]
struct Waiter<'a> {
    waiters: &'a Waiters,
    seq: TaskSeq,
    notify: Arc<Notify>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiters.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, users)) = waiting.get_mut(&self.seq) {
            *users -= 1;
            if *users == 0 {
                waiting.remove(&self.seq);
            }
        }
        self.waiters.count.fetch_sub(1, Ordering::SeqCst);
    }
}
