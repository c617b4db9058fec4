//! One host, all the hostile guests, and what is seen when one of them runs.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bulkhead_test_guests::guest_bytes;
use serde_json::Value;

use super::{Canary, End, Guest, Row, files};
use crate::client::text;
use crate::{Folder, Host, places, resident};

/// Nothing takes longer, or the host hangs.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(2);
/// Tasks in one request, and that wait or run at once.
const CHUNK: usize = 32;
/// Loads of a file that is refused.
const LOADS: usize = 20;
/// Within this the host has given back what it needed for a while: its allocator waits ten seconds.
const GIVES_BACK: Duration = Duration::from_secs(15);
/// So little more memory than before is as before.
const AS_BEFORE: f64 = 0.01;
/// Runs that show how soon the host finds out.
const ALONE: usize = 3;

/// What every handler has here: one attempt, so that the first end is the last, and what a few of them need.
const SETTINGS: &str = r#"
[store]
# Full before anything is measured, so that what grows is a leak.
cache = "1MiB"
[worker]
cpu_slots = 2
[handlers.defaults]
max_attempts = 1
[handler.early_workspace.grants]
workspace = "read-write"
[handler.leaves_workspace.grants]
workspace = "read-write"
[handler.fills_workspace.grants]
workspace = { access = "read-write", max_bytes = "100KB", max_files = 50 }
[log]
filter = "error"
"#;

/// A host with a canary's handler, where guests are dropped in and attacked with.
#[derive(Debug)]
pub struct Arena {
    folder: Folder,
    host: Host,
    gives_back: Duration,
}

/// What was seen of one row.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How it really ended.
    pub end: String,
    /// How many runs, or loads, that was.
    pub runs: usize,
    /// How long the host took to find out: from the start of a run that is alone, less its timeout where that is what ended
    /// it, or from the last byte of a file. The median.
    pub detected_in: Duration,
    /// How long the canary's tasks took beside it, all but a hundredth of them.
    pub canary: Duration,
    /// Resident memory of the host before, and within 15 s after, in KiB.
    pub resident: (u64, u64),
}

impl Seen {
    /// By how much resident memory grew, as a part of what it was.
    pub fn growth(&self) -> f64 {
        (self.resident.1 as f64 - self.resident.0 as f64) / self.resident.0.max(1) as f64
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { end, runs, detected_in, canary, .. } = self;
        let (millis, canary) = (detected_in.as_secs_f64() * 1e3, canary.as_secs_f64() * 1e3);
        write!(formatter, "{runs:>6} {millis:>9.1} {canary:>9.1} {:>+7.1} %  {end}", self.growth() * 100.0)
    }
}

impl Arena {
    /// Starts the host, and gives it time to return memory before that is measured.
    pub fn patient() -> Result<Self> {
        Ok(Self { gives_back: GIVES_BACK, ..Self::open()? })
    }

