//! Delegates as the component's imports give them.

use crate::bindings::bulkhead::handler::{delegate, docker, gpu, llm};
use crate::docker::{Container, Mount};
use crate::gpu::{Device, Job};
use crate::llm::{Candidate, Message, Request};
use crate::{DelegateError, Exit, Usage};

pub(crate) fn run_container(container: Container) -> Result<Exit, DelegateError> {
    let mount =
        |mount: Mount| delegate::Mount { source: mount.source, target: mount.target, read_only: mount.read_only };
    let answer = docker::run(&docker::Container {
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
    answer.map(exit).map_err(error)
}

pub(crate) fn devices() -> Vec<Device> {
    let device = |device: gpu::Device| Device {
        index: device.index,
        name: device.name,
        memory_bytes: device.memory_bytes,
        free_memory_bytes: device.free_memory_bytes,
    };
    gpu::devices().into_iter().map(device).collect()
}

pub(crate) fn run_job(job: Job) -> Result<Exit, DelegateError> {
    let answer = gpu::run(&gpu::Job {
        program: job.program,
        arguments: job.arguments,
        env: job.env,
        stdin: job.stdin,
        gpus: job.gpus,
        memory_bytes_each: job.memory_bytes_each,
    });
    answer.map(exit).map_err(error)
}

pub(crate) fn generate(request: Request) -> Result<Vec<Candidate>, DelegateError> {
    let message = |message: Message| llm::Message { role: message.role.name().to_owned(), content: message.content };
    let candidate = |candidate: llm::Candidate| Candidate {
        backend: candidate.backend,
        text: candidate.text,
        prompt_tokens: candidate.prompt_tokens,
        completion_tokens: candidate.completion_tokens,
    };
    let answer = llm::generate(&llm::Request {
        model: request.model,
        messages: request.messages.into_iter().map(message).collect(),
        max_tokens: request.max_tokens,
        temperature: request.temperature,
        candidates: request.candidates,
    });
    Ok(answer.map_err(error)?.into_iter().map(candidate).collect())
}

fn exit(exit: delegate::Exit) -> Exit {
    Exit {
        code: exit.code,
        stdout: exit.stdout,
        stderr: exit.stderr,
        truncated: exit.truncated,
        out_of_memory: exit.out_of_memory,
        usage: Usage {
            wall_ms: exit.usage.wall_ms,
            cpu_ms: exit.usage.cpu_ms,
            peak_memory_bytes: exit.usage.peak_memory_bytes,
        },
    }
}

fn error(error: delegate::Error) -> DelegateError {
    match error {
        delegate::Error::Denied(text) => DelegateError::Denied(text),
        delegate::Error::Unavailable(text) => DelegateError::Unavailable(text),
        delegate::Error::Invalid(text) => DelegateError::Invalid(text),
        delegate::Error::TimedOut => DelegateError::TimedOut,
        delegate::Error::Failed(text) => DelegateError::Failed(text),
    }
}
