//! One host, all the hostile guests, and what is seen when one of them runs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bulkhead_test_guests::guest_bytes;
use serde_json::Value;

use super::slow_server::SlowServer;
use super::verdict::{check, ran, timeout};
use super::{Canary, End, Guest, Row, Seen, files};
use crate::client::text;
use crate::{Engine, Folder, Host, IMAGE, places, resident};

/// Nothing takes longer, or the host hangs.
const PATIENCE: Duration = Duration::from_secs(1200);
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
/// Containers are gone within this after the run that asked for them.
const REMOVED_WITHIN: Duration = Duration::from_secs(10);

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
    engine: Option<Engine>,
    gives_back: Duration,
}

impl Arena {
    /// Starts the host, and gives it time to return memory before that is measured.
    pub fn patient() -> Result<Self> {
        Ok(Self { gives_back: GIVES_BACK, ..Self::open()? })
    }

    /// Starts the host.
    pub fn open() -> Result<Self> {
        let engine = Engine::find();
        let folder = Folder::with_settings(&settings(engine.as_ref(), SlowServer::start()?.address()));
        folder.drop_in("echo", &guest_bytes("echo"));
        // The link that `leaves_workspace` tries to go through leads here.
        std::fs::create_dir(folder.path().join("outside"))?;
        folder.write("outside/secret", "secret");
        let host = Host::start(&folder, &[])?;
        Ok(Self { folder, host, engine, gives_back: Duration::ZERO })
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether a row can be made here: some take an engine.
    pub fn can(&self, row: &Row) -> bool {
        self.engine.is_some() || !row.takes_engine
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
        let task = self.ended(&id)?;
        check(&task, &row.end)?;
        self.nothing_is_left(&[id], row)?;
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
        // A first round fills whatever is filled once; what is made only once takes too long for it.
        if row.most > 1 {
            self.round(&kind, row, (runs / 10).max(1), "w")?;
        }
        let (before, canary) = (self.resident()?, Canary::beside(&self.host.client));
        let end = self.round(&kind, row, runs, "r")?;
        let sung = canary.ask()?;
        let resident = (before, self.given_back(before)?);
        // Alone, without turns of others among its own.
        let mut took = Vec::new();
        for _ in 0..ALONE.min(runs) {
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
                end = check(&self.ended(id)?, &row.end)?;
            }
            self.nothing_is_left(ids, row)?;
        }
        Ok(end)
    }

    fn ended(&self, id: &str) -> Result<Value> {
        self.wait_for("it has ended", || {
            let task = self.host.client.get(&format!("/v1/tasks/{id}?wait=60s")).body;
            (!task["ended_at"].is_null()).then_some(task)
        })
    }

    /// Waits until the containers of these tasks are gone; an error where they stay.
    fn nothing_is_left(&self, ids: &[String], row: &Row) -> Result<()> {
        let Some(engine) = self.engine.as_ref().filter(|_| row.takes_engine) else { return Ok(()) };
        let (ids, began) = (ids.iter().cloned().collect(), Instant::now());
        while engine.containers_among(&ids)? > 0 {
            ensure!(began.elapsed() < REMOVED_WITHIN, "containers are left {REMOVED_WITHIN:?} after the run");
            std::thread::sleep(LOOK);
        }
        Ok(())
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

/// With the server that takes its time, and the engine that is there.
fn settings(engine: Option<&Engine>, server: SocketAddr) -> String {
    let mut settings = format!(
        "{SETTINGS}\n[handler.waits_for_http.settings]\nhost = \"{server}\"\n\
         [handler.waits_for_http.grants.http]\norigins = [\"http://{server}\"]\naddresses = [\"127.0.0.1/32\"]\n\
         body = \"1MiB\"\ntimeout = \"1s\"\nconcurrency = {CHUNK}\n"
    );
    if let Some(engine) = engine {
        let socket = engine.socket();
        settings += &format!(
            "[docker]\nsocket = {socket:?}\n\
             [handler.abuses_containers.grants]\nworkspace = {{ access = \"read-write\", max_files = 100000 }}\n\
             docker = {{ images = [{IMAGE:?}] }}\n"
        );
    }
    settings
}

fn task_of(kind: &str, id: &str, row: &Row) -> Value {
    let mut task = row.task.clone();
    task["id"] = id.into();
    task["kind"] = kind.into();
    task
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

/// Something that no id had before.
fn chance() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(8).collect()
}
