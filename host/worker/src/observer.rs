//! What a guest tells of its run, on its way to the log.

use bulkhead_core::{HandlerVersion, TaskId};
use bulkhead_sandbox::{LogLevel, Observer, Progress};
use std::sync::Arc;

/// Writes a guest's words to the log, beside the task and handler they come from.
#[derive(Debug)]
pub(crate) struct TaskObserver {
    /// The task.
    pub(crate) task: TaskId,
    /// The handler.
    pub(crate) handler: Arc<HandlerVersion>,
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
    }

    fn progress(&self, progress: Progress<'_>) {
        let (task, handler) = (self.task.as_str(), self.handler.name.as_str());
        tracing::info!(
            target: "guest",
            task,
            handler,
            stage = progress.stage,
            fraction = progress.fraction,
            metadata = progress.metadata,
            "{}",
            progress.text
        );
    }

    fn audit(&self, code: &str, details: &str) {
        tracing::info!(target: "guest", task = self.task.as_str(), handler = self.handler.name.as_str(), code, details, "audit");
    }
}
