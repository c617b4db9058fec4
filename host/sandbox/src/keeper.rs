//! Keeps what is live in step with what lies in the folder.
//!
//! A file is taken when it has not changed for a while, or at once when its writer closed it or renamed it into place. Each
//! state of a file is loaded once, whatever comes of it; the next change is the next try.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bulkhead_core::HandlerName;

use crate::admission::Admission;
use crate::folder::{Stamp, scan, stamp};
use crate::{Handler, HandlerEntry, HandlerStatus, LiveHandler, LoadError, Sandbox, inspect};

/// A file that has not changed for so long is whole, as far as anyone can tell.
const SETTLE: Duration = Duration::from_millis(150);
/// A file that ends early may still be on its way: it is not called broken before this.
const GRACE: Duration = Duration::from_secs(2);

/// The files of one folder and what became of them.
pub(crate) struct Keeper {
    sandbox: Sandbox,
    admission: Admission,
    files: BTreeMap<String, Known>,
}

/// What is known of one file.
struct Known {
    file: PathBuf,
    /// The state of the file that `status` speaks of.
    taken: Option<Stamp>,
    /// The state that is waited on, and since when.
    waiting: Option<(Stamp, Instant)>,
    /// Nothing, until the file was taken for the first time.
    status: Option<HandlerStatus>,
    live: Option<Arc<LiveHandler>>,
}

/// What one look at the folder brought.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// Whether the entries are others than before.
    pub(crate) changed: bool,
    /// Whether a file is waited on, so that the next look should come soon.
    pub(crate) waiting: bool,
    /// The handlers whose file could not be loaded.
    pub(crate) failed: Vec<String>,
}

impl Keeper {
    pub(crate) fn new(sandbox: Sandbox, admission: Admission) -> Self {
        Self { sandbox, admission, files: BTreeMap::new() }
    }

    /// Every file that was taken, with what became of it.
    pub(crate) fn entries(&self) -> Vec<HandlerEntry> {
        let entry = |(name, known): (&String, &Known)| {
            let (file, live) = (known.file.clone(), known.live.clone());
            known.status.clone().map(|status| HandlerEntry { name: name.clone(), file, status, live })
        };
        self.files.iter().filter_map(entry).collect()
    }

    /// Looks at the folder. `closed` are the files that their writers are done with; at the first look, all are.
    pub(crate) fn sweep(&mut self, now: Instant, first: bool, closed: &HashSet<PathBuf>) -> std::io::Result<Swept> {
        let found = scan(self.admission.folder())?;
        let mut swept = Swept::default();
        self.files.retain(|name, known| {
            let stays = found.contains_key(name);
            if !stays {
                swept.changed |= known.status.is_some();
                tracing::info!(handler = name, "the handler's file is gone; it is retired");
            }
            stays
        });
        let mut due = Vec::new();
        for (name, (file, stamp)) in found {
            let known = self.files.entry(name.clone()).or_insert_with(|| Known {
                file: file.clone(),
                taken: None,
                waiting: None,
                status: None,
                live: None,
            });
            if known.taken == Some(stamp) {
                known.waiting = None;
                continue;
            }
            let since = match known.waiting {
                Some((waited, since)) if waited == stamp => since,
                _ => now,
            };
            known.waiting = Some((stamp, since));
            if first || closed.contains(&file) || now.saturating_duration_since(since) >= SETTLE {
                due.push((name, file, stamp, since));
            }
        }
        for (name, stamp, since, taken) in self.take_all(due) {
            match taken {
                Taken::NotYet | Taken::Loaded(Err(LoadError::Busy)) => {}
                Taken::Loaded(Err(LoadError::Truncated)) if !first && now.saturating_duration_since(since) < GRACE => {}
                taken => swept.changed |= self.note(&name, stamp, taken, &mut swept.failed),
            }
        }
        swept.waiting = self.files.values().any(|known| known.waiting.is_some());
        Ok(swept)
    }

