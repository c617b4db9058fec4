//! Handlers that are swapped all the time under full load: whatever the folder goes through, no task may notice, and once
//! it is quiet nothing but what lies there may be live.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bulkhead_test_guests::guest_bytes;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::client::text;
use crate::{Client, Folder, Host, resident, variant_of};

/// Handlers in the folder, all of one kind.
const FILES: usize = 10;
/// Tasks in one request.
const BATCH: usize = 200;
/// Requests that are ahead of the tasks that have ended.
const AHEAD: usize = 5;
/// The longest pause between two swaps, in milliseconds.
const PAUSE: u64 = 60;
/// The folder has come to rest after this, on the slowest machine.
const QUIET: Duration = Duration::from_secs(60);

/// What there was to see.
#[derive(Debug, Clone, Default)]
pub struct Swapped {
    /// Swaps made, by how.
    pub swaps: [usize; WAYS.len()],
    /// Tasks submitted meanwhile.
    pub tasks: u64,
    /// Tasks that succeeded.
    pub succeeded: u64,
    /// Handlers that are live in another version than the one in the folder, or without a file.
    pub stale: Vec<String>,
    /// Resident memory after the first tenth of the swaps, and at the end, in KiB.
    pub resident: (u64, u64),
    /// How long it took.
    pub took: Duration,
}

/// How a file is put in the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Written beside, then renamed over.
    Rename,
    /// Removed, and copied in pieces under its own name.
    SlowCopy,
    /// Cut off and written again, in place.
    Truncate,
    /// A link to a file elsewhere.
    Link,
    /// A folder of the same name: the handler is gone.
    Directory,
}

const WAYS: [Way; 5] = [Way::Rename, Way::SlowCopy, Way::Truncate, Way::Link, Way::Directory];

/// Swaps so often, as the seed says, under full load.
pub fn swaps(seed: u64, swaps: usize) -> Result<Swapped> {
    let began = Instant::now();
    let folder = Folder::with_settings("[store]\ncache = \"1MiB\"\n[log]\nfilter = \"warn\"\n");
    std::fs::create_dir(folder.path().join("elsewhere"))?;
    let echo = guest_bytes("echo");
    for number in 0..FILES {
        folder.drop_in(&name(number), &variant_of(&echo, &format!("first {number}")));
    }
    // A cache of its own, with room for a part of all these versions.
    let cache = [("BULKHEAD_HANDLERS__CACHE", "cache"), ("BULKHEAD_HANDLERS__CACHE_SIZE", "20MiB")];
    let host = Host::start(&folder, &cache)?;
    let done = AtomicBool::new(false);
    let mut seen = Swapped::default();
    std::thread::scope(|scope| -> Result<()> {
        let load = scope.spawn(|| load(&host.client, &done));
        let mut rng = Rng::with_seed(seed);
        let mut swapping = || -> Result<()> {
            for number in 0..swaps {
                let way = rng.usize(..WAYS.len());
                let label = format!("{number} {}", rng.u64(..));
                swap(&folder, &name(rng.usize(..FILES)), WAYS[way], &variant_of(&echo, &label), &mut rng)?;
                seen.swaps[way] += 1;
                std::thread::sleep(Duration::from_millis(rng.u64(..PAUSE)));
                if number == swaps / 10 {
                    seen.resident.0 = resident(host.pid())?;
                }
            }
            // One that stays, so that every task has a handler in the end.
            swap(&folder, &name(0), Way::Rename, &echo, &mut rng)
        };
        let swapped = swapping();
        done.store(true, Ordering::Relaxed);
        let load = load.join().map_err(|_| anyhow::anyhow!("the load panicked"))?;
        swapped?;
        seen.tasks = load?;
        Ok(())
    })?;
    seen.stale = at_rest(&folder, &host)?;
    seen.succeeded = host.client.count("kind=ECHO&state=succeeded");
    seen.resident.1 = resident(host.pid())?;
    ensure!(host.stop() == Some(0), "the host did not stop in order");
    seen.took = began.elapsed();
    Ok(seen)
}

fn name(number: usize) -> String {
    format!("swapped_{number}")
}

