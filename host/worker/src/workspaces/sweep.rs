//! Removing the workspaces of tasks that are gone, a few at a time and beside everything else.

use std::fs::ReadDir;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bulkhead_core::{TaskId, Timestamp};
use bulkhead_store::{Store, StoreError};
use tokio::task::spawn_blocking;

use super::Workspaces;
use super::name::id_of;
use super::removal::remove_tree;

/// Workspaces that are looked at in one turn, and how long until the next turn.
const AT_ONCE: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Sweeps for as long as the host lives.
pub(crate) async fn sweep(workspaces: Arc<Workspaces>, store: Arc<dyn Store>) {
    loop {
        if let Err(error) = round(&workspaces, &*store).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "workspaces could not be looked through; trying again later");
        }
        tokio::time::sleep(workspaces.settings.sweep_every).await;
    }
}

/// Why a round ends early.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error("the store could not be asked")]
    Store(#[from] StoreError),
    #[error("the folder cannot be read (workspace.root)")]
    Folder(#[from] io::Error),
}

/// Looks at every workspace once.
async fn round(workspaces: &Arc<Workspaces>, store: &dyn Store) -> Result<(), SweepError> {
    let root = workspaces.settings.root.clone();
    let mut entries = match blocking(move || std::fs::read_dir(root)).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    loop {
        let (rest, names, is_last) = blocking(move || take(entries)).await?;
        entries = rest;
        workspaces.live().touched.clear();
        for name in names {
            let Some(id) = id_of(&name) else { continue };
            if is_known(store, workspaces, &name, &id).await? {
                continue;
            }
            let now = crate::now();
            let (theirs, folder) = (Arc::clone(workspaces), name);
            let is_gone = blocking(move || Ok(theirs.is_over(&folder, now) && theirs.let_go(&folder)?)).await?;
            if let Some(bindings) = workspaces.bindings().filter(|_| is_gone) {
                bindings.unbind(&id).await?;
            }
        }
        let leftovers = Arc::clone(workspaces);
        blocking(move || {
            leftovers.notes.leftovers().iter().take(AT_ONCE).for_each(|place| clear_away(place));
            Ok(())
        })
        .await?;
        if is_last {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A few names of folders, and whether there are no more.
fn take(mut entries: ReadDir) -> io::Result<(ReadDir, Vec<String>, bool)> {
    let mut names = Vec::new();
    while names.len() < AT_ONCE {
        let Some(entry) = entries.next() else { return Ok((entries, names, true)) };
        names.extend(entry?.file_name().into_string());
    }
    Ok((entries, names, false))
}

/// Whether a task or a workflow is known whose workspace it is, or a task that uses it.
async fn is_known(
    store: &dyn Store,
    workspaces: &Arc<Workspaces>,
    name: &str,
    id: &TaskId,
) -> Result<bool, SweepError> {
    if store.get(id).await?.is_some() || store.workflow(id).await?.is_some() {
        return Ok(true);
    }
    let (theirs, name) = (Arc::clone(workspaces), name.to_owned());
    for user in blocking(move || Ok(theirs.notes.users(&name))).await? {
        if store.get(&user).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Workspaces {
    /// Whether a workspace that no known task uses is to go: at once where one did, else after a while.
    fn is_over(&self, name: &str, now: Timestamp) -> bool {
        let is_recent = |moment: SystemTime| {
            let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let moment = Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
            moment.after(self.settings.keep_unused) > now
        };
        if self.notes.held_at(name).is_some_and(is_recent) {
            return false;
        }
        let changed = || self.settings.root.join(name).symlink_metadata()?.modified();
        self.notes.was_used(name) || !changed().is_ok_and(is_recent)
    }

    /// Removes a workspace, unless somebody has opened it since its tasks were asked for; whether it did.
    fn let_go(&self, name: &str) -> io::Result<bool> {
        let removed = self.notes.removed()?;
        {
            let live = self.live();
            if live.touched.contains(name) || live.is_used(name) {
                return Ok(false);
            }
            std::fs::rename(self.settings.root.join(name), &removed)?;
            self.notes.forget(name);
        }
        tracing::debug!(workspace = name, "removed with its task");
        clear_away(&removed);
        Ok(true)
    }
}

/// Removes what no workspace is any more; what cannot be removed now is tried again by the next look.
fn clear_away(place: &Path) {
    if let Err(error) = remove_tree(place) {
        tracing::warn!(place = %place.display(), %error, "what was removed is still on the disk");
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::other("it was given up")))
}