    /// Loads what is due, on as many threads as there are cores.
    fn take_all(&self, due: Vec<(String, PathBuf, Stamp, Instant)>) -> Vec<(String, Stamp, Instant, Taken)> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(due.len())));
        std::thread::scope(|scope| {
            for _ in 0..cores.min(due.len()) {
                scope.spawn(|| {
                    while let Some((name, file, stamp, since)) = due.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let taken = self.take(name, file, stamp);
                        done.lock().unwrap_or_else(PoisonError::into_inner).push((name.clone(), *stamp, *since, taken));
                    }
                });
            }
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, stem: &str, file: &PathBuf, seen: &Stamp) -> Taken {
        let name = match self.admission.name(stem) {
            Ok(name) => name,
            Err(reason) => return Taken::KeptOut(reason),
        };
        // Before it is read: a file may be larger than all of memory.
        if let Err(error) = inspect::check_size(seen.size()) {
            return Taken::Loaded(Err(error));
        }
        let bytes = match read(file, seen) {
            Some(Ok(bytes)) => bytes,
            Some(Err(error)) => return Taken::Unreadable(format!("the file cannot be read: {error}")),
            None => return Taken::NotYet,
        };
        Taken::Loaded(self.load(&name, &bytes))
    }

    fn load(&self, name: &HandlerName, bytes: &[u8]) -> Result<Handler, LoadError> {
        let started = Instant::now();
        let loaded = self.sandbox.load(name, bytes);
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(handler = %name, millis, ok = loaded.is_ok(), "handler loaded");
        loaded
    }

    /// Notes what became of a file, and says whether that is news.
    fn note(&mut self, name: &str, stamp: Stamp, taken: Taken, failed: &mut Vec<String>) -> bool {
        let Some(known) = self.files.get_mut(name) else { return false };
        (known.taken, known.waiting) = (Some(stamp), None);
        let before = (known.status.take(), known.live.clone());
        let (status, live) = match taken {
            Taken::NotYet => (before.0.clone().unwrap_or(HandlerStatus::Live), before.1.clone()),
            Taken::KeptOut(reason) => (HandlerStatus::KeptOut(reason), None),
            Taken::Unreadable(error) => (HandlerStatus::Broken(error), before.1.clone()),
            Taken::Loaded(Err(error)) => (HandlerStatus::Broken(error.to_string()), before.1.clone()),
            Taken::Loaded(Ok(handler)) => {
                let same = before.1.as_ref().filter(|live| live.handler.version() == handler.version());
                match same {
                    Some(live) => (HandlerStatus::Live, Some(Arc::clone(live))),
                    None => match self.admission.admit(handler) {
                        Ok(live) => (HandlerStatus::Live, Some(Arc::new(live))),
                        Err(reason) => (HandlerStatus::KeptOut(reason), None),
                    },
                }
            }
        };
        let same_live = match (&before.1, &live) {
            (Some(before), Some(live)) => Arc::ptr_eq(before, live),
            (None, None) => true,
            _ => false,
        };
        let news = before.0.as_ref() != Some(&status) || !same_live;
        if matches!(status, HandlerStatus::Broken(_)) {
            failed.push(name.to_owned());
        }
        if news {
            announce(name, &status, live.as_deref());
        }
        (known.status, known.live) = (Some(status), live);
        news
    }
}

/// What came of taking one state of one file.
enum Taken {
    /// It changed while it was read.
    NotYet,
    KeptOut(String),
    Unreadable(String),
    Loaded(Result<Handler, LoadError>),
}

/// The file's content, if it is still in the state that was seen.
fn read(file: &PathBuf, seen: &Stamp) -> Option<std::io::Result<Vec<u8>>> {
    let bytes = std::fs::read(file);
    (stamp(file).as_ref() == Some(seen)).then_some(bytes)
}

fn announce(name: &str, status: &HandlerStatus, live: Option<&LiveHandler>) {
    match (status, live) {
        (HandlerStatus::Live, Some(live)) => {
            let digest = live.handler.version().digest.short();
            tracing::info!(handler = name, digest, kind = %live.handler.kind(), provides = %live.provides, "handler live");
        }
        (HandlerStatus::Broken(error), Some(_)) => {
            tracing::error!(
                handler = name,
                error,
                "the handler's new file is refused; the version before it stays live"
            );
        }
        (HandlerStatus::Broken(error), None) => tracing::error!(handler = name, error, "the handler's file is refused"),
        (status, _) => tracing::warn!(handler = name, reason = status.reason(), "handler kept out"),
    }
}
