//! The one trait to implement.

use serde::de::DeserializeOwned;

use crate::{Context, Defaults, Failure, Outcome, RawTask, Task};

/// A handler: serves the tasks of one kind.
///
/// A fresh sandbox and a fresh `Self` are made for every run; nothing survives from one task to the next.
pub trait Handler: Default {
    /// The one kind of task that it serves: 1 to 64 of `A–Z a–z 0–9 _ . -`.
    const KIND: &'static str;

    /// The capability tags that it fulfils; a worker that lacks one of them keeps it out.
    const PROVIDES: &'static [&'static str] = &["cpu"];

    /// What the payload must look like; `serde_json::Value` takes anything.
    type Payload: DeserializeOwned;

    /// The options it asks for; the operator and the task override them.
    fn defaults() -> Defaults {
        Defaults::new()
    }

    /// Quick and free of effects: is this task for me? Where not, the next handler of the kind is asked.
    fn dispatch(_task: &RawTask) -> bool {
        true
    }

    /// Does the work. It may run again for the same task, so effects must bear repetition.
    fn handle(&self, task: Task<Self::Payload>, context: &Context) -> Result<Outcome, Failure>;
}

/// Reads the payload and runs the handler; a payload of the wrong shape is a validation failure.
pub(crate) fn run<H: Handler>(task: RawTask, context: &Context) -> Result<Outcome, Failure> {
    let payload = serde_json::from_str(&task.payload).map_err(|error| {
        Failure::validation("bad_payload", format!("the payload is not what {} takes: {error}", H::KIND))
    })?;
    let (task, _) = task.with_payload(payload);
    H::default().handle(task, context)
}
