//! The launcher's life.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::process::{Signal, WaitOptions, WaitStatus, getpid, wait};

use super::order::{Order, Told};
use super::start::{prepare, start};
use super::watch::{Rules, Seen, watch};
use crate::processes::{descendants, kill, processes};

/// How long to wait for those that were killed before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Runs one order to its end; whatever becomes of the host meanwhile, nothing is left when this returns.
pub(super) fn supervise() -> std::io::Result<()> {
    prepare()?;
    let mut host = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let watched = host.try_clone()?;
    let order = Order::read(&mut host)?;
    let out_of_memory_before = kills_for_memory();
    let begin = Instant::now();
    let mut child = match start(&order) {
        Ok(child) => child,
        Err(error) => return tell(&host, &Told::NotStarted(error.to_string())),
    };
    // A host that is gone is found out by the watcher.
    let _ = tell(&host, &Told::Started);
    let seen = Arc::new(Seen::default());
    let rules = Rules {
        me: getpid().as_raw_pid(),
        stdin_bytes: order.stdin_bytes,
        ends: begin.checked_add(Duration::from_millis(order.time_ms)),
        resident: order.limits.resident,
    };
    let (stdin, for_watcher) = (child.stdin.take(), Arc::clone(&seen));
    // It owns nothing that must be put in order, and ends with this process.
    let watcher = std::thread::Builder::new().spawn(move || watch(watched, stdin, rules, &for_watcher));
    let status = watcher.and_then(|_| wait_for(&child));
    let wall = begin.elapsed();
    // Those that it left behind have the devices too.
    end_all(rules.me)?;
    seen.over.store(true, Ordering::Relaxed);

    let status = status?;
    let signal = status.terminating_signal();
    let killed_for_memory = signal == Some(Signal::KILL.as_raw())
        && !seen.killed.load(Ordering::Relaxed)
        && kills_for_memory() > out_of_memory_before;
    let (cpu_ms, largest) = used();
    tell(
        &host,
        &Told::Ended {
            code: status.exit_status().or(signal.map(|signal| 128 + signal)).unwrap_or(-1),
            out_of_memory: seen.too_large.load(Ordering::Relaxed) || killed_for_memory,
            wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
            cpu_ms,
            peak_memory_bytes: largest.max(seen.peak.load(Ordering::Relaxed)),
        },
    )
}

/// Reaps until the program itself has ended; orphans come by too.
fn wait_for(child: &Child) -> std::io::Result<WaitStatus> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if u32::try_from(pid.as_raw_pid()) == Ok(child.id()) => return Ok(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Kills and reaps until nothing is left of what was started.
fn end_all(me: i32) -> std::io::Result<()> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
            Ok(None) => {
                kill(&descendants(&processes(), me), me);
                std::thread::sleep(LOOK_AGAIN);
            }
            Err(rustix::io::Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Time on all cores in milliseconds, and the most memory of a single process in bytes, of all that was reaped.
fn used() -> (u64, u64) {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else {
        return (0, 0);
    };
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let largest = u64::try_from(usage.max_rss()).unwrap_or(0).saturating_mul(1024);
    (u64::try_from(cpu / 1000).unwrap_or(0), largest)
}

/// How often the kernel of this machine killed a process because memory ran out.
fn kills_for_memory() -> u64 {
    let counters = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let line = counters.lines().find_map(|line| line.strip_prefix("oom_kill "));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

fn tell(mut host: &UnixStream, told: &Told) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(told)?;
    line.push(b'\n');
    host.write_all(&line)
}
