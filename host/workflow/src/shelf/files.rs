//! The files of the folder, and what became of each.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::folder::{self, Stamp};
use super::{ShelfFile, ShelfSettings, ShelfSnapshot};
use crate::Template;

mod owners;

/// A file that nobody was seen to close is whole when it has not changed for so long. Half a template may well be a
/// template, so this is longer than it is for handlers.
const SETTLE: Duration = Duration::from_secs(1);

/// The files of one folder and what became of them.
#[derive(Debug)]
pub(super) struct Files {
    settings: ShelfSettings,
    files: BTreeMap<String, Known>,
}

/// Which files a look at the folder reads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look<'a> {
    /// Every file as it is: the first look.
    First,
    /// Those that changed and are whole: these are closed, any other has not changed for a while.
    Changed(&'a HashSet<PathBuf>),
    /// Those that are as they were when they were read, anew: what they mean may have changed.
    Again,
}

/// What is known of one file.
#[derive(Debug)]
struct Known {
    path: PathBuf,
    /// The state of the file that was read.
    taken: Option<Stamp>,
    /// The state that is waited on, and since when.
    waiting: Option<(Stamp, Instant)>,
    /// What the file says as it is; none where that is wrong.
    read: Option<Arc<Template>>,
    /// What the shelf shows of it: what it says, or what it said before that was wrong or another file's.
    live: Option<Arc<Template>>,
    /// What is wrong with the file as it is.
    error: Option<String>,
    /// Which other file has the reference that this one asks for.
    clash: Option<String>,
}

impl Files {
    pub(super) fn new(settings: ShelfSettings) -> Self {
        Self { settings, files: BTreeMap::new() }
    }

    /// Whether a file is waited on, so that the next look should come soon.
    pub(super) fn is_waiting(&self) -> bool {
        self.files.values().any(|known| known.waiting.is_some())
    }

    /// Looks at the folder and reads what is due; says whether anything is new.
    pub(super) fn sweep(&mut self, now: Instant, look: Look<'_>) -> std::io::Result<bool> {
        let found = match folder::scan(&self.settings.dir) {
            // Who has no templates need not have the folder either.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.files.is_empty() => BTreeMap::new(),
            found => found?,
        };
        let before = self.files.len();
        self.files.retain(|name, _| {
            let stays = found.contains_key(name);
            if !stays {
                tracing::info!(file = name, "the template's file is gone; it is retired");
            }
            stays
        });
        let mut changed = self.files.len() != before;
        for (name, (path, stamp)) in found {
            let known = self.files.entry(name.clone()).or_insert_with(|| Known::new(path.clone()));
            if !known.is_due(&path, stamp, now, look) {
                continue;
            }
            let Some(text) = folder::read(&path, &stamp) else { continue };
            (known.taken, known.waiting) = (Some(stamp), None);
            changed = true;
            let read = text.map_err(|error| format!("{name}: {error}")).and_then(|text| {
                Template::read(&name, &text, &self.settings.templates).map_err(|errors| errors.to_string())
            });
            match read {
                Ok(template) => (known.read, known.error) = (Some(Arc::new(template)), None),
                Err(error) => {
                    announce(&name, &error, known.live.is_some());
                    (known.read, known.error) = (None, Some(error));
                }
            }
        }
        if changed {
            self.settle();
        }
        Ok(changed)
    }

    /// Makes live what each file says, unless another file has its reference.
    fn settle(&mut self) {
        let clashes = owners::clashes(&self.files);
        for (name, known) in &mut self.files {
            let clash = clashes.get(name);
            if let (Some(error), true) = (clash, known.clash.as_ref() != clash) {
                announce(name, error, known.live.is_some());
            }
            known.clash = clash.cloned();
            let Some(read) = known.read.as_ref().filter(|_| clash.is_none()) else { continue };
            if known.live.as_ref().is_none_or(|live| !Arc::ptr_eq(live, read)) {
                let (template, digest) = (read.plan().reference(), read.digest().short());
                tracing::info!(file = name, template, digest, steps = read.plan().steps.len(), "template live");
                known.live = Some(Arc::clone(read));
            }
        }
    }

    /// All that there is, as others see it.
    pub(super) fn snapshot(&self, generation: u64) -> ShelfSnapshot {
        let shown = self.files.iter().filter(|(_, known)| known.taken.is_some());
        let files = shown.map(|(name, known)| ShelfFile {
            name: name.clone(),
            path: known.path.clone(),
            error: known.error.clone().or_else(|| known.clash.clone()),
            template: known.live.clone(),
        });
        ShelfSnapshot::new(generation, files.collect())
    }
}

impl Known {
    fn new(path: PathBuf) -> Self {
        Self { path, taken: None, waiting: None, read: None, live: None, error: None, clash: None }
    }

    /// Whether the file in this state is to be read now; notes since when it is waited on.
    fn is_due(&mut self, path: &PathBuf, stamp: Stamp, now: Instant, look: Look<'_>) -> bool {
        if self.taken == Some(stamp) {
            self.waiting = None;
            return matches!(look, Look::Again);
        }
        let since = match self.waiting {
            Some((waited, since)) if waited == stamp => since,
            _ => now,
        };
        self.waiting = Some((stamp, since));
        match look {
            Look::First => true,
            Look::Changed(closed) => closed.contains(path) || now.saturating_duration_since(since) >= SETTLE,
            // A file that is being written may be half of one.
            Look::Again => false,
        }
    }
}

fn announce(file: &str, error: &str, has_older: bool) {
    if has_older {
        tracing::error!(file, error, "the template's new file is refused; the version before it stays live");
    } else {
        tracing::error!(file, error, "the template's file is refused");
    }
}
