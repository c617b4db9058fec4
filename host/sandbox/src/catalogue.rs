//! The handlers of a folder, kept live while their files come, change and go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use bulkhead_core::TagSet;
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::admission::Admission;
use crate::folder::Closed;
use crate::keeper::{Keeper, News};
use crate::loader::{Done, Loader};
use crate::{CatalogueError, CatalogueSettings, Sandbox, Snapshot};

/// The net under the watcher, which sees nothing on some file systems and loses events under load.
const RESCAN: Duration = Duration::from_secs(2);
/// While a file is waited on.
const RESCAN_SOON: Duration = Duration::from_millis(50);
/// Words that wait for the catalogue's thread; where there are more, the next look at the folder makes up for them.
const WORDS: usize = 256;

/// The live handlers of one folder; owns the thread that watches it, which ends with the catalogue.
#[derive(Debug)]
pub struct Catalogue {
    current: RwLock<Arc<Snapshot>>,
    changes: tokio::sync::watch::Sender<u64>,
    load_errors: Mutex<BTreeMap<String, u64>>,
    words: SyncSender<Word>,
}

/// What the catalogue's thread is told.
#[derive(Debug)]
enum Word {
    /// Something moved in the folder; these files are closed.
    Moved(Vec<PathBuf>),
    /// A file was loaded, or could not be.
    Done(Done),
    /// The worker has these tags now.
    Caps(TagSet),
    /// The catalogue is gone.
    End,
}

impl Catalogue {
    /// Loads what the folder holds, in parallel and from the cache where it can, then keeps watching.
    ///
    /// Blocks until all is loaded: call it off the runtimes.
    pub fn open(sandbox: Sandbox, settings: CatalogueSettings) -> Result<Arc<Self>, CatalogueError> {
        let folder = settings.dir.clone();
        if !folder.is_dir() {
            return Err(CatalogueError::Missing(folder));
        }
        let (words, heard) = sync_channel(WORDS);
        // Watched before the first look, so that nothing falls between the two.
        let watcher = watch(&folder, words.clone());
        let done = words.clone();
        let loader = Loader::start(&sandbox, &move |file| done.send(Word::Done(file)).is_ok());
        let mut keeper = Keeper::new(loader.map_err(CatalogueError::Thread)?, Admission::new(settings));
        let mut news = News { changed: true, failed: Vec::new() };
        keeper
            .sweep(Instant::now(), true, &Closed::default(), &mut news)
            .map_err(|source| CatalogueError::Unreadable { folder, source })?;
        while keeper.is_loading() {
            match heard.recv() {
                Ok(Word::Done(done)) => keeper.take(done, &mut news),
                // The thread's first look will see it.
                Ok(Word::Moved(_) | Word::Caps(_) | Word::End) | Err(_) => {}
            }
        }
        let (changes, _) = tokio::sync::watch::channel(0);
        let catalogue = Arc::new(Self { current: RwLock::default(), changes, load_errors: Mutex::default(), words });
        catalogue.publish(&keeper, news);
        let weak = Arc::downgrade(&catalogue);
        std::thread::Builder::new()
            .name("catalogue".to_owned())
            .spawn(move || keep(&weak, keeper, &heard, watcher))
            .map_err(CatalogueError::Thread)?;
        Ok(catalogue)
    }

    /// What is live now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The generation, after each change.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Tells that the worker has these tags from now on; handlers go live, or are kept out, a moment later.
    ///
    /// Gives the tags back where too much is going on for that to be heard: say it again later.
    pub fn set_caps(&self, caps: TagSet) -> Result<(), TagSet> {
        self.words.try_send(Word::Caps(caps)).map_err(|error| match error {
            TrySendError::Full(Word::Caps(caps)) | TrySendError::Disconnected(Word::Caps(caps)) => caps,
            _ => TagSet::default(),
        })
    }

    /// How often each handler's file could not be loaded.
    pub fn load_errors(&self) -> BTreeMap<String, u64> {
        self.load_errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Swaps in what the keeper holds, whole.
    fn publish(&self, keeper: &Keeper, news: News) {
        {
            let mut errors = self.load_errors.lock().unwrap_or_else(PoisonError::into_inner);
            for name in news.failed {
                *errors.entry(name).or_default() += 1;
            }
        }
        if news.changed {
            let generation = self.snapshot().generation + 1;
            let snapshot = Arc::new(Snapshot::new(generation, keeper.entries()));
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
            self.changes.send_replace(generation);
        }
    }
}

impl Drop for Catalogue {
    fn drop(&mut self) {
        // A full queue does no harm: the thread looks for the catalogue after each word.
        let _ = self.words.try_send(Word::End);
    }
}

/// The catalogue's thread.
fn keep(catalogue: &Weak<Catalogue>, mut keeper: Keeper, heard: &Receiver<Word>, watcher: Option<RecommendedWatcher>) {
    loop {
        let (mut closed, mut news) = (Closed::default(), News::default());
        let first = heard.recv_timeout(if keeper.is_waiting() { RESCAN_SOON } else { RESCAN });
        for word in first.into_iter().chain(heard.try_iter()) {
            match word {
                Word::Moved(files) => closed.add(&files),
                Word::Done(done) => keeper.take(done, &mut news),
                Word::Caps(caps) => keeper.set_caps(caps, &mut news),
                Word::End => return,
            }
        }
        let Some(catalogue) = catalogue.upgrade() else { break };
        if let Err(error) = keeper.sweep(Instant::now(), false, &closed, &mut news) {
            // What is live stays live: a folder that is away for a moment is no reason to retire everything.
            tracing::warn!(%error, "the handlers folder cannot be read; what is live stays live");
        }
        catalogue.publish(&keeper, news);
    }
    drop(watcher);
}

/// Watches the folder; where that cannot be, looking again and again must do.
fn watch(folder: &Path, words: SyncSender<Word>) -> Option<RecommendedWatcher> {
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
    watcher
        .inspect_err(
            |error| tracing::warn!(%error, "the handlers folder cannot be watched; it is read every 2 s instead"),
        )
        .ok()
}
