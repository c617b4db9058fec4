//! Waiting for the host's word while the program runs, and looking at what it uses.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::param::page_size;

use crate::processes::{descendants, kill, processes};

/// How often the memory of a program is looked at: soon at first, since many are short, then at leisure.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LAST_LOOK: Duration = Duration::from_millis(250);

/// How often those that are to die are killed again: a process may just have forked.
const KILL_AGAIN: Duration = Duration::from_millis(10);

/// What the watcher found, for the one that waits for the program.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Whether the program was killed by order, or for its memory.
    pub(super) killed: AtomicBool,
    /// Whether it held more memory than it may.
    pub(super) too_large: AtomicBool,
    /// The most memory that all processes together were seen to hold.
    pub(super) peak: AtomicU64,
    /// Whether the program ended; nothing is left to watch.
    pub(super) over: AtomicBool,
}

/// What the watcher goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) me: i32,
    pub(super) stdin_bytes: usize,
    pub(super) ends: Option<Instant>,
    pub(super) resident: Option<u64>,
}

/// Hands the program its input, and kills it when the host's half of the socket ends, its time is over or its memory too
/// large; returns when the program is over.
pub(super) fn watch(mut host: UnixStream, stdin: Option<ChildStdin>, rules: Rules, seen: &Seen) {
    let mut input = Vec::new();
    // All of it first: a program that reads slowly must not keep the host's word from being heard.
    let complete = (&mut host).take(rules.stdin_bytes as u64).read_to_end(&mut input);
    if complete.is_ok_and(|bytes| bytes == rules.stdin_bytes) {
        // It ends when the program has read all, or is gone; and with this process in any case.
        std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
        listen(&mut host, rules, seen);
    }
    seen.killed.store(true, Ordering::Relaxed);
    while !seen.over.load(Ordering::Relaxed) {
        kill(&descendants(&processes(), rules.me), rules.me);
        std::thread::sleep(KILL_AGAIN);
    }
}

/// Returns when the program is to be killed, or is over.
fn listen(host: &mut UnixStream, rules: Rules, seen: &Seen) {
    let mut pause = FIRST_LOOK;
    loop {
        look(rules, seen);
        let time_is_over = rules.ends.is_some_and(|ends| ends <= Instant::now());
        if time_is_over || seen.too_large.load(Ordering::Relaxed) || seen.over.load(Ordering::Relaxed) {
            return;
        }
        if host.set_read_timeout(Some(pause)).is_err() {
            return;
        }
        match host.read(&mut [0]) {
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            // The end, an error, or a byte that no host sends.
            _ => return,
        }
        pause = (pause * 2).min(LAST_LOOK);
    }
}

fn look(rules: Rules, seen: &Seen) {
    let pages: u64 = descendants(&processes(), rules.me).iter().map(|process| process.resident_pages).sum();
    let bytes = pages.saturating_mul(page_size() as u64);
    seen.peak.fetch_max(bytes, Ordering::Relaxed);
    if rules.resident.is_some_and(|most| bytes > most) {
        seen.too_large.store(true, Ordering::Relaxed);
    }
}
