//! Looking for the folders that a container is to see: before it is made, and again before it is started.

use std::sync::Arc;

use bulkhead_core::{Caller, DelegateError, Mount};

use crate::mounts::{self, Folder};
use crate::turns::{Turn, Turns};

/// How often folders are looked for that change while they are looked for.
const LOOKS: usize = 4;

/// Folders that were looked for, and the turn in which they may be mounted.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) folders: Vec<Folder>,
    pub(crate) turn: Turn,
}

impl Found {
    /// Looks for the folders to mount, and waits for the turn.
    pub(crate) async fn take(turns: &Arc<Turns>, caller: &Caller, mounts: &[Mount]) -> Result<Self, DelegateError> {
        let mut folders = look(caller, mounts).await?;
        for _ in 0..LOOKS {
            let turn = turns.take(&folders).await;
            // What was there before the turn may have been changed until it came; what is there now stays.
            let now = look(caller, mounts).await?;
            if now == folders {
                return Ok(Self { folders, turn });
            }
            folders = now;
        }
        Err(DelegateError::Failed("the folders to mount change while they are looked for".to_owned()))
    }

    /// Looks again, and refuses what is not as it was: a turn holds back this host's containers and nobody else.
    pub(crate) async fn check(&self, caller: &Caller, mounts: &[Mount]) -> Result<(), DelegateError> {
        if look(caller, mounts).await? == self.folders {
            return Ok(());
        }
        Err(DelegateError::Failed("a folder to mount was changed while its container was made".to_owned()))
    }
}

/// Looks for folders, away from the threads that must not block.
async fn look(caller: &Caller, mounts: &[Mount]) -> Result<Vec<Folder>, DelegateError> {
    if mounts.is_empty() {
        return Ok(Vec::new());
    }
    let (handler, workspace, mounts) = (caller.handler.clone(), caller.workspace.clone(), mounts.to_vec());
    let looking = tokio::task::spawn_blocking(move || mounts::resolve(&handler, workspace.as_ref(), &mounts));
    looking.await.unwrap_or_else(|_| Err(DelegateError::Failed("the host is stopping".to_owned())))
}
