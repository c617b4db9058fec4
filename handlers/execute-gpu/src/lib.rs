//! The handler EXECUTE for tasks that want GPUs: in a container, or as a program of the operator's.
//!
//! - `{"image": "pytorch/pytorch", "command": ["python", "main"], "workspace_uri": "workspace:…", "gpus": 2}` runs a
//!   container with two devices leased for it;
//! - `{"program": "train", "command": ["--epochs", "3"], "workspace_uri": "workspace:…"}` runs a program that the operator
//!   named, in the workspace, with one device.
//!
//! A program that fails is a result, not a failure of the task.

#[cfg(test)]
mod tests;

use bulkhead_sdk::docker::Container;
use bulkhead_sdk::gpu::Job;
use bulkhead_sdk::prelude::*;
use handlers_shared::{Payload, asks_for_gpus, bad_payload};

/// The handler, as its settings name it.
const NAME: &str = "execute-gpu";

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
        match work(&task.payload)? {
            Work::Container(container) => task.payload.run(NAME, context, || container.run()),
            Work::Program(job) => task.payload.run(NAME, context, || job.run()),
        }
    }
}

/// What a payload asks for.
enum Work {
    Container(Container),
    Program(Job),
}

fn work(payload: &Payload) -> Result<Work, Failure> {
    let gpus = payload.gpus.unwrap_or(1);
    match (&payload.program, &payload.image) {
        _ if gpus == 0 => Err(bad_payload("`gpus` must be at least 1")),
        (Some(program), _) => Ok(Work::Program(payload.job(program, gpus)?)),
        (None, Some(_)) => Ok(Work::Container(payload.container()?.gpus(gpus))),
        (None, None) => Err(bad_payload("give `image` or `program`")),
    }
}

bulkhead_sdk::export!(ExecuteGpu);
