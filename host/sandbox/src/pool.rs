//! A pool of sandboxes, and what its guests may import.
//!
//! Threads that take sandboxes from one pool wait for each other: two did no more runs than one. So each guest thread has a
//! pool of its own, which is an engine of its own, of the same settings; a component compiled for one is taken by all.

use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::host_state::HostState;
use crate::{SandboxError, SandboxSettings, engine, linker};

/// An engine with its pool, and everything linked that a guest may import.
pub(crate) struct Pool {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<HostState>,
}

impl Pool {
    /// As many pools as the settings say, one at least.
    pub(crate) fn build_all(settings: &SandboxSettings) -> Result<Box<[Self]>, SandboxError> {
        (0..settings.pools.max(1)).map(|_| Self::build(settings)).collect()
    }

    fn build(settings: &SandboxSettings) -> Result<Self, SandboxError> {
        let engine = engine::build(settings)?;
        let linker = linker::build(&engine).map_err(|error| SandboxError::Linker(format!("{error:#}")))?;
        Ok(Self { engine, linker })
    }
}
