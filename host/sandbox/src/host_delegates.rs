//! docker, gpu and llm as a guest without a grant finds them: closed, and told which setting opens them.

use wasmtime::Result;

use crate::bindings::bulkhead::handler::delegate::{self, Error, Exit};
use crate::bindings::bulkhead::handler::docker::{self, Container};
use crate::bindings::bulkhead::handler::gpu::{self, Device, Job};
use crate::bindings::bulkhead::handler::llm::{self, Candidate, Request};
use crate::host_state::HostState;

impl HostState {
    /// Why a call is denied.
    fn denied(&self, delegate: &str, example: &str) -> Error {
        Error::Denied(match self.handler_name() {
            Some(_) if !self.delegates_open => format!("{delegate} is closed in `dispatch`: call it in `handle`"),
            Some(name) => format!(
                "no grant for {delegate}: the operator gives one by `{delegate} = {example}` in [handler.{name}.grants]"
            ),
            None => format!("{delegate} is closed while a handler is loaded: call it in `handle`"),
        })
    }
}

impl delegate::Host for HostState {}

impl docker::Host for HostState {
    fn run(&mut self, container: Container) -> Result<Result<Exit, Error>> {
        self.meter.charge(container.stdin.len())?;
        Ok(Err(self.denied("docker", r#"{ images = ["alpine:3"] }"#)))
    }
}

impl gpu::Host for HostState {
    /// A handler without a grant sees none.
    fn devices(&mut self) -> Result<Vec<Device>> {
        self.meter.charge(0)?;
        Ok(Vec::new())
    }

    fn run(&mut self, job: Job) -> Result<Result<Exit, Error>> {
        self.meter.charge(job.stdin.len())?;
        Ok(Err(self.denied("gpu", r#"{ programs = ["train"], count = 1 }"#)))
    }
}

impl llm::Host for HostState {
    fn generate(&mut self, request: Request) -> Result<Result<Vec<Candidate>, Error>> {
        let bytes = request.messages.iter().map(|message| message.role.len() + message.content.len()).sum();
        self.meter.charge(bytes)?;
        Ok(Err(self.denied("llm", r#"{ backends = ["local"] }"#)))
    }
}
