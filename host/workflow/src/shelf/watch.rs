//! The thread that watches the folder.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Shelf;

/// The net under the watcher, which sees nothing on some file systems and loses events under load.
const RESCAN: Duration = Duration::from_secs(2);
/// While a file is waited on.
const RESCAN_SOON: Duration = Duration::from_millis(100);
/// Words that wait for the thread; where there are more, the next look at the folder makes up for them.
pub(super) const WORDS: usize = 256;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Word {
    /// Something moved in the folder; these files are closed.
    Moved(Vec<PathBuf>),
    /// The shelf is gone.
    End,
}

/// Starts the thread; it ends with the shelf.
pub(super) fn keep(
    shelf: &Arc<Shelf>,
    heard: Receiver<Word>,
    watcher: Option<RecommendedWatcher>,
) -> std::io::Result<()> {
    let shelf = Arc::downgrade(shelf);
    let thread = std::thread::Builder::new().name("templates".to_owned());
    thread.spawn(move || run(&shelf, &heard, watcher)).map(drop)
}

fn run(shelf: &Weak<Shelf>, heard: &Receiver<Word>, watcher: Option<RecommendedWatcher>) {
    let mut waiting = false;
    loop {
        let mut closed = HashSet::new();
        let first = heard.recv_timeout(if waiting { RESCAN_SOON } else { RESCAN });
        for word in first.into_iter().chain(heard.try_iter()) {
            match word {
                Word::Moved(files) => closed.extend(files),
                Word::End => return,
            }
        }
        let Some(shelf) = shelf.upgrade() else { break };
        if let Err(error) = shelf.sweep(|files| files.sweep(Instant::now(), false, &closed)) {
            // What is live stays live: a folder that is away for a moment is no reason to retire everything.
            tracing::warn!(%error, "the templates folder cannot be read; what is live stays live");
        }
        waiting = shelf.files.lock().unwrap_or_else(PoisonError::into_inner).is_waiting();
    }
    drop(watcher);
}

/// Watches the folder; where that cannot be, looking again and again must do.
pub(super) fn watch(folder: &Path, words: SyncSender<Word>) -> Option<RecommendedWatcher> {
    if !folder.exists() {
        tracing::debug!(folder = %folder.display(), "there is no templates folder; it is looked for every 2 s");
        return None;
    }
    let hear = move |event: notify::Result<Event>| {
        if let Ok(event) = event {
            let closed = matches!(
                event.kind,
                EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Modify(ModifyKind::Name(_))
            );
            if closed || !matches!(event.kind, EventKind::Access(_)) {
                // Where the queue is full, the thread is about to look anyway.
                let _ = words.try_send(Word::Moved(if closed { event.paths } else { Vec::new() }));
            }
        }
    };
    let watcher = notify::recommended_watcher(hear).and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    let unwatched = |error: &notify::Error| tracing::warn!(%error, "the templates folder cannot be watched; it is read every 2 s instead");
    watcher.inspect_err(unwatched).ok()
}
