//! The templates of a folder, kept in step with its files.

mod files;
mod find;
mod folder;
mod snapshot;
mod watch;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use crate::TemplateSettings;
use files::{Files, Look};

pub use find::NoTemplate;
pub use snapshot::{ShelfFile, ShelfSnapshot};
use watch::{FolderWatch, Word};

/// Where templates lie, and how they are read.
#[derive(Debug, Clone)]
pub struct ShelfSettings {
    /// The folder; its top-level `*.yaml` and `*.yml` files are read.
    pub dir: PathBuf,
    /// How they are read.
    pub templates: TemplateSettings,
}

/// Why there is no shelf.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The folder cannot be read.
    #[error("the templates folder cannot be read: `{}`", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No thread could be started.
    #[error("no thread could be started to watch the templates folder")]
    Thread(#[source] std::io::Error),
}

/// The live templates of one folder; owns the thread that watches it, which ends with the shelf.
#[derive(Debug)]
pub struct Shelf {
    current: RwLock<Arc<ShelfSnapshot>>,
    changes: tokio::sync::watch::Sender<u64>,
    files: Mutex<Files>,
    words: SyncSender<Word>,
}

impl Shelf {
    /// Reads what the folder holds, then keeps watching; a folder that is not there yet holds nothing. Blocks until all is
    /// read.
    pub fn open(mut settings: ShelfSettings) -> Result<Arc<Self>, ShelfError> {
        // The watcher speaks of files by their absolute paths.
        if let Ok(absolute) = std::path::absolute(&settings.dir) {
            settings.dir = absolute;
        }
        let folder = settings.dir.clone();
        let (words, heard) = sync_channel(watch::WORDS);
        // Watched before the first look, so that nothing falls between the two.
        let watch = FolderWatch::new(&folder, &words);
        let mut files = Files::new(settings);
        files.sweep(Instant::now(), Look::First).map_err(|source| ShelfError::Unreadable { folder, source })?;
        let (changes, _) = tokio::sync::watch::channel(1);
        let snapshot = Arc::new(files.snapshot(1));
        let shelf = Arc::new(Self { current: RwLock::new(snapshot), changes, files: Mutex::new(files), words });
        watch::keep(&shelf, heard, watch).map_err(ShelfError::Thread)?;
        Ok(shelf)
    }

    /// A shelf without templates and without a folder.
    pub fn empty() -> Arc<Self> {
        let settings = ShelfSettings { dir: PathBuf::new(), templates: TemplateSettings::default() };
        let files = Files::new(settings);
        let (words, _) = sync_channel(1);
        let (changes, _) = tokio::sync::watch::channel(1);
        let snapshot = Arc::new(files.snapshot(1));
        Arc::new(Self { current: RwLock::new(snapshot), changes, files: Mutex::new(files), words })
    }

    /// What is live now.
    pub fn snapshot(&self) -> Arc<ShelfSnapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The live template of a reference.
    pub fn find(&self, reference: &bulkhead_core::TemplateRef) -> Result<Arc<crate::Template>, NoTemplate> {
        self.snapshot().find(reference)
    }

    /// The generation, after each change.
    pub fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Reads every file that has not changed anew, as when the live handlers are others than before; blocks until that is
    /// done.
    pub fn reload(&self) -> std::io::Result<()> {
        self.sweep(|files| files.sweep(Instant::now(), Look::Again))
    }

    /// Looks at the folder, and swaps in what is new, whole.
    fn sweep(&self, look: impl FnOnce(&mut Files) -> std::io::Result<bool>) -> std::io::Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if look(&mut files)? {
            let generation = self.snapshot().generation() + 1;
            let snapshot = Arc::new(files.snapshot(generation));
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
            self.changes.send_replace(generation);
        }
        Ok(())
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        // A full queue does no harm: the thread looks for the shelf after each word.
        let _ = self.words.try_send(Word::End);
    }
}
