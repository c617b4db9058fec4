//! The handler EXECUTE: a program in a container, on the files of the task's workspace.
//!
//! `{"image": "python:3.13-slim", "command": ["python", "main"], "workspace_uri": "workspace:…", "source": "print(1)"}`
//! gives `{"exit_code": 0, "stdout": "1\n", …}`. A program that fails is a result, not a failure of the task.

mod payload;
#[cfg(test)]
mod tests;

use bulkhead_sdk::prelude::*;
use handlers_shared::{Execution, asks_for_gpus};

pub use payload::Payload;

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
        let Payload { image, command, workspace_uri: _, source, env, stdin, limits } = &task.payload;
        let execution = Execution { handler: "execute-docker", source: source.as_ref(), env, stdin };
        let container = execution.container(image, command, limits)?;
        execution.run(context, || container.run())
    }
}

bulkhead_sdk::export!(ExecuteDocker);
