//! What a payload of EXECUTE becomes, and how that is run.

use bulkhead_sdk::docker::Container;
use bulkhead_sdk::gpu::Job;
use bulkhead_sdk::{Context, DelegateError, Exit, Failure, Outcome, complete};

use crate::{Payload, Size, failure, output, workspace};

/// Where a container sees the workspace, and where its program starts.
const TARGET: &str = "/workspace";

impl Payload {
    /// A container without devices, which sees the workspace at `/workspace`, to read and write, and starts there.
    pub fn container(&self) -> Result<Container, Failure> {
        let image = self.image.as_deref().filter(|image| !image.is_empty());
        let image = image.ok_or_else(|| failure::payload("`image` must name an image"))?;
        // A limit that would not hold must not look as if it did.
        if self.limits.gpu_memory.is_some() {
            return Err(failure::payload("`limits.gpu_memory` is for a `program`, not for containers"));
        }
        let mut container = Container::new(image)
            .command(&self.command)
            .stdin(self.stdin.as_str())
            .mount(".", TARGET)
            .working_dir(TARGET);
        container.env = self.variables();
        container.memory_bytes = self.limits.memory.map(Size::bytes);
        container.cpus = self.limits.cpus;
        container.processes = self.limits.processes;
        Ok(container)
    }

    /// A run of this program of the operator's, with so many devices.
    pub fn job(&self, program: &str, gpus: u32) -> Result<Job, Failure> {
        let limits = &self.limits;
        if limits.memory.is_some() || limits.cpus.is_some() || limits.processes.is_some() {
            return Err(failure::payload(
                "`limits.memory`, `cpus` and `processes` are for containers, not for a `program`",
            ));
        }
        let mut job = Job::new(program).arguments(&self.command).stdin(self.stdin.as_str()).gpus(gpus);
        job.env = self.variables();
        job.memory_bytes_each = limits.gpu_memory.map(Size::bytes);
        Ok(job)
    }

    /// Writes the source, runs the program and tells how it ended; `handler` is the one whose settings grant it.
    pub fn run(
        &self,
        handler: &str,
        context: &Context,
        program: impl FnOnce() -> Result<Exit, DelegateError>,
    ) -> Result<Outcome, Failure> {
        let folder = workspace(context, handler, "read-write")?;
        if let Some(source) = &self.source {
            source.write(&folder)?;
        }
        let exit = program()?;
        context.info(&format!("exit code {} after {} ms", exit.code, exit.usage.wall_ms));
        complete(output(&exit))
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
