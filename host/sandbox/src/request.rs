//! What a run is given, and what is known once it has ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Answer, Cursor, Fuel, JsonText, Options, RunEnd, Size, SubmissionLimits, TagSet};

use crate::{Delegates, Observer, RunControl, Upstream, Workspace};

/// One run to be made.
pub struct RunRequest<'a> {
    /// The task's id.
    pub id: &'a str,
    /// The task's kind.
    pub kind: &'a str,
    /// The payload, JSON text that was checked when it was submitted.
    pub payload: &'a str,
    /// The tags that the task requires.
    pub requires: &'a TagSet,
    /// 1 on the first try.
    pub attempt: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// How often the task has resumed.
    pub stage: u32,
    /// What the guest may ask of `context`.
    pub facts: RunFacts<'a>,
    /// What bounds the run.
    pub limits: RunLimits,
    /// How the host ends it from outside.
    pub control: Arc<RunControl>,
    /// Who hears its logs, progress and audits.
    pub observer: Option<Arc<dyn Observer>>,
    /// What answers for the tasks that this one waited for; none where it waited for none.
    pub upstream: Option<Arc<dyn Upstream>>,
    /// What does for the guest what its handler was granted; none, nothing is.
    pub delegates: Option<Arc<dyn Delegates>>,
    /// What the guest sees as `/workspace` while it handles the task; none, nothing.
    pub workspace: Option<Workspace>,
}

/// What a guest may ask of `context`, where the task has it.
///
/// The idempotency key is made of the request's id and stage when the guest asks for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFacts<'a> {
    /// Whose task it is.
    pub tenant: Option<&'a str>,
    /// The task's labels.
    pub tags: Option<&'a BTreeMap<String, String>>,
    /// W3C trace context.
    pub traceparent: Option<&'a str>,
    /// What the operator set for the handler; an empty object where absent.
    pub settings: Option<&'a JsonText>,
    /// What the task left when it last resumed.
    pub state: Option<&'a JsonText>,
    /// The answer to its last suspension, where this stage follows one.
    pub answer: Option<&'a Answer>,
    /// The workflow step that it is.
    pub step: Option<StepFacts<'a>>,
}

/// The workflow step that a task is.
#[derive(Debug, Clone, Copy)]
pub struct StepFacts<'a> {
    /// The workflow's id.
    pub workflow: &'a str,
    /// The template's name.
    pub template: &'a str,
    /// The step's name.
    pub name: &'a str,
    /// `handler.method` of the template.
    pub method: Option<&'a str>,
    /// The range of a batch worker.
    pub cursor: Option<&'a Cursor>,
}

/// What bounds a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Wall clock, delegate calls and waiting inside the run included.
    pub timeout: Duration,
    /// Fuel for instantiation and `handle`; `dispatch` has a small budget of its own.
    pub fuel: Fuel,
    /// All of the sandbox's memories together.
    pub memory: Size,
    /// Size of the result, of its metadata and of what a checkpoint keeps.
    pub result: Size,
    /// Size of the logs.
    pub logs: Size,
    /// Size of the payload of each task that it asks for.
    pub payload: Size,
}

impl From<&Options> for RunLimits {
    fn from(options: &Options) -> Self {
        Self {
            timeout: options.timeout.duration(),
            fuel: options.fuel,
            memory: options.memory,
            result: options.result,
            logs: options.logs,
            payload: Size::from_bytes(SubmissionLimits::default().payload as u64),
        }
    }
}

/// How a run ended, and what it used.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// How it ended.
    pub end: RunEnd,
    /// Fuel used, that of `dispatch` and of calls to the host included.
    pub fuel: u64,
    /// The most memory held at once, in bytes.
    pub peak_memory: u64,
    /// How long it took, without the time for which it stood aside for others on its thread.
    pub elapsed: Duration,
    /// Bytes of log beyond the bound, which nobody heard.
    pub dropped_log_bytes: u64,
}
