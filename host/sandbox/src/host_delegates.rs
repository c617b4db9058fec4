//! docker, gpu and llm as a guest without a grant finds them: closed.

use wasmtime::Result;

use crate::bindings::bulkhead::handler::delegate::{self, Error, Exit};
use crate::bindings::bulkhead::handler::docker::{self, Container};
use crate::bindings::bulkhead::handler::gpu::{self, Device, Job};
use crate::bindings::bulkhead::handler::llm::{self, Candidate, Request};
use crate::host_state::HostState;

impl HostState {
    /// Why a call is denied.
    fn denied(&self, delegate: &str) -> Error {
        Error::Denied(match self.handler_name() {
            Some(_) if !self.delegates_open => format!("{delegate} is closed in `dispatch`: call it in `handle`"),
            Some(name) => format!(
                "handler `{name}` has no grant for {delegate}: this version of the host gives none; see docs/status.md"
            ),
            None => format!("{delegate} is closed while a handler is loaded: call it in `handle`"),
        })
    }
}

impl delegate::Host for HostState {}

impl docker::Host for HostState {
    fn run(&mut self, container: Container) -> Result<Result<Exit, Error>> {
        self.meter.charge(container.stdin.len());
        Ok(Err(self.denied("docker")))
    }
}

impl gpu::Host for HostState {
    /// A handler without a grant sees none.
    fn devices(&mut self) -> Result<Vec<Device>> {
        self.meter.charge(0);
        Ok(Vec::new())
    }

    fn run(&mut self, job: Job) -> Result<Result<Exit, Error>> {
        self.meter.charge(job.stdin.len());
        Ok(Err(self.denied("gpu")))
    }
}

impl llm::Host for HostState {
    fn generate(&mut self, request: Request) -> Result<Result<Vec<Candidate>, Error>> {
        let bytes = request.messages.iter().map(|message| message.role.len() + message.content.len()).sum();
        self.meter.charge(bytes);
        Ok(Err(self.denied("llm")))
    }
}
