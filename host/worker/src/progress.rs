//! Progress on its way to the store: of each task the last word, once a second at most.

use std::collections::HashMap;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bulkhead_store::{ProgressNote, TaskSeq, WorkSender};
use tokio::sync::{Notify, watch};

/// How often progress is stored.
const EVERY: Duration = Duration::from_secs(1);

/// The last word of each task that has said something new.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    latest: Mutex<HashMap<TaskSeq, ProgressNote>>,
    changed: Notify,
}

impl Reports {
    /// Notes a word; an earlier one that is not stored yet is forgotten.
    pub(crate) fn note(&self, task: TaskSeq, note: ProgressNote) {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).insert(task, note);
        self.changed.notify_one();
    }

    /// Forgets a task whose run is over: its last word goes with its end.
    pub(crate) fn forget(&self, task: TaskSeq) {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).remove(&task);
    }

    fn take(&self) -> Vec<(TaskSeq, ProgressNote)> {
        take(&mut *self.latest.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

/// Sends what was noted, for as long as the worker lives. Progress is best effort: without a line it is dropped.
pub(crate) async fn send_reports(reports: Arc<Reports>, line: watch::Receiver<Option<Arc<dyn WorkSender>>>) {
    loop {
        reports.changed.notified().await;
        tokio::time::sleep(EVERY).await;
        let notes = reports.take();
        let line = line.borrow().clone();
        if let Some(line) = line.filter(|_| !notes.is_empty()) {
            line.report(notes);
        }
    }
}
