//! The engine with its pool, its fences and everything a guest may import.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::cache::Cache;
use crate::compiler::{self, CompilerSettings};
use crate::component::{Compiled, Ready};
use crate::pool::Pool;
use crate::{Handler, LoadError, RunReport, RunRequest, describe, inspect, run, ticker};
use bulkhead_core::{Digest, HandlerName, Size};

/// What a sandbox is told.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// Runs in flight at once; sizes the pool.
    pub max_concurrent: u32,
    /// Pools that sandboxes are taken from: one for each thread that runs guests, since threads that share one wait for each
    /// other.
    pub pools: u32,
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
            pools: 1,
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
pub struct Sandbox {
    inner: Arc<Inner>,
    /// The pool that runs are made in.
    pool: usize,
}

struct Inner {
    /// The first is also the one for which handlers are loaded.
    pools: Box<[Pool]>,
    cache: Option<Cache>,
    compiler: Option<CompilerSettings>,
    max_memory: Size,
    /// What is in use, by content: the same bytes under two names are compiled once.
    compiled: Mutex<HashMap<Digest, Arc<Mutex<Weak<Compiled>>>>>,
}

impl Sandbox {
    /// Sets up engine, pool, linker and the epoch thread, which ends by itself once the last clone is gone.
    pub fn try_new(settings: &SandboxSettings) -> Result<Self, SandboxError> {
        let pools = Pool::build_all(settings)?;
        let open = |folder| Cache::open(folder, settings.cache_size, &pools[0].engine);
        let cache = settings.cache.as_deref().map(open).transpose()?;
        ticker::start(pools.iter().map(|pool| pool.engine.weak()).collect())?;
        let (max_memory, compiler, compiled) = (settings.max_memory, settings.compiler.clone(), Mutex::default());
        Ok(Self { inner: Arc::new(Inner { pools, cache, compiler, max_memory, compiled }), pool: 0 })
    }

    /// The same sandbox for the thread of this number: its runs are made in a pool that it shares with few others, or none.
    #[must_use]
    pub fn for_thread(&self, number: usize) -> Self {
        Self { inner: Arc::clone(&self.inner), pool: number % self.inner.pools.len() }
    }

    /// Compiles (or takes from the cache), checks and describes one component.
    ///
    /// Blocks for as long as the compiler takes: call it off the runtimes.
    pub fn load(&self, name: &HandlerName, bytes: &[u8]) -> Result<Handler, LoadError> {
        inspect::check_bytes(bytes)?;
        let digest = Digest::from_bytes(*blake3::hash(bytes).as_bytes());
        let slot = {
            let mut compiled = self.inner.compiled.lock().unwrap_or_else(PoisonError::into_inner);
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
        let Inner { pools, cache, compiler, max_memory, .. } = &*self.inner;
        let (Pool { engine, linker }, size_bytes) = (&pools[0], bytes.len() as u64);
        if let Some((component, description)) = cache.as_ref().and_then(|cache| cache.take(engine, digest)) {
            return Ok(Compiled::new(description, size_bytes, Ready::new(linker, &component)?, pools.len()));
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
        Ok(Compiled::new(description, size_bytes, ready, pools.len()))
    }

    /// Makes one run: `dispatch`, then `handle`, in one fresh store.
    ///
    /// A run that has to wait for something needs tokio's timers around it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the store and with it everything the guest held.
    pub async fn run(&self, handler: &Handler, request: RunRequest<'_>) -> RunReport {
        let (pool, ready) = self.ready(handler);
        run::run(&pool.engine, handler, ready, request).await
    }

    /// The handler in this thread's pool; made there when it is asked for the first time, and where that cannot be, in the
    /// first pool.
    fn ready<'a>(&'a self, handler: &'a Handler) -> (&'a Pool, &'a Ready) {
        let Inner { pools, cache, .. } = &*self.inner;
        let (pool, digest) = (&pools[self.pool], &handler.version().digest);
        let made = handler.compiled().in_pool(self.pool, |first| {
            let component = match cache.as_ref().and_then(|cache| cache.take(&pool.engine, digest)) {
                Some((component, _)) => component,
                None => inspect::take(&pool.engine, &first.code().ok()?).ok()?,
            };
            Ready::new(&pool.linker, &component).ok()
        });
        match made {
            Some(ready) => (pool, ready),
            None => (&pools[0], handler.compiled().first()),
        }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sandbox").field("max_memory", &self.inner.max_memory).finish_non_exhaustive()
    }
}
