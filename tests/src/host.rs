//! A host in a process of its own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{Client, Folder, Ran};

/// A host that has compiled its handlers answers within this, on the slowest machine.
const START: Duration = Duration::from_secs(120);
/// A host that was told to stop has stopped within this.
const STOP: Duration = Duration::from_secs(90);

/// A running host. Dropped, it is killed; where the test panics, its log is shown first.
#[derive(Debug)]
pub struct Host {
    process: Child,
    /// Its address, such as `http://127.0.0.1:40123`.
    pub url: String,
    /// Its API.
    pub client: Client,
    log: PathBuf,
}

impl Host {
    /// Starts a host in the folder with these names in its environment, and waits until it answers.
    pub fn start(folder: &Folder, environment: &[(&str, &str)]) -> Result<Self> {
        Self::start_with(folder, environment, &[])
    }

    /// The same, with further arguments for `bulkhead run`.
    pub fn start_with(folder: &Folder, environment: &[(&str, &str)], arguments: &[&str]) -> Result<Self> {
        let ready = folder.path().join("ready");
        let _ = std::fs::remove_file(&ready);
        let log = folder.path().join("host.log");
        let file = File::options().create(true).append(true).open(&log)?;
        let mut process = folder
            .command()
            .args(["run", "--ready-file", "ready"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .context("the host cannot be started")?;
        let began = Instant::now();
        loop {
            if let Ok(url) = std::fs::read_to_string(&ready) {
                let url = url.trim().to_owned();
                return Ok(Self { process, client: Client::new(&url), url, log });
            }
            if let Some(status) = process.try_wait()? {
                bail!("the host ended with {status} before it was ready:\n{}", read(&log));
            }
            if began.elapsed() > START {
                let _ = process.kill();
                bail!("the host was not ready within {START:?}:\n{}", read(&log));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs a command of the binary against this host.
    ///
    /// # Panics
    ///
    /// Where the binary cannot be started.
    pub fn cli(&self, folder: &Folder, arguments: &[&str]) -> Ran {
        let mut command = folder.command();
        command.arg("--url").arg(&self.url).args(arguments).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}")).into()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tells it to stop, as a service manager would.
    ///
    /// # Panics
    ///
    /// Where the signal cannot be sent.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Stops its clock, as a paused virtual machine would.
    ///
    /// # Panics
    ///
    /// Where the signal cannot be sent.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    ///
    /// # Panics
    ///
    /// Where the signal cannot be sent.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("the signal can be sent");
    }

    /// Tells it to stop and waits until it has; gives its exit code.
    ///
    /// # Panics
    ///
    /// Where it does not stop in time.
    pub fn stop(mut self) -> Option<i32> {
        self.terminate();
        let status = self.wait(STOP).unwrap_or_else(|| panic!("the host did not stop within {STOP:?}"));
        status.code()
    }

    /// Ends it as a power failure would.
    ///
    /// # Panics
    ///
    /// Where the system does not let it.
    pub fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it has ended");
    }

    /// Waits until it ends by itself, for so long at most.
    ///
    /// # Panics
    ///
    /// Where the system does not say.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("the process can be asked") {
                return Some(status);
            }
            if began.elapsed() > limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        read(&self.log)
    }
}

impl Drop for Host {
    #[expect(clippy::print_stderr, reason = "whoever reads a failed test wants to see what the host said")]
    fn drop(&mut self) {
        // Ended hosts cannot be killed, which is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("── the host's log, its last lines:");
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

fn read(log: &std::path::Path) -> String {
    std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
