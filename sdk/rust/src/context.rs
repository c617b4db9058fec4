//! What a handler may learn of its run, and tell of it.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Cursor, Failure};

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Finest.
    Trace,
    /// For debugging.
    Debug,
    /// Ordinary.
    Info,
    /// Worth a look.
    Warn,
    /// Wrong.
    Error,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// snake_case; at most 64 bytes.
    pub stage: String,
    /// Short, for operators; at most 256 bytes.
    pub text: String,
    /// 0 to 1.
    pub fraction: Option<f64>,
    /// More, for programs; at most 4 KiB of JSON.
    pub metadata: Value,
}

/// The answer to the last suspension.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// What was given.
    Given(Value),
    /// Nobody answered in time.
    TimedOut,
}

/// A task that this one waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Upstream {
    /// Its step or child name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// How it ended.
    pub end: UpstreamEnd,
}

/// How a task that this one waited for ended.
#[derive(Debug, Clone, PartialEq)]
pub enum UpstreamEnd {
    /// Well, with this result.
    Succeeded(Value),
    /// Closed by hand, with this result.
    Resolved(Value),
    /// Badly.
    Failed(Failure),
    /// By somebody's wish.
    Cancelled,
    /// Without running.
    Skipped,
}

/// The workflow step that this task is.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The workflow's id.
    pub workflow_id: String,
    /// The workflow's name.
    pub workflow: String,
    /// The step's name.
    pub name: String,
    /// The method that the template names.
    pub method: Option<String>,
    /// The range of a batch worker.
    pub cursor: Option<Cursor>,
}

/// Where the host puts the folder that it shares with a task.
pub(crate) const WORKSPACE: &str = "/workspace";

/// What stands behind a [`Context`]: the real host, or a test's.
pub(crate) trait Host {
    fn idempotency_key(&self) -> String;
    fn tenant(&self) -> Option<String>;
    fn tags(&self) -> Vec<(String, String)>;
    fn traceparent(&self) -> Option<String>;
    fn settings(&self) -> String;
    fn state(&self) -> Option<String>;
    fn resumption(&self) -> Option<Answer>;
    fn upstream(&self) -> Vec<Upstream>;
    fn upstream_named(&self, name: &str) -> Option<Upstream>;
    fn step(&self) -> Option<Step>;
    fn cancelled(&self) -> bool;
    fn remaining(&self) -> Duration;
    fn remaining_fuel(&self) -> u64;
    fn workspace(&self) -> PathBuf;
    fn log(&self, level: Level, message: &str, fields: &str);
    fn report_progress(&self, progress: &Progress);
    fn audit(&self, code: &str, details: &str);
}

/// The run that a handler is in.
pub struct Context<'a> {
    host: &'a dyn Host,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Context").finish_non_exhaustive()
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new(host: &'a dyn Host) -> Self {
        Self { host }
    }

    /// The same for every retry and requeue of this task's stage: hand it to systems that de-duplicate.
    pub fn idempotency_key(&self) -> String {
        self.host.idempotency_key()
    }

    /// The task's tenant.
    pub fn tenant(&self) -> Option<String> {
        self.host.tenant()
    }

    /// The task's labels.
    pub fn tags(&self) -> Vec<(String, String)> {
        self.host.tags()
    }

    /// The W3C traceparent of this run.
    pub fn traceparent(&self) -> Option<String> {
        self.host.traceparent()
    }

    /// The settings that the operator gave this handler; an empty object where there are none.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.host.settings()).map_err(|error| {
            Failure::permanent("bad_settings", format!("the operator's settings of this handler do not fit: {error}"))
        })
    }

    /// What this task left when it last spawned, suspended or checkpointed.
    pub fn state<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        Ok(self.host.state().map(|state| serde_json::from_str(&state)).transpose()?)
    }

    /// The answer to the last suspension.
    pub fn resumption(&self) -> Option<Answer> {
        self.host.resumption()
    }

    /// What this task waited for, in order.
    pub fn upstream(&self) -> Vec<Upstream> {
        self.host.upstream()
    }

    /// One of the tasks that this one waited for.
    pub fn upstream_named(&self, name: &str) -> Option<Upstream> {
        self.host.upstream_named(name)
    }

    /// The result of a task that this one waited for and that ended well; anything else is a permanent failure.
    pub fn dependency_result<T: DeserializeOwned>(&self, name: &str) -> Result<T, Failure> {
        match self.upstream_named(name).map(|upstream| upstream.end) {
            Some(UpstreamEnd::Succeeded(result) | UpstreamEnd::Resolved(result)) => Ok(serde_json::from_value(result)?),
            Some(end) => Err(Failure::permanent("dependency_failed", format!("`{name}` did not succeed: {end:?}"))),
            None => Err(Failure::permanent("no_dependency", format!("this task did not wait for `{name}`"))),
        }
    }

    /// The workflow step that this task is.
    pub fn step(&self) -> Option<Step> {
        self.host.step()
    }

    /// Whether somebody asked this task to stop.
    pub fn cancelled(&self) -> bool {
        self.host.cancelled()
    }

    /// How much longer this attempt may run.
    pub fn remaining(&self) -> Duration {
        self.host.remaining()
    }

    /// How much fuel this run has left.
    pub fn remaining_fuel(&self) -> u64 {
        self.host.remaining_fuel()
    }

    /// The folder that the host shares with the task, `/workspace`; in a test, the one that the test gives.
    ///
    /// It is there in [`crate::Handler::handle`] where the operator granted it, to read or to read and write.
    pub fn workspace(&self) -> PathBuf {
        self.host.workspace()
    }

    /// Writes a log line with fields.
    pub fn log(&self, level: Level, message: &str, fields: impl Serialize) {
        self.host.log(level, message, &serde_json::to_string(&fields).unwrap_or_default());
    }

    /// Writes an ordinary log line.
    pub fn info(&self, message: &str) {
        self.host.log(Level::Info, message, "{}");
    }

    /// Writes a log line that is worth a look.
    pub fn warn(&self, message: &str) {
        self.host.log(Level::Warn, message, "{}");
    }

    /// Writes a log line of something wrong.
    pub fn error(&self, message: &str) {
        self.host.log(Level::Error, message, "{}");
    }

    /// Tells how far the run has come.
    pub fn progress(&self, progress: &Progress) {
        self.host.report_progress(progress);
    }

    /// Leaves a line in the task's audit trail; `code` is snake_case.
    pub fn audit(&self, code: &str, details: impl Serialize) {
        self.host.audit(code, &serde_json::to_string(&details).unwrap_or_default());
    }
}
