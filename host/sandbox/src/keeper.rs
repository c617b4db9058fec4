//! Keeps what is live in step with what lies in the folder.
//!
//! A file is taken when it has not changed for a while, or at once when its writer closed it or renamed it into place. Each
//! state of a file is loaded once, whatever comes of it; the next change is the next try.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::TagSet;

use crate::admission::Admission;
use crate::folder::{Closed, Stamp, scan};
use crate::loader::{Asked, Done, Loader, Taken};
use crate::{Handler, HandlerEntry, HandlerStatus, LiveHandler, LoadError};

/// A file that has not changed for so long is whole, as far as anyone can tell.
const SETTLE: Duration = Duration::from_millis(150);
/// A file that ends early may still be on its way: it is not called broken before this.
const GRACE: Duration = Duration::from_secs(2);

/// The files of one folder and what became of them.
pub(crate) struct Keeper {
    loader: Loader,
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
    /// The state that is being loaded, and whether it was there from the start.
    loading: Option<(Stamp, bool)>,
    /// Nothing, until the file was taken for the first time.
    status: Option<HandlerStatus>,
    /// What was loaded, whether it is live or kept out.
    loaded: Option<Handler>,
    live: Option<Arc<LiveHandler>>,
}

/// What is new since the last time anyone asked.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Whether the entries are others than before.
    pub(crate) changed: bool,
    /// The handlers whose file could not be loaded.
    pub(crate) failed: Vec<String>,
}

impl Keeper {
    pub(crate) fn new(loader: Loader, admission: Admission) -> Self {
        Self { loader, admission, files: BTreeMap::new() }
    }

    /// Whether a file is being loaded.
    pub(crate) fn is_loading(&self) -> bool {
        self.files.values().any(|known| known.loading.is_some())
    }

    /// Whether a file is waited on that nobody loads, so that the next look should come soon.
    pub(crate) fn is_waiting(&self) -> bool {
        self.files.values().any(|known| known.waiting.is_some() && known.loading.is_none())
    }

    /// Every file that was taken, with what became of it.
    pub(crate) fn entries(&self) -> Vec<HandlerEntry> {
        let entry = |(name, known): (&String, &Known)| {
            let (file, live) = (known.file.clone(), known.live.clone());
            known.status.clone().map(|status| HandlerEntry { name: name.clone(), file, status, live })
        };
        self.files.iter().filter_map(entry).collect()
    }

    /// The worker has other tags now: what it can serve goes live, and what it cannot is kept out.
    pub(crate) fn set_caps(&mut self, caps: TagSet, news: &mut News) {
        if !self.admission.set_caps(caps) {
            return;
        }
        for (name, known) in &mut self.files {
            let (Some(before), Some(handler)) = (&known.status, known.loaded.clone()) else { continue };
            let (status, live) = match (before, admitted(&self.admission, handler)) {
                // What was loaded before its file was broken stays live only as long as it may be.
                (HandlerStatus::Broken(error), (_, live)) => (HandlerStatus::Broken(error.clone()), live),
                (_, admitted) => admitted,
            };
            if *before != status || known.live.is_some() != live.is_some() {
                announce(name, &status, live.as_deref());
                news.changed = true;
                (known.status, known.live) = (Some(status), live);
            }
        }
    }

    /// Looks at the folder, and has loaded what is due. `closed` are the files that their writers are done with; at the
    /// first look, all are.
    pub(crate) fn sweep(&mut self, now: Instant, first: bool, closed: &Closed, news: &mut News) -> std::io::Result<()> {
        let found = scan(self.admission.folder())?;
        self.files.retain(|name, known| {
            let stays = found.contains_key(name);
            if !stays {
                news.changed |= known.status.is_some();
                tracing::info!(handler = name, "the handler's file is gone; it is retired");
            }
            stays
        });
        for (stem, (file, stamp)) in found {
            let known = self.files.entry(stem.clone()).or_insert_with(|| Known {
                file: file.clone(),
                taken: None,
                waiting: None,
                loading: None,
                status: None,
                loaded: None,
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
            let due = first || closed.has(&file) || now.saturating_duration_since(since) >= SETTLE;
            // One state of a file at a time, so that they become live in the order in which they were written.
            if due && known.loading.is_none() {
                known.loading = Some((stamp, first));
                self.loader.ask(Asked { name: self.admission.name(&stem), stem, file, stamp });
            }
        }
        Ok(())
    }

    /// Takes what the loader made of a file; a file that is gone by now, or was replaced after it was gone, is not asked after.
    pub(crate) fn take(&mut self, Done { stem, stamp, taken }: Done, news: &mut News) {
        let Some(known) = self.files.get_mut(&stem) else { return };
        let Some((_, first)) = known.loading.take_if(|(loading, _)| *loading == stamp) else { return };
        let young = || known.waiting.is_some_and(|(waited, since)| waited != stamp || since.elapsed() < GRACE);
        match taken {
            Taken::NotYet | Taken::Loaded(Err(LoadError::Busy)) => {}
            Taken::Loaded(Err(LoadError::Truncated)) if !first && young() => {}
            taken => self.note(&stem, stamp, taken, news),
        }
    }

    /// Notes what became of a file.
    fn note(&mut self, name: &str, stamp: Stamp, taken: Taken, news: &mut News) {
        let Some(known) = self.files.get_mut(name) else { return };
        known.taken = Some(stamp);
        known.waiting.take_if(|(waited, _)| *waited == stamp);
        let before = (known.status.take(), known.live.clone());
        let (status, live) = match taken {
            Taken::NotYet => (before.0.clone().unwrap_or(HandlerStatus::Live), before.1.clone()),
            Taken::KeptOut(reason) => {
                known.loaded = None;
                (HandlerStatus::KeptOut(reason), None)
            }
            Taken::Unreadable(error) => (HandlerStatus::Broken(error), before.1.clone()),
            Taken::Loaded(Err(error)) => (HandlerStatus::Broken(error.to_string()), before.1.clone()),
            Taken::Loaded(Ok(handler)) => {
                known.loaded = Some(handler.clone());
                let same = before.1.as_ref().filter(|live| live.handler.version() == handler.version());
                match same {
                    Some(live) => (HandlerStatus::Live, Some(Arc::clone(live))),
                    None => admitted(&self.admission, handler),
                }
            }
        };
        let same_live = match (&before.1, &live) {
            (Some(before), Some(live)) => Arc::ptr_eq(before, live),
            (None, None) => true,
            _ => false,
        };
        let changed = before.0.as_ref() != Some(&status) || !same_live;
        if matches!(status, HandlerStatus::Broken(_)) {
            news.failed.push(name.to_owned());
        }
        if changed {
            announce(name, &status, live.as_deref());
        }
        news.changed |= changed;
        (known.status, known.live) = (Some(status), live);
    }
}

/// What becomes of a handler that was loaded.
fn admitted(admission: &Admission, handler: Handler) -> (HandlerStatus, Option<Arc<LiveHandler>>) {
    match admission.admit(handler) {
        Ok(live) => (HandlerStatus::Live, Some(Arc::new(live))),
        Err(reason) => (HandlerStatus::KeptOut(reason), None),
    }
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
