//! Running a program by its launcher.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bulkhead_core::{CallerWorkspace, DelegateError, Exit, Usage};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::timeout_at;

use crate::DeviceLease;
use crate::capture::{Captured, capture};
use crate::launcher::{Launcher, Order, Told, frame};
use crate::processes::{kill, processes};

/// How long to wait before those whose launcher is gone are killed again.
const KILL_AGAIN: Duration = Duration::from_millis(20);

/// A program to run, and what is held for it until its last process is gone.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) launcher: Launcher,
    /// What the operator calls the program.
    pub(crate) name: String,
    pub(crate) order: Order,
    pub(crate) stdin: Vec<u8>,
    /// Where it runs, and whose use is over when it is; none, in an empty folder of `scratch`.
    pub(crate) workspace: Option<CallerWorkspace>,
    pub(crate) scratch: PathBuf,
    /// How much of each stream is kept.
    pub(crate) output: usize,
    pub(crate) lease: DeviceLease,
}

/// What the launcher said, all in all.
enum Said {
    Exit(Exit),
    NotStarted(String),
    /// It ended without a word about the program.
    Nothing,
}

/// Runs a program to its end. Cancel safe: a task of its own does it, and kills what runs when this is dropped.
pub(crate) async fn run(assignment: Assignment, deadline: Instant) -> Result<Exit, DelegateError> {
    let (_wanted, unwanted) = oneshot::channel();
    let keeper = tokio::spawn(keep(assignment, deadline, unwanted));
    match timeout_at(deadline.into(), keeper).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(DelegateError::Failed("the host gave up the program while it ran".into())),
        Err(_) => Err(DelegateError::TimedOut),
    }
}

/// Sees a program through, whoever still waits for it; devices are free when it returns.
async fn keep(
    assignment: Assignment,
    deadline: Instant,
    mut unwanted: oneshot::Receiver<()>,
) -> Result<Exit, DelegateError> {
    let Assignment { launcher, name, mut order, stdin, workspace, scratch, output, lease } = assignment;
    // The text of such an error may have a path of the host's in it, which is none of the handler's business.
    let failed = |error: io::Error| {
        tracing::warn!(program = name, %error, "a program cannot be run");
        DelegateError::Failed(format!("`{name}` cannot be run: {}; the host's log says more", error.kind()))
    };
    let empty = match &workspace {
        Some(_) => None,
        None => Some(
            blocking(move || tempfile::Builder::new().prefix("bulkhead-gpu-").tempdir_in(scratch))
                .await
                .map_err(failed)?,
        ),
    };
    let folder = workspace.as_ref().map(|workspace| workspace.folder.as_path());
    let folder = folder.or(empty.as_ref().map(tempfile::TempDir::path)).and_then(std::path::Path::to_str);
    order.folder = folder.ok_or_else(|| failed(io::Error::other("the path of its folder is not UTF-8")))?.to_owned();
    order.time_ms = u64::try_from(deadline.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u64::MAX);

    let said = match unwanted.try_recv() {
        Err(TryRecvError::Closed) => Ok(Said::Nothing),
        _ => talk(&launcher, &order, &stdin, output, unwanted).await,
    };
    if let Some(empty) = empty
        && let Err(error) = blocking(move || empty.close()).await
    {
        tracing::warn!(program = name, %error, "the folder of a program was left behind");
    }
    drop((lease, workspace));
    match said.map_err(failed)? {
        Said::Exit(exit) => Ok(exit),
        Said::NotStarted(error) => {
            tracing::warn!(program = name, path = order.program, error, "a program cannot be started");
            Err(DelegateError::Failed(format!("`{name}` cannot be started, see `gpu.programs.{name}.path`: {error}")))
        }
        Said::Nothing => Err(DelegateError::Failed(format!("the launcher of `{name}` was ended"))),
    }
}

/// Starts the launcher, tells it the order and hears it out; returns when no process of the job is left.
async fn talk(
    launcher: &Launcher,
    order: &Order,
    stdin: &[u8],
    output: usize,
    unwanted: oneshot::Receiver<()>,
) -> io::Result<Said> {
    let frame = frame(order)?;
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let (hear, say) = UnixStream::from_std(ours)?.into_split();
    let mut command = tokio::process::Command::from(launcher.command());
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    // It holds the launcher's end of the socket, whose end is waited for.
    drop(command);
    let session = child.id().and_then(|id| i32::try_from(id).ok());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());

    let heard = async {
        let said = listen(hear).await;
        if said.is_none() {
            end_session(session).await;
        }
        said
    };
    let printed = futures::future::join3(heard, capture(stdout, output), capture(stderr, output));
    let (said, stdout, stderr) = tokio::select! {
        all = printed => all,
        never = speak(say, &frame, stdin, unwanted) => match never {},
    };
    child.wait().await?;
    Ok(match said {
        Some(Told::Ended { code, out_of_memory, wall_ms, cpu_ms, peak_memory_bytes }) => {
            let usage = Usage { wall_ms, cpu_ms, peak_memory_bytes };
            Said::Exit(exit(code, stdout, stderr, out_of_memory, usage))
        }
        Some(Told::NotStarted(error)) => Said::NotStarted(error),
        Some(Told::Started) | None => Said::Nothing,
    })
}

fn exit(code: i32, stdout: Captured, stderr: Captured, out_of_memory: bool, usage: Usage) -> Exit {
    let truncated = stdout.truncated || stderr.truncated;
    Exit { code, stdout: stdout.bytes, stderr: stderr.bytes, truncated, out_of_memory, usage }
}

/// Sends the order and the input; ends the host's half once nobody wants the answer, which is the order to kill.
async fn speak(
    mut say: OwnedWriteHalf,
    frame: &[u8],
    stdin: &[u8],
    mut unwanted: oneshot::Receiver<()>,
) -> std::convert::Infallible {
    let told = async {
        say.write_all(frame).await?;
        say.write_all(stdin).await
    };
    tokio::select! {
        told = told => if told.is_ok() {
            let _ = (&mut unwanted).await;
        },
        _ = &mut unwanted => {}
    }
    // A launcher that is gone already needs no order.
    let _ = say.shutdown().await;
    std::future::pending().await
}

/// What the launcher last said of the program, once it has said all; none where it ended before it had.
async fn listen(hear: OwnedReadHalf) -> Option<Told> {
    let mut lines = BufReader::new(hear).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Told::Started) => {}
            Ok(told) => return Some(told),
            Err(_) => return None,
        }
    }
    None
}

/// Kills all of a session whose leader is gone until none is left.
async fn end_session(session: Option<i32>) {
    let Some(session) = session else {
        return;
    };
    tracing::warn!(session, "the launcher of a program was ended; its session is killed");
    loop {
        let alive = tokio::task::spawn_blocking(move || {
            let mut these = processes();
            these.retain(|process| process.session == session);
            kill(&these, 0)
        });
        if !alive.await.unwrap_or(false) {
            return;
        }
        tokio::time::sleep(KILL_AGAIN).await;
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
