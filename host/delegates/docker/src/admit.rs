//! Whether a container may be run: the bounds of the contract, and the grant.

use bulkhead_core::{Container, DelegateError, HandlerName, Size};
use bytes::Bytes;

use crate::{DockerGrant, ImageReference, mounts};

/// The least memory with which an engine starts a container.
pub(crate) const MIN_MEMORY: Size = Size::from_mib(6);

/// Bounds of `interface docker`.
const MAX_COMMAND: usize = 1024;
const MAX_ENV: usize = 256;
const MAX_WORDS: usize = 64 << 10;
const MAX_PATH: usize = 4 << 10;
const MAX_STDIN: usize = 16 << 20;
const MAX_MOUNTS: usize = 32;

/// A container that may be run, as the grant leaves it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) image: ImageReference,
    pub(crate) pull: bool,
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<String>,
    pub(crate) working_dir: Option<String>,
    pub(crate) stdin: Bytes,
    pub(crate) mounts: Vec<bulkhead_core::Mount>,
    pub(crate) memory: u64,
    pub(crate) cpus: f64,
    pub(crate) processes: u32,
    pub(crate) network: bool,
    pub(crate) devices: Vec<u32>,
    pub(crate) tmpfs: u64,
    pub(crate) user: String,
}

/// Checks a request; `devices` are those that were leased for it.
pub(crate) fn admit(
    handler: &HandlerName,
    grant: &DockerGrant,
    request: Container,
    devices: &[u32],
) -> Result<Plan, DelegateError> {
    bounds(&request)?;
    let setting = |name: &str| format!("`handler.{handler}.grants.docker.{name}`");
    let denied = |text: String| Err(DelegateError::Denied(text));

    let image = ImageReference::parse(&request.image).map_err(|error| invalid(format!("`image`: {error}")))?;
    if !grant.images.iter().any(|pattern| pattern.allows(&image)) {
        return denied(format!("{} does not list `{image}`; add it", setting("images")));
    }
    if request.network && !grant.network {
        return denied(format!("{} is not true, so that `network` must be false", setting("network")));
    }
    if request.gpus > grant.gpus {
        return denied(format!(
            "{} allows {} and `gpus` asks for {}; raise it",
            setting("gpus"),
            grant.gpus,
            request.gpus
        ));
    }
    if usize::try_from(request.gpus).ok() != Some(devices.len()) {
        return Err(DelegateError::Unavailable(format!("{} of {} GPUs were leased", devices.len(), request.gpus)));
    }
    let memory = request.memory_bytes.unwrap_or(grant.memory.bytes());
    if memory > grant.memory.bytes() {
        let (limit, asked) = (grant.memory, Size::from_bytes(memory));
        return denied(format!("{} allows {limit} and `memory-bytes` asks for {asked}; raise it", setting("memory")));
    }
    let cpus = request.cpus.unwrap_or(grant.cpus);
    if cpus > grant.cpus {
        return denied(format!("{} allows {} and `cpus` asks for {cpus}; raise it", setting("cpus"), grant.cpus));
    }
    let processes = request.processes.unwrap_or(grant.processes);
    if processes > grant.processes {
        let limit = grant.processes;
        return denied(format!(
            "{} allows {limit} and `processes` asks for {processes}; raise it",
            setting("processes")
        ));
    }
    Ok(Plan {
        image,
        pull: grant.pull,
        command: request.command,
        env: request.env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
        working_dir: request.working_dir,
        stdin: Bytes::from(request.stdin),
        mounts: request.mounts,
        memory,
        cpus,
        processes,
        network: request.network,
        devices: devices.to_vec(),
        tmpfs: grant.tmpfs.bytes(),
        user: grant.user.as_str().to_owned(),
    })
}

/// What is checked without a look at the grant.
fn bounds(request: &Container) -> Result<(), DelegateError> {
    at_most("command", request.command.len(), MAX_COMMAND, "arguments")?;
    at_most("command", request.command.iter().map(String::len).sum(), MAX_WORDS, "bytes")?;
    if request.command.first().is_some_and(String::is_empty) {
        return Err(invalid("`command` begins with an empty text where the program should be"));
    }
    at_most("env", request.env.len(), MAX_ENV, "names")?;
    at_most("env", request.env.iter().map(|(name, value)| name.len() + value.len()).sum(), MAX_WORDS, "bytes")?;
    at_most("stdin", request.stdin.len(), MAX_STDIN, "bytes")?;
    at_most("mounts", request.mounts.len(), MAX_MOUNTS, "folders")?;
    for (name, _) in &request.env {
        if name.is_empty() || name.contains('=') {
            return Err(invalid(format!("`env` has a name that is empty or contains `=`: `{}`", name.escape_debug())));
        }
        // The engine's GPU runtime obeys them: with one of these an image or a handler would help itself to devices.
        if name.starts_with("NVIDIA_") {
            return Err(invalid(format!("`env` may not set what the host sets by `gpus`: `{}`", name.escape_debug())));
        }
    }
    let words = request.command.iter().chain(request.env.iter().flat_map(|(name, value)| [name, value]));
    if words.chain(&request.working_dir).any(|word| word.contains('\0')) {
        return Err(invalid("`command`, `env` or `working-dir` has a NUL character"));
    }
    if let Some(path) = &request.working_dir {
        at_most("working-dir", path.len(), MAX_PATH, "bytes")?;
        if !path.starts_with('/') {
            return Err(invalid(format!("`working-dir` is no absolute path: `{}`", path.escape_debug())));
        }
    }
    for (index, mount) in request.mounts.iter().enumerate() {
        at_most("mounts.source", mount.source.len(), MAX_PATH, "bytes")?;
        at_most("mounts.target", mount.target.len(), MAX_PATH, "bytes")?;
        mounts::check(index, mount)?;
        if request.mounts[..index].iter().any(|other| mounts::same_target(other, mount)) {
            return Err(invalid(format!(
                "`mounts[{index}].target` is that of another: `{}`",
                mount.target.escape_debug()
            )));
        }
    }
    if request.memory_bytes.is_some_and(|bytes| bytes < MIN_MEMORY.bytes()) {
        return Err(invalid(format!("`memory-bytes` is less than {MIN_MEMORY}, with which nothing starts")));
    }
    if request.cpus.is_some_and(|cpus| !(0.01..=4096.0).contains(&cpus)) {
        return Err(invalid("`cpus` is not 0.01 to 4096"));
    }
    if request.processes == Some(0) {
        return Err(invalid("`processes` is 0, with which nothing runs"));
    }
    Ok(())
}

fn at_most(field: &str, given: usize, limit: usize, what: &str) -> Result<(), DelegateError> {
    if given <= limit {
        return Ok(());
    }
    Err(invalid(format!("`{field}` has more than {limit} {what}: {given}")))
}

fn invalid(text: impl Into<String>) -> DelegateError {
    DelegateError::Invalid(text.into())
}

#[cfg(test)]
mod tests;
