//! What a guest tells of its run: into the host's log, and gathered for the store.

use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulkhead_core::{HandlerVersion, JsonText, TaskId};
use bulkhead_sandbox::{LogLevel, Observer, Progress};
use bulkhead_store::{Audit, LogLine, ProgressNote, TaskSeq, Told};

use crate::progress::Reports;

/// Hears one run.
pub(crate) struct TaskObserver {
    /// The task.
    pub(crate) task: TaskId,
    pub(crate) seq: TaskSeq,
    /// The handler.
    pub(crate) handler: Arc<HandlerVersion>,
    /// Where progress is stored while the run goes on.
    pub(crate) reports: Arc<Reports>,
    told: Mutex<Told>,
}

impl TaskObserver {
    pub(crate) fn new(task: TaskId, seq: TaskSeq, handler: Arc<HandlerVersion>, reports: Arc<Reports>) -> Self {
        Self { task, seq, handler, reports, told: Mutex::default() }
    }

    /// What was told so far; a line at the end where some of the log was beyond its bound.
    pub(crate) fn take_told(&self, dropped_log_bytes: u64) -> Told {
        if dropped_log_bytes > 0 {
            let message = format!("{dropped_log_bytes} bytes of log beyond its bound were dropped (option `logs`)");
            self.line(LogLevel::Warn, &message, "{}");
        }
        take(&mut *self.told())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, level: LogLevel, message: &str, fields: &str) {
        self.told().lines.push(LogLine {
            at: crate::now(),
            level: level.as_str().to_owned(),
            message: message.to_owned(),
            fields: JsonText::from_trusted(fields),
        });
    }
}

impl Observer for TaskObserver {
    fn log(&self, level: LogLevel, message: &str, fields: &str) {
        let (task, handler) = (self.task.as_str(), self.handler.name.as_str());
        match level {
            LogLevel::Trace => tracing::trace!(target: "guest", task, handler, fields, "{message}"),
            LogLevel::Debug => tracing::debug!(target: "guest", task, handler, fields, "{message}"),
            LogLevel::Info => tracing::info!(target: "guest", task, handler, fields, "{message}"),
            LogLevel::Warn => tracing::warn!(target: "guest", task, handler, fields, "{message}"),
            LogLevel::Error => tracing::error!(target: "guest", task, handler, fields, "{message}"),
        }
        self.line(level, message, fields);
    }

    fn progress(&self, progress: Progress<'_>) {
        let note = ProgressNote {
            at: crate::now(),
            stage: progress.stage.to_owned(),
            text: progress.text.to_owned(),
            fraction: progress.fraction,
            metadata: JsonText::from_trusted(progress.metadata),
        };
        self.reports.note(self.seq, note.clone());
        self.told().progress = Some(note);
    }

    fn audit(&self, code: &str, details: &str) {
        tracing::info!(target: "guest", task = self.task.as_str(), handler = self.handler.name.as_str(), code, details, "audit");
        let entry = Audit { at: crate::now(), code: code.to_owned(), details: JsonText::from_trusted(details) };
        self.told().audits.push(entry);
    }
}
