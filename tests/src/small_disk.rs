//! A disk that is full when a test says so.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is written at once.
const PIECE: usize = 64 << 10;

/// A small disk of its own, gone with its test.
#[derive(Debug)]
pub struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Makes one in this folder, of so many MiB; none where this user may not mount.
    ///
    /// # Panics
    ///
    /// Where the folder cannot be made.
    pub fn mount(at: &Path, size_mib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size_mib}m"), "tmpfs"]).arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self { at: at.to_owned() })
    }

    /// Takes so many bytes of its room, or what is left of it.
    ///
    /// # Panics
    ///
    /// Where it cannot be written for another reason.
    pub fn take(&self, bytes: usize) {
        let mut ballast = File::create(self.ballast()).expect("a file");
        for _ in 0..bytes.div_ceil(PIECE) {
            match ballast.write_all(&[1; PIECE]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("`{}`: {error}", self.at.display()),
            }
        }
    }

    /// Gives back what was taken.
    ///
    /// # Panics
    ///
    /// Where nothing was.
    pub fn give_back(&self) {
        std::fs::remove_file(self.ballast()).expect("it can be removed");
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).output();
    }
}
