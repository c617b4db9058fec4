//! The thread that watches the folder.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Shelf;
use super::files::Look;

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
pub(super) fn keep(shelf: &Arc<Shelf>, heard: Receiver<Word>, watch: FolderWatch) -> std::io::Result<()> {
    let shelf = Arc::downgrade(shelf);
    let thread = std::thread::Builder::new().name("templates".to_owned());
    thread.spawn(move || run(&shelf, &heard, watch)).map(drop)
}

fn run(shelf: &Weak<Shelf>, heard: &Receiver<Word>, mut watch: FolderWatch) {
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
        let Some(shelf) = shelf.upgrade() else { return };
        watch.renew(&shelf.words);
        if let Err(error) = shelf.sweep(|files| files.sweep(Instant::now(), Look::Changed(&closed))) {
            // What is live stays live: a folder that is away for a moment is no reason to retire everything.
            tracing::warn!(%error, "the templates folder cannot be read; what is live stays live");
        }
        waiting = shelf.files.lock().unwrap_or_else(PoisonError::into_inner).is_waiting();
    }
}

/// The watch over a folder that may come later, or be replaced by another of its name.
#[derive(Debug)]
pub(super) struct FolderWatch {
    folder: PathBuf,
    /// The folder that is watched, or could not be: its device and its number there; none while there is no folder.
    of: Option<(u64, u64)>,
    watcher: Option<RecommendedWatcher>,
}

impl FolderWatch {
    /// Watches a folder, where there is one.
    pub(super) fn new(folder: &Path, words: &SyncSender<Word>) -> Self {
        let mut watch = Self { folder: folder.to_owned(), of: None, watcher: None };
        watch.renew(words);
        watch
    }

    /// Watches the folder that there is now, if it is another than before; where it cannot be watched, looking again and
    /// again must do.
    pub(super) fn renew(&mut self, words: &SyncSender<Word>) {
        let there = std::fs::metadata(&self.folder).ok().map(|found| (found.dev(), found.ino()));
        if there == self.of {
            return;
        }
        self.of = there;
        let unwatched = |error: &notify::Error| tracing::warn!(%error, "the templates folder cannot be watched; it is read every 2 s instead");
        self.watcher = there.and_then(|_| watcher(&self.folder, words.clone()).inspect_err(unwatched).ok());
    }
}

fn watcher(folder: &Path, words: SyncSender<Word>) -> notify::Result<RecommendedWatcher> {
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
    let mut watcher = notify::recommended_watcher(hear)?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_made_later_or_replaced_is_watched_from_then_on() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("workflows");
        let (words, heard) = std::sync::mpsc::sync_channel(WORDS);
        let mut watch = FolderWatch::new(&folder, &words);
        for round in 0..2 {
            std::fs::create_dir(&folder).expect("a folder");
            watch.renew(&words);
            let file = folder.join(format!("{round}.yaml"));
            std::fs::write(&file, "name: a").expect("a file");
            loop {
                match heard.recv_timeout(Duration::from_secs(20)).expect("a word of the file") {
                    Word::Moved(files) if files.contains(&file) => break,
                    _ => {}
                }
            }
            std::fs::rename(&folder, parent.path().join(format!("old-{round}"))).expect("a rename");
        }
    }
}
