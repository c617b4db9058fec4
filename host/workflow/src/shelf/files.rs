//! The files of the folder, and what became of each.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::folder::{self, Stamp};
use super::{ShelfFile, ShelfSettings, ShelfSnapshot};
use crate::Template;

/// A file that nobody was seen to close is whole when it has not changed for so long. Half a template may well be a
/// template, so this is longer than it is for handlers.
const SETTLE: Duration = Duration::from_secs(1);

/// The files of one folder and what became of them.
#[derive(Debug)]
pub(super) struct Files {
    settings: ShelfSettings,
    files: BTreeMap<String, Known>,
}

/// What is known of one file.
#[derive(Debug)]
struct Known {
    path: PathBuf,
    /// The state of the file that was read.
    taken: Option<Stamp>,
    /// The state that is waited on, and since when.
    waiting: Option<(Stamp, Instant)>,
    /// The newest version of it that was good.
    good: Option<Arc<Template>>,
    /// What is wrong with the file as it is.
    error: Option<String>,
    /// What was good is what the shelf shows: no other file had that reference before.
    live: bool,
}

impl Files {
    pub(super) fn new(settings: ShelfSettings) -> Self {
        Self { settings, files: BTreeMap::new() }
    }

    /// Whether a file is waited on, so that the next look should come soon.
    pub(super) fn is_waiting(&self) -> bool {
        self.files.values().any(|known| known.waiting.is_some())
    }

    /// Every file counts as not yet read; what is live stays live until then.
    pub(super) fn forget(&mut self) {
        for known in self.files.values_mut() {
            known.taken = None;
        }
    }

    /// Looks at the folder and reads what is due; says whether anything is new. `closed` are the files that their writers are
    /// done with; with `all`, every file is.
    pub(super) fn sweep(&mut self, now: Instant, all: bool, closed: &HashSet<PathBuf>) -> std::io::Result<bool> {
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
            if known.taken == Some(stamp) {
                known.waiting = None;
                continue;
            }
            let since = match known.waiting {
                Some((waited, since)) if waited == stamp => since,
                _ => now,
            };
            known.waiting = Some((stamp, since));
            let due = all || closed.contains(&path) || now.saturating_duration_since(since) >= SETTLE;
            if !due {
                continue;
            }
            let Some(text) = folder::read(&path, &stamp) else { continue };
            (known.taken, known.waiting) = (Some(stamp), None);
            changed = true;
            let read = text.map_err(|error| format!("{name}: {error}")).and_then(|text| {
                Template::read(&name, &text, &self.settings.templates).map_err(|errors| errors.to_string())
            });
            match read {
                Ok(template) => (known.good, known.error) = (Some(Arc::new(template)), None),
                Err(error) => known.error = Some(error),
            }
            announce(&name, known);
        }
        if changed {
            self.settle();
        }
        Ok(changed)
    }

    /// Decides which file has a reference that two files claim: the one that has it already, else the first by name.
    fn settle(&mut self) {
        let mut owners: BTreeMap<(String, String, semver::Version), String> = BTreeMap::new();
        for had_it in [true, false] {
            for (name, known) in self.files.iter_mut().filter(|(_, known)| known.live == had_it) {
                if let Some(good) = &known.good {
                    let plan = good.plan();
                    let key = (plan.namespace.clone(), plan.name.clone(), good.version().clone());
                    owners.entry(key).or_insert_with(|| name.clone());
                }
            }
        }
        for (name, known) in &mut self.files {
            let Some(good) = &known.good else {
                known.live = false;
                continue;
            };
            let plan = good.plan();
            let owner = owners.get(&(plan.namespace.clone(), plan.name.clone(), good.version().clone()));
            let lost = owner.filter(|owner| *owner != name);
            known.live = lost.is_none();
            match lost {
                Some(owner) if known.taken.is_some() => {
                    let error = clash(name, owner, &plan.reference());
                    if known.error.is_none() {
                        tracing::error!(file = name, error, "the template's file is refused");
                        known.error = Some(error);
                    }
                }
                _ => {
                    // The other file is gone, or says something else by now.
                    known.error.take_if(|error| error.contains(CLASH));
                }
            }
        }
    }

    /// All that there is, as others see it.
    pub(super) fn snapshot(&self, generation: u64) -> ShelfSnapshot {
        let shown = self.files.iter().filter(|(_, known)| known.taken.is_some() || known.good.is_some());
        let files = shown.map(|(name, known)| ShelfFile {
            name: name.clone(),
            path: known.path.clone(),
            error: known.error.clone(),
            template: known.good.clone().filter(|_| known.live),
        });
        ShelfSnapshot::new(generation, files.collect())
    }
}

impl Known {
    fn new(path: PathBuf) -> Self {
        Self { path, taken: None, waiting: None, good: None, error: None, live: false }
    }
}

/// What tells this error from others.
const CLASH: &str = "is in another file already";

fn clash(file: &str, owner: &str, reference: &str) -> String {
    format!("{file}: `{reference}` {CLASH}: `{owner}`; give one of them another name or version")
}

fn announce(file: &str, known: &Known) {
    match (&known.error, &known.good) {
        (Some(error), Some(_)) => {
            tracing::error!(file, error, "the template's new file is refused; the version before it stays live");
        }
        (Some(error), None) => tracing::error!(file, error, "the template's file is refused"),
        (None, Some(good)) => {
            let (template, digest) = (good.plan().reference(), good.digest().short());
            tracing::info!(file, template, digest, steps = good.plan().steps.len(), "template live");
        }
        (None, None) => {}
    }
}