fn swap(folder: &Folder, name: &str, way: Way, bytes: &[u8], rng: &mut Rng) -> Result<()> {
    let handlers = folder.path().join("handlers");
    let file = handlers.join(format!("{name}.wasm"));
    if way != Way::Truncate || !file.is_file() {
        match way {
            Way::Rename => {}
            _ => remove(&file)?,
        }
    }
    if file.is_dir() {
        remove(&file)?;
    }
    match way {
        Way::Rename => {
            let beside = handlers.join(format!("{name}.new"));
            std::fs::write(&beside, bytes)?;
            std::fs::rename(beside, file)?;
        }
        Way::SlowCopy | Way::Truncate => {
            let mut copy = File::create(file)?;
            for piece in bytes.chunks(bytes.len().div_ceil(4)) {
                copy.write_all(piece)?;
                std::thread::sleep(Duration::from_millis(rng.u64(..20)));
            }
        }
        Way::Link => {
            let target = folder.path().join("elsewhere").join(format!("{:016x}.wasm", rng.u64(..)));
            std::fs::write(&target, bytes)?;
            std::os::unix::fs::symlink(target, file)?;
        }
        Way::Directory => std::fs::create_dir(file)?,
    }
    Ok(())
}

fn remove(file: &Path) -> Result<()> {
    if file.is_dir() {
        return Ok(std::fs::remove_dir(file)?);
    }
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// As many tasks as the host can take until it is told that it is enough; how many that were, once all have ended.
fn load(client: &Client, done: &AtomicBool) -> Result<u64> {
    let mut batches: Vec<String> = Vec::new();
    let mut tasks = 0;
    while !done.load(Ordering::Relaxed) {
        let lines: Vec<Value> = (0..BATCH).map(|number| json!({"kind": "ECHO", "payload": number})).collect();
        let ids = client.submit_all(&lines);
        tasks += ids.len() as u64;
        batches.push(ids.last().context("no id")?.clone());
        if let Some(before) = batches.len().checked_sub(AHEAD).and_then(|at| batches.get(at)) {
            client.try_get(&format!("/v1/tasks/{before}?wait=60s"))?;
        }
    }
    let began = Instant::now();
    while client.count("kind=ECHO&state=ready,running") > 0 {
        ensure!(began.elapsed() < QUIET, "tasks have not ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(tasks)
}

/// What is live and should not be, or is not and should be, once the folder has been quiet for long enough.
fn at_rest(folder: &Folder, host: &Host) -> Result<Vec<String>> {
    let began = Instant::now();
    loop {
        let mut wrong = Vec::new();
        for number in 0..FILES {
            let name = name(number);
            let file = folder.path().join("handlers").join(format!("{name}.wasm"));
            let expected =
                if file.is_file() { blake3::hash(&std::fs::read(&file)?).to_hex().to_string() } else { String::new() };
            let entry = host.client.handler(&name).unwrap_or_default();
            let live = if text(&entry, "/status") == "live" { text(&entry, "/digest") } else { "" };
            if live != expected {
                wrong.push(format!("{name}: {live:?} instead of {expected:?}"));
            }
        }
        if wrong.is_empty() || began.elapsed() > QUIET {
            return Ok(wrong);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Swapped {
    /// Whether nobody noticed.
    pub fn check(&self) -> Result<()> {
        ensure!(self.tasks > 0 && self.succeeded == self.tasks, "{} of {} tasks succeeded", self.succeeded, self.tasks);
        ensure!(self.stale.is_empty(), "the folder is quiet, and yet: {:?}", self.stale);
        Ok(())
    }
}

impl fmt::Display for Swapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (way, count) in WAYS.iter().zip(self.swaps) {
            writeln!(formatter, "swaps by {:<24}{count:>10}", format!("{way:?}"))?;
        }
        writeln!(formatter, "tasks {:>37}", self.tasks)?;
        writeln!(formatter, "  succeeded {:>31}", self.succeeded)?;
        writeln!(formatter, "not as the folder is, in the end {:>10}", self.stale.len())?;
        writeln!(formatter, "resident after a tenth, KiB {:>15}", self.resident.0)?;
        writeln!(formatter, "  at the end {:>30}", self.resident.1)?;
        write!(
            formatter,
            "{:.1} s, {:.0} tasks/s",
            self.took.as_secs_f64(),
            self.tasks as f64 / self.took.as_secs_f64()
        )
    }
}
