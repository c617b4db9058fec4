//! The handler EXECUTE: a program in a container, on the files of the task's workspace.
//!
//! `{"image": "python:3.13-slim", "command": ["python", "main"], "workspace_uri": "workspace:…", "source": "print(1)"}`
//! gives `{"exit_code": 0, "stdout": "1\n", …}`. A program that fails is a result, not a failure of the task.

#[cfg(test)]
mod tests;

use bulkhead_sdk::docker::Container;
use bulkhead_sdk::prelude::*;
use handlers_shared::{Payload, asks_for_gpus, bad_payload};

/// Runs programs in containers.
#[derive(Debug, Default)]
pub struct ExecuteDocker;

impl Handler for ExecuteDocker {
    const KIND: &'static str = "EXECUTE";
    const PROVIDES: &'static [&'static str] = &["docker", "cpu"];
    type Payload = Payload;

    /// What asks for devices is for the handler `execute-gpu`.
    fn dispatch(task: &RawTask) -> bool {
        !asks_for_gpus(&task.payload)
    }

    fn handle(&self, task: Task<Payload>, context: &Context) -> Result<Outcome, Failure> {
        let container = container(&task.payload)?;
        task.payload.run("execute-docker", context, || container.run())
    }
}

/// The container, of a payload that `dispatch` has let through, or that is run by hand.
fn container(payload: &Payload) -> Result<Container, Failure> {
    if payload.gpus.is_some() || payload.program.is_some() {
        return Err(bad_payload("`gpus` and `program` are for the handler `execute-gpu`"));
    }
    payload.container()
}

bulkhead_sdk::export!(ExecuteDocker);
