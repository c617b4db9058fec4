//! docker, gpu and llm as a guest finds them: closed outside of `handle`, and else what the host makes of them.

use std::sync::Arc;

use bulkhead_core::DelegateError;
use wasmtime::Result;

use crate::Delegates;
use crate::bindings::bulkhead::handler::delegate::{self, Error, Exit, Usage};
use crate::bindings::bulkhead::handler::docker::{self, Container};
use crate::bindings::bulkhead::handler::gpu::{self, Device, Job};
use crate::bindings::bulkhead::handler::llm::{self, Candidate, Request};
use crate::fence::Fence;
use crate::host_state::HostState;

impl HostState {
    /// The delegates of this run, or why a call is denied.
    fn open(&self, delegate: &str) -> std::result::Result<Arc<dyn Delegates>, Error> {
        self.opened(delegate).map_err(Error::Denied)
    }

    /// The delegates of this run, or why they are closed.
    pub(crate) fn opened(&self, delegate: &str) -> std::result::Result<Arc<dyn Delegates>, String> {
        let closed = match self.handler_name() {
            Some(_) if !self.delegates_open => format!("{delegate} is closed in `dispatch`: call it in `handle`"),
            Some(name) => match &self.delegates {
                Some(delegates) => return Ok(Arc::clone(delegates)),
                None => DelegateError::no_grant(name, delegate).to_string(),
            },
            None => format!("{delegate} is closed while a handler is loaded: call it in `handle`"),
        };
        Err(closed)
    }

    /// What a guest is told, and what it costs to be told; a delegate that is gone ends the run.
    fn tell<T, U>(
        &mut self,
        answer: std::result::Result<T, DelegateError>,
        bytes: impl FnOnce(&T) -> usize,
        told: impl FnOnce(T) -> U,
    ) -> Result<std::result::Result<U, Error>> {
        match answer {
            Ok(answer) => {
                self.meter.charge(bytes(&answer));
                Ok(Ok(told(answer)))
            }
            Err(DelegateError::Gone(reason)) => {
                tracing::warn!(task = &*self.identity.task, reason, "a delegate is gone; the run is interrupted");
                Err(Fence::Unavailable.into())
            }
            Err(error) => Ok(Err(refused(error.bounded()))),
        }
    }
}

fn refused(error: DelegateError) -> Error {
    match error {
        DelegateError::Denied(text) => Error::Denied(text),
        DelegateError::Unavailable(text) | DelegateError::Gone(text) => Error::Unavailable(text),
        DelegateError::Invalid(text) => Error::Invalid(text),
        DelegateError::TimedOut => Error::TimedOut,
        DelegateError::Failed(text) => Error::Failed(text),
    }
}

fn bytes_of(exit: &bulkhead_core::Exit) -> usize {
    exit.stdout.len() + exit.stderr.len()
}

fn exit(exit: bulkhead_core::Exit) -> Exit {
    let bulkhead_core::Exit { code, stdout, stderr, truncated, out_of_memory, usage } = exit;
    let bulkhead_core::Usage { wall_ms, cpu_ms, peak_memory_bytes } = usage;
    Exit { code, stdout, stderr, truncated, out_of_memory, usage: Usage { wall_ms, cpu_ms, peak_memory_bytes } }
}

fn pairs(pairs: &[(String, String)]) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len()).sum()
}

fn texts(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}

impl delegate::Host for HostState {}

impl docker::Host for HostState {
    async fn run(&mut self, container: Container) -> Result<std::result::Result<Exit, Error>> {
        self.meter.charge(container.stdin.len() + texts(&container.command) + pairs(&container.env));
        let delegates = match self.open("docker") {
            Ok(delegates) => delegates,
            Err(denied) => return Ok(Err(denied)),
        };
        let mount = |mount: delegate::Mount| bulkhead_core::Mount {
            source: mount.source,
            target: mount.target,
            read_only: mount.read_only,
        };
        let answer = delegates.run_container(bulkhead_core::Container {
            image: container.image,
            command: container.command,
            env: container.env,
            working_dir: container.working_dir,
            stdin: container.stdin,
            mounts: container.mounts.into_iter().map(mount).collect(),
            memory_bytes: container.memory_bytes,
            cpus: container.cpus,
            processes: container.processes,
            network: container.network,
            gpus: container.gpus,
        });
        let answer = answer.await;
        self.tell(answer, bytes_of, exit)
    }
}

impl gpu::Host for HostState {
    /// A handler without a grant sees none.
    async fn devices(&mut self) -> Result<Vec<Device>> {
        self.meter.charge(0);
        let Ok(delegates) = self.open("gpu") else { return Ok(Vec::new()) };
        let device = |device: bulkhead_core::Device| Device {
            index: device.index,
            name: device.name,
            memory_bytes: device.memory_bytes,
            free_memory_bytes: device.free_memory_bytes,
        };
        let answer = delegates.devices().await;
        let bytes = |devices: &Vec<bulkhead_core::Device>| devices.iter().map(|device| device.name.len()).sum();
        let told = self.tell(answer, bytes, |devices| devices.into_iter().map(device).collect())?;
        Ok(told.unwrap_or_default())
    }

    async fn run(&mut self, job: Job) -> Result<std::result::Result<Exit, Error>> {
        self.meter.charge(job.stdin.len() + texts(&job.arguments) + pairs(&job.env));
        let delegates = match self.open("gpu") {
            Ok(delegates) => delegates,
            Err(denied) => return Ok(Err(denied)),
        };
        let answer = delegates.run_job(bulkhead_core::Job {
            program: job.program,
            arguments: job.arguments,
            env: job.env,
            stdin: job.stdin,
            gpus: job.gpus,
            memory_bytes_each: job.memory_bytes_each,
        });
        let answer = answer.await;
        self.tell(answer, bytes_of, exit)
    }
}

impl llm::Host for HostState {
    async fn generate(&mut self, request: Request) -> Result<std::result::Result<Vec<Candidate>, Error>> {
        let bytes = request.messages.iter().map(|message| message.role.len() + message.content.len()).sum();
        self.meter.charge(bytes);
        let delegates = match self.open("llm") {
            Ok(delegates) => delegates,
            Err(denied) => return Ok(Err(denied)),
        };
        let message =
            |message: llm::Message| bulkhead_core::ChatMessage { role: message.role, content: message.content };
        let answer = delegates.generate(bulkhead_core::ChatRequest {
            model: request.model,
            messages: request.messages.into_iter().map(message).collect(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            candidates: request.candidates,
        });
        let answer = answer.await;
        let bytes = |candidates: &Vec<bulkhead_core::Candidate>| texts_of(candidates);
        self.tell(answer, bytes, |candidates| candidates.into_iter().map(candidate).collect())
    }
}

fn texts_of(candidates: &[bulkhead_core::Candidate]) -> usize {
    candidates.iter().map(|candidate| candidate.text.len()).sum()
}

fn candidate(candidate: bulkhead_core::Candidate) -> Candidate {
    let bulkhead_core::Candidate { backend, text, prompt_tokens, completion_tokens } = candidate;
    Candidate { backend, text, prompt_tokens, completion_tokens }
}
