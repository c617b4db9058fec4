//! A delegate over given devices, with `/bin/sh` as a program of the operator's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Caller, Exit, Job, TaskId};
use bulkhead_gpu::{FoundDevice, GivenDevices, Gpu, GpuGrant, GpuSettings, Launcher, ProgramSettings};
use rustix::fs::{CWD, Mode, mkfifoat};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::time::timeout;

pub(crate) const GIB: u64 = 1 << 30;

/// Longer than any test takes on a busy machine: a bound, never waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) gpu: Gpu,
    pub(crate) devices: Arc<GivenDevices>,
    /// Where it locks devices, which are called the same in every test.
    _locks: tempfile::TempDir,
}

/// So many devices of 8 GiB, and these settings beside the programs `sh`, `cat` and `env`.
pub(crate) fn world(devices: u32, change: impl FnOnce(&mut GpuSettings)) -> World {
    let locks = tempfile::tempdir().unwrap();
    let mut settings = GpuSettings { locks: Some(locks.path().to_owned()), ..GpuSettings::default() };
    for name in ["sh", "cat", "env", "sleep"] {
        let path =
            ["/bin", "/usr/bin"].iter().map(|folder| PathBuf::from(folder).join(name)).find(|path| path.exists());
        settings.programs.insert(name.into(), ProgramSettings { path: path.unwrap(), ..ProgramSettings::default() });
    }
    change(&mut settings);
    let devices = Arc::new(GivenDevices::new((0..devices).map(|index| FoundDevice::given(index, 8 * GIB)).collect()));
    let launcher = Launcher::at(env!("CARGO_BIN_EXE_bulkhead-gpu-launcher"));
    World { gpu: Gpu::with(settings, Arc::clone(&devices) as _, launcher).unwrap(), devices, _locks: locks }
}

impl World {
    pub(crate) async fn sh(&self, script: &str) -> Exit {
        self.gpu.run(&caller(), &grant(), sh(script)).await.unwrap()
    }
}

pub(crate) fn caller() -> Caller {
    caller_until(PATIENCE)
}

pub(crate) fn caller_until(time: Duration) -> Caller {
    Caller {
        handler: "render".parse().unwrap(),
        task: TaskId::parse("task-1").unwrap(),
        lease: None,
        workspace: None,
        traceparent: None,
        deadline: Instant::now() + time,
    }
}

pub(crate) fn grant() -> GpuGrant {
    let programs = ["sh", "cat", "env", "sleep", "given"].map(str::to_owned).to_vec();
    GpuGrant { programs, count: 8, memory_each: None }
}

pub(crate) fn job(program: &str, arguments: &[&str]) -> Job {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Job { program: program.into(), arguments, gpus: 1, ..Job::default() }
}

pub(crate) fn sh(script: &str) -> Job {
    job("sh", &["-c", script])
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A text that no other process of this machine has among its arguments.
pub(crate) fn mark() -> String {
    format!("mark-{}-{:016x}", std::process::id(), fastrand::u64(..))
}

/// How many processes that are not over have this text among their arguments.
pub(crate) fn marked(mark: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.windows(mark.len()).any(|window| window == mark.as_bytes())).count()
}

/// A pipe with a name, which each process of a job opens to say that it is up: a pipe is at its end when nobody has it
/// open any more, so that nobody needs to look again and again who is still there.
pub(crate) struct Register {
    folder: tempfile::TempDir,
    said: BufReader<pipe::Receiver>,
    /// Keeps it from being at its end before the first has come.
    open: pipe::Sender,
}

impl Register {
    /// One that nobody has signed.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register");
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
        let said = BufReader::new(pipe::OpenOptions::new().open_receiver(&path).unwrap());
        Self { said, open: pipe::OpenOptions::new().open_sender(&path).unwrap(), folder }
    }

    /// A line of shell that signs it, for as long as the process and those live that it starts.
    pub(crate) fn sign(&self) -> String {
        format!("exec 9>{}; echo >&9", self.folder.path().join("register").display())
    }

    /// Waits until so many have signed.
    pub(crate) async fn signed(&mut self, count: usize) {
        let mut line = String::new();
        for number in 0..count {
            let read = timeout(PATIENCE, self.said.read_line(&mut line)).await;
            assert!(matches!(read, Ok(Ok(1))), "{number} of {count} are up");
        }
    }

    /// Waits until of those who signed nobody is left.
    pub(crate) async fn left_by_all(self) {
        let Self { mut said, open, .. } = self;
        drop(open);
        let mut rest = Vec::new();
        timeout(PATIENCE, said.read_to_end(&mut rest)).await.expect("somebody stays").unwrap();
    }
}
