//! A server of another make, in a temporary folder: both are gone when their owner is, also when the chore fails or is
//! killed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A server must be ready within this: it is a small one, on a machine that may be busy.
const START: Duration = Duration::from_secs(60);
/// The keeper gives it ten seconds, and then kills it.
const STOP: Duration = Duration::from_secs(15);
/// Between two questions whether it is ready, or gone.
const ASK: Duration = Duration::from_millis(20);
/// A port that was free a moment ago may be taken by another.
const TRIES: u32 = 5;
/// What a server said last is shown where it does not start.
const SHOWN_LINES: usize = 20;

/// Outlives the chore: when its input ends, it stops the server that was named last and removes the folder.
const KEEPER: &str = r#"
server=
while read -r line; do server=$line; done
if [ -n "$server" ]; then
  kill -s "$2" "$server"
  tries=0
  while kill -0 "$server" && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -s KILL "$server"
fi
rm -rf -- "$1"
"#;

/// A folder and, once it is started, the server in it.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    folder: PathBuf,
    user: Option<User>,
    keeper: Child,
    /// What the keeper reads; it acts when this is closed, which the death of this process does, too.
    lifeline: Option<ChildStdin>,
    process: Option<Child>,
}

impl Server {
    /// Makes the folder, for a server that stops at once on the signal `stop`.
    pub(crate) fn new(name: &'static str, stop: &str) -> Result<Self> {
        Self::of(User::unprivileged(), name, stop)
    }

    /// The same for a server that must run as whoever runs the chore.
    pub(crate) fn of_ours(name: &'static str, stop: &str) -> Result<Self> {
        Self::of(None, name, stop)
    }

    fn of(user: Option<User>, name: &'static str, stop: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("bulkhead-{name}-")).tempdir()?;
        if let Some(user) = user {
            chown(folder.path(), Some(user.id), Some(user.group))?;
        }
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(folder.path()).arg(stop).current_dir("/");
        // In a group of its own: Ctrl-C is for the chore, not for what clears up behind it.
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut keeper = keeper.spawn().context("cannot start sh")?;
        let lifeline = keeper.stdin.take();
        Ok(Self { name, folder: folder.keep(), user, keeper, lifeline, process: None })
    }

    /// The folder, which belongs to the user that the server runs as.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program that runs in the folder, as the server's user, and writes to its log.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut command = Command::new(program);
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        if let Some(user) = self.user {
            command.uid(user.id).gid(user.group);
        }
        Ok(command)
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, mut command: Command) -> Result<()> {
        let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
        if !status.success() {
            bail!("{status}: {command:?}\n{}", self.log());
        }
        Ok(())
    }

    /// Starts the server on a free port of the loopback and waits until it is ready; gives the port.
    pub(crate) fn start(
        &mut self,
        command: impl Fn(&Self, u16) -> Result<Command>,
        ready: impl Fn(u16) -> bool,
    ) -> Result<u16> {
        for _ in 0..TRIES {
            let port = free_port()?;
            let mut command = command(self, port)?;
            command.process_group(0);
            let process = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
            let lifeline = self.lifeline.as_mut().context("the keeper is there")?;
            writeln!(lifeline, "{}", process.id())?;
            let process = self.process.insert(process);
            let began = Instant::now();
            loop {
                if process.try_wait()?.is_some() {
                    break;
                }
                if ready(port) {
                    return Ok(port);
                }
                if began.elapsed() > START {
                    bail!("{} was not ready in {} s:\n{}", self.name, START.as_secs(), self.log());
                }
                std::thread::sleep(ASK);
            }
        }
        bail!("{} ends as soon as it is started:\n{}", self.name, self.log())
    }

    /// Waits until the server ends by itself.
    pub(crate) fn wait(&mut self) -> Result<()> {
        if let Some(process) = &mut self.process {
            let status = process.wait()?;
            bail!("{} ended, with {status}:\n{}", self.name, self.log());
        }
        Ok(())
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.lifeline = None;
        if let Some(process) = &mut self.process {
            let began = Instant::now();
            while matches!(process.try_wait(), Ok(None)) && began.elapsed() < STOP {
                std::thread::sleep(ASK);
            }
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = self.keeper.wait();
    }
}

/// Whom a server runs as, where this process is root: databases refuse to run as that.
#[derive(Clone, Copy, Debug)]
struct User {
    id: u32,
    group: u32,
}

impl User {
    fn unprivileged() -> Option<Self> {
        if id(&["-u"]) != Some(0) {
            return None;
        }
        let named = |name| Some(Self { id: id(&["-u", name])?, group: id(&["-g", name])? });
        named("postgres").or_else(|| named("nobody"))
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