    /// Starts the host.
    pub fn open() -> Result<Self> {
        let folder = Folder::with_settings(SETTINGS);
        folder.drop_in("echo", &guest_bytes("echo"));
        // The link that `leaves_workspace` tries to go through leads here.
        std::fs::create_dir(folder.path().join("outside"))?;
        folder.write("outside/secret", "secret");
        let host = Host::start(&folder, &[])?;
        Ok(Self { folder, host, gives_back: Duration::ZERO })
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Files that are no handlers, with machine code of this host among them.
    pub fn bad_files(&self) -> Result<Vec<files::BadFile>> {
        let mut cached = std::fs::read_dir(places::cache())?.flatten().map(|entry| entry.path());
        let compiled = cached.find(|file| file.extension().is_some_and(|extension| extension == "cwasm"));
        files::bad_files(std::fs::read(compiled.context("nothing is cached")?)?)
    }

    /// Attacks so often with one guest; an error where it does not end as it must, or its neighbour suffers.
    pub fn attack(&self, guest: Guest, row: &Row, runs: usize) -> Result<Seen> {
        let bytes = guest_bytes(guest.name());
        let seen = match &row.end {
            End::Refused(words) => self.refused(guest.name(), &bytes, "broken", words, runs.min(LOADS)),
            End::KeptOut(words) => self.refused(guest.name(), &bytes, "kept_out", words, runs.min(LOADS)),
            _ => self.run(guest.name(), &bytes, row, runs.min(row.most)),
        };
        seen.with_context(|| format!("{} {}", guest.name(), row.does))
    }

    /// Drops in a file that is no handler, so often.
    pub fn drop_bad(&self, file: &files::BadFile, times: usize) -> Result<Seen> {
        self.refused(file.name, &file.bytes, "broken", file.words, times).with_context(|| file.is)
    }

    /// Drops in a file that is no handler once, waits until it is refused, and takes it away again.
    pub(crate) fn drop_bad_once(&self, file: &files::BadFile) -> Result<()> {
        let path = self.folder.drop_in(file.name, &file.bytes);
        let entry = self.wait_for("the file is seen", || self.host.client.handler(file.name))?;
        let reason = text(&entry, "/reason");
        ensure!(text(&entry, "/status") == "broken" && reason.contains(file.words), "{}: {reason}", file.is);
        std::fs::remove_file(path)?;
        self.wait_for("the file is forgotten", || self.host.client.handler(file.name).is_none().then_some(()))
    }

    /// Submits one task of a guest that was brought in, and waits until it has ended as it must.
    pub(crate) fn attack_once(&self, kind: &str, row: &Row) -> Result<Value> {
        let id = format!("{kind}-s{}{}", chance(), chance());
        self.prepare_workspace(&id)?;
        self.host.client.submit(&task_of(kind, &id, row));
        let task = self.host.client.try_get(&format!("/v1/tasks/{id}?wait=60s"))?.body;
        check(&task, &row.end)?;
        Ok(task)
    }

    fn refused(&self, name: &str, bytes: &[u8], status: &str, words: &str, times: usize) -> Result<Seen> {
        let (before, canary) = (self.resident()?, Canary::beside(&self.host.client));
        let mut took = Vec::new();
        let mut end = String::new();
        for _ in 0..times {
            let file = self.folder.drop_in(name, bytes);
            let began = Instant::now();
            let entry = self.wait_for("the file is seen", || self.host.client.handler(name))?;
            took.push(began.elapsed());
            end = format!("{}: {}", text(&entry, "/status"), text(&entry, "/reason"));
            ensure!(text(&entry, "/status") == status && end.contains(words), "not {status} for `{words}` but {end}");
            std::fs::remove_file(file)?;
            self.wait_for("the file is forgotten", || self.host.client.handler(name).is_none().then_some(()))?;
        }
        let canary = canary.ask()?.p99();
        let resident = (before, self.given_back(before)?);
        Ok(Seen { end, runs: times, detected_in: median(took), canary, resident })
    }

    fn run(&self, name: &str, bytes: &[u8], row: &Row, runs: usize) -> Result<Seen> {
        let kind = self.bring_in(name, bytes)?;
        // A first round fills whatever is filled once.
        self.round(&kind, row, (runs / 10).max(1), "w")?;
        let (before, canary) = (self.resident()?, Canary::beside(&self.host.client));
        let end = self.round(&kind, row, runs, "r")?;
        let sung = canary.ask()?;
        let resident = (before, self.given_back(before)?);
        // Alone, without turns of others among its own.
        let mut took = Vec::new();
        for _ in 0..ALONE {
            let task = self.attack_once(&kind, row)?;
            took.push(ran(&task)?.saturating_sub(timeout(row, text(&task, "/reason"))));
        }
        Ok(Seen { end, runs, detected_in: median(took), canary: sung.p99(), resident })
    }

    /// Drops a guest in, waits until it is live, and gives its kind, which only it knows.
    pub(crate) fn bring_in(&self, name: &str, bytes: &[u8]) -> Result<String> {
        self.folder.drop_in(name, bytes);
        let live = |entry: &Value| text(entry, "/status") == "live";
        let entry = self.wait_for("it is live", || self.host.client.handler(name).filter(live))?;
        Ok(text(&entry, "/kind").to_owned())
    }

    /// Submits so many tasks, a few at a time, and waits until each has ended as it must; says how the last one did.
    fn round(&self, kind: &str, row: &Row, runs: usize, round: &str) -> Result<String> {
        let ids: Vec<String> = (0..runs).map(|number| format!("{kind}-{round}{}-{number}", chance())).collect();
        for id in &ids {
            self.prepare_workspace(id)?;
        }
        let tasks: Vec<Value> = ids.iter().map(|id| task_of(kind, id, row)).collect();
        // Never many that wait: the canary is to meet hostile guests that run, not a queue.
        let mut end = String::new();
        for (tasks, ids) in tasks.chunks(CHUNK).zip(ids.chunks(CHUNK)) {
            self.host.client.submit_all(tasks);
            for id in ids {
                end = check(&self.host.client.ended(id), &row.end)?;
            }
        }
        Ok(end)
    }

    /// A link out of it, in the workspace that the task will have.
    fn prepare_workspace(&self, id: &str) -> Result<()> {
        if id.starts_with("LEAVES") {
            let workspace = self.folder.path().join("workspaces").join(id);
            std::fs::create_dir_all(&workspace)?;
            std::os::unix::fs::symlink(self.folder.path().join("outside"), workspace.join("out"))?;
        }
        Ok(())
    }

    /// Resident memory of the host, in KiB.
    pub fn resident(&self) -> Result<u64> {
        resident(self.host.pid())
    }

    /// The least memory that is seen while the host may take its time to give it back.
    fn given_back(&self, before: u64) -> Result<u64> {
        let (mut least, began) = (self.resident()?, Instant::now());
        while least as f64 > before as f64 * (1.0 + AS_BEFORE) && began.elapsed() < self.gives_back {
            std::thread::sleep(LOOK);
            least = least.min(self.resident()?);
        }
        Ok(least)
    }

    fn wait_for<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(found) = look() {
                return Ok(found);
            }
            std::thread::sleep(LOOK);
        }
        bail!("not within {PATIENCE:?}: {what}")
    }
}

