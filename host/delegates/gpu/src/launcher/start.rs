//! Starting the program.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Resource, Rlimit, getpid, getrlimit, set_child_subreaper, setrlimit, setsid};
use tokio::signal::unix::{SignalKind, signal};

use super::Order;
use super::order::Limits;

/// Makes this process one that what it starts cannot leave; before anything is started.
pub(super) fn prepare() -> std::io::Result<()> {
    close_inherited()?;
    // Away from the host's terminal and group: what ends the host's group must not end this before the program.
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    // With it everything that is started runs as this user, and can be killed.
    rustix::thread::set_no_new_privs(true)?;
    stay()
}

/// Closes what whoever started the host left open in it: a program has its three streams and no other file.
fn close_inherited() -> std::io::Result<()> {
    let names = std::fs::read_dir("/proc/self/fd")?.flatten().map(|entry| entry.file_name());
    let open: Vec<i32> = names.filter_map(|name| name.to_str()?.parse().ok()).filter(|file| *file > 2).collect();
    for file in open {
        // The folder's own is among them, and closed by now.
        let _ = nix::unistd::close(file);
    }
    Ok(())
}

/// Starts the program, with its limits.
pub(super) fn start(order: &Order) -> std::io::Result<Child> {
    let Limits { memory, files, file_size, resident: _ } = order.limits;
    // Set here and inherited, so that no process of the job is without them for a moment; this one can live with them.
    let limits = [
        (Resource::Core, Some(0)),
        (Resource::Nofile, Some(files)),
        (Resource::Fsize, file_size),
        (Resource::As, memory),
    ];
    for (resource, most) in limits {
        if let Some(most) = most {
            setrlimit(resource, at_most(resource, most))?;
        }
    }
    Command::new(&order.program)
        .args(&order.arguments)
        .env_clear()
        .envs(order.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&order.folder)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .spawn()
}

/// From here on this process is not ended by the signals that ask a service or a terminal's programs to stop: the host
/// says when. Handled, not blocked or ignored, since a program would inherit that.
fn stay() -> std::io::Result<()> {
    // Only to have handlers installed without unsafe code; they outlive it, and what they tell nobody reads.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup(), SignalKind::quit()] {
        drop(signal(kind)?);
    }
    Ok(())
}

/// Both limits, no higher than the one that this process may set.
fn at_most(resource: Resource, most: u64) -> Rlimit {
    let most = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
    Rlimit { current: Some(most), maximum: Some(most) }
}
