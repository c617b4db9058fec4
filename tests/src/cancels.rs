//! Tasks that are cancelled at random while the host does something for them: of no container, request, process, file or
//! lease anything may be left.

use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bulkhead_test_guests::guest_bytes;
use fastrand::Rng;
use serde_json::json;

use crate::{Engine, Folder, Host, IMAGE, ModelServer, Reply};

/// Tasks under way at once.
const AT_ONCE: usize = 16;
/// A task is cancelled within so many milliseconds after it was submitted: before, while and after its container is made.
const WITHIN: u64 = 900;
/// Everything is gone within this after the last task has ended, on the slowest machine.
const QUIET: Duration = Duration::from_secs(60);

/// What there was to see.
#[derive(Debug, Clone, Default)]
pub struct Cancelled {
    /// Tasks that ended as cancelled.
    pub cancelled: usize,
    /// Containers that were seen while tasks were under way, at most at once.
    pub containers_seen: usize,
    /// Requests that reached the model server.
    pub requests_seen: usize,
    /// What was left in the end.
    pub left: Left,
    /// How long it took, and how long after the last end everything was gone.
    pub took: (Duration, Duration),
}

/// What is left of tasks that are over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Containers, running or not.
    pub containers: usize,
    /// Requests that the model server still holds.
    pub requests: usize,
    /// Processes that the host has started.
    pub processes: usize,
    /// Runs that the worker counts as in flight, or holds.
    pub runs: u64,
    /// Files in the folder of workspaces, beside one folder for each task.
    pub files: usize,
}

/// Cancels so many tasks, as the seed says; none where there is no engine.
pub fn cancels(seed: u64, tasks: usize) -> Result<Option<Cancelled>> {
    let Some(engine) = Engine::find() else { return Ok(None) };
    let began = Instant::now();
    let server = ModelServer::start(std::iter::repeat_n(Reply::IsSilent, tasks));
    let folder = Folder::with_settings(&format!(
        "[worker]\nmax_concurrent = {AT_ONCE}\n[docker]\nsocket = {:?}\n\
         [llm.backends.silent]\nurl = {:?}\nmodel = \"m\"\nconcurrency = {AT_ONCE}\n\
         [handler.asks.grants]\nworkspace = \"read-write\"\ndocker = {{ images = [{IMAGE:?}] }}\nllm = {{ backends = [\"silent\"] }}\n",
        engine.socket(),
        server.url(),
    ));
    folder.drop_in("asks", &guest_bytes("delegates"));
    let host = Host::start(&folder, &[])?;
    let mut rng = Rng::with_seed(seed);
    let (mut under_way, mut ids) = (Vec::new(), HashSet::new());
    let mut seen = Cancelled::default();
    while ids.len() < tasks || !under_way.is_empty() {
        while under_way.len() < AT_ONCE && ids.len() < tasks {
            let words = if rng.u8(..10) < 7 { "docker sleep 600" } else { "llm are you there" };
            let id = host.client.submit(&json!({"kind": "DELEGATE", "payload": words}));
            ids.insert(id.clone());
            under_way.push((id, Instant::now() + Duration::from_millis(rng.u64(..WITHIN))));
        }
        let (id, at) = under_way.swap_remove(rng.usize(..under_way.len()));
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if rng.u8(..16) == 0 {
            seen.containers_seen = seen.containers_seen.max(engine.containers_among(&ids)?);
        }
        host.client.post(&format!("/v1/tasks/{id}/cancel"), &json!({}));
        seen.cancelled += usize::from(host.client.ended(&id)["state"] == "cancelled");
    }
    let over = Instant::now();
    seen.requests_seen = server.asked().len();
    loop {
        seen.left = left(&engine, &server, &host, &folder, &ids)?;
        if seen.left == Left::default() || over.elapsed() > QUIET {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    seen.took = (began.elapsed(), over.elapsed());
    ensure!(host.stop() == Some(0), "the host did not stop in order");
    Ok(Some(seen))
}

fn left(engine: &Engine, server: &ModelServer, host: &Host, folder: &Folder, ids: &HashSet<String>) -> Result<Left> {
    let mut processes = 0;
    // A child belongs to the thread that started it.
    for thread in std::fs::read_dir(format!("/proc/{}/task", host.pid()))? {
        let children = std::fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        processes += children.split_whitespace().count();
    }
    let workers = host.client.get("/v1/workers").body;
    let worker = workers["items"].get(0).context("a worker")?;
    let count = |field: &str| worker[field].as_u64().unwrap_or(0);
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path().join("workspaces")).into_iter().flatten() {
        let entry = entry?;
        // The host's own notes.
        if entry.file_name() == ".bulkhead" {
            continue;
        }
        let is_of_a_task = ids.contains(&*entry.file_name().to_string_lossy());
        files += if is_of_a_task { std::fs::read_dir(entry.path())?.count() } else { 1 };
    }
    Ok(Left {
        containers: engine.containers_among(ids)?,
        requests: server.open(),
        processes,
        runs: count("in_flight") + count("held"),
        files,
    })
}

impl fmt::Display for Cancelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cancelled, containers_seen, requests_seen, left, took } = self;
        write!(
            formatter,
            "{cancelled} cancelled, up to {containers_seen} containers at once, {requests_seen} requests; left: {left:?}; \
             {:.1} s, everything gone {:.1} s after the last end",
            took.0.as_secs_f64(),
            took.1.as_secs_f64()
        )
    }
}

impl Cancelled {
    /// Whether all of them were cancelled, something was done for them, and nothing is left.
    pub fn check(&self, tasks: usize) -> Result<()> {
        ensure!(self.cancelled == tasks, "{} of {tasks} ended as cancelled", self.cancelled);
        ensure!(self.left == Left::default(), "something is left: {:?}", self.left);
        ensure!(self.requests_seen > 0, "no request came");
        Ok(())
    }
}
