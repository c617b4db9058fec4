//! Which containers that share a workspace wait for each other.
//!
//! The engine mounts a folder by its path, a moment after the path was checked. Who may write to a folder above it could
//! in that moment put a link in its place, and have the engine mount whatever the link names. So between its check and its
//! start no container of this host runs that may write above a folder which it mounts. Containers that mount the
//! workspace itself, or folders beside each other, wait for nobody. Handlers write to workspaces too, and are not known
//! here: where tasks share a workspace and run at once, theirs must not make links that lead out of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::mounts::Folder;

/// The containers of this host that mount something now.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    taken: Mutex<Vec<Taken>>,
    changed: Notify,
}

#[derive(Debug)]
struct Taken {
    number: u64,
    /// What it mounts, until it has started.
    opens: Vec<PathBuf>,
    /// What it may write to, until it is gone.
    writes: Vec<PathBuf>,
}

impl Turns {
    /// Waits until these folders may be mounted. Cancel safe: nothing is taken until it returns.
    pub(crate) async fn take(self: &Arc<Self>, folders: &[Folder]) -> Turn {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(turn) = self.try_take(folders) {
                return turn;
            }
            changed.await;
        }
    }

    fn try_take(self: &Arc<Self>, folders: &[Folder]) -> Option<Turn> {
        let opens: Vec<PathBuf> = folders.iter().map(|folder| folder.source.clone()).collect();
        let writes: Vec<PathBuf> =
            folders.iter().filter(|folder| !folder.read_only).map(|folder| folder.source.clone()).collect();
        let mut taken = self.lock();
        if taken.iter().any(|other| is_above(&other.writes, &opens) || is_above(&writes, &other.opens)) {
            return None;
        }
        let number = taken.last().map_or(0, |last| last.number + 1);
        taken.push(Taken { number, opens, writes });
        Some(Turn { turns: Arc::clone(self), number })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one of the paths lies in, and is not itself, one of the folders.
fn is_above(folders: &[PathBuf], paths: &[PathBuf]) -> bool {
    let inside = |folder: &Path, path: &Path| path != folder && path.starts_with(folder);
    folders.iter().any(|folder| paths.iter().any(|path| inside(folder, path)))
}

/// That a container's folders may be mounted, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    number: u64,
}

impl Turn {
    /// Tells that the container has started, so that its folders are mounted.
    pub(crate) fn started(&self) {
        let number = self.number;
        if let Some(taken) = self.turns.lock().iter_mut().find(|taken| taken.number == number) {
            taken.opens.clear();
        }
        self.turns.changed.notify_waiters();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.lock().retain(|taken| taken.number != self.number);
        self.turns.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(source: &str, read_only: bool) -> Folder {
        Folder { source: PathBuf::from(source), target: "/x".to_owned(), read_only }
    }

    fn turns(turns: &Arc<Turns>, source: &str, read_only: bool) -> Option<Turn> {
        turns.try_take(&[folder(source, read_only)])
    }

    #[test]
    fn who_mounts_the_same_folder_or_one_beside_waits_for_nobody() {
        let all = Arc::new(Turns::default());
        let _held: Vec<Turn> = [("/w", false), ("/w", false), ("/v/a", false), ("/v/b", false), ("/v/b", true)]
            .into_iter()
            .map(|(source, read_only)| turns(&all, source, read_only).expect(source))
            .collect();
    }

    #[test]
    fn who_mounts_a_folder_waits_until_who_writes_above_it_is_gone() {
        let all = Arc::new(Turns::default());
        let above = turns(&all, "/w", false).expect("the first");
        above.started();
        assert!(turns(&all, "/w/a", true).is_none());
        assert!(turns(&all, "/wa", true).is_some(), "a name that only begins alike lies beside");
        drop(above);
        assert!(turns(&all, "/w/a", true).is_some());
    }

    #[test]
    fn who_writes_above_a_folder_waits_until_it_is_mounted() {
        let all = Arc::new(Turns::default());
        let inside = turns(&all, "/w/a", true).expect("the first");
        assert!(turns(&all, "/w", true).is_some(), "who only reads changes nothing");
        assert!(turns(&all, "/w", false).is_none());
        inside.started();
        assert!(turns(&all, "/w", false).is_some());
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let all = Arc::new(Turns::default());
        let above = turns(&all, "/w", false).expect("the first");
        let waiting = tokio::spawn({
            let all = Arc::clone(&all);
            async move { all.take(&[folder("/w/a", true)]).await }
        });
        tokio::task::yield_now().await;
        drop(above);
        waiting.await.expect("woken");
        assert!(all.lock().is_empty());
    }
}
