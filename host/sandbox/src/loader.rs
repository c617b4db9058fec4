//! Threads that load the files they are asked to, one file each at a time.
//!
//! They stay for as long as the catalogue does, and tell of each file as soon as it is done: one that takes long to compile
//! does not keep the others from going live.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bulkhead_core::HandlerName;

use crate::folder::{Stamp, stamp};
use crate::{Handler, LoadError, Sandbox, inspect};

/// A state of a file that is to be loaded.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What to call the handler; why it is kept out, where it may not be loaded at all.
    pub(crate) name: Result<HandlerName, String>,
    pub(crate) stem: String,
    pub(crate) file: PathBuf,
    pub(crate) stamp: Stamp,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) stem: String,
    pub(crate) stamp: Stamp,
    pub(crate) taken: Taken,
}

/// What came of taking one state of one file.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It changed while it was read.
    NotYet,
    KeptOut(String),
    Unreadable(String),
    Loaded(Result<Handler, LoadError>),
}

/// Where files are asked for; the threads end when it is gone.
#[derive(Debug)]
pub(crate) struct Loader(Sender<Asked>);

impl Loader {
    /// Starts the threads; `done` is told of each file, and says whether anyone still listens.
    pub(crate) fn start<F>(sandbox: &Sandbox, done: &F) -> std::io::Result<Self>
    where
        F: Fn(Done) -> bool + Clone + Send + 'static,
    {
        let (asked, heard) = channel();
        let heard = Arc::new(Mutex::new(heard));
        // As many as there are cores; two at least, so that a slow file never holds up every other.
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).max(2) {
            let (sandbox, heard, done) = (sandbox.clone(), Arc::clone(&heard), done.clone());
            std::thread::Builder::new().name("loader".to_owned()).spawn(move || {
                while let Some(asked) = next(&heard)
                    && done(take(&sandbox, asked))
                {}
            })?;
        }
        Ok(Self(asked))
    }

    /// Asks for a file.
    pub(crate) fn ask(&self, asked: Asked) {
        // The threads end only after this end of the channel does.
        let _ = self.0.send(asked);
    }
}

fn next(heard: &Mutex<Receiver<Asked>>) -> Option<Asked> {
    heard.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn take(sandbox: &Sandbox, Asked { name, stem, file, stamp }: Asked) -> Done {
    let taken = match name {
        Err(reason) => Taken::KeptOut(reason),
        Ok(name) => take_file(sandbox, &name, &file, &stamp),
    };
    Done { stem, stamp, taken }
}

fn take_file(sandbox: &Sandbox, name: &HandlerName, file: &Path, seen: &Stamp) -> Taken {
    // Before it is read: a file may be larger than all of memory.
    if let Err(error) = inspect::check_size(seen.size()) {
        return Taken::Loaded(Err(error));
    }
    let bytes = match read(file, seen) {
        Some(Ok(bytes)) => bytes,
        Some(Err(error)) => return Taken::Unreadable(format!("the file cannot be read: {error}")),
        None => return Taken::NotYet,
    };
    let started = Instant::now();
    let loaded = sandbox.load(name, &bytes);
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(handler = %name, millis, ok = loaded.is_ok(), "handler loaded");
    Taken::Loaded(loaded)
}

/// The file's content, if it is still in the state that was seen.
fn read(file: &Path, seen: &Stamp) -> Option<std::io::Result<Vec<u8>>> {
    let bytes = std::fs::read(file);
    (stamp(file).as_ref() == Some(seen)).then_some(bytes)
}
