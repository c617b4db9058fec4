//! The handler EXECUTE for tasks that want GPUs: in a container, or as a program of the operator's.
//!
//! - `{"image": "pytorch/pytorch", "command": ["python", "main"], "workspace_uri": "workspace:…", "gpus": 2}` runs a
//!   container with two devices leased for it;
//! - `{"program": "train", "command": ["--epochs", "3"], "workspace_uri": "workspace:…"}` runs a program that the operator
//!   named, in the workspace, with one device.
//!
//! A program that fails is a result, not a failure of the task.

mod payload;
#[cfg(test)]
mod tests;

use bulkhead_sdk::gpu;
use bulkhead_sdk::prelude::*;
use handlers_shared::{Execution, asks_for_gpus};

pub use payload::{Limits, Payload};

/// Runs programs with GPUs.
#[derive(Debug, Default)]
pub struct ExecuteGpu;

impl Handler for ExecuteGpu {
    const KIND: &'static str = "EXECUTE";
    const PROVIDES: &'static [&'static str] = &["docker", "gpu", "cuda11"];
    type Payload = Payload;

    /// What does not ask for devices must not hold one: it is for the handler `execute-docker`.
    fn dispatch(task: &RawTask) -> bool {
        let is_for_gpus = |tag: &String| tag == "gpu" || tag.starts_with("cuda");
        task.requires.iter().any(is_for_gpus) || asks_for_gpus(&task.payload)
    }

    fn handle(&self, task: Task<Payload>, context: &Context) -> Result<Outcome, Failure> {
        let payload = &task.payload;
        let execution = Execution {
            handler: "execute-gpu",
            source: payload.source.as_ref(),
            env: &payload.env,
            stdin: &payload.stdin,
        };
        match payload.job()? {
            payload::Job::Container { image, limits } => {
                let container = execution.container(image, &payload.command, &limits)?.gpus(payload.gpus);
                execution.run(context, || container.run())
            }
            payload::Job::Program { name, gpu_memory } => {
                let mut job =
                    gpu::Job::new(name).arguments(&payload.command).stdin(payload.stdin.as_str()).gpus(payload.gpus);
                job.env = execution.variables();
                job.memory_bytes_each = gpu_memory;
                execution.run(context, || job.run())
            }
        }
    }
}

bulkhead_sdk::export!(ExecuteGpu);
