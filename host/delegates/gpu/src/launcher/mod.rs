//! The process that starts a program and answers for all that it starts.
//!
//! Ending a process *and its descendants* needs a parent that they cannot leave. The host cannot be that parent: orphans
//! of several jobs would come to it with nothing to tell whose they are. So each job has a launcher: the host's own
//! executable, started again under another name ([`take_over_if_asked`]), which makes itself the subreaper of what it
//! starts. No code runs between `fork` and `exec`, so none of it is unsafe.
//!
//! Host and launcher talk over a socket that is the launcher's standard input; the program never has it. The host sends
//! an [`Order`] and the program's standard input, the launcher a line when the program is started and one when all of its
//! processes are gone ([`Told`]). The end of the host's half, for whatever reason, is the order to kill.

mod order;
mod start;
mod supervise;
mod watch;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use bulkhead_core::DelegateError;

pub(crate) use order::{Limits, Order, Told, frame};

/// What a launcher is called, as its first argument; no executable has such a name.
const NAME: &str = "bulkhead: gpu launcher";

/// Whether this program can be the launcher: one that cannot would run from its beginning instead, as another host.
static CAN_TAKE_OVER: AtomicBool = AtomicBool::new(false);

/// How launchers are started.
#[derive(Debug, Clone)]
pub struct Launcher(Option<PathBuf>);

impl Launcher {
    /// This program again; its `main` must begin with [`take_over_if_asked`].
    pub fn this_program() -> Self {
        Self(None)
    }

    /// Another program whose `main` begins with [`take_over_if_asked`], such as `bulkhead-gpu-launcher`.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self(Some(program.into()))
    }

    /// Whether a launcher can be started.
    pub(crate) fn check(&self) -> Result<(), DelegateError> {
        if self.0.is_none() && !CAN_TAKE_OVER.load(Ordering::Relaxed) {
            let text =
                "no program can be run: `main` of this host does not begin with `bulkhead_gpu::take_over_if_asked`";
            return Err(DelegateError::Unavailable(text.into()));
        }
        Ok(())
    }

    pub(crate) fn command(&self) -> std::process::Command {
        // The link, not the path that it shows: an update may have put another file there.
        let program = self.0.clone().unwrap_or_else(|| "/proc/self/exe".into());
        let mut command = std::process::Command::new(program);
        command.arg0(NAME).env_clear().current_dir("/");
        command
    }
}

/// Becomes the launcher of a program, and never returns, where a host started this process for that.
///
/// The first thing in `main` of every program that runs [`Gpu::run`](crate::Gpu::run), before threads and arguments.
pub fn take_over_if_asked() {
    CAN_TAKE_OVER.store(true, Ordering::Relaxed);
    if std::env::args_os().next() == Some(OsString::from(NAME)) {
        let code = if supervise::supervise().is_ok() { 0 } else { 1 };
        std::process::exit(code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_cannot_be_a_launcher_is_not_started_as_one() {
        assert!(matches!(Launcher::this_program().check(), Err(DelegateError::Unavailable(_))));
        assert_eq!(Launcher::at("/bin/launcher").check(), Ok(()));
    }
}
