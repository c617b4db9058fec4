//! One workspace that this host uses, and what it is bound to.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bulkhead_core::{Home, TaskId};
use bulkhead_sandbox::workspace::Keeper;

use super::bindings::{BindError, Bindings};

/// Binds a workspace before anything is first put into it.
#[derive(Debug)]
pub(crate) struct Claim {
    bindings: Arc<Bindings>,
    workspace: TaskId,
    /// What it is bound to, as far as that was asked.
    bound: Mutex<Option<Home>>,
}

impl Claim {
    pub(super) fn new(bindings: Arc<Bindings>, workspace: TaskId) -> Self {
        Self { bindings, workspace, bound: Mutex::default() }
    }

    /// What the workspace is bound to, as far as this host knows.
    pub(crate) fn home(&self) -> Option<Home> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The home that it is bound to, where that is not the one of this host.
    pub(crate) fn elsewhere(&self) -> Option<Home> {
        self.home().filter(|home| self.bindings.own().as_ref() != Some(home))
    }

    /// Notes what was heard of it.
    pub(crate) fn note(&self, home: Home) {
        *self.bound.lock().unwrap_or_else(PoisonError::into_inner) = Some(home);
    }

    /// Binds it to this host, unless it is bound; whether it is here then.
    pub(crate) async fn bind(&self) -> Result<bool, BindError> {
        let own = self.bindings.own();
        if own.is_some() && self.home() == own {
            return Ok(true);
        }
        let Some(home) = self.bindings.bind(&self.workspace).await? else { return Ok(false) };
        self.note(home);
        Ok(self.elsewhere().is_none())
    }
}

impl Keeper for Claim {
    fn keep(&self) -> io::Result<()> {
        match self.bindings.block_on(self.bind()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(io::Error::other("the workspace is on another host")),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    workspace = self.workspace.as_str(),
                    "the workspace cannot be bound to this host"
                );
                Err(io::Error::other(error))
            }
        }
    }
}
