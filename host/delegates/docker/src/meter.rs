//! What a container used.
//!
//! Where this host sees the engine's control groups, the kernel's own counters are read: while the container starts, at
//! intervals, and once more as its first process ends, before the engine clears the group away some milliseconds later.
//! Processor time and the peak of memory are then exact: both are kept by the kernel, for all processes of the container
//! together. They count from the group's making on, so they hold the few milliseconds and MiB of the engine's own
//! starting in it; memory counts files that were read, and all of `/tmp`.
//!
//! Where it sees none (rootless engines, engines in a virtual machine), the engine is asked at intervals. Then processor
//! time is that of the last sample, the peak the largest sample, and a container that ends before the first shows zero.

use std::future::pending;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::query_parameters::StatsOptionsBuilder;
use futures::StreamExt;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::cgroup::{Cgroup, Used};

/// How often is looked for the group of a container that is being started.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How often the counters are read where the end of the first process cannot be noticed, and how often otherwise.
const SAMPLE_EVERY: Duration = Duration::from_millis(10);
const SAMPLE_SELDOM: Duration = Duration::from_millis(500);

/// How often the engine is asked: at first, and at last.
const ASK_FIRST: Duration = Duration::from_millis(50);
const ASK_LAST: Duration = Duration::from_secs(1);

/// How long a reading that was begun when the container ended may take.
const LAST_READING: Duration = Duration::from_millis(20);

/// Reads what a container uses, in a task that ends with it.
#[derive(Debug)]
pub(crate) struct Meter {
    used: Arc<Mutex<Used>>,
    started: Arc<Notify>,
    running: JoinSet<()>,
}

impl Meter {
    /// Begins before the container is started.
    pub(crate) fn start(client: bollard::Docker, cgroups: PathBuf, container: String) -> Self {
        let used = Arc::new(Mutex::new(Used::default()));
        let started = Arc::new(Notify::new());
        let mut running = JoinSet::new();
        let probe = Probe { client, cgroups, container, used: Arc::clone(&used), started: Arc::clone(&started) };
        running.spawn(probe.run());
        Self { used, started, running }
    }

    /// Tells that the container has been started: what is not found now is not there.
    pub(crate) fn started(&self) {
        self.started.notify_one();
    }

    /// What was used, asked once the container has ended.
    pub(crate) async fn finish(mut self) -> Used {
        // It ends by itself where it noticed the container's end; elsewhere there is nothing left to read.
        let _ = timeout(LAST_READING, self.running.join_next()).await;
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Probe {
    client: bollard::Docker,
    cgroups: PathBuf,
    container: String,
    used: Arc<Mutex<Used>>,
    started: Arc<Notify>,
}

impl Probe {
    async fn run(self) {
        match self.look().await {
            Some(group) => self.read(group).await,
            None => self.ask().await,
        }
    }

    async fn look(&self) -> Option<Cgroup> {
        // The engine makes its folders one after the other: one that cannot be read yet is not there yet.
        let find = || Cgroup::find(&self.cgroups, &self.container).filter(|group| group.read().is_some());
        while timeout(LOOK_EVERY, self.started.notified()).await.is_err() {
            if let Some(group) = find() {
                return Some(group);
            }
        }
        find()
    }

    /// Reads the group's counters. These are small files in memory, so they are read in place.
    async fn read(&self, group: Cgroup) {
        let mut process = None;
        while let Some(used) = group.read() {
            self.note(used);
            if process.is_none() {
                process = first_process(&group);
            }
            let ended = async {
                match &process {
                    Some(process) => drop(process.readable().await),
                    None => pending().await,
                }
            };
            let pause = if process.is_some() { SAMPLE_SELDOM } else { SAMPLE_EVERY };
            if timeout(pause, ended).await.is_ok() {
                if let Some(used) = group.read() {
                    self.note(used);
                }
                return;
            }
        }
    }

    /// Asks the engine, more seldom as time goes on.
    async fn ask(&self) {
        let mut pause = ASK_FIRST;
        loop {
            let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
            match self.client.stats(&self.container, Some(options)).next().await {
                Some(Ok(stats)) => {
                    let memory = stats.memory_stats.unwrap_or_default();
                    let cpu = stats.cpu_stats.and_then(|cpu| cpu.cpu_usage).unwrap_or_default();
                    self.note(Used {
                        cpu_ns: cpu.total_usage.unwrap_or(0),
                        peak_memory: memory.max_usage.max(memory.usage).unwrap_or(0),
                        out_of_memory: 0,
                    });
                }
                Some(Err(error)) => return tracing::debug!(%error, "the engine does not say what a container uses"),
                None => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(ASK_LAST);
        }
    }

    fn note(&self, new: Used) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.or(new);
    }
}

/// The container's first process, to be told of its end.
fn first_process(group: &Cgroup) -> Option<AsyncFd<OwnedFd>> {
    let process = Pid::from_raw(group.first_process()?)?;
    let handle = pidfd_open(process, PidfdFlags::NONBLOCK).ok()?;
    #[expect(
        deprecated,
        reason = "its successor is unsafe for types that lie about their descriptor; an `OwnedFd` cannot"
    )]
    AsyncFd::with_interest(handle, Interest::READABLE).ok()
}
