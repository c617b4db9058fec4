//! Keeps the cache within its size: what was not used for longest goes first.
//!
//! Several hosts may share the folder. A file that another host has mapped lives on until that host lets go of it, and one
//! that is gone when it is looked for is compiled again, so that no host has to know of the others.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bulkhead_core::Size;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};

/// A file that is being written, and that no host has renamed into place for so long, was left by one that died.
const ABANDONED: Duration = Duration::from_secs(3600);

/// One compiled component: its code, and what is known of it.
#[derive(Debug)]
struct Kept {
    code: PathBuf,
    record: PathBuf,
    bytes: u64,
    /// When it was last taken from the cache, or put there.
    used: SystemTime,
}

/// Removes what was not used for longest until the rest is within the size; `keep` stays whatever it takes.
pub(crate) fn prune(folder: &Path, most: Size, keep: &Path) -> std::io::Result<()> {
    let mut kept = Vec::new();
    let mut held = 0u64;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // What another host has removed meanwhile was never there.
        let Ok(found) = entry.metadata() else { continue };
        let file = entry.path();
        match file.extension().and_then(std::ffi::OsStr::to_str) {
            Some("cwasm") => {
                let record = file.with_extension("json");
                let used = std::fs::metadata(&record).and_then(|record| record.modified());
                let used = used.or_else(|_| found.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                held = held.saturating_add(found.len());
                kept.push(Kept { code: file, record, bytes: found.len(), used });
            }
            Some("tmp") if found.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED)) => {
                let _ = std::fs::remove_file(file);
            }
            _ => {}
        }
    }
    kept.sort_unstable_by_key(|kept| kept.used);
    for old in kept.iter().filter(|old| old.code != keep) {
        if held <= most.bytes() {
            break;
        }
        // The record first: it never speaks of a file that is not there.
        let _ = std::fs::remove_file(&old.record);
        let _ = std::fs::remove_file(&old.code);
        held = held.saturating_sub(old.bytes);
        tracing::info!(file = %old.code.display(), "the cache is full; a compiled component is removed");
    }
    Ok(())
}

/// Notes that a compiled component was used just now, by the clock of the file system.
pub(crate) fn touch(record: &Path) {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let now = Timestamps { last_access: now, last_modification: now };
    if let Err(error) = utimensat(CWD, record, &now, AtFlags::SYMLINK_NOFOLLOW) {
        tracing::debug!(file = %record.display(), %error, "the time of use cannot be noted");
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make files of the past")]
mod tests {
    use super::*;

    fn put(folder: &Path, name: &str, bytes: usize, age: u64) -> PathBuf {
        let at = SystemTime::now() - Duration::from_secs(age);
        let code = folder.join(format!("{name}.cwasm"));
        for (file, bytes) in [(&code, bytes), (&folder.join(format!("{name}.json")), 2)] {
            std::fs::write(file, vec![0; bytes]).unwrap();
            std::fs::File::options().append(true).open(file).unwrap().set_modified(at).unwrap();
        }
        code
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first_and_the_newest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let old = put(folder.path(), "old", 100, 300);
        let used = put(folder.path(), "used", 100, 400);
        touch(&used.with_extension("json"));
        let new = put(folder.path(), "new", 500, 500);
        prune(folder.path(), Size::from_bytes(650), &new).unwrap();
        assert!(!old.exists() && !old.with_extension("json").exists());
        assert!(used.exists() && new.exists());
        prune(folder.path(), Size::from_bytes(1), &new).unwrap();
        assert!(!used.exists() && new.exists());
    }

    #[test]
    fn what_a_host_left_when_it_died_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        for (name, age) in [("left.tmp", 7200), ("written.tmp", 10)] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        prune(folder.path(), Size::from_mib(1), Path::new("")).unwrap();
        assert!(!folder.path().join("left.tmp").exists() && folder.path().join("written.tmp").exists());
    }
}
