//! Which process made a container, so that others can tell when nobody will remove it any more.
//!
//! A container for a lease is over when the store says so. One that was made outside of a queue (`bulkhead exec`) has no
//! lease; it is over when the process is gone that made it, which only a kill keeps from removing it.

use std::fs::{read_link, read_to_string};

use rustix::io::Errno;
use rustix::process::{Pid, getpid, test_kill_process};

/// A process, told apart from all others that have had its number or will have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    /// The kernel's run: numbers of another are those of other processes.
    boot: String,
    /// The namespace of its number: it means nothing in any other.
    namespace: String,
    pid: Pid,
    /// When it started, as the kernel counts.
    started: u64,
}

impl Maker {
    /// This process; none where the kernel does not tell enough.
    pub(crate) fn this() -> Option<Self> {
        let boot = read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
        let namespace = read_link("/proc/self/ns/pid").ok()?.to_str()?.to_owned();
        let pid = getpid();
        Some(Self { boot, namespace, pid, started: started(pid)? })
    }

    /// Reads what [`Maker::to_label`] wrote.
    pub(crate) fn parse(label: &str) -> Option<Self> {
        let mut parts = label.split(' ');
        let (boot, namespace) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        // Less than 1 names groups of processes.
        let pid = parts.next()?.parse().ok().filter(|pid| *pid > 0).and_then(Pid::from_raw)?;
        Some(Self { boot, namespace, pid, started: parts.next()?.parse().ok()? })
    }

    /// As the engine keeps it.
    pub(crate) fn to_label(&self) -> String {
        let Self { boot, namespace, pid, started } = self;
        format!("{boot} {namespace} {} {started}", pid.as_raw_pid())
    }

    /// Whether it is gone for certain, as `this` process sees it: never where that cannot be known.
    pub(crate) fn is_gone(&self, this: &Self) -> bool {
        if (&self.boot, &self.namespace) != (&this.boot, &this.namespace) {
            return false;
        }
        // A process that may not be signalled is one; `/proc` alone may hide those of other users.
        match test_kill_process(self.pid) {
            Err(Errno::SRCH) => true,
            _ => started(self.pid).is_some_and(|started| started != self.started),
        }
    }
}

/// When a process started, in the kernel's ticks since it began.
fn started(pid: Pid) -> Option<u64> {
    let stat = read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    // After the name, which may hold anything.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_lives_is_not_gone_and_one_that_had_its_number_is() {
        let this = Maker::this().expect("Linux tells");
        assert_eq!(Maker::parse(&this.to_label()), Some(this.clone()));
        assert!(!this.is_gone(&this));
        assert!(Maker { started: this.started - 1, ..this.clone() }.is_gone(&this));
    }

    #[test]
    fn a_process_that_was_ended_is_gone() {
        let this = Maker::this().expect("Linux tells");
        let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("a process");
        let pid = Pid::from_child(&child);
        let maker = Maker { pid, started: started(pid).expect("it runs"), ..this.clone() };
        assert!(!maker.is_gone(&this));
        child.kill().expect("killed");
        child.wait().expect("reaped");
        assert!(maker.is_gone(&this));
    }

    #[test]
    fn of_another_namespace_or_machine_nothing_is_known() {
        let this = Maker::this().expect("Linux tells");
        let gone = Maker { started: this.started - 1, ..this.clone() };
        assert!(!Maker { boot: "another".to_owned(), ..gone.clone() }.is_gone(&this));
        assert!(!Maker { namespace: "pid:[1]".to_owned(), ..gone }.is_gone(&this));
        for label in ["", "a b", "a b 0 1", "a b -1 1", "a b 1 x"] {
            assert_eq!(Maker::parse(label), None, "{label}");
        }
    }
}
