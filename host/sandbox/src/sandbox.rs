//! The engine with its pool, its fences and everything a guest may import.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bulkhead_core::{Digest, HandlerName, Size};
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::cache::Cache;
use crate::compiler::{self, CompilerSettings};
use crate::component::{Compiled, Ready};
use crate::host_state::HostState;
use crate::{Handler, LoadError, RunReport, RunRequest, describe, engine, inspect, linker, run, ticker};

/// What a sandbox is told.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// Runs in flight at once; sizes the pool.
    pub max_concurrent: u32,
    /// The most memory that one run may have, all its memories together.
    pub max_memory: Size,
    /// The folder of the compile cache; none, no cache.
    pub cache: Option<PathBuf>,
    /// How much the cache may hold; beyond it goes what was not used for longest.
    pub cache_size: Size,
    /// The process that compiles; none, this one does.
    pub compiler: Option<CompilerSettings>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            max_concurrent: 64,
            max_memory: Size::from_mib(1024),
            cache: None,
            cache_size: Size::from_mib(1024),
            compiler: None,
        }
    }
}

/// Why no sandbox could be set up.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine would not have the settings.
    #[error("the WebAssembly engine could not be set up: {0}")]
    Engine(String),
    /// What guests import could not be linked.
    #[error("what guests may import could not be linked: {0}")]
    Linker(String),
    /// The system gave no thread.
    #[error("the epoch thread could not be started")]
    Thread(#[source] std::io::Error),
    /// The cache folder is unfit.
    #[error("the compile cache cannot be used: {problem}: `{}`", .folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
}

/// Where handlers are compiled and run; cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<HostState>,
    cache: Option<Cache>,
    compiler: Option<CompilerSettings>,
    max_memory: Size,
    /// What is in use, by content: the same bytes under two names are compiled once.
    compiled: Mutex<HashMap<Digest, Arc<Mutex<Weak<Compiled>>>>>,
}

impl Sandbox {
    /// Sets up engine, pool, linker and the epoch thread, which ends by itself once the last clone is gone.
    pub fn try_new(settings: &SandboxSettings) -> Result<Self, SandboxError> {
        let engine = engine::build(settings)?;
        let linker = linker::build(&engine).map_err(|error| SandboxError::Linker(format!("{error:#}")))?;
        let cache =
            settings.cache.as_deref().map(|folder| Cache::open(folder, settings.cache_size, &engine)).transpose()?;
        ticker::start(&engine)?;
        let (max_memory, compiler, compiled) = (settings.max_memory, settings.compiler.clone(), Mutex::default());
        Ok(Self(Arc::new(Inner { engine, linker, cache, compiler, max_memory, compiled })))
    }

    /// Compiles (or takes from the cache), checks and describes one component.
    ///
    /// Blocks for as long as the compiler takes: call it off the runtimes.
    pub fn load(&self, name: &HandlerName, bytes: &[u8]) -> Result<Handler, LoadError> {
        inspect::check_bytes(bytes)?;
        let digest = Digest::from_bytes(*blake3::hash(bytes).as_bytes());
        let slot = {
            let mut compiled = self.0.compiled.lock().unwrap_or_else(PoisonError::into_inner);
            // Versions that nobody uses any more, and nobody loads just now.
            compiled.retain(|_, slot| {
                Arc::strong_count(slot) > 1 || slot.try_lock().map_or(true, |held| held.strong_count() > 0)
            });
            Arc::clone(compiled.entry(digest).or_default())
        };
        // Held while compiling, so that whoever brings the same bytes at the same time waits for this one.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = slot.upgrade() {
            return Ok(Handler::new(name.clone(), digest, compiled));
        }
        let compiled = Arc::new(self.compile(&digest, bytes)?);
        *slot = Arc::downgrade(&compiled);
        Ok(Handler::new(name.clone(), digest, compiled))
    }

    fn compile(&self, digest: &Digest, bytes: &[u8]) -> Result<Compiled, LoadError> {
        let Inner { engine, linker, cache, compiler, max_memory, .. } = &*self.0;
        let size_bytes = bytes.len() as u64;
        if let Some((component, description)) = cache.as_ref().and_then(|cache| cache.take(engine, digest)) {
            return Ok(Compiled::new(description, size_bytes, Ready::new(linker, &component)?));
        }
        let code = match compiler {
            Some(settings) => compiler::compile(settings, bytes)?,
            None => inspect::compile(engine, bytes)?,
        };
        let component = inspect::take(engine, &code)?;
        inspect::check_names(engine, &component)?;
        let ready = Ready::new(linker, &component)?;
        let description = describe::describe(engine, &ready, *max_memory)?;
        if let Some(cache) = cache {
            cache.keep(digest, &code, &description);
        }
        Ok(Compiled::new(description, size_bytes, ready))
    }

    /// Makes one run: `dispatch`, then `handle`, in one fresh store.
    ///
    /// A run that has to wait for something needs tokio's timers around it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the store and with it everything the guest held.
    pub async fn run(&self, handler: &Handler, request: RunRequest<'_>) -> RunReport {
        run::run(&self.0.engine, handler, request).await
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sandbox").field("max_memory", &self.0.max_memory).finish_non_exhaustive()
    }
}
