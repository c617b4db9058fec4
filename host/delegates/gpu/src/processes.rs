//! The processes of this machine, as `/proc` tells.

use std::collections::BTreeSet;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A process, as far as it matters for ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// Whether it has ended, and only waits to be reaped.
    pub(crate) ended: bool,
    /// Pages that it holds in memory.
    pub(crate) resident_pages: u64,
}

/// All processes that can be seen now.
pub(crate) fn processes() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit())));
    // One that ends in between is not there any more, as it should be.
    pids.filter_map(|entry| parse(&std::fs::read(entry.path().join("stat")).ok()?)).collect()
}

/// Reads a line of `/proc/PID/stat`; the name, in parentheses, may hold anything.
fn parse(stat: &[u8]) -> Option<Process> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let pid = std::str::from_utf8(&stat[..open]).ok()?.trim().parse().ok()?;
    let rest: Vec<&str> = std::str::from_utf8(&stat[close + 1..]).ok()?.split_ascii_whitespace().collect();
    Some(Process {
        pid,
        ended: matches!(*rest.first()?, "Z" | "X"),
        parent: rest.get(1)?.parse().ok()?,
        group: rest.get(2)?.parse().ok()?,
        session: rest.get(3)?.parse().ok()?,
        resident_pages: rest.get(21)?.parse().ok()?,
    })
}

/// Those that descend from a process, itself not among them.
pub(crate) fn descendants(all: &[Process], root: i32) -> Vec<Process> {
    let mut family = BTreeSet::from([root]);
    loop {
        let before = family.len();
        family.extend(
            all.iter().filter(|process| family.contains(&process.parent)).map(|one| one.pid).collect::<Vec<_>>(),
        );
        if family.len() == before {
            break;
        }
    }
    all.iter().filter(|process| process.pid != root && family.contains(&process.pid)).copied().collect()
}

/// Kills these processes and the groups that they are in, except the group `spared`; says whether any was alive.
///
/// A group is killed in one step of the kernel, so that none of it can fork out of the way.
pub(crate) fn kill(these: &[Process], spared: i32) -> bool {
    let alive: Vec<&Process> = these.iter().filter(|process| !process.ended).collect();
    let groups: BTreeSet<i32> = alive.iter().map(|process| process.group).filter(|group| *group != spared).collect();
    // One that is gone by now is what was wanted, and that one may not be killed cannot be: it runs as the same user.
    for group in groups.into_iter().filter(|group| *group > 1).filter_map(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    for pid in alive.iter().filter_map(|process| Pid::from_raw(process.pid)) {
        let _ = kill_process(pid, Signal::KILL);
    }
    !alive.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let line = b"42 (a) b (\xff 1) S 7 40 39 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 100 4096 321 184 1 1";
        let process = parse(line).unwrap();
        let expected = Process { pid: 42, parent: 7, group: 40, session: 39, ended: false, resident_pages: 321 };
        assert_eq!(process, expected);
    }

    #[test]
    fn a_line_that_is_cut_short_is_nobody() {
        assert_eq!(parse(b"42 (name) S 7 40"), None);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b") ("), None);
    }

    #[test]
    fn a_family_is_found_in_whatever_order_it_is_listed() {
        let process = |pid, parent| Process { pid, parent, group: 1, session: 1, ended: false, resident_pages: 0 };
        let all = [process(9, 8), process(8, 5), process(5, 1), process(7, 1), process(6, 5)];
        let pids: Vec<i32> = descendants(&all, 5).iter().map(|one| one.pid).collect();
        assert_eq!(pids, [9, 8, 6]);
    }

    #[test]
    fn this_process_is_among_those_that_can_be_seen() {
        let me = i32::try_from(std::process::id()).unwrap();
        let found = processes().into_iter().find(|process| process.pid == me).unwrap();
        assert!(found.resident_pages > 0 && !found.ended);
    }
}