fn task_of(kind: &str, id: &str, row: &Row) -> Value {
    let mut task = row.task.clone();
    task["id"] = id.into();
    task["kind"] = kind.into();
    task
}

/// Says how a task ended; an error where it should have ended otherwise.
fn check(task: &Value, end: &End) -> Result<String> {
    let (state, reason) = (text(task, "/state"), text(task, "/reason"));
    let said = format!("{} {}", text(task, "/error/reason"), text(task, "/error/message"));
    let as_it_must = match end {
        End::Dead(expected, words) => state == "dead" && reason == *expected && said.contains(words),
        End::Succeeds(result) => state == "succeeded" && task["result"] == *result,
        End::Tells(words) => state == "succeeded" && task["result"].to_string().contains(words),
        End::Refused(_) | End::KeptOut(_) => false,
    };
    ensure!(as_it_must, "not {end:?} but {state} {reason}: {said} {}", task["result"]);
    Ok(if state == "dead" { format!("{reason}: {}", said.trim()) } else { format!("succeeded: {}", task["result"]) })
}

/// How long the last attempt ran.
fn ran(task: &Value) -> Result<Duration> {
    let last = task["attempts"].as_array().and_then(|attempts| attempts.last()).context("no attempt")?;
    let at = |field: &str| -> Result<jiff::Timestamp> { Ok(text(last, field).parse()?) };
    Ok(at("/ended_at")?.duration_since(at("/started_at")?).unsigned_abs())
}

/// What of a run's time was given to it.
fn timeout(row: &Row, reason: &str) -> Duration {
    let given = row.task["timeout"].as_str().and_then(|timeout| timeout.strip_suffix("ms")?.parse().ok());
    if reason == "timeout" { Duration::from_millis(given.unwrap_or(100)) } else { Duration::ZERO }
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

/// Something that no id had before.
fn chance() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(8).collect()
}
