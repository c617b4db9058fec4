//! The control group of a container, as the kernel shows it: version 1 and 2, Docker's and Podman's names.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// What was used up to now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) cpu_ns: u64,
    pub(crate) peak_memory: u64,
    /// Processes that were ended because memory was used up.
    pub(crate) out_of_memory: u64,
}

impl Used {
    /// The larger of each: what is counted only grows, and a sample may miss what another saw.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.max(other.cpu_ns),
            peak_memory: self.peak_memory.max(other.peak_memory),
            out_of_memory: self.out_of_memory.max(other.out_of_memory),
        }
    }
}

/// A container's control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cgroup {
    /// Version 1: a hierarchy for each.
    Split { memory: PathBuf, cpu: PathBuf },
    /// Version 2.
    Unified(PathBuf),
}

impl Cgroup {
    /// Looks where engines put them, below `root`.
    pub(crate) fn find(root: &Path, container: &str) -> Option<Self> {
        let places = [
            format!("docker/{container}"),
            format!("system.slice/docker-{container}.scope"),
            format!("machine.slice/libpod-{container}.scope"),
            format!("libpod_parent/libpod-{container}"),
        ];
        let (memory, cpu) = (root.join("memory"), root.join("cpuacct"));
        places.iter().find_map(|place| {
            if memory.join(place).is_dir() {
                return Some(Self::Split { memory: memory.join(place), cpu: cpu.join(place) });
            }
            root.join(place).is_dir().then(|| Self::Unified(root.join(place)))
        })
    }

    /// Reads what was used; none where the group is gone.
    pub(crate) fn read(&self) -> Option<Used> {
        let read = |folder: &Path, file: &str| read_to_string(folder.join(file)).ok();
        let number = |folder: &Path, file: &str| read(folder, file)?.trim().parse::<u64>().ok();
        let field = |folder: &Path, file: &str, name: &str| field(&read(folder, file)?, name);
        match self {
            Self::Split { memory, cpu } => Some(Used {
                cpu_ns: number(cpu, "cpuacct.usage")?,
                peak_memory: number(memory, "memory.max_usage_in_bytes")?,
                out_of_memory: field(memory, "memory.oom_control", "oom_kill").unwrap_or(0),
            }),
            Self::Unified(folder) => Some(Used {
                cpu_ns: field(folder, "cpu.stat", "usage_usec")?.saturating_mul(1000),
                // Kernels before 5.19 keep no peak.
                peak_memory: number(folder, "memory.peak").or_else(|| number(folder, "memory.current"))?,
                out_of_memory: field(folder, "memory.events", "oom_kill").unwrap_or(0),
            }),
        }
    }

    /// The first process of the container: the one that calls itself 1.
    pub(crate) fn first_process(&self) -> Option<i32> {
        let (Self::Split { memory: folder, .. } | Self::Unified(folder)) = self;
        let processes = read_to_string(folder.join("cgroup.procs")).ok()?;
        processes.lines().filter_map(|line| line.parse().ok()).find(|pid: &i32| {
            let status = read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            calls_itself_first(&status)
        })
    }
}

/// A number in a file of `name value` lines.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

fn calls_itself_first(status: &str) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let pids: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    pids.len() > 1 && pids.last() == Some(&"1")
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};

    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        create_dir_all(path.parent().expect("a folder")).expect("a folder");
        write(path, text).expect("a file");
    }

    #[test]
    fn version_one_has_a_folder_for_each_resource() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(Cgroup::find(root.path(), "abc"), None);
        put(root.path(), "memory/docker/abc/memory.max_usage_in_bytes", "4096\n");
        put(root.path(), "memory/docker/abc/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
        put(root.path(), "cpuacct/docker/abc/cpuacct.usage", "123456\n");
        let found = Cgroup::find(root.path(), "abc").expect("found");
        assert_eq!(found.read(), Some(Used { cpu_ns: 123_456, peak_memory: 4096, out_of_memory: 2 }));
    }

    #[test]
    fn version_two_has_one_folder_and_old_kernels_no_peak() {
        let root = tempfile::tempdir().expect("a folder");
        let place = "system.slice/docker-abc.scope";
        put(root.path(), &format!("{place}/cpu.stat"), "usage_usec 70\nuser_usec 50\n");
        put(root.path(), &format!("{place}/memory.current"), "10\n");
        let found = Cgroup::find(root.path(), "abc").expect("found");
        assert_eq!(found.read(), Some(Used { cpu_ns: 70_000, peak_memory: 10, out_of_memory: 0 }));
        put(root.path(), &format!("{place}/memory.peak"), "30\n");
        put(root.path(), &format!("{place}/memory.events"), "low 0\noom 1\noom_kill 1\noom_group_kill 0\n");
        assert_eq!(found.read(), Some(Used { cpu_ns: 70_000, peak_memory: 30, out_of_memory: 1 }));
    }

    #[test]
    fn the_first_process_is_the_one_that_calls_itself_so() {
        assert!(calls_itself_first("Name:\tx\nNSpid:\t4242\t1\n"));
        assert!(!calls_itself_first("NSpid:\t4243\t7\n"));
        assert!(!calls_itself_first("NSpid:\t1\n"), "that is the machine's own");
        assert!(!calls_itself_first(""));
    }
}
